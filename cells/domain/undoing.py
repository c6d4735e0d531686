"""What takes a step of the log back: itself a step, made of what the log kept of the past."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cells.domain.axes import AxisName
from cells.domain.layout import CellId
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Move,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    RestyleEach,
    SetCells,
    SetStyles,
    Step,
)
from cells.domain.reordering import ReorderCells
from cells.domain.runs import Runs, cut_range, join_runs
from cells.domain.styles import Style, style_from_json


def written_by(
    step: Step, before: Mapping[str, Any]
) -> dict[CellId, tuple[str | None, Style | None]]:
    """Return each cell that a step wrote: its input and its style, None for what it let be."""
    match step:
        case SetCells(cells, styles=styles):
            looks = {(row, column): style for row, column, style in styles}
            return {(row, column): (text, looks.get((row, column))) for row, column, text in cells}
        case SetStyles(change=change):
            return {
                (row, column): (None, change.apply(style_from_json(style)))
                for row, column, _, style in before.get("cells", ())
            }
        case RestyleEach(styles):
            return {(row, column): (None, style) for row, column, style in styles}
        case _:
            return {}


def inverse_of_cells(
    step: Step, before: Mapping[str, Any], is_mine: Callable[[CellId], bool]
) -> tuple[SetCells | RestyleEach | None, int]:
    """Return the step that gives cells their past, and how many others have to be left alone."""
    pasts = before.get("cells", ())
    mine = [past for past in pasts if is_mine((past[0], past[1]))]
    left = len(pasts) - len(mine)
    if not mine:
        return None, left
    styles = tuple(
        (row, column, style_from_json(style[0])) for row, column, _, *style in mine if style
    )
    if isinstance(step, SetStyles | RestyleEach):
        return RestyleEach(styles), left
    cells = tuple((row, column, text) for row, column, text, *_ in mine)
    return SetCells(cells, styles=styles), left


def inverse_of_shape(step: Step, before: Mapping[str, Any]) -> Step | None:
    """Return the step that takes a change of rows, columns, sizes, freezing or order back."""
    match step:
        case ReorderCells():
            return step.back()
        case Insert(axis) | Restore(axis):
            runs = _runs(before, axis)
            return Delete(axis, runs) if runs else None
        case Delete(axis):
            runs = _runs(before, axis)
            return Restore(axis, runs) if runs else None
        case Move(axis) | PutBack(axis):
            return PutBack(axis, tuple((first, count, at) for first, count, at in before[axis]))
        case Resize(axis) | ResizeBack(axis):
            return ResizeBack(axis, tuple((first, count, at) for first, count, at in before[axis]))
        case Freeze():
            return Freeze(*before["frozen"])
        case _:
            return None


def without(step: Delete, ids: set[int]) -> Delete | None:
    """Return a deletion that spares some rows or columns; None if it is left with none."""
    spared = join_runs([(id_, 1) for id_ in ids])
    runs = tuple(
        (piece.first, piece.length)
        for first, count in step.runs
        for piece in cut_range(first, count, spared)
        if not piece.is_chosen
    )
    return Delete(step.axis, runs, step.deaths) if runs else None


def as_it_was(step: Delete, before: Mapping[str, Any]) -> Delete:
    """Return a deletion that takes a Restore back with the deaths that the log kept of its ids."""
    deaths = tuple((first, count, at) for first, count, at in before.get(step.axis.deaths, ()))
    return replace(step, deaths=deaths)


def _runs(before: Mapping[str, Any], axis: AxisName) -> Runs:
    return tuple((first, count) for first, count in before[axis])
