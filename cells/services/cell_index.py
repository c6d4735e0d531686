"""The index from a cell to the revisions that changed it, filled when somebody asks.

Commits do not pay for it (decision 24). What has come since the last question is read from the
log, in transactions so small that nobody else's edit waits for long. Two who ask at once write the
same rows.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec
from django.db import connection

from cells.domain.layout import CellId
from cells.domain.operations import load_operation, step_of
from cells.models import LogReach, Sheet
from cells.services.given import insert_rows
from cells.services.past import json_text, kind_of
from cells.services.past_states import reach_of, touched_by
from cells.services.transactions import writing

LINES_PER_READ = 500  # an operation may have 300 kB
MAX_LINES_PER_READ = 4_000  # where they are of a cell or two each
ROWS_PER_WRITE = 2_000  # of one transaction: SQLite has one writer, who must not wait for long
SECONDS_PER_QUESTION = 1.0  # an answer that takes longer says how far it has come


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a log has been read, of how much."""

    through: int
    head: int

    @property
    def is_done(self) -> bool:
        return self.through >= self.head


def fill_index(sheet_id: int, seconds: float = SECONDS_PER_QUESTION) -> Progress:
    """Read on in a sheet's log, for so long at the most; return how far that came."""
    head = Sheet.objects.values_list("head", flat=True).get(pk=sheet_id)
    known = LogReach.objects.filter(sheet_id=sheet_id).values_list("indexed", flat=True).first()
    through = known or 0
    if through < head:
        through = max(through, reach_of(sheet_id, head))
    ending = time.monotonic() + seconds
    count = LINES_PER_READ
    while through < head:
        lines = _read_lines(sheet_id, through, head, count)
        rows = [
            (sheet_id, row, column, number)
            for number, touched in lines
            for row, column in sorted(touched)
        ]
        through = lines[-1][0] if len(lines) == count else head
        is_light = len(rows) < 2 * count
        count = min(2 * count, MAX_LINES_PER_READ) if is_light else LINES_PER_READ
        _write(sheet_id, rows, through)
        if time.monotonic() >= ending:
            break
    return Progress(through, head)


def _read_lines(sheet_id: int, after: int, head: int, count: int) -> list[tuple[int, set[CellId]]]:
    """Return the next lines of a log, each with the cells that it changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number, CASE WHEN {kind_of()} IN ('reorder_cells', 'undo', 'redo') "  # noqa: S608
            f"THEN {json_text('operation')} END, "
            f"CASE WHEN {kind_of()} <> 'set_values' THEN {json_text('before')} END "
            "FROM cells_revision WHERE sheet_id = %s AND number > %s AND number <= %s "
            "ORDER BY number LIMIT %s",
            [sheet_id, after, head, count],
        )
        found = cursor.fetchall()
    decode = msgspec.json.decode
    lines = []
    for number, raw, before in found:
        step = None if raw is None else step_of(load_operation(decode(raw)))
        lines.append((number, set() if before is None else touched_by(step, decode(before))))
    return lines


def _write(sheet_id: int, rows: Iterable[tuple[int, int, int, int]], through: int) -> None:
    """Write rows, and how far the log has been read with the last of them."""
    for some in _portions(rows):
        with writing() as cursor:
            insert_rows(
                cursor,
                'cells_cellchange (sheet_id, "row", "column", revision)',
                'sheet_id bigint, "row" int, "column" int, revision bigint',
                some,
                'ON CONFLICT (sheet_id, "row", "column", revision) DO NOTHING',
            )
    with writing() as cursor:
        insert_rows(
            cursor,
            "cells_logreach (sheet_id, indexed)",
            "sheet_id bigint, indexed bigint",
            [(sheet_id, through)],
            "ON CONFLICT (sheet_id) DO UPDATE SET indexed = excluded.indexed "
            "WHERE cells_logreach.indexed < excluded.indexed",
        )


def _portions(rows: Iterable[tuple[int, int, int, int]]) -> Iterator[list[tuple[int, ...]]]:
    rest = iter(rows)
    while some := list(islice(rest, ROWS_PER_WRITE)):
        yield list(some)
