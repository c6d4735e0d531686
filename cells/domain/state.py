"""A sheet in memory, and what each operation does to it.

services/commit applies operations to the part of a sheet that they touch; a replay of the log
applies them to the whole. Both are this one function.
"""

from dataclasses import dataclass, field
from typing import Any

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, UnknownId
from cells.domain.operations import CellInput, Delete, Insert, Move, Operation, Resize, SetCells
from cells.domain.runs import join_runs
from cells.domain.sizes import resized, sizes_of

Sizes = list[list[int]]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an operation did: the cells it set, the axis it changed, and what undo needs."""

    cells: tuple[CellInput, ...]
    axes: tuple[AxisName, ...]
    before: dict[str, Any]


@dataclass(slots=True)
class SheetState:
    """Axes, sizes, and the inputs of cells by (row id, column id); absent is empty."""

    axes: dict[AxisName, Axis]
    sizes: dict[AxisName, Sizes] = field(
        default_factory=lambda: {AxisName.ROWS: [], AxisName.COLUMNS: []}
    )
    inputs: dict[tuple[int, int], str] = field(default_factory=dict)

    def apply(self, operation: Operation) -> Effect:
        """Carry out `operation`, or raise UnknownId, Deleted, Malformed or LimitExceeded.

        A refused operation leaves the state as it was.
        """
        match operation:
            case SetCells():
                return self._set_cells(operation)
            case Insert(axis, before, count):
                first = self.axes[axis].next_id
                self.axes[axis] = self.axes[axis].insert(before, count, axis.limit)
                return Effect((), (axis,), {axis.value: [[first, count]]})
            case Delete(axis, runs):
                living = self.axes[axis].chosen(runs, is_alive=True)
                self.axes[axis] = self.axes[axis].delete(runs)
                return Effect((), (axis,), {axis.value: living})
            case Move(axis, runs, before):
                moved = self.axes[axis].move(runs, before)
                followers = self.axes[axis].followers_of(runs)
                self.axes[axis] = moved
                return Effect((), (axis,), {axis.value: followers})
            case Resize(axis, runs, size):
                last = join_runs(runs)[-1][1] - 1
                if last >= self.axes[axis].next_id:
                    raise UnknownId(f"id {last} does not exist in this sheet")
                before_sizes = sizes_of(self.sizes[axis], runs)
                self.sizes[axis] = resized(self.sizes[axis], runs, size)
                return Effect((), (axis,), {axis.value: before_sizes})

    def _set_cells(self, operation: SetCells) -> Effect:
        rows, columns = self.axes[AxisName.ROWS], self.axes[AxisName.COLUMNS]
        grown = []
        if operation.new_rows:
            rows = rows.insert(None, operation.new_rows, AxisName.ROWS.limit)
            grown.append(AxisName.ROWS)
        if operation.new_columns:
            columns = columns.insert(None, operation.new_columns, AxisName.COLUMNS.limit)
            grown.append(AxisName.COLUMNS)
        for axis, name, ids in (
            (rows, "row", {cell[0] for cell in operation.cells}),
            (columns, "column", {cell[1] for cell in operation.cells}),
        ):
            for id_ in ids:
                try:
                    axis.require_alive(id_)
                except UnknownId as error:
                    raise UnknownId(f"{name} {error}") from None
                except Deleted as error:
                    raise Deleted(f"{name} {error} meanwhile") from None
        self.axes = {AxisName.ROWS: rows, AxisName.COLUMNS: columns}
        final = {(row, column): text for row, column, text in operation.cells}
        before = [(*key, self.inputs.get(key, "")) for key in final]
        self.inputs.update(final)
        cells = tuple((row, column, text) for (row, column), text in final.items())
        return Effect(cells, tuple(grown), {"cells": before})
