"""Undo and redo of one's own operations, from the log.

Works under the sheet's lock, within commit. What somebody else has written since stays as it is,
and is counted.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection

from cells.domain.axes import AxisName
from cells.domain.errors import Forbidden, NothingToRedo, NothingToUndo
from cells.domain.layout import CellId, Layout
from cells.domain.operations import (
    Delete,
    RestyleEach,
    SetCells,
    SetStyles,
    Several,
    Step,
    Undo,
    Undone,
    load_operation,
    step_of,
)
from cells.domain.parts import parts_of
from cells.domain.reordering import ReorderCells
from cells.domain.runs import join_runs
from cells.domain.styles import canonical
from cells.domain.undoing import (
    as_it_was,
    inverse_of_cells,
    inverse_of_shape,
    without,
    written_by,
)
from cells.models import AuthorKind
from cells.services import sql, sql_past
from cells.services.authors import Author
from cells.services.transactions import Cursor


def resolve(
    cursor: Cursor, sheet_id: int, layout: Layout, undo: Undo, author: Author
) -> tuple[Undone, int]:
    """Return what an undo or redo comes to now, and how many cells it leaves alone.

    A cell is given its past only while it holds what the operation wrote and nobody else has
    written it since. Raises NothingToUndo, NothingToRedo, or Forbidden for another's operation.
    """
    logged = _find(cursor, sheet_id, undo, author)
    step = step_of(load_operation(json.loads(logged.operation)))
    before: dict[str, Any] = json.loads(logged.before)
    if step is None:
        return Undone(undo.operation_id, undo.is_redo, None), 0
    trial = layout.copy()
    inverses: list[Step] = []
    left = 0
    for part, past in reversed(parts_of(step, before)):
        inverse, some = _taken_back(cursor, sheet_id, trial, part, past, logged.number, author)
        left += some
        if isinstance(step, Several) and isinstance(inverse, Delete):
            inverse = as_it_was(inverse, past)
        if inverse is not None:
            inverses.append(inverse)
            trial.apply(inverse)  # a cell may be in a row that comes back with the same undo
    if isinstance(step, Several):
        whole = Several(tuple(inverses)) if inverses else None
        return Undone(undo.operation_id, undo.is_redo, whole), left
    return Undone(undo.operation_id, undo.is_redo, inverses[0] if inverses else None), left


def _taken_back(
    cursor: Cursor,
    sheet_id: int,
    layout: Layout,
    step: Step,
    before: Mapping[str, Any],
    number: int,
    author: Author,
) -> tuple[Step | None, int]:
    """Return what takes one step back, and how many cells it leaves alone."""
    if isinstance(step, SetCells | SetStyles | RestyleEach):
        return _cells_back(cursor, sheet_id, layout, step, before, number, author)
    inverse = inverse_of_shape(step, before)
    if isinstance(inverse, Delete):
        return _sparing_others(cursor, sheet_id, inverse, number, author)
    if isinstance(inverse, ReorderCells):
        return layout.sparing_deleted(inverse), 0
    return inverse, 0


def note(cursor: Cursor, sheet_id: int, undone: Undone, number: int) -> None:
    """Remember which revision undid or redid an operation."""
    operation_id = sql.uuid_text(connection.vendor, undone.operation_id)
    sql_past.write_take_back(cursor, sheet_id, operation_id, number, is_undone=not undone.is_redo)


def _find(cursor: Cursor, sheet_id: int, undo: Undo, author: Author) -> sql_past.LoggedOperation:
    """Return the line of the log that is to be taken back: the operation, or its last redo."""
    operation_id = sql.uuid_text(connection.vendor, undo.operation_id)
    original = sql_past.read_logged(cursor, sheet_id, operation_id=operation_id)
    if original is None:
        raise NothingToUndo("the log does not have this operation; it may have been pruned")
    if not _is_same(author, original.author_kind, original.user_id, original.origin):
        raise Forbidden("only one's own operations can be undone")
    taken_back = sql_past.find_take_back(cursor, sheet_id, operation_id)
    is_undone = taken_back is not None and taken_back[1]
    if undo.is_redo and not is_undone:
        raise NothingToRedo("this operation has not been undone")
    if is_undone and not undo.is_redo:
        raise NothingToUndo("this operation has been undone already")
    if taken_back is None:
        if msgspec.json.decode(original.operation)["kind"] in ("undo", "redo"):
            raise NothingToUndo("to take an undo back, redo the operation that it names")
        return original
    newest = sql_past.read_logged(cursor, sheet_id, number=taken_back[0])
    if newest is None:
        raise NothingToUndo("the log does not reach back to this operation any more")
    return newest


def _cells_back(
    cursor: Cursor,
    sheet_id: int,
    layout: Layout,
    step: SetCells | SetStyles | RestyleEach,
    before: Mapping[str, Any],
    number: int,
    author: Author,
) -> tuple[SetCells | RestyleEach | None, int]:
    written = written_by(step, before)
    now = sql_past.read_cells_now(cursor, [(sheet_id, *key) for key in written])
    rows, columns = layout.axes[AxisName.ROWS], layout.axes[AxisName.COLUMNS]

    def is_mine(key: CellId) -> bool:
        cell = now.get((sheet_id, *key))
        if cell is None or not rows.is_alive(key[0]) or not columns.is_alive(key[1]):
            return False
        if cell.revision == number:
            return True
        # Later edits of one's own that were undone, too, have brought back what this one wrote.
        if not _is_same(author, cell.author_kind, cell.user_id, cell.origin):
            return False
        text, style = written[key]
        return text in (None, cell.input) and style in (None, canonical(cell.style or '""'))

    return inverse_of_cells(step, before, is_mine)


def _sparing_others(
    cursor: Cursor, sheet_id: int, deletion: Delete, number: int, author: Author
) -> tuple[Delete | None, int]:
    """Leave out rows or columns that somebody else has written into since; count those cells."""
    found = sql_past.find_written_since(
        cursor, sheet_id, deletion.axis.value, join_runs(deletion.runs), number
    )
    others = [
        id_ for id_, kind, user_id, origin in found if not _is_same(author, kind, user_id, origin)
    ]
    return without(deletion, set(others)), len(others)


def _is_same(author: Author, kind: str | None, user_id: int | None, origin: str | None) -> bool:
    """Say whether a line of the log is this author's: a person's, or a guest's browser tab's."""
    if kind != author.kind:
        return False
    return user_id == author.user_id if kind == AuthorKind.USER else origin == author.origin
