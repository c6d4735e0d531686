"""Undo and redo: the author's own operations, taken back out of the log under the sheet's lock.

A cell is put back only while it is in the state that the operation left it in; rows and columns
are taken away again only while nobody else has filled them. What is left alone is counted.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

import msgspec

from cells.domain.errors import Forbidden, NothingToRedo, NothingToUndo, SheetSyncError
from cells.domain.operations import (
    Change,
    Delete,
    LoggedOperation,
    Redo,
    TakeBack,
    Undo,
    load_operation,
)
from cells.domain.runs import cut_range, join_runs
from cells.domain.undoing import PastCell, cells_before, change_before
from cells.services import sql
from cells.services.authors import Author
from cells.services.transactions import Cursor


class Wanted(NamedTuple):
    """An undo or redo of a batch, before it is known what it means."""

    sheet_id: int
    operation: Undo | Redo


@dataclass(frozen=True, slots=True)
class _Line:
    """The newest line of the log about an operation: itself, or what undid or redid it last."""

    row: sql.HistoryRow
    operation: LoggedOperation
    cells: list[PastCell]
    change: Change | None

    @property
    def is_undone(self) -> bool:
        return isinstance(self.operation, TakeBack) and not self.operation.is_redo


class History:
    """What undo and redo mean for the sheets of one batch, as they are in the database.

    No sheet may have been changed since by the batch itself: commit writes what comes before an
    undo first.
    """

    def __init__(self, cursor: Cursor, vendor: str) -> None:
        self._cursor = cursor
        self._vendor = vendor
        self._lines: dict[sql.OperationKey, _Line] = {}
        self._left: dict[sql.OperationKey, int] = {}
        self._revisions: dict[sql.CellKey, int] = {}
        # By sheet, revision and axis: who filled which row or column since, with how many cells.
        self._filled: dict[tuple[int, int, str], list[sql.FilledRow]] = defaultdict(list)

    def prepare(self, wanted: Sequence[Wanted], committed: Sequence[sql.OperationKey] = ()) -> None:
        """Read what `wanted` needs, and what `committed` ones left: four statements at most."""
        if committed:
            self._left = sql.find_left(self._cursor, committed)
        if wanted:
            self._read(wanted)

    def left_by(self, key: sql.OperationKey) -> int:
        """Return how many cells an undo or redo left alone that was committed before."""
        return self._left.get(key, 0)

    def _read(self, wanted: Sequence[Wanted]) -> None:
        keys = {(sheet_id, self._text(operation.operation_id)) for sheet_id, operation in wanted}
        for row in sql.find_history(self._cursor, keys):
            try:
                operation = load_operation(msgspec.json.decode(row.operation))
            except SheetSyncError:
                continue  # written by a later release, before a step back
            before = msgspec.json.decode(row.before)
            self._lines[row.sheet_id, row.operation_id] = _Line(
                row,
                operation,
                cells_before(row.newest, operation, before),
                change_before(operation, before),
            )
        cells = {
            (key[0], *past.cell[:2]) for key, line in self._lines.items() for past in line.cells
        }
        if cells:
            found = sql.read_cells(self._cursor, cells)
            self._revisions = {key: cell.revision for key, cell in found.items()}
        deleted = [
            (line.row.sheet_id, line.row.newest, line.change.axis.value, first, first + count - 1)
            for line in self._lines.values()
            if isinstance(line.change, Delete)
            for first, count in line.change.runs
        ]
        if deleted:
            for row_filled in sql.find_filled_since(self._cursor, deleted):
                self._filled[row_filled[:3]].append(row_filled)

    def resolve(
        self, sheet_id: int, operation: Undo | Redo, author: Author
    ) -> tuple[int, TakeBack]:
        """Return the number of the revision that is taken back, and what brings back its past.

        Raises NothingToUndo, NothingToRedo, or Forbidden for what somebody else did.
        """
        is_redo = isinstance(operation, Redo)
        line = self._lines.get((sheet_id, self._text(operation.operation_id)))
        if line is None or line.row.is_take_back:
            raise _nothing(is_redo, "the sheet's log does not have this edit, or no longer")
        if not author.wrote(line.row.author_kind, line.row.user_id, line.row.origin):
            raise Forbidden("only your own edits can be taken back, and this is somebody else's")
        if line.is_undone != is_redo:
            raise _nothing(
                is_redo,
                "this edit is not taken back" if is_redo else "this edit is taken back already",
            )
        mine = [
            past
            for past in line.cells
            if self._revisions.get((sheet_id, *past.cell[:2]), 0) == past.left
        ]
        change, left = self._spared(line, author)
        return line.row.number, TakeBack(
            operation.operation_id,
            is_redo,
            tuple(past.cell for past in mine),
            tuple(past.revision for past in mine),
            change,
            left + len(line.cells) - len(mine),
        )

    def _spared(self, line: _Line, author: Author) -> tuple[Change | None, int]:
        """Take out of what is to be deleted what others have filled; count their cells."""
        change = line.change
        if not isinstance(change, Delete):
            return change, 0
        filled = self._filled[line.row.sheet_id, line.row.newest, change.axis.value]
        spared: dict[int, int] = defaultdict(int)
        for row in filled:
            if not author.wrote(row.author_kind, row.user_id, row.origin):
                spared[row.id] += row.cells
        if not spared:
            return change, 0
        joined = join_runs([(id_, 1) for id_ in spared])
        runs = tuple(
            (piece.first, piece.length)
            for first, count in change.runs
            for piece in cut_range(first, count, joined)
            if not piece.is_chosen
        )
        return replace(change, runs=runs) if runs else None, sum(spared.values())

    def _text(self, operation_id: UUID) -> str:
        return sql.uuid_text(self._vendor, operation_id)


def _nothing(is_redo: bool, reason: str) -> NothingToUndo | NothingToRedo:
    if is_redo:
        return NothingToRedo(f"there is nothing to redo: {reason}")
    return NothingToUndo(f"there is nothing to undo: {reason}")
