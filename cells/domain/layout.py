"""A sheet's layout (its axes and sizes), and what each operation does to a sheet.

services/commit applies operations to the part of a sheet that they touch; a replay of the log
applies them to the whole. Both are these functions.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, LimitExceeded
from cells.domain.operations import (
    CellInput,
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
from cells.domain.runs import MAX_RUNS
from cells.domain.sizes import resized, resized_each, sizes_of

Inputs = MutableMapping[tuple[int, int], str]
"""The inputs of cells by (row id, column id); absent is empty."""


_NO_CHANGE: Mapping[AxisName, Any] = MappingProxyType({})  # one for all edits of cells


class Effect(NamedTuple):
    """What an operation does: the cells it sets, and each axis it changes with its past.

    `revisions` are those whose states the cells come back to, where they come back.
    """

    cells: tuple[CellInput, ...]
    axes_before: Mapping[AxisName, Any]
    revisions: tuple[int, ...] = ()


@dataclass(slots=True)
class Layout:
    """Which rows and columns there are, in which order, and how large."""

    axes: dict[AxisName, Axis]
    sizes: dict[AxisName, list[list[int]]]

    def apply(self, operation: LoggedOperation) -> Effect:
        """Carry out `operation`, or raise UnknownId, Deleted, Malformed or LimitExceeded.

        A refused operation leaves the layout as it was.
        """
        match operation:
            case SetCells():
                return self._set_cells(operation)
            case Insert(axis, before, count):
                old = self.axes[axis]
                self._change(axis, old.insert(before, count, axis.limit))
                return Effect((), {axis: [[old.next_id, count]]})
            case Delete(axis, runs):
                old = self.axes[axis]
                self._change(axis, old.delete(runs))
                return Effect((), {axis: old.chosen(runs, is_alive=True)})
            case Move(axis, runs, before):
                old = self.axes[axis]
                self._change(axis, old.move(runs, before))
                return Effect((), {axis: old.followers_of(runs)})
            case Resize(axis, runs, size):
                self.axes[axis].require_born(runs)
                old_sizes = self.sizes[axis]
                self._resize(axis, resized(old_sizes, runs, size))
                return Effect((), {axis: sizes_of(old_sizes, runs)})
            case Restore(axis, runs):
                old = self.axes[axis]
                self._change(axis, old.restore(runs, axis.limit))
                return Effect((), {axis: old.chosen(runs, is_alive=False)})
            case Place(axis, pieces):
                old = self.axes[axis]
                self._change(axis, old.place(pieces))
                return Effect((), {axis: old.followers_of([piece[:2] for piece in pieces])})
            case ResizeEach(axis, wanted):
                old_sizes = self.sizes[axis]
                self._resize(axis, resized_each(old_sizes, wanted))
                return Effect((), {axis: sizes_of(old_sizes, [size[:2] for size in wanted])})
            case TakeBack(cells=cells, revisions=revisions, change=change):
                # The cells may be under tombstones: they are put back there, unseen.
                past = _NO_CHANGE if change is None else self.apply(change).axes_before
                return Effect(cells, past, revisions)

    def _change(self, name: AxisName, axis: Axis) -> None:
        _check_runs(len(self.axes[name].runs), len(axis.runs))
        self.axes[name] = axis

    def _resize(self, name: AxisName, sizes: list[list[int]]) -> None:
        _check_runs(len(self.sizes[name]), len(sizes))
        self.sizes[name] = sizes

    def _set_cells(self, operation: SetCells) -> Effect:
        cells = operation.cells
        if operation.new_rows or operation.new_columns:
            axes, grown = self._grown(operation)
        else:
            axes, grown = self.axes, _NO_CHANGE
        rows, columns = axes[AxisName.ROWS], axes[AxisName.COLUMNS]
        if len(cells) == 1:
            row, column, _ = cells[0]
            if not rows.is_alive(row):
                raise _deleted("row", row)
            if not columns.is_alive(column):
                raise _deleted("column", column)
        else:
            _require_alive(rows, "row", {cell[0] for cell in cells})
            _require_alive(columns, "column", {cell[1] for cell in cells})
            last = {(row, column): text for row, column, text in cells}
            cells = tuple((*key, text) for key, text in last.items())
        self.axes = axes
        return Effect(cells, grown)

    def _grown(self, operation: SetCells) -> tuple[dict[AxisName, Axis], Mapping[AxisName, Any]]:
        """Return the axes as they will be, and what is new on each."""
        axes = dict(self.axes)
        grown: dict[AxisName, Any] = {}
        for name, count in (
            (AxisName.ROWS, operation.new_rows),
            (AxisName.COLUMNS, operation.new_columns),
        ):
            if count:
                grown[name] = [[axes[name].next_id, count]]
                axis = axes[name].insert(None, count, name.limit)
                _check_runs(len(axes[name].runs), len(axis.runs))
                axes[name] = axis
        return axes, grown


def set_inputs(inputs: Inputs, effect: Effect) -> dict[str, Any]:
    """Put the cells of `effect` into `inputs`, and return in JSON form what undo needs."""
    before: dict[str, Any] = {}
    for axis, past in effect.axes_before.items():
        before[axis.value] = past
    if effect.cells:
        pasts = before["cells"] = []
        for row, column, text in effect.cells:
            key = (row, column)
            pasts.append((row, column, inputs.get(key, "")))
            inputs[key] = text
    return before


def set_revisions(
    revisions: MutableMapping[tuple[int, int], int], effect: Effect, number: int
) -> list[int]:
    """Note which revision's state each cell of `effect` is in now, and return what was before.

    That is `number`, or where an undo brings a state back, the revision that it was of. Absent
    is 0: never written.
    """
    pasts = []
    for row, column, _ in effect.cells:
        key = (row, column)
        pasts.append(revisions.get(key, 0))
        revisions[key] = number
    if effect.revisions:
        for (row, column, _), revision in zip(effect.cells, effect.revisions, strict=True):
            revisions[row, column] = revision
    return pasts


def _check_runs(before: int, after: int) -> None:
    """Raise LimitExceeded for what breaks an axis, or its sizes, into too many runs."""
    if after > max(MAX_RUNS, before):
        raise LimitExceeded(
            f"this would leave {after:,} separate runs of rows or columns, and {MAX_RUNS:,} is the "
            "limit: too many have been deleted, moved or resized one by one; copy the content to a "
            "new sheet"
        )


def _require_alive(axis: Axis, name: str, ids: Iterable[int]) -> None:
    for id_ in ids:
        if not axis.is_alive(id_):
            raise _deleted(name, id_)


def _deleted(name: str, id_: int) -> Deleted:
    return Deleted(f"the {name} with id {id_} has been deleted meanwhile")
