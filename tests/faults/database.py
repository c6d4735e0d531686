"""The database as the checker reads it: with its driver, beside all of SheetSync's code."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from tests.faults.history import canonical

SHEET = (
    "SELECT id, head, rows, columns, row_sizes, column_sizes, frozen_rows, frozen_columns, filled "
    "FROM cells_sheet"
)
LOG = "SELECT number, operation_id, author_kind, user_id, origin, operation FROM cells_revision"
CELLS = 'SELECT "row", "column", input, style, revision FROM cells_cell'
DEAD_LETTERS = "SELECT message_id, reason, data FROM cells_deadletter"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    number: int
    operation_id: str
    author_kind: str
    operation: dict[str, Any]
    author: str = ""  # whose undo may take it back


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
    shape: dict[str, Any]  # rows, columns, row_sizes, column_sizes, frozen
    filled: int
    log: list[Line]
    cells: dict[tuple[int, int], tuple[str, int]]  # input and revision
    dead_letters: list[DeadLetter]  # of all sheets
    styles: dict[tuple[int, int], str] = field(default_factory=dict)  # canonical


def read_sheet(url: str, slug: str) -> Stored:
    """Read a sheet, its log and its cells. Raises the driver's errors."""
    ((sheet_id, head, *runs, frozen_rows, frozen_columns, filled),) = _rows(
        url, f"{SHEET} WHERE slug = ?", slug
    )
    names = ("rows", "columns", "row_sizes", "column_sizes")
    cells = _rows(url, f"{CELLS} WHERE sheet_id = ?", sheet_id)
    return Stored(
        head,
        {name: _json(text) for name, text in zip(names, runs, strict=True)}
        | {"frozen": [frozen_rows, frozen_columns]},
        filled,
        [
            Line(number, str(UUID(str(id_))), kind, _json(operation), f"{kind} {user or origin}")
            for number, id_, kind, user, origin, operation in _rows(
                url, f"{LOG} WHERE sheet_id = ? ORDER BY number", sheet_id
            )
        ],
        {(row, column): (text, revision) for row, column, text, _, revision in cells},
        [DeadLetter(id_, reason, bytes(data)) for id_, reason, data in _rows(url, DEAD_LETTERS)],
        {
            (row, column): looks
            for row, column, _, style, _ in cells
            if (looks := canonical(_json(style or '""')))
        },
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
