"""The index from a cell to the revisions that changed it, filled when somebody asks.

Commits do not pay for it (decision 24). What has come since the last question is read from the
log, in transactions so small that nobody else's edit waits for long.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import NamedTuple

import msgspec
from django.db import connection

from cells.domain.operations import load_operation, step_of
from cells.models import LogReach, Sheet
from cells.services.given import insert_rows
from cells.services.past import json_text, kind_of
from cells.services.past_states import reach_of, touched_by
from cells.services.read import one_state
from cells.services.transactions import writing

LINES_AT_ONCE = 64  # out of the database, of lines that are short
BYTES_AT_ONCE = 250_000  # from which on fewer are fetched: a line may have megabytes
ROWS_PER_READ = 4_000  # held, but for a line that has more
ROWS_PER_WRITE = 2_000  # of one transaction: SQLite has one writer, who must not wait for long
MAX_PAUSE_SECONDS = 0.05  # behind each, as long as it took: others write in between
FILLERS = 2  # of a process
SECONDS_PER_QUESTION = 1.0  # an answer that takes longer says how far it has come

_filling: set[int] = set()
_changed = Condition()

_Row = tuple[int, int, int, int]
"""Of CellChange: sheet id, row id, column id, revision."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a log has been read, of how much."""

    through: int
    head: int

    @property
    def is_done(self) -> bool:
        return self.through >= self.head


def fill_index(sheet_id: int, seconds: float = SECONDS_PER_QUESTION) -> Progress:
    """Read on in a sheet's log, for so long at the most; return how far that came.

    One line of the log is read at least, unless somebody else in this process is at it.
    """
    ending = time.monotonic() + seconds
    progress = _progress(sheet_id)
    if progress.is_done:
        return progress
    with _alone(sheet_id, seconds) as is_alone:
        progress = _progress(sheet_id)
        if not is_alone:
            return progress
        head, through = progress.head, max(progress.through, reach_of(sheet_id, progress.head))
        began = through
        while through < head:
            portion = _read(sheet_id, through, head, ending)
            for rows, done in _writes(portion, through):
                started = time.monotonic()
                _write(sheet_id, rows, done)
                through = done
                took = time.monotonic() - started
                if began < through and time.monotonic() >= ending:
                    return Progress(through, head)
                time.sleep(min(took, MAX_PAUSE_SECONDS))
    return Progress(through, head)


def _progress(sheet_id: int) -> Progress:
    head = Sheet.objects.values_list("head", flat=True).get(pk=sheet_id)
    known = LogReach.objects.filter(sheet_id=sheet_id).values_list("indexed", flat=True).first()
    return Progress(known or 0, head)


@contextmanager
def _alone(sheet_id: int, seconds: float) -> Iterator[bool]:
    """Be the only one in this process who reads a sheet's log; False where that cannot be."""

    def is_free() -> bool:
        return sheet_id not in _filling and len(_filling) < FILLERS

    with _changed:
        is_alone = _changed.wait_for(is_free, seconds)
        if is_alone:
            _filling.add(sheet_id)
    try:
        yield is_alone
    finally:
        if is_alone:
            with _changed:
                _filling.discard(sheet_id)
                _changed.notify_all()


class _Portion(NamedTuple):
    """Rows of whole lines, by revision, and up to where the log has been read for them."""

    rows: Sequence[_Row]
    through: int


def _read(sheet_id: int, after: int, head: int, ending: float) -> _Portion:
    """Read lines of the log until they are enough, or it is time; one at least."""
    rows: list[_Row] = []
    decode = msgspec.json.decode
    count = 1
    with one_state(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT number, CASE WHEN {kind_of()} IN ('reorder_cells', 'undo', 'redo') "  # noqa: S608
            f"THEN {json_text('operation')} END, "
            f"CASE WHEN {kind_of()} <> 'set_values' THEN {json_text('before')} END "
            "FROM cells_revision WHERE sheet_id = %s AND number > %s AND number <= %s "
            "ORDER BY number",
            [sheet_id, after, head],
        )
        while lines := cursor.fetchmany(count):
            for number, raw, before in lines:
                if before is not None:
                    step = None if raw is None else step_of(load_operation(decode(raw)))
                    touched = sorted(touched_by(step, decode(before)))
                    rows += [(sheet_id, row, column, number) for row, column in touched]
                if len(rows) >= ROWS_PER_READ or time.monotonic() >= ending:
                    return _Portion(rows, number)
            size = sum(len(before or "") + len(raw or "") for _, raw, before in lines)
            count = min(2 * count, LINES_AT_ONCE) if size < BYTES_AT_ONCE else max(1, count // 2)
    return _Portion(rows, head)


def _writes(portion: _Portion, through: int) -> Iterator[tuple[Sequence[_Row], int]]:
    """Yield what is to be written at once, each with up to where the index is whole then."""
    rows = portion.rows
    for first in range(0, len(rows), ROWS_PER_WRITE):
        stop = first + ROWS_PER_WRITE
        if stop < len(rows):
            number = rows[stop][-1]  # that line, and maybe those before it, are whole without it
            through = max(through, number - 1)
            yield rows[first:stop], through
        else:
            yield rows[first:], portion.through
    if not rows:
        yield rows, portion.through


def _write(sheet_id: int, rows: Sequence[_Row], through: int) -> None:
    """Write rows, and how far the log has been read with the last of them."""
    with writing() as cursor:
        if rows:
            insert_rows(
                cursor,
                'cells_cellchange (sheet_id, "row", "column", revision)',
                'sheet_id bigint, "row" int, "column" int, revision bigint',
                rows,
                'ON CONFLICT (sheet_id, "row", "column", revision) DO NOTHING',
            )
        insert_rows(
            cursor,
            "cells_logreach (sheet_id, indexed)",
            "sheet_id bigint, indexed bigint",
            [(sheet_id, through)],
            "ON CONFLICT (sheet_id) DO UPDATE SET indexed = excluded.indexed "
            "WHERE cells_logreach.indexed < excluded.indexed",
        )
