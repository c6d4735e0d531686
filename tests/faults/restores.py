"""What a restore has to come to, by docs/protocol.md alone: what was seen at its revision.

Of the whole sheet that is the living rows and columns in their order, their sizes, what is frozen,
and the cells in them; of a range the cells between its corners, as far as they are left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.database import Line
from tests.faults.replay import Key, Replay, written_by


@dataclass(frozen=True, slots=True)
class _Screen:
    """What is seen of a sheet: its axes and sizes, what is frozen, and its cells."""

    axes: dict[str, list[int]]
    sizes: dict[str, dict[int, int]]
    frozen: list[int]
    cells: dict[Key, tuple[str, str]]
    order: dict[str, list[int]] = field(compare=False)  # deleted ones too


class Restores:
    """Holds each restore of a log against the sheet that its revision was."""

    def __init__(self, log: Sequence[Line]) -> None:
        operations = [line.operation for line in log]
        self._wanted = {one["revision"] for one in operations if one["kind"] == "restore"}
        self._screens: dict[int, _Screen] = {}
        self._before: _Screen | None = None
        self.note(0, Replay())

    def look_at(self, line: Line, replay: Replay) -> None:
        """Take in a line that `replay` has not carried out yet. Raises ValueError."""
        operation = line.operation
        if operation["kind"] != "restore":
            return
        then = self._screens.get(operation["revision"])
        if then is None:
            raise ValueError("a revision is restored that the log did not have")
        if "range" not in operation:
            return
        wanted = {
            key: then.cells.get(key, ("", ""))
            for key in _between(then, operation["range"])
            if replay.is_alive(key)
        }
        changed = {key: what for key, what in wanted.items() if what != replay.cells.at(key)}
        written = {
            key: tuple(
                old if new is None else new
                for old, new in zip(replay.cells.at(key), what, strict=True)
            )
            for key, what in written_by(operation, replay).items()
        }
        if written != changed:
            raise ValueError(f"{written} is restored, and {changed} would have to be")

    def note(self, number: int, replay: Replay, operation: dict[str, Any] | None = None) -> None:
        """Take in what `replay` is at a revision, and what made it so. Raises ValueError."""
        if number in self._wanted:
            self._screens[number] = _screen_of(replay)
        if operation is None or operation["kind"] != "restore" or "range" in operation:
            return
        then = self._screens.get(operation["revision"])  # look_at has said it where there is none
        if then is not None and _screen_of(replay) != then:
            raise ValueError(f"the sheet is not what it was at revision {operation['revision']}")


def _screen_of(replay: Replay) -> _Screen:
    axes = {
        name: [id_ for id_ in ids if id_ not in replay.deleted[name]]
        for name, ids in replay.axes.items()
    }
    sizes = {
        name: {id_: size for id_, size in replay.sizes[name].items() if id_ in set(ids)}
        for name, ids in axes.items()
    }
    keys = replay.cells.cells.keys() | replay.cells.styles.keys()
    cells = {key: replay.cells.at(key) for key in keys if replay.is_alive(key)}
    order = {name: list(ids) for name, ids in replay.axes.items()}
    return _Screen(axes, sizes, list(replay.frozen), cells, order)


def _between(screen: _Screen, corners: list[int]) -> list[Key]:
    """Return the cells of a range whose corners may be deleted."""
    chosen = []
    for name, one, other in zip(("rows", "columns"), corners[:2], corners[2:], strict=True):
        order, living = screen.order[name], set(screen.axes[name])
        first, last = sorted((order.index(one), order.index(other)))
        chosen.append([id_ for id_ in order[first : last + 1] if id_ in living])
    return [(row, column) for row in chosen[0] for column in chosen[1]]
