"""Rewinding: what a sheet was before the newest steps of its log, from what they replaced."""

from collections.abc import Iterable, Mapping
from typing import Any

from cells.domain.axes import Axis, AxisName
from cells.domain.layout import CellId
from cells.domain.operations import Delete, Insert, Move, PutBack, Restore, SetCells, Step
from cells.domain.reordering import ReorderCells
from cells.domain.runs import Runs, ids_of

Axes = dict[AxisName, Axis]


def rewound(axes: Axes, step: Step, before: Mapping[str, Any]) -> Axes:
    """Return the axes as they were before `step`; `before` is what the log kept with it."""
    match step:
        case Insert() | SetCells():
            grown = [axis for axis in AxisName if axis in before]
            return axes | {axis: axes[axis].forget(_runs(before[axis])) for axis in grown}
        case Delete(axis):
            return axes | {axis: axes[axis].restore(_runs(before[axis]))}
        case Restore(axis):
            return axes | {axis: axes[axis].delete(_runs(before[axis]))}
        case Move(axis) | PutBack(axis):
            pieces = [(first, count, at) for first, count, at in before[axis]]
            return axes | {axis: axes[axis].place(pieces)}
        case _:
            return axes


class Traces:
    """Cells of an earlier revision, followed step by step until something replaces their inputs.

    A reordering takes an input elsewhere; whatever else writes a cell has kept what was there.
    """

    def __init__(self, keys: Iterable[CellId]) -> None:
        self.inputs: dict[CellId, str] = {}
        """What is known already."""
        self.places: dict[CellId, CellId] = {key: key for key in keys}
        """Of the others: where each input stands by now, and whose it is."""

    def follow(self, step: Step, before: Mapping[str, Any]) -> None:
        """Take the next step of the log, with what the log kept of its past."""
        match step:
            case ReorderCells():
                self._stop(before)  # at formulas: they have changed on their way
                self._carry(step)
            case SetCells():
                self._stop(before)

    def _stop(self, before: Mapping[str, Any]) -> None:
        for row, column, text, *_ in before.get("cells", ()):
            if (row, column) in self.places:
                self.inputs[self.places.pop((row, column))] = text

    def _carry(self, step: ReorderCells) -> None:
        columns = ids_of(step.columns)
        moved = {
            (row, column): self.places.pop((source, column))
            for row, source in step.moves()
            for column in columns
            if (source, column) in self.places
        }
        self.places |= moved


def _runs(raw: Iterable[Iterable[int]]) -> Runs:
    return [(first, count) for first, count in raw]
