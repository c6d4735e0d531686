"""What has changed in a sheet since a revision, by the addresses of now."""

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from cells.domain.addresses import format_address
from cells.domain.errors import NoSuchSheet
from cells.services.ranges import ReadCell, as_read, read_shape
from cells.services.read import one_state
from cells.services.sql import value_text_of

MAX_CELLS = 5_000  # about a megabyte of JSON; more is read again


@dataclass(frozen=True, slots=True)
class Changes:
    """The cells touched since `after`, as they are at `through`.

    `moved`: rows or columns have come, gone, moved or changed their size in between, so that
    addresses of before may be other cells'. `is_reset`: there is too much to tell, or `after` is
    none of this log's revisions; then the cells are left out.
    """

    after: int
    through: int
    moved: bool
    is_reset: bool
    cells: list[tuple[str, ReadCell]]


def read_changes(sheet_id: int, after: int) -> Changes:
    """Return what has changed since `after`, in one state. Raises NoSuchSheet."""
    with one_state() as cursor:
        shape = read_shape(cursor, sheet_id)
        if after == shape.head:
            return Changes(after, shape.head, moved=False, is_reset=False, cells=[])
        moved = _has_moved(cursor, sheet_id, after)
        touched = _touched(cursor, sheet_id, after) if after < shape.head else None
    if touched is None or len(touched) > MAX_CELLS:
        return Changes(after, shape.head, moved=moved, is_reset=True, cells=[])
    rows, columns = shape.axes
    placed = sorted(
        (rows.position_of(row), columns.position_of(column), text, value)
        for row, column, text, value in touched
        if rows.is_alive(row) and columns.is_alive(column)
    )
    cells = [
        (format_address(row, column), as_read(text, value, shape.axes))
        for row, column, text, value in placed
    ]
    return Changes(after, shape.head, moved=moved, is_reset=False, cells=cells)


def _has_moved(cursor: CursorWrapper, sheet_id: int, after: int) -> bool:
    cursor.execute(
        "SELECT rows_revision, columns_revision FROM cells_sheet WHERE id = %s", [sheet_id]
    )
    found = cursor.fetchone()
    if found is None:
        raise NoSuchSheet("the sheet has been deleted")
    return bool(max(found) > after)


def _touched(
    cursor: CursorWrapper, sheet_id: int, after: int
) -> list[tuple[int, int, str, str | None]]:
    """Return cells that were typed into or calculated since, one more than MAX_CELLS at most.

    A statement for each, for each has an index.
    """
    what = f'"row", "column", input, {value_text_of("cells_cell")}'
    cursor.execute(
        f"SELECT {what} FROM cells_cell "  # noqa: S608
        f"WHERE sheet_id = %s AND revision > %s ORDER BY revision LIMIT {MAX_CELLS + 1}",
        [sheet_id, after],
    )
    touched = list(cursor.fetchall())
    cursor.execute(
        f"SELECT {what} FROM cells_cell WHERE sheet_id = %s AND value_revision > %s "  # noqa: S608
        f"AND revision <= %s LIMIT {MAX_CELLS + 1}",
        [sheet_id, after, after],
    )
    return touched + list(cursor.fetchall())
