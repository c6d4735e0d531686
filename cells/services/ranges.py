"""Cells by A1 address, as of one revision: what was typed, and what it comes to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from cells.domain.addresses import Range
from cells.domain.axes import Axis
from cells.domain.errors import NoSuchSheet
from cells.domain.literals import parse_value, text_of
from cells.domain.references import Axes, is_formula, to_shown
from cells.services.read import one_state
from cells.services.sql import find_last_used, value_text_of

MAX_WINDOW = 20_000  # rows that one statement looks through


@dataclass(frozen=True, slots=True)
class ReadCell:
    """A cell as programs get it; the value of a formula is None until it is calculated."""

    input: str
    value: Any


EMPTY = ReadCell("", None)


@dataclass(frozen=True, slots=True)
class ReadRange:
    """The part of a rectangle that the sheet has, at `revision`; no rows where it has none."""

    revision: int
    range: Range | None
    rows: list[list[ReadCell]]


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Records below row 1, at `revision`: (position, cells by header); `next` is where more are."""

    revision: int
    headers: list[str]
    records: list[tuple[int, dict[str, ReadCell]]]
    next: int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A sheet's head and axes."""

    head: int
    axes: Axes


def read_head(sheet_id: int) -> int:
    """Return a sheet's newest revision. Raises NoSuchSheet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT head FROM cells_sheet WHERE id = %s AND deleted_at IS NULL", [sheet_id]
        )
        found = cursor.fetchone()
    if found is None:
        raise NoSuchSheet("the sheet has been deleted")
    return int(found[0])


def read_shape(cursor: CursorWrapper, sheet_id: int) -> Shape:
    """Return a sheet's head and axes as `cursor` sees them. Raises NoSuchSheet."""
    cursor.execute(
        "SELECT head, rows, columns FROM cells_sheet WHERE id = %s AND deleted_at IS NULL",
        [sheet_id],
    )
    found = cursor.fetchone()
    if found is None:
        raise NoSuchSheet("the sheet has been deleted")
    rows, columns = (Axis.from_runs(msgspec.json.decode(text)) for text in found[1:])
    return Shape(found[0], Axes(rows, columns))


def read_axes(sheet_id: int) -> Axes:
    """Return a sheet's axes as they are now. Raises NoSuchSheet."""
    with one_state() as cursor:
        return read_shape(cursor, sheet_id).axes


def read_range(sheet_id: int, wanted: Range) -> ReadRange:
    """Return a rectangle of positions, clipped to the sheet. Raises NoSuchSheet."""
    with one_state() as cursor:
        shape = read_shape(cursor, sheet_id)
        rows = shape.axes.rows.ids_between(wanted.top, wanted.bottom + 1)
        columns = shape.axes.columns.ids_between(wanted.left, wanted.right + 1)
        if not rows or not columns:
            return ReadRange(shape.head, None, [])
        cells = _read_cells(cursor, sheet_id, rows, columns, shape.axes)
    clipped = Range(
        wanted.top, wanted.left, wanted.top + len(rows) - 1, wanted.left + len(columns) - 1
    )
    texts = [[cells.get((row, column), EMPTY) for column in columns] for row in rows]
    return ReadRange(shape.head, clipped, texts)


