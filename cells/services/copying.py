"""Copies of sheets: what one holds now, written into a new one through the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from cells.domain.axes import NEW_COLUMNS, NEW_ROWS, Axis, AxisName
from cells.domain.errors import NoSuchSheet
from cells.domain.operations import (
    MAX_CELLS_PER_OPERATION,
    MAX_RUNS_PER_OPERATION,
    Delete,
    Freeze,
    Insert,
    Intended,
    Operation,
    Resize,
    parse_operation,
)
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.sizes import Sized
from cells.models import LinkRole, Sheet
from cells.services.access import create_sheet
from cells.services.audit import PROJECT, Action, Actor, note
from cells.services.commit import Author, Refused, Submission, commit
from cells.services.read import one_state
from cells.services.sql import style_text

CHARACTERS_PER_OPERATION = 250_000  # one transaction and one frame stay short
CELLS_PER_FETCH = 2_000

NEW_LENGTH = {AxisName.ROWS: NEW_ROWS, AxisName.COLUMNS: NEW_COLUMNS}


@dataclass(frozen=True, slots=True)
class _Content:
    """What a sheet holds, by position: its shape as operations, its cells as JSON of some each.

    Packed, a million cells are tens of megabytes; as tuples they would be hundreds.
    """

    shape: list[Operation]
    cells: list[bytes]


def copy_sheet(
    source: Sheet,
    title: str,
    *,
    owner: AbstractBaseUser | None,
    author: Author,
    by: Actor = PROJECT,
    link_role: LinkRole = LinkRole.NONE,
) -> Sheet:
    """Return a new sheet with the living rows and columns of `source` as they are in one moment.

    Cells with their looks, sizes and what is frozen come along; people, protections, link and log
    do not. Each part is a commit of its own, so that a large copy holds no other writer up; if one
    fails, no half of a copy stays. Noted at its end, with the source: what is in it went elsewhere.
    Raises NoSuchSheet for a deleted source.
    """
    content = _read(source.pk)
    copy = create_sheet(owner, title, link_role=link_role, time_zone=source.time_zone)
    try:
        for operation in _operations(content):
            outcome = commit([Submission(copy.slug, uuid4(), operation, author)]).outcomes[0]
            if isinstance(outcome, Refused):
                raise outcome.error
        note(Action.DUPLICATED, by, source, to=copy.slug, title=title)
    except BaseException:
        copy.delete()
        raise
    return copy


def _operations(content: _Content) -> Iterator[Intended]:
    yield from content.shape
    for cells in content.cells:
        yield parse_operation({"kind": "set_cells", "cells": msgspec.json.decode(cells)})


def _read(sheet_id: int) -> _Content:
    """Read all of a sheet in one state of the database."""
    with one_state() as cursor:
        cursor.execute(
            "SELECT rows, columns, row_sizes, column_sizes, frozen_rows, frozen_columns "
            "FROM cells_sheet WHERE id = %s AND deleted_at IS NULL",
            [sheet_id],
        )
        found = cursor.fetchone()
        if found is None:
            raise NoSuchSheet("the sheet that was to be copied is gone")
        decode = msgspec.json.decode
        axes = {
            AxisName.ROWS: Axis.from_runs(decode(found[0])),
            AxisName.COLUMNS: Axis.from_runs(decode(found[1])),
        }
        sizes = {AxisName.ROWS: decode(found[2]), AxisName.COLUMNS: decode(found[3])}
        shape: list[Operation] = []
        for name, axis in axes.items():
            shape += _lengthen(name, len(axis))
            shape += _resize(name, axis, sizes[name])
        if any(found[4:]):
            shape.append(Freeze(found[4], found[5]))
        return _Content(shape, list(_pack(sheet_id, axes)))


def _lengthen(name: AxisName, length: int) -> Iterator[Operation]:
    """Yield what gives a new axis a length; its ids are then its positions."""
    new = NEW_LENGTH[name]
    if length > new:
        yield Insert(name, None, length - new)
    elif length < new:
        yield Delete(name, ((length, new - length),))


def _resize(name: AxisName, axis: Axis, sizes: list[list[int]]) -> Iterator[Operation]:
    """Yield what gives the positions of an axis the sizes that its ids have."""
    runs: dict[int, list[tuple[int, int]]] = {}
    for position, count, pixels in _placed_sizes(axis, sizes):
        runs.setdefault(pixels, []).append((position, count))
    for pixels, placed in runs.items():
        for first in range(0, len(placed), MAX_RUNS_PER_OPERATION):
            yield Resize(name, tuple(placed[first : first + MAX_RUNS_PER_OPERATION]), pixels)


def _placed_sizes(axis: Axis, sizes: list[list[int]]) -> Iterator[tuple[int, int, int]]:
    """Yield (first position, count, pixels): the parts of `sizes` that live, where they stand."""
    for first, count, pixels in (Sized(*size) for size in sizes):
        position = 0
        for run in axis.runs:
            if not run.is_alive:
                continue
            start, stop = max(first, run.first), min(first + count, run.first + run.length)
            if start < stop and pixels is not None:
                yield position + start - run.first, stop - start, pixels
            position += run.length


def _pack(sheet_id: int, axes: dict[AxisName, Axis]) -> Iterator[bytes]:
    """Yield the living cells that hold or show something, as JSON of as many as fit a commit."""
    rows, column_ids = axes[AxisName.ROWS], axes[AxisName.COLUMNS]
    columns = {
        id_: position for position, id_ in enumerate(column_ids.ids_between(0, len(column_ids)))
    }
    seen = Axes(rows, column_ids)
    last_row_id, row = -1, None
    portion: list[tuple[int, int, str] | tuple[int, int, str, msgspec.Raw]] = []
    characters = 0
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f'SELECT "row", "column", input, {style_text("cells_cell")} '  # noqa: S608
            "FROM cells_cell WHERE sheet_id = %s AND (input <> '' OR style IS NOT NULL) "
            'ORDER BY "row", "column"',
            [sheet_id],
        )
        while cells := cursor.fetchmany(CELLS_PER_FETCH):
            for row_id, column_id, text, style in cells:
                if row_id != last_row_id:
                    last_row_id = row_id
                    row = rows.position_of(row_id) if rows.is_alive(row_id) else None
                column = columns.get(column_id)
                if row is None or column is None:
                    continue  # a deleted row's or column's cells stay behind with it
                if is_formula(text):
                    text = to_shown(text, seen)  # the copy's ids are the positions of now
                size = len(text) + len(style or "")
                if portion and (
                    len(portion) == MAX_CELLS_PER_OPERATION
                    or characters + size > CHARACTERS_PER_OPERATION
                ):
                    yield msgspec.json.encode(portion)
                    portion, characters = [], 0
                portion.append(
                    (row, column, text, msgspec.Raw(style.encode()))
                    if style
                    else (row, column, text)
                )
                characters += size
    if portion:
        yield msgspec.json.encode(portion)
