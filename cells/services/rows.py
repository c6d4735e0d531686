"""Rows in view: the state of a few whole rows, read ahead of a large sheet's first load."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice

import msgspec
from django.db import connection

from cells.domain.axes import Axis
from cells.domain.deltas import CellState
from cells.domain.runs import runs_of
from cells.services.read import OpenedSheet, cell_state, living_now
from cells.services.sql import style_text, value_text_of

MAX_ROWS = 200  # two or three screens
MAX_CELLS = 5_000  # about 100 kB: they come between the pieces of a first load
MAX_CHARACTERS = 250_000  # and no more where the cells are long


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """All cells of some rows, as runs of ids, at revision `at`."""

    at: int
    rows: list[tuple[int, int]]
    cells: list[CellState]


def read_view(
    opened: OpenedSheet, first: int, count: int, *, living_only: bool = False
) -> LoadedRows | None:
    """Return the rows at so many positions from `first` on; None when the sheet is gone."""
    axis = Axis.from_runs(msgspec.json.decode(opened.rows))
    loaded = _read(opened.id, axis.ids_between(first, first + min(count, MAX_ROWS)))
    return _without_deleted(opened.id, loaded) if living_only else loaded


def read_rows(
    sheet_id: int, runs: Iterable[tuple[int, int]], *, living_only: bool = False
) -> LoadedRows | None:
    """Return the rows of some runs of ids; None when the sheet is gone.

    Of many rows or cells only the first rows by id, as many as are allowed, but always one.
    """
    ids = chain.from_iterable(range(first, first + count) for first, count in runs)
    loaded = _read(sheet_id, list(islice(ids, MAX_ROWS)))
    return _without_deleted(sheet_id, loaded) if living_only else loaded


def _without_deleted(sheet_id: int, loaded: LoadedRows | None) -> LoadedRows | None:
    if loaded is None:
        return None
    is_living = living_now(sheet_id)
    return replace(loaded, cells=[cell for cell in loaded.cells if is_living(cell[0], cell[1])])


def _read(sheet_id: int, ids: list[int]) -> LoadedRows | None:
    ids = sorted(set(ids))
    state = _select(sheet_id, ids, MAX_CELLS + 1)
    if state is None:
        return None
    at, cells = state
    whole = _whole_rows(cells)
    if whole:
        return LoadedRows(at, runs_of(ids[: bisect_left(ids, cells[len(whole)][0])]), whole)
    if len(cells) > MAX_CELLS:
        # A row of more cells than may travel at once, and nobody could ever see it: it goes alone.
        ids = ids[: bisect_right(ids, cells[0][0])]
        state = _select(sheet_id, ids, None)
        if state is None:
            return None
        at, cells = state
    return LoadedRows(at, runs_of(ids), cells)


def _select(sheet_id: int, ids: list[int], limit: int | None) -> tuple[int, list[CellState]] | None:
    """Return the head and the first cells of some rows, in order; None when the sheet is gone.

    One statement, and so one state of the database.
    """
    looks = f"{style_text('cell')}, {value_text_of('cell')}"
    marks = ", ".join(["%s"] * len(ids)) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT sheet.head, cell."row", cell."column", cell.input, {looks} '  # noqa: S608
            "FROM cells_sheet AS sheet LEFT JOIN cells_cell AS cell "
            f'ON cell.sheet_id = sheet.id AND cell."row" IN ({marks}) '
            "AND (cell.input <> '' OR cell.style IS NOT NULL) "
            'WHERE sheet.id = %s ORDER BY cell."row", cell."column"'
            + ("" if limit is None else f" LIMIT {limit}"),
            [*ids, sheet_id],
        )
        found: list[tuple[int, int | None, int, str, str | None, str | None]] = cursor.fetchall()
    if not found:
        return None
    cells = [
        cell_state(row, column, text, style, value)
        for _, row, column, text, style, value in found
        if row is not None
    ]
    return found[0][0], cells


def _whole_rows(cells: list[CellState]) -> list[CellState]:
    """Return the cells of the first rows, as many as may travel at once; empty if all may."""
    characters = 0
    for place, cell in enumerate(cells):
        characters += len(cell[2])
        if place >= MAX_CELLS or characters > MAX_CHARACTERS:
            begin = bisect_left(cells, cell[0], key=lambda other: other[0])
            if begin > 0:
                return cells[:begin]
    return []
