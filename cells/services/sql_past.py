"""Statements that ask the log what came before: for undo, and for what gives way to whom.

Set-based like those of sql.py.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection

from cells.domain.axes import AxisName
from cells.models import AuthorKind
from cells.services.given import given_rows, insert_rows
from cells.services.sql import CellKey, on_conflict, style_text
from cells.services.transactions import Cursor


class LoggedOperation(NamedTuple):
    """An operation of the log that is to be taken back: what it did, to what, and whose it was."""

    number: int
    author_kind: str
    user_id: int | None
    origin: str
    operation: str
    before: str


class CellNow(NamedTuple):
    """A cell as it is, and who touched it last."""

    input: str
    style: str | None
    revision: int
    author_kind: str | None
    user_id: int | None
    origin: str | None


def find_take_back(cursor: Cursor, sheet_id: int, operation_id: str) -> tuple[int, bool] | None:
    """Return (number of the newest undo or redo of an operation, whether it is undone now)."""
    cursor.execute(
        "SELECT number, is_undone FROM cells_takeback WHERE sheet_id = %s AND operation_id = %s",
        [sheet_id, operation_id],
    )
    found = cursor.fetchall()
    return (found[0][0], bool(found[0][1])) if found else None


def write_take_back(
    cursor: Cursor, sheet_id: int, operation_id: str, number: int, *, is_undone: bool
) -> None:
    """Note that revision `number` undid or redid an operation."""
    cursor.execute(
        "INSERT INTO cells_takeback (sheet_id, operation_id, number, is_undone) "
        "VALUES (%s, %s, %s, %s) ON CONFLICT (sheet_id, operation_id) "
        "DO UPDATE SET number = excluded.number, is_undone = excluded.is_undone",
        [sheet_id, operation_id, number, is_undone],
    )


def read_logged(
    cursor: Cursor, sheet_id: int, *, operation_id: str | None = None, number: int = 0
) -> LoggedOperation | None:
    """Return an operation of the log by its id, or by its revision's number."""
    by = "number = %s" if operation_id is None else "operation_id = %s"
    json = "::text" if connection.vendor == "postgresql" else ""
    cursor.execute(
        "SELECT number, author_kind, user_id, origin, "  # noqa: S608
        f"operation{json}, before{json} FROM cells_revision WHERE sheet_id = %s AND {by}",
        [sheet_id, number if operation_id is None else operation_id],
    )
    found = cursor.fetchall()
    return LoggedOperation(*found[0]) if found else None


def read_cells_now(cursor: Cursor, keys: Iterable[CellKey]) -> dict[CellKey, CellNow]:
    """Return those cells that exist, with who touched them last as far as the log tells."""
    given, params = given_rows('sheet_id bigint, "row" int, "column" int', keys)
    cursor.execute(
        'SELECT cell.sheet_id, cell."row", cell."column", cell.input, '  # noqa: S608
        f"{style_text('cell')}, cell.revision, log.author_kind, log.user_id, log.origin "
        f"FROM {given} JOIN cells_cell AS cell ON cell.sheet_id = given.sheet_id "
        'AND cell."row" = given."row" AND cell."column" = given."column" '
        "LEFT JOIN cells_revision AS log "
        "ON log.sheet_id = cell.sheet_id AND log.number = cell.revision",
        params,
    )
    return {(row[0], row[1], row[2]): CellNow(*row[3:]) for row in cursor.fetchall()}


class Touch(NamedTuple):
    """Who wrote a cell last, by kind, and when: by the event itself where a stream knows."""

    author_kind: str
    moment: datetime


