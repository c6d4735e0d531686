"""A sheet's layout (axes, sizes, what is frozen), and what each operation does to a sheet.

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
    Freeze,
    Insert,
    Move,
    Operation,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    Restored,
    RestyleEach,
    SetCells,
    SetStyles,
    Several,
    Undone,
)
from cells.domain.references import Axes, is_formula, moved_with_row
from cells.domain.reordering import ReorderCells
from cells.domain.runs import MAX_RUNS, Runs, ids_of, join_runs
from cells.domain.sizes import Sized, resized, resized_each, sizes_of
from cells.domain.styles import Style, StyleChange, style_to_json
from cells.domain.values import SetValues

CellId = tuple[int, int]
"""Row id, column id."""

Inputs = MutableMapping[CellId, str]
"""The inputs of cells; absent is empty."""

Styles = MutableMapping[CellId, Style]
"""The styles of cells; absent is none."""


_NO_CHANGE: Mapping[Any, Any] = MappingProxyType({})  # one for all edits of cells


class Effect(NamedTuple):
    """What an operation does: the cells it sets, each axis it changes with its past, and looks.

    `restyled` may name cells that are not in `cells`: they keep their inputs. What a change makes
    of a style is known only when the effect is settled, and so is what cells get that are
    `reordered`, on these `axes`. `frozen_before` is what was frozen where that changes;
    `deaths_before` are the deaths that an axis does not have any more.
    """

    cells: tuple[CellInput, ...]
    axes_before: Mapping[AxisName, Any]
    restyled: Mapping[CellId, StyleChange | Style] = _NO_CHANGE
    frozen_before: tuple[int, int] | None = None
    reordered: ReorderCells | None = None
    axes: Axes | None = None
    deaths_before: Mapping[AxisName, Any] = _NO_CHANGE

    def settled(self, inputs: Mapping[CellId, str], styles: Mapping[CellId, Style]) -> "Effect":
        """Return this with changes worked out; cells that are like that already fall out."""
        if self.reordered is not None:
            return self._reordered(self.reordered, inputs, styles)
        if not self.restyled:
            return self
        becoming: dict[CellId, Style] = {}
        for key, change in self.restyled.items():
            if isinstance(change, str):
                becoming[key] = change
                continue
            past = styles.get(key, "")
            style = change.apply(past)
            if style != past:
                becoming[key] = style
        return self._replace(restyled=becoming)

    def _reordered(
        self, reordered: ReorderCells, inputs: Mapping[CellId, str], styles: Mapping[CellId, Style]
    ) -> "Effect":
        cells: list[CellInput] = []
        restyled: dict[CellId, Style] = {}
        moves = reordered.moves()
        for column in ids_of(reordered.columns):
            for row, source in moves:
                text = inputs.get((source, column), "")
                if is_formula(text) and self.axes is not None:
                    text = moved_with_row(text, self.axes, source, row)
                if text != inputs.get((row, column), ""):
                    cells.append((row, column, text))
                style = styles.get((source, column), "")
                if style != styles.get((row, column), ""):
                    restyled[row, column] = style
        return self._replace(cells=tuple(cells), restyled=restyled)

    def touched(self) -> list[CellId]:
        """Return each cell that the operation is about, once."""
        keys = [(row, column) for row, column, _ in self.cells]
        if not self.restyled:
            return keys
        known = set(keys)
        return keys + [key for key in self.restyled if key not in known]


@dataclass(slots=True)
class Layout:
    """Which rows and columns there are, in which order, how large, and how many are frozen."""

    axes: dict[AxisName, Axis]
    sizes: dict[AxisName, list[list[int]]]
    frozen: tuple[int, int] = (0, 0)

    def apply(self, operation: Operation) -> Effect:
        """Carry out `operation`, or raise UnknownId, Deleted, Malformed or LimitExceeded.

        A refused operation leaves the layout as it was.
        """
        match operation:
            case SetCells():
                return self._set_cells(operation)
            case SetStyles(rows, columns, change):
                row_ids = self._living(AxisName.ROWS, rows)
                column_ids = self._living(AxisName.COLUMNS, columns)
                keys = ((row, column) for row in row_ids for column in column_ids)
                return Effect((), _NO_CHANGE, dict.fromkeys(keys, change))
            case RestyleEach(styles):
                _require_alive(self.axes[AxisName.ROWS], "row", {row for row, _, _ in styles})
                columns_named = {column for _, column, _ in styles}
                _require_alive(self.axes[AxisName.COLUMNS], "column", columns_named)
                looks = {(row, column): style for row, column, style in styles}
                return Effect((), _NO_CHANGE, looks)
            case ReorderCells(rows, columns):
                _require_alive(self.axes[AxisName.ROWS], "row", ids_of(rows))
                _require_alive(self.axes[AxisName.COLUMNS], "column", ids_of(columns))
                seen = Axes(self.axes[AxisName.ROWS], self.axes[AxisName.COLUMNS])
                return Effect((), _NO_CHANGE, reordered=operation, axes=seen)
            case Freeze(rows=frozen_rows, columns=frozen_columns):
                before = self.frozen
                self.frozen = (frozen_rows, frozen_columns)
                return Effect((), _NO_CHANGE, frozen_before=before)
            case Insert(axis, before, count):
                old = self.axes[axis]
                lost = self._change(axis, old.insert(before, count, axis.limit))
                return Effect((), {axis: [[old.next_id, count]]}, deaths_before=lost)
            case Delete(axis, runs, deaths):
                old = self.axes[axis]
                lost = self._change(axis, old.delete(runs, deaths))
                return Effect((), {axis: old.chosen(runs, is_alive=True)}, deaths_before=lost)
            case Move(axis, runs, before):
                old = self.axes[axis]
                lost = self._change(axis, old.move(runs, before))
                return Effect((), {axis: old.followers_of(runs)}, deaths_before=lost)
            case Resize(axis, runs, size):
                self.axes[axis].require_born(runs)
                old_sizes = self.sizes[axis]
                sizes = resized(old_sizes, runs, size)
                _check_runs(len(old_sizes), len(sizes))
                self.sizes[axis] = sizes
                return Effect((), {axis: sizes_of(old_sizes, runs)})
            case Restore(axis, runs):
                old = self.axes[axis]
                lost = self._change(axis, old.restore(runs, axis.limit))
                return Effect((), {axis: old.chosen(runs, is_alive=False)}, deaths_before=lost)
            case PutBack(axis, pieces):
                old = self.axes[axis]
                lost = self._change(axis, old.place(pieces))
                past = old.followers_of([piece[:2] for piece in pieces])
                return Effect((), {axis: past}, deaths_before=lost)
            case ResizeBack(axis, wanted):
                old_sizes = self.sizes[axis]
                sizes = resized_each(old_sizes, [Sized(*size) for size in wanted])
                _check_runs(len(old_sizes), len(sizes))
                self.sizes[axis] = sizes
                return Effect((), {axis: sizes_of(old_sizes, [size[:2] for size in wanted])})
            case SetValues():
                return Effect((), _NO_CHANGE)
            case Undone(step=step) | Restored(step=step):
                return Effect((), _NO_CHANGE) if step is None else self.apply(step)
            case Several():
                return self._several(operation)

    def copy(self) -> "Layout":
        """Return one that may be changed apart from this; axes and sizes never change in place."""
        return Layout(dict(self.axes), dict(self.sizes), self.frozen)

    def sparing_deleted(self, operation: ReorderCells) -> ReorderCells | None:
        """Return `operation` without what is deleted; None if nothing else is left of it."""
        return operation.among(self.axes[AxisName.ROWS], self.axes[AxisName.COLUMNS])

    def _change(self, name: AxisName, axis: Axis) -> Mapping[AxisName, Any]:
        """Put another axis into place, and return the deaths that are lost by it."""
        old = self.axes[name]
        if len(axis.runs) > max(MAX_RUNS, len(old.runs)):
            # Better formulas that take in what is inserted beside a deleted row than no deletion.
            axis = axis.without_deaths()
        _check_runs(len(old.runs), len(axis.runs))
        self.axes[name] = axis
        lost = old.deaths_lost(axis)
        return {name: lost} if lost else _NO_CHANGE

    def _several(self, operation: Several) -> Effect:
        """Carry out steps one after the other, or none of them.

        The past of an axis is a list then, and so are its deaths: of each step that changes it, in
        their order.
        """
        trial = self.copy()
        cells: tuple[CellInput, ...] = ()
        axes_before: dict[AxisName, Any] = {}
        deaths_before: dict[AxisName, list[Any]] = {}
        restyled: dict[CellId, StyleChange | Style] = {}
        frozen_before = None
        for step in operation.steps:
            effect = trial.apply(step)
            cells += effect.cells
            restyled |= effect.restyled
            for axis, past in effect.axes_before.items():
                axes_before.setdefault(axis, []).append(past)
                deaths_before.setdefault(axis, []).append(effect.deaths_before.get(axis, ()))
            if effect.frozen_before is not None:
                frozen_before = effect.frozen_before
        self.axes, self.sizes, self.frozen = trial.axes, trial.sizes, trial.frozen
        known = {axis: deaths for axis, deaths in deaths_before.items() if any(deaths)}
        return Effect(cells, axes_before, restyled, frozen_before, deaths_before=known)

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
        if not operation.styles:
            return Effect(cells, grown)
        restyled = {(row, column): style for row, column, style in operation.styles}
        return Effect(cells, grown, restyled)

    def _living(self, name: AxisName, runs: Runs) -> list[int]:
        """Return the ids of `runs`, or raise UnknownId or Deleted."""
        ids = [id_ for first, stop in join_runs(runs) for id_ in range(first, stop)]
        _require_alive(self.axes[name], name.value.removesuffix("s"), ids)
        return ids

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


def set_inputs(inputs: Inputs, styles: Styles, effect: Effect) -> dict[str, Any]:
    """Put the cells of a settled `effect` into place; return in JSON form what undo needs.

    That is each cell as it was: row id, column id, input (None where it stays, for it may be long)
    and, where its looks are concerned, the style. Of cells that were reordered it is the formulas
    alone, which change on their way: the operation itself says where all else came from.
    """
    before: dict[str, Any] = {}
    for axis, past in effect.axes_before.items():
        before[axis.value] = past
    for axis, deaths in effect.deaths_before.items():
        before[axis.deaths] = deaths
    if effect.frozen_before is not None:
        before["frozen"] = effect.frozen_before
    if effect.reordered is not None:
        formulas = [
            (row, column, inputs[row, column])
            for row, column in effect.reordered.cells()
            if is_formula(inputs.get((row, column), ""))
        ]
        if formulas:
            before["cells"] = formulas
    elif effect.restyled:
        before["cells"] = _pasts(inputs, styles, effect)
    elif effect.cells:
        before["cells"] = [
            (row, column, inputs.get((row, column), "")) for row, column, _ in effect.cells
        ]
    for key, style in effect.restyled.items():
        if not isinstance(style, str):
            raise TypeError("an effect has to be settled before it is carried out")
        if style:
            styles[key] = style
        else:
            styles.pop(key, None)
    for row, column, text in effect.cells:
        inputs[row, column] = text
    return before


def _pasts(inputs: Inputs, styles: Styles, effect: Effect) -> list[tuple[Any, ...]]:
    pasts: list[tuple[Any, ...]] = []
    for row, column, _ in effect.cells:
        key = (row, column)
        past = (row, column, inputs.get(key, ""))
        restyled = key in effect.restyled
        pasts.append((*past, style_to_json(styles.get(key, ""))) if restyled else past)
    with_input = {(row, column) for row, column, _ in effect.cells}
    pasts += [
        (*key, None, style_to_json(styles.get(key, "")))
        for key in effect.restyled
        if key not in with_input
    ]
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