def read_records(sheet_id: int, after: int, limit: int, max_cells: int) -> ReadRecords:
    """Return rows behind position `after` that hold anything, under the headers of row 1.

    At most `limit`, and `max_cells` in all, but always one. Raises NoSuchSheet.
    """
    with one_state() as cursor:
        shape = read_shape(cursor, sheet_id)
        headers = _read_headers(cursor, sheet_id, shape.axes)
        names = list(headers)
        if not names:
            return ReadRecords(shape.head, names, [], None)
        limit = min(limit, max(1, max_cells // len(names)))
        used = _used_positions(cursor, sheet_id, shape.axes.rows, headers.values(), after, limit)
        axis = shape.axes.rows
        rows = [axis.id_at(position) for position in used[:limit]]
        cells = _read_cells(cursor, sheet_id, rows, list(headers.values()), shape.axes)
    records = [
        (
            position,
            {name: cells.get((row, column), EMPTY) for name, column in headers.items()},
        )
        for position, row in zip(used, rows, strict=False)
    ]
    return ReadRecords(shape.head, names, records, used[limit - 1] if len(used) > limit else None)


def as_read(text: str, value: str | None, axes: Axes) -> ReadCell:
    """Return a stored cell as programs get it; `value` is JSON text."""
    if is_formula(text):
        found = None if value is None else msgspec.json.decode(value)
        return ReadCell(to_shown(text, axes), found)
    return ReadCell(text, parse_value(text))


def _read_cells(
    cursor: CursorWrapper,
    sheet_id: int,
    rows: Collection[int],
    columns: Collection[int],
    axes: Axes,
) -> dict[tuple[int, int], ReadCell]:
    row_set, row_param = _in_set("row", rows)
    column_set, column_param = _in_set("column", columns)
    cursor.execute(
        f'SELECT "row", "column", input, {value_text_of("cells_cell")} '  # noqa: S608
        f"FROM cells_cell WHERE sheet_id = %s AND {row_set} AND {column_set} AND input <> ''",
        [sheet_id, row_param, column_param],
    )
    return {
        (row, column): as_read(text, value, axes) for row, column, text, value in cursor.fetchall()
    }


def _read_headers(cursor: CursorWrapper, sheet_id: int, axes: Axes) -> dict[str, int]:
    """Return column ids by header, from left to right; of two of one name the left one."""
    if not len(axes.rows):
        return {}
    cursor.execute(
        'SELECT "column", input FROM cells_cell '
        "WHERE sheet_id = %s AND \"row\" = %s AND input <> ''",
        [sheet_id, axes.rows.id_at(0)],
    )
    found = [(column, text) for column, text in cursor.fetchall() if axes.columns.is_alive(column)]
    found.sort(key=lambda header: axes.columns.position_of(header[0]))
    headers: dict[str, int] = {}
    for column, text in found:
        if name := text_of(text):
            headers.setdefault(name, column)
    return headers


def _used_positions(
    cursor: CursorWrapper,
    sheet_id: int,
    axis: Axis,
    columns: Iterable[int],
    after: int,
    limit: int,
) -> list[int]:
    """Return the next positions with a cell in these columns, one more than `limit` if it can.

    Looks through windows of rows, the later ones wider, up to the last used row.
    """
    column_set, column_param = _in_set("column", list(columns))
    stop = _used_rows(cursor, sheet_id, axis)
    start, width = after + 1, 2 * limit
    found: list[int] = []
    while start < stop and len(found) <= limit:
        row_set, row_param = _in_set("row", axis.ids_between(start, min(start + width, stop)))
        cursor.execute(
            f'SELECT DISTINCT "row" FROM cells_cell WHERE sheet_id = %s AND {row_set} '  # noqa: S608
            f"AND {column_set} AND input <> ''",
            [sheet_id, row_param, column_param],
        )
        found += sorted(axis.position_of(row) for (row,) in cursor.fetchall())
        start, width = start + width, min(2 * width, MAX_WINDOW)
    return found[: limit + 1]


def _used_rows(cursor: CursorWrapper, sheet_id: int, axis: Axis) -> int:
    """Return how many rows there are up to the last one that holds anything."""
    runs = [
        (sheet_id, place, run.first, run.first + run.length - 1)
        for place, run in enumerate(axis.runs)
        if run.is_alive
    ]
    last = max(find_last_used(cursor, runs), default=None)
    return 0 if last is None else axis.position_of(last[2]) + 1


def _in_set(column: str, ids: Collection[int] | Sequence[int]) -> tuple[str, Any]:
    """Return the SQL that a column is one of some ids, and its parameter."""
    if connection.vendor == "postgresql":
        return f'"{column}" = ANY(%s)', list(ids)
    encoded = msgspec.json.encode(list(ids)).decode()
    return f'"{column}" IN (SELECT value FROM json_each(%s))', encoded  # noqa: S608
