"""What a file is written from: a sheet in one state of the database, row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from cells.domain.axes import Axis
from cells.domain.errors import NoSuchSheet
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.sizes import Sized
from cells.services.read import one_state
from cells.services.sql import style_text, value_text_of

CELLS_PER_FETCH = 2_000


class ExportedCell(NamedTuple):
    """A cell at a column's position: its input as it reads, its style as JSON text or "".

    `value` is a formula's, None where it has not been calculated.
    """

    column: int
    text: str
    style: str
    value: Any

    @property
    def is_formula(self) -> bool:
        return is_formula(self.text)


class Exported(NamedTuple):
    """What a file holds: so many rows of a sheet, as of a revision."""

    rows: int
    revision: int


_StoredCell = tuple[int, int, str, str | None, str | None]

Row = tuple[int, list[ExportedCell]]
"""A row's position, and its cells from left to right."""


@dataclass(frozen=True, slots=True)
class ExportedSheet:
    """A sheet as it stands; `rows` may be asked for as long as its state is open."""

    id: int
    title: str
    head: int
    axes: Axes
    row_sizes: list[Sized]
    column_sizes: list[Sized]
    frozen: tuple[int, int]

    def width(self) -> int:
        """Return how many columns are used: up to the last one with a text in a living row."""
        columns = _positions(self.axes.columns)
        used = -1
        with connection.cursor() as cursor:
            for run in self.axes.rows.runs:
                if run.is_alive:
                    cursor.execute(
                        'SELECT DISTINCT "column" FROM cells_cell WHERE sheet_id = %s '
                        "AND \"row\" BETWEEN %s AND %s AND input <> ''",
                        [self.id, run.first, run.first + run.length - 1],
                    )
                    used = max([used, *(columns.get(id_, -1) for (id_,) in cursor.fetchall())])
        return used + 1

    def rows(self, *, has_looks: bool = True) -> Iterator[Row]:
        """Yield the living rows with cells in them, from the top.

        A cell has a text or, with `has_looks`, at least a style. A statement a run of ids, each
        in the order of the table's index: nothing is sorted, and nothing is held but some cells.
        """
        columns = _positions(self.axes.columns)
        above = 0
        for run in self.axes.rows.runs:
            if not run.is_alive:
                continue
            for row_id, found in groupby(self._cells(run.first, run.length), key=_row_id):
                cells = [
                    self._exported(columns[column_id], text, style, value)
                    for _, column_id, text, style, value in found
                    if column_id in columns and (text or has_looks)
                ]
                if cells:
                    yield above + row_id - run.first, sorted(cells, key=_column)
            above += run.length

    def _exported(
        self, column: int, text: str, style: str | None, value: str | None
    ) -> ExportedCell:
        if not is_formula(text):
            return ExportedCell(column, text, style or "", None)
        decoded = None if value is None else msgspec.json.decode(value)
        return ExportedCell(column, to_shown(text, self.axes), style or "", decoded)

    def _cells(self, first: int, count: int) -> Iterator[_StoredCell]:
        looks = f"{style_text('cells_cell')}, {value_text_of('cells_cell')}"
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                f'SELECT "row", "column", input, {looks} '  # noqa: S608
                'FROM cells_cell WHERE sheet_id = %s AND "row" BETWEEN %s AND %s '
                'AND (input <> \'\' OR style IS NOT NULL) ORDER BY "row", "column"',
                [self.id, first, first + count - 1],
            )
            while cells := cursor.fetchmany(CELLS_PER_FETCH):
                yield from cells


@contextmanager
def exported_sheet(sheet_id: int) -> Iterator[ExportedSheet]:
    """Open a sheet as it is in one state of the database. Raises NoSuchSheet for a deleted one."""
    with one_state() as cursor:
        cursor.execute(
            'SELECT title, head, "rows", columns, row_sizes, column_sizes, '
            "frozen_rows, frozen_columns FROM cells_sheet WHERE id = %s AND deleted_at IS NULL",
            [sheet_id],
        )
        found = cursor.fetchone()
        if found is None:
            raise NoSuchSheet("the sheet that was to be exported is gone")
        title, head, rows, columns, row_sizes, column_sizes, *frozen = found
        decode = msgspec.json.decode
        axes = Axes(Axis.from_runs(decode(rows)), Axis.from_runs(decode(columns)))
        yield ExportedSheet(
            sheet_id,
            title,
            head,
            axes,
            placed_sizes(axes.rows, decode(row_sizes)),
            placed_sizes(axes.columns, decode(column_sizes)),
            (frozen[0], frozen[1]),
        )


def placed_sizes(axis: Axis, sizes: list[list[int]]) -> list[Sized]:
    """Return the sizes of living rows or columns by position, from the first on."""
    placed = []
    for first, count, pixels in sizes:
        position = 0
        for run in axis.runs:
            if not run.is_alive:
                continue
            start, stop = max(first, run.first), min(first + count, run.first + run.length)
            if start < stop:
                placed.append(Sized(position + start - run.first, stop - start, pixels))
            position += run.length
    return sorted(placed)


def _row_id(cell: _StoredCell) -> int:
    return cell[0]


def _column(cell: ExportedCell) -> int:
    return cell.column


def _positions(columns: Axis) -> dict[int, int]:
    return {id_: position for position, id_ in enumerate(columns.ids_between(0, len(columns)))}
