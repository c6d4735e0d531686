"""Rewinding: what a sheet was before the newest steps of its log, from what they replaced."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from cells.domain.axes import Axis, AxisName
from cells.domain.layout import CellId, Layout
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Move,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    SetCells,
    Several,
    Step,
)
from cells.domain.parts import parts_of
from cells.domain.reordering import ReorderCells
from cells.domain.runs import Runs, ids_of
from cells.domain.sizes import Sized, resized_each
from cells.domain.styles import Style, style_from_json

Axes = dict[AxisName, Axis]
Content = TypeVar("Content")


def rewound(axes: Axes, step: Step, before: Mapping[str, Any]) -> Axes:
    """Return the axes as they were before `step`; `before` is what the log kept with it.

    Lines of before deaths were kept tell none: they are not known then.
    """
    if isinstance(step, Several):
        for part, past in reversed(parts_of(step, before)):
            axes = rewound(axes, part, past)
        return axes
    axes = _reshaped(axes, step, before)
    for name in AxisName:
        if deaths := before.get(name.deaths):
            known = [(first, count, death) for first, count, death in deaths]
            axes = axes | {name: axes[name].with_deaths(known)}
    return axes


def _reshaped(axes: Axes, step: Step, before: Mapping[str, Any]) -> Axes:
    match step:
        case Insert() | SetCells():
            grown = [axis for axis in AxisName if axis in before]
            return axes | {axis: axes[axis].forget(_runs(before[axis])) for axis in grown}
        case Delete(axis):
            return axes | {axis: axes[axis].restore(_runs(before[axis]))}
        case Restore(axis):
            return axes | {axis: axes[axis].kill_again(_runs(before[axis]))}
        case Move(axis) | PutBack(axis):
            pieces = [(first, count, at) for first, count, at in before[axis]]
            return axes | {axis: axes[axis].place(pieces)}
        case _:
            return axes


class Rewinding:
    """A sheet on its way back, from the newest step of its log to an older one.

    Holds what differs, and no more: `inputs` and `styles` have what was in a cell, or the cell
    that has it now, for a sort only takes it elsewhere. What they do not have is as it is now.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.inputs: dict[CellId, str | CellId] = {}
        self.styles: dict[CellId, Style | CellId] = {}
        self.characters = 0
        """Of the inputs, which a sort only takes elsewhere."""

    def take_back(self, step: Step | None, before: Mapping[str, Any]) -> None:
        """Take one step back; None stands for any that does nothing but change cells in place."""
        if isinstance(step, ReorderCells):
            _carry_back(self.inputs, step)
            _carry_back(self.styles, step)
        for row, column, text, *style in before.get("cells", ()):
            if text is not None:
                held = self.inputs.get((row, column))
                self.inputs[row, column] = text
                self.characters += len(text) - (len(held) if isinstance(held, str) else 0)
            if style:
                self.styles[row, column] = style_from_json(style[0])
        if step is not None:
            self._reshape(step, before)

    def _reshape(self, step: Step, before: Mapping[str, Any]) -> None:
        layout = self.layout
        for part, past in reversed(parts_of(step, before)):
            layout.axes = rewound(layout.axes, part, past)
            match part:
                case Resize(axis) | ResizeBack(axis):
                    sizes = [Sized(*size) for size in past[axis]]
                    layout.sizes[axis] = resized_each(layout.sizes[axis], sizes)
                case Freeze():
                    rows, columns = past["frozen"]
                    layout.frozen = (rows, columns)


def _carry_back(contents: dict[CellId, Content | CellId], step: ReorderCells) -> None:
    was = {
        (source, column): contents.get((row, column), (row, column))
        for row, source in step.moves()
        for column in ids_of(step.columns)
    }
    contents.update(was)


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
            case SetCells() | Several():
                self._stop(before)

    def _stop(self, before: Mapping[str, Any]) -> None:
        for row, column, text, *_ in before.get("cells", ()):
            if text is not None and (row, column) in self.places:
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