def read_touches(cursor: Cursor, keys: Iterable[CellKey]) -> dict[CellKey, Touch]:
    """Return the last touch of those cells that exist, as far as the log tells."""
    given, params = given_rows('sheet_id bigint, "row" int, "column" int', keys)
    cursor.execute(
        'SELECT cell.sheet_id, cell."row", cell."column", log.author_kind, '  # noqa: S608
        "COALESCE(log.event_at, log.published_at, log.committed_at) "
        f"FROM {given} JOIN cells_cell AS cell ON cell.sheet_id = given.sheet_id "
        'AND cell."row" = given."row" AND cell."column" = given."column" '
        "JOIN cells_revision AS log ON log.sheet_id = cell.sheet_id AND log.number = cell.revision",
        params,
    )
    return {
        (sheet_id, row, column): Touch(kind, as_moment(moment))
        for sheet_id, row, column, kind, moment in cursor.fetchall()
    }


def as_moment(found: datetime | str) -> datetime:
    """Return a moment as PostgreSQL gives it, or of what SQLite keeps: its text, or without UTC."""
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def write_proposals(cursor: Cursor, proposals: Sequence[tuple[Any, ...]]) -> None:
    """Write (sheet id, row, column, input, feed id, revision, moment); the newest of a cell stays.

    Each cell once in a call.
    """
    insert_rows(
        cursor,
        'cells_proposal (sheet_id, "row", "column", input, feed_id, revision, proposed_at)',
        'sheet_id bigint, "row" int, "column" int, input text, feed_id bigint, revision bigint, '
        "proposed_at timestamptz",
        proposals,
        on_conflict("input", "feed_id", "revision", "proposed_at"),
    )


def find_written_since(
    cursor: Cursor, sheet_id: int, axis: str, runs: Iterable[tuple[int, int]], since: int
) -> list[tuple[int, str | None, int | None, str | None]]:
    """Return (row or column id, author's kind, user id, origin) of each filled cell in `runs`.

    Of those that were touched after revision `since`; `runs` are (first id, id behind the last).
    """
    given, params = given_rows("low int, high int", runs)
    name = {"rows": '"row"', "columns": '"column"'}[axis]
    cursor.execute(
        f"SELECT cell.{name}, log.author_kind, log.user_id, log.origin FROM {given} "  # noqa: S608
        f"JOIN cells_cell AS cell ON cell.{name} >= given.low AND cell.{name} < given.high "
        "LEFT JOIN cells_revision AS log "
        "ON log.sheet_id = cell.sheet_id AND log.number = cell.revision "
        "WHERE cell.sheet_id = %s AND cell.revision > %s AND cell.input <> ''",
        [*params, sheet_id, since],
    )
    return cursor.fetchall()


def find_written_by_streams(
    cursor: Cursor, sheet_id: int, rows: Iterable[int], columns: tuple[int, int], limit: int
) -> list[tuple[int, int, str]]:
    """Return (row id, column id, author's name) of cells whose newest revision is a stream's.

    Row by row: a range of ids would have PostgreSQL take the whole log for the shorter way.
    """
    given, params = given_rows('"row" int', [(row,) for row in rows])
    cursor.execute(
        f'SELECT cell."row", cell."column", log.author_name FROM {given} '  # noqa: S608
        'JOIN cells_cell AS cell ON cell.sheet_id = %s AND cell."row" = given."row" '
        'AND cell."column" BETWEEN %s AND %s JOIN cells_revision AS log '
        "ON log.sheet_id = cell.sheet_id AND log.number = cell.revision "
        "WHERE log.author_kind = %s LIMIT %s",
        [*params, sheet_id, *columns, AuthorKind.STREAM.value, limit],
    )
    return cursor.fetchall()


def tell_again(
    cursor: Cursor, sheet_id: int, number: int, axis: AxisName, runs: Iterable[tuple[int, int]]
) -> None:
    """Have the cells of rows or columns that were brought back be in the delta of a revision.

    Who may only look was not told of them while they were deleted. As a calculation does, this
    takes a cell from nobody.
    """
    column = "row" if axis is AxisName.ROWS else "column"
    cursor.executemany(
        "UPDATE cells_cell SET value_revision = %s WHERE sheet_id = %s "  # noqa: S608
        f"AND \"{column}\" BETWEEN %s AND %s AND (input <> '' OR style IS NOT NULL)",
        [(number, sheet_id, first, first + count - 1) for first, count in runs],
    )
