"""What a log says a sheet must hold: a slow and simple reading of it, by docs/protocol.md alone."""

from typing import Any

from tests.faults.history import Digest

NEW_SHEET = {"rows": 1000, "columns": 26}


class Replay:
    """A sheet that operations of the log are carried out on, one after the other."""

    def __init__(self) -> None:
        self.cells = Digest()
        self.touched: dict[tuple[int, int], int] = {}  # by which revision, cleared cells included
        self.axes = {name: list(range(count)) for name, count in NEW_SHEET.items()}
        self.deleted: dict[str, set[int]] = {name: set() for name in NEW_SHEET}
        self.sizes: dict[str, dict[int, int]] = {name: {} for name in NEW_SHEET}
        self.digests = {0: 0}  # by revision

    def carry_out(self, number: int, operation: dict[str, Any]) -> None:
        """Do what revision `number` did."""
        match operation["kind"].partition("_"):
            case "set", _, _:
                for axis in NEW_SHEET:
                    self._insert(axis, None, operation.get(f"new_{axis}", 0))
                for row, column, text in operation["cells"]:
                    self.cells.put(row, column, text)
                    self.touched[row, column] = number
            case "insert", _, axis:
                self._insert(axis, operation["before"], operation["count"])
            case "delete", _, axis:
                self.deleted[axis] |= _ids(operation[axis])
            case "move", _, axis:
                chosen = _ids(operation[axis])
                moved = [id_ for id_ in self.axes[axis] if id_ in chosen]
                self.axes[axis] = [id_ for id_ in self.axes[axis] if id_ not in chosen]
                self._put(axis, operation["before"], moved)
            case "resize", _, _:
                axis = "rows" if "rows" in operation else "columns"
                for id_ in _ids(operation[axis]):
                    if operation["size"] is None:
                        self.sizes[axis].pop(id_, None)
                    else:
                        self.sizes[axis][id_] = operation["size"]
            case _:
                raise ValueError(f"revision {number} is of no known kind: {operation}")
        self.digests[number] = self.cells.value

    def shape(self) -> dict[str, Any]:
        """Return axes and sizes in the form of `shape_of`."""
        return {
            axis: (
                [(id_, id_ not in self.deleted[axis]) for id_ in self.axes[axis]],
                self.sizes[axis],
            )
            for axis in NEW_SHEET
        }

    def _insert(self, axis: str, before: int | None, count: int) -> None:
        first = len(self.axes[axis])  # ids are born one after the other, and none ever goes
        self._put(axis, before, list(range(first, first + count)))

    def _put(self, axis: str, before: int | None, ids: list[int]) -> None:
        place = len(self.axes[axis]) if before is None else self.axes[axis].index(before)
        self.axes[axis][place:place] = ids


def shape_of(sheet: dict[str, Any]) -> dict[str, Any]:
    """Return the axes and sizes that a client or the database has as runs, written out."""
    return {
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


def _ids(runs: list[list[int]]) -> set[int]:
    return {id_ for first, count in runs for id_ in range(first, first + count)}
