"""Taking back: what a line of the log left in cells and axes, and what brings back its past.

Undo takes back an operation, redo takes back the undo, the next undo that redo: always the newest
line about an operation, by what it kept as its past.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, assert_never

from cells.domain.operations import (
    CellInput,
    Change,
    Delete,
    Insert,
    LoggedOperation,
    Move,
    Place,
    Resize,
    ResizeEach,
    Restore,
    SetCells,
    TakeBack,
)
from cells.domain.sizes import Sized


class PastCell(NamedTuple):
    """A cell that an operation wrote, as it was before, and as of which revision.

    `left` is the revision whose state the operation left the cell in. While that is the cell's
    state, nobody else has written it, or whoever did has taken it back.
    """

    cell: CellInput
    revision: int
    left: int


def cells_before(
    number: int, operation: LoggedOperation, before: Mapping[str, Any]
) -> list[PastCell]:
    """Return the past of the cells that revision `number` wrote."""
    cells = before.get("cells", ())
    revisions = before.get("revisions") or (0,) * len(cells)
    left = operation.revisions if isinstance(operation, TakeBack) else (number,) * len(cells)
    return [
        PastCell(tuple(cell), revision, mine)
        for cell, revision, mine in zip(cells, revisions, left, strict=True)
    ]


def change_before(operation: LoggedOperation, before: Mapping[str, Any]) -> Change | None:
    """Return what brings the axes back to where they were, None if nothing changed them.

    The rows that a grid grew by under SetCells stay: what they were for is taken back already.
    """
    if isinstance(operation, SetCells):
        return None
    change = operation.change if isinstance(operation, TakeBack) else operation
    match change:
        case None:
            return None
        case Insert(axis) | Restore(axis):
            runs = _runs(before[axis])
            return Delete(axis, runs) if runs else None
        case Delete(axis):
            runs = _runs(before[axis])
            return Restore(axis, runs) if runs else None
        case Move(axis) | Place(axis):
            pieces = tuple((first, count, behind) for first, count, behind in before[axis])
            return Place(axis, pieces)
        case Resize(axis) | ResizeEach(axis):
            return ResizeEach(axis, tuple(Sized(*size) for size in before[axis]))
        case _:
            assert_never(change)


def _runs(raw: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, count) for first, count in raw)
