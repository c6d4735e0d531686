"""The database as the checker reads it: with its driver, beside all of SheetSync's code."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import psycopg

SHEET = "SELECT id, head, rows, columns, row_sizes, column_sizes, filled FROM cells_sheet"
LOG = "SELECT number, operation_id, author_kind, operation FROM cells_revision"
CELLS = 'SELECT "row", "column", input, revision FROM cells_cell'
DEAD_LETTERS = "SELECT message_id, reason, data FROM cells_deadletter"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    number: int
    operation_id: str
    author_kind: str
    operation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that became no edit."""

    message_id: str
    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """All that the database has of one sheet."""

    head: int
    shape: dict[str, Any]  # rows, columns, row_sizes, column_sizes
    filled: int
    log: list[Line]
    cells: dict[tuple[int, int], tuple[str, int]]  # input and revision
    dead_letters: list[DeadLetter]  # of all sheets


def read_sheet(url: str, slug: str) -> Stored:
    """Read a sheet, its log and its cells. Raises the driver's errors."""
    ((sheet_id, head, rows, columns, row_sizes, column_sizes, filled),) = _rows(
        url, f"{SHEET} WHERE slug = ?", slug
    )
    names = ("rows", "columns", "row_sizes", "column_sizes")
    return Stored(
        head,
        {
            name: _json(text)
            for name, text in zip(names, (rows, columns, row_sizes, column_sizes), strict=True)
        },
        filled,
        [
            Line(number, str(UUID(str(operation_id))), kind, _json(operation))
            for number, operation_id, kind, operation in _rows(
                url, f"{LOG} WHERE sheet_id = ? ORDER BY number", sheet_id
            )
        ],
        {
            (row, column): (text, revision)
            for row, column, text, revision in _rows(url, f"{CELLS} WHERE sheet_id = ?", sheet_id)
        },
        [DeadLetter(id_, reason, bytes(data)) for id_, reason, data in _rows(url, DEAD_LETTERS)],
    )


def read_progress(url: str, slug: str) -> tuple[int, int, int]:
    """Return how many lines streams wrote, how many dead letters there are, and then the head.

    The head last: whoever has found the others complete can rely on it.
    """
    ((lines,),) = _rows(
        url,
        "SELECT count(*) FROM cells_revision AS log JOIN cells_sheet AS sheet "
        "ON sheet.id = log.sheet_id WHERE sheet.slug = ? AND log.author_kind = 'stream'",
        slug,
    )
    dead = sum(slug.encode() in bytes(data) for _, _, data in _rows(url, DEAD_LETTERS))
    ((head,),) = _rows(url, "SELECT head FROM cells_sheet WHERE slug = ?", slug)
    return lines, dead, head


def _rows(url: str, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as sqlite:
            return sqlite.execute(query, parameters).fetchall()
    with psycopg.connect(url, connect_timeout=5) as postgresql:
        return postgresql.execute(query.replace("?", "%s"), parameters).fetchall()


def _json(value: Any) -> Any:
    """Return JSON that a driver may have read already."""
    return json.loads(value) if isinstance(value, str) else value
