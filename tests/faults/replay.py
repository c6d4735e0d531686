"""What a log says a sheet must hold: a slow and simple reading of it, by docs/protocol.md alone."""

import itertools
import json
from typing import Any

from tests.faults.history import Digest, canonical
from tests.faults.reorderings import named, sources

NEW_SHEET = {"rows": 1000, "columns": 26}

Key = tuple[int, int]
Written = tuple[str | None, str | None]
"""The text and the canonical style that a cell was given; None for what stayed."""


class Replay:
    """A sheet that operations of the log are carried out on, one after the other."""

    def __init__(self) -> None:
        self.cells = Digest()
        self.touched: dict[tuple[int, int], int] = {}  # by which revision, cleared cells included
        self.axes = {name: list(range(count)) for name, count in NEW_SHEET.items()}
        self.deleted: dict[str, set[int]] = {name: set() for name in NEW_SHEET}
        self.ever_deleted: dict[str, set[int]] = {name: set() for name in NEW_SHEET}
        self.sizes: dict[str, dict[int, int]] = {name: {} for name in NEW_SHEET}
        self.frozen = [0, 0]
        self.digests = {0: 0}  # by revision

    def carry_out(self, number: int, operation: dict[str, Any]) -> None:
        """Do what revision `number` did."""
        for key, (text, style) in written_by(operation, self).items():
            old_text, old_style = self.cells.at(key)
            self.cells.put(
                *key, old_text if text is None else text, old_style if style is None else style
            )
            self.touched[key] = number
        self._reshape(number, operation)
        self.digests[number] = self.cells.value

    def is_alive(self, key: Key) -> bool:
        """Say whether neither the row nor the column of a cell is deleted now."""
        return key[0] not in self.deleted["rows"] and key[1] not in self.deleted["columns"]

    def _reshape(self, number: int, operation: dict[str, Any]) -> None:
        match operation["kind"].rpartition("_"):
            case _, _, ("undo" | "redo" | "restore"):
                if operation["step"] is not None:
                    self._reshape(number, operation["step"])
            case _, _, "several":
                for step in operation["steps"]:
                    self._reshape(number, step)
            case "set", _, "cells":
                for axis in NEW_SHEET:
                    self._insert(axis, None, operation.get(f"new_{axis}", 0))
            case ("set", _, "styles") | ("restyle", _, "each"):
                pass
            case "reorder", _, "cells":
                for axis in NEW_SHEET:
                    if self.deleted[axis] & set(named(operation[axis])):
                        raise ValueError(f"revision {number} reorders what is deleted")
            case "insert", _, axis:
                self._insert(axis, operation["before"], operation["count"])
            case "delete", _, axis:
                self.deleted[axis] |= _ids(operation[axis])
                self.ever_deleted[axis] |= self.deleted[axis]
            case "restore", _, axis:
                self.deleted[axis] -= _ids(operation[axis])
            case "move", _, axis:
                chosen = _ids(operation[axis])
                moved = [id_ for id_ in self.axes[axis] if id_ in chosen]
                self.axes[axis] = [id_ for id_ in self.axes[axis] if id_ not in chosen]
                self._put(axis, operation["before"], moved)
            case "put_back", _, axis:
                pieces = operation[axis]
                moved = [*_ids([piece[:2] for piece in pieces])]
                self.axes[axis] = [id_ for id_ in self.axes[axis] if id_ not in moved]
                for first, count, behind in reversed(pieces):
                    self._put(axis, behind, list(range(first, first + count)))
            case _, _, "resize":
                axis = "rows" if "rows" in operation else "columns"
                self._resize(axis, operation[axis], operation["size"])
            case "resize", _, "back":
                axis = "rows" if "rows" in operation else "columns"
                for first, count, size in operation[axis]:
                    self._resize(axis, [[first, count]], size)
            case _, _, "freeze":
                self.frozen = [operation["rows"], operation["columns"]]
            case _:
                raise ValueError(f"revision {number} is of no known kind: {operation}")

    def _resize(self, axis: str, runs: list[list[int]], size: int | None) -> None:
        for id_ in _ids(runs):
            if size is None:
                self.sizes[axis].pop(id_, None)
            else:
                self.sizes[axis][id_] = size

    def shape(self) -> dict[str, Any]:
        """Return axes, sizes and what is frozen in the form of `shape_of`."""
        axes: dict[str, Any] = {
            axis: (
                [(id_, id_ not in self.deleted[axis]) for id_ in self.axes[axis]],
                self.sizes[axis],
            )
            for axis in NEW_SHEET
        }
        return axes | {"frozen": self.frozen}

    def _insert(self, axis: str, before: int | None, count: int) -> None:
        first = len(self.axes[axis])  # ids are born one after the other, and none ever goes
        self._put(axis, before, list(range(first, first + count)))

    def _put(self, axis: str, before: int | None, ids: list[int]) -> None:
        place = len(self.axes[axis]) if before is None else self.axes[axis].index(before)
        self.axes[axis][place:place] = ids


def written_by(operation: dict[str, Any], before: Replay) -> dict[Key, Written]:
    """Return what an operation gives to cells of the sheet as it was `before`."""
    match operation["kind"]:
        case "several":
            parts = [written_by(step, before) for step in operation["steps"]]
            return {key: what for part in parts for key, what in part.items()}
        case "undo" | "redo" | "restore":
            return {} if operation["step"] is None else written_by(operation["step"], before)
        case "set_cells":
            written: dict[Key, Written] = {}
            for row, column, text, *style in operation["cells"]:
                looks = canonical(style[0]) if style else written.get((row, column), ("", None))[1]
                written[row, column] = text, looks
            return written
        case "reorder_cells":
            was = before.cells.at
            return {
                (row, column): was((source, column))
                for row, source in sources(operation).items()
                for column in named(operation["columns"])
                if was((source, column)) != was((row, column))
            }
        case "restyle_each":
            return {(row, col): (None, canonical(style)) for row, col, style in operation["cells"]}
        case "set_styles":
            keys = itertools.product(_ids(operation["rows"]), _ids(operation["columns"]))
            changed = {key: _restyled(before.cells.at(key)[1], operation["style"]) for key in keys}
            return {
                key: (None, style)
                for key, style in changed.items()
                if style != before.cells.at(key)[1]
            }
        case _:
            return {}


def _restyled(style: str, change: Any) -> str:
    if change == "":
        return ""
    merged = (json.loads(style) if style else {}) | change
    return canonical({name: value for name, value in merged.items() if value is not None})


def shape_of(sheet: dict[str, Any]) -> dict[str, Any]:
    """Return the axes and sizes that a client or the database has as runs, written out."""
    axes: dict[str, Any] = {
        axis: (
            [
                (id_, count > 0)
                for first, count in sheet[axis]
                for id_ in range(first, first + abs(count))
            ],
            {
                id_: pixels
                for first, count, pixels in sheet[f"{axis[:-1]}_sizes"]
                for id_ in range(first, first + count)
            },
        )
        for axis in NEW_SHEET
    }
    return axes | {"frozen": list(sheet["frozen"])}


def _ids(runs: list[list[int]]) -> set[int]:
    return {id_ for first, count in runs for id_ in range(first, first + count)}
