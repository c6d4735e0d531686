"""What a log says a sheet must hold: a slow and simple reading of it, by docs/protocol.md alone."""

from typing import Any

from tests.faults.history import Digest

NEW_SHEET = {"rows": 1000, "columns": 26}


Key = tuple[int, int]


class Replay:
    """A sheet that operations of the log are carried out on, one after the other."""

    def __init__(self) -> None:
        self.cells = Digest()
        self.touched: dict[tuple[int, int], int] = {}  # by which revision, cleared cells included
        self.axes = {name: list(range(count)) for name, count in NEW_SHEET.items()}
        self.deleted: dict[str, set[int]] = {name: set() for name in NEW_SHEET}
        self.ever_deleted: dict[str, set[int]] = {name: set() for name in NEW_SHEET}
        self.sizes: dict[str, dict[int, int]] = {name: {} for name in NEW_SHEET}
        self.digests = {0: 0}  # by revision

    def carry_out(self, number: int, operation: dict[str, Any]) -> None:
        """Do what revision `number` did."""
        self._carry_out(number, operation)
        self.digests[number] = self.cells.value

    def _carry_out(self, number: int, operation: dict[str, Any]) -> None:
        match operation["kind"].partition("_"):
            case "set", _, _:
                for axis in NEW_SHEET:
                    self._insert(axis, None, operation.get(f"new_{axis}", 0))
                for row, column, text in operation["cells"]:
                    self.cells.put(row, column, text)
                    self.touched[row, column] = number
            case (("undo" | "redo"), _, _):
                if "change" in operation:
                    self._carry_out(number, operation["change"])
                for row, column, text in operation.get("cells", ()):
                    self.cells.put(row, column, text)
                    self.touched[row, column] = number
            case "insert", _, axis:
                self._insert(axis, operation["before"], operation["count"])
            case "delete", _, axis:
                self.deleted[axis] |= _ids(operation[axis])
                self.ever_deleted[axis] |= self.deleted[axis]
            case "move", _, axis:
                chosen = _ids(operation[axis])
                moved = [id_ for id_ in self.axes[axis] if id_ in chosen]
                self.axes[axis] = [id_ for id_ in self.axes[axis] if id_ not in chosen]
                self._put(axis, operation["before"], moved)
            case "restore", _, axis:
                self.deleted[axis] -= _ids(operation[axis])
            case "place", _, axis:
                for first, count, behind in reversed(operation[axis]):
                    placed = range(first, first + count)
                    self.axes[axis] = [id_ for id_ in self.axes[axis] if id_ not in placed]
                    self._put(axis, behind, list(placed))
            case "resize", _, "each":
                axis = "rows" if "rows" in operation else "columns"
                for first, count, size in operation[axis]:
                    self._resize(axis, [[first, count]], size)
            case "resize", _, _:
                axis = "rows" if "rows" in operation else "columns"
                self._resize(axis, operation[axis], operation["size"])
            case _:
                raise ValueError(f"revision {number} is of no known kind: {operation}")

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

    def _resize(self, axis: str, runs: list[list[int]], size: int | None) -> None:
        for id_ in _ids(runs):
            if size is None:
                self.sizes[axis].pop(id_, None)
            else:
                self.sizes[axis][id_] = size

    def _put(self, axis: str, before: int | None, ids: list[int]) -> None:
        place = len(self.axes[axis]) if before is None else self.axes[axis].index(before)
        self.axes[axis][place:place] = ids


class TakeBacks:
    """What undo and redo may do to cells: each cell is a pile of what was written on it.

    An undo takes its operation's text off every pile on which it lies uppermost, and off no other;
    a redo puts it back wherever nobody has written since.
    """

    def __init__(self) -> None:
        self._piles: dict[Key, list[tuple[str, str]]] = {}  # (operation id, text)
        self._written: dict[str, dict[Key, str]] = {}  # by operation
        # By operation, what its last undo took off, and on what that had lain.
        self._taken: dict[str, dict[Key, tuple[str, str]]] = {}

    def look_at(self, operation: dict[str, Any], operation_id: str) -> None:
        """Take in one line of the log. Raises ValueError."""
        cells = {(row, column): text for row, column, text in operation.get("cells", ())}
        match operation["kind"]:
            case "set_cells":
                self._written[operation_id] = cells
                for key, text in cells.items():
                    self._piles.setdefault(key, []).append((operation_id, text))
            case "undo":
                self._undo(operation["operation_id"], cells, operation.get("left", 0))
            case "redo":
                self._redo(operation["operation_id"], cells)

    def _undo(self, named: str, cells: dict[Key, str], left: int) -> None:
        written = self._written.get(named, {})
        once_more = self._taken.get(named)  # then it is what the redo wrote that is taken back
        lying = [key for key in written if self._piles[key][-1][0] == named]
        self._taken[named] = {}
        for key in lying:
            self._piles[key].pop()
            self._taken[named][key] = self._top(key)
        expected = {key: self._top(key)[1] for key in lying}
        if cells != expected:
            raise ValueError(f"the undo of {named} set {cells}, to take back was {expected}")
        if once_more is None and written and left != len(written) - len(lying):
            raise ValueError(f"the undo of {named} left {left}, not {len(written) - len(lying)}")

    def _redo(self, named: str, cells: dict[Key, str]) -> None:
        expected = {
            key: self._written[named][key]
            for key, top in self._taken.get(named, {}).items()
            if self._top(key) == top
        }
        if cells != expected:
            raise ValueError(f"the redo of {named} set {cells}, to do again was {expected}")
        for key, text in cells.items():
            self._piles[key].append((named, text))

    def _top(self, key: Key) -> tuple[str, str]:
        return self._piles[key][-1] if self._piles[key] else ("", "")


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
