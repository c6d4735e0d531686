"""What an undo or redo may do to cells, and what it has to: by docs/protocol.md alone.

Each cell that the operation wrote gets its past again if it holds what the operation left in it
and nobody else has written it since; a cell that somebody else wrote last is never touched.
Between these two, where the same content came back by other ways, a server may do either.
What was reordered goes back to where it was, with all that was written into it meanwhile.
"""

from dataclasses import dataclass
from typing import Any

from tests.faults.database import Line
from tests.faults.reorderings import is_rest_of, living, named, sources, way_back
from tests.faults.replay import Key, Replay, Written, written_by

Past = tuple[str, str]


@dataclass(slots=True)
class _Write:
    """What a line of the log wrote into cells, and what these held before."""

    written: dict[Key, Written]
    before: dict[Key, Past]
    reordering: dict[str, Any] | None  # the step, if it was one


class _Living:
    """Which cells are not deleted before a step, and behind it: that of a restore may be both."""

    def __init__(self, replay: Replay, step: dict[str, Any] | None) -> None:
        self.replay = replay
        self._deleted = {name: set(ids) for name, ids in replay.deleted.items()}
        for part in step["steps"] if step is not None and step["kind"] == "several" else ():
            verb, _, axis = part["kind"].partition("_")
            if verb == "delete":
                self._deleted[axis] |= set(named(part[axis]))
            elif verb == "restore":
                self._deleted[axis] -= set(named(part[axis]))

    def is_alive(self, key: Key) -> bool:
        """Say whether neither the row nor the column of a cell is deleted behind the step."""
        return key[0] not in self._deleted["rows"] and key[1] not in self._deleted["columns"]


class TakeBacks:
    """Holds each undo and redo against all that came before it in the log."""

    def __init__(self) -> None:
        self._writes: dict[int, _Write] = {}
        self._newest: dict[str, int] = {}  # by operation: the line that did it last
        self._touches: dict[Key, list[tuple[int, str]]] = {}  # (revision, author), in order

    def look_at(self, line: Line, replay: Replay) -> None:
        """Take in a line that `replay` has not carried out yet. Raises ValueError."""
        operation = line.operation
        written = written_by(operation, replay)
        about = line.operation_id
        step: dict[str, Any] | None = operation
        if operation["kind"] in ("undo", "redo"):
            about, step = operation["operation_id"], operation["step"]
            target = self._newest.get(about)
            if target is None:
                raise ValueError(f"{operation['kind']} of {about}, which is not in the log")
            taken = self._writes[target].reordering
            if taken is None:
                self._judge(line.author, target, written, _Living(replay, step))
            else:
                _judge_way_back(taken, step, replay)
                step = step or {**taken, "rows": [], "order": []}  # which leaves nothing to redo
        before = {key: replay.cells.at(key) for key in written}
        reordering = step if step is not None and step["kind"] == "reorder_cells" else None
        self._writes[line.number] = _Write(written, before, reordering)
        self._newest[about] = line.number
        for key in written:
            self._touches.setdefault(key, []).append((line.number, line.author))

    def _judge(self, author: str, target: int, put: dict[Key, Written], living: "_Living") -> None:
        taken = self._writes[target]
        for key in put.keys() - taken.written.keys():
            raise ValueError(f"{key} is put back, and revision {target} did not write it")
        for key, (text, style) in taken.written.items():
            now_text, now_style = living.replay.cells.at(key)
            holds = text in (None, now_text) and style in (None, now_style)
            touches = self._touches[key]
            was_alive, is_alive = living.replay.is_alive(key), living.is_alive(key)
            since = {who for number, who in touches if number > target}
            mine = since <= {author} and (holds or not since)
            must = was_alive and is_alive and mine
            may = (was_alive or is_alive) and (mine or (holds and touches[-1][1] == author))
            if key in put and not may:
                raise ValueError(f"{key} is put back to what it held before revision {target}")
            if key not in put and must:
                raise ValueError(f"{key} is left alone, and nobody else wrote it since {target}")
            past_text, past_style = taken.before[key]
            expected = (
                None if text is None else past_text,
                None if style is None else past_style,
            )
            if key in put and put[key] != expected:
                raise ValueError(f"{key} is put back to {put[key]}; before it was {expected}")


def _judge_way_back(taken: dict[str, Any], step: Any, replay: Replay) -> None:
    """Raise ValueError unless `step` puts back what is left of what `taken` reordered."""
    wanted = living(way_back(taken), lambda row: row not in replay.deleted["rows"])
    columns = [id_ for id_ in named(taken["columns"]) if id_ not in replay.deleted["columns"]]
    if not wanted or not columns:
        if step is not None:
            raise ValueError("rows or columns that are gone are put back in order")
        return
    is_reordering = step is not None and step["kind"] == "reorder_cells"
    if not is_reordering or sources(step) != wanted or named(step["columns"]) != columns:
        raise ValueError(f"cells are put back by {step}, and not to where they were")


def is_as_submitted(logged: dict[str, Any], submitted: dict[str, Any], replay: Replay) -> bool:
    """Say whether the log has an operation as its author submitted it."""
    if as_submitted(logged) == submitted:
        return True
    return is_rest_of(logged, submitted, lambda axis, id_: id_ in replay.ever_deleted[axis])


def as_submitted(operation: dict[str, Any]) -> dict[str, Any]:
    """Return what a client says of what the log has: of an undo, only what it names."""
    if operation["kind"] in ("undo", "redo"):
        return {name: operation[name] for name in ("kind", "operation_id")}
    if operation["kind"] == "restore":
        return {name: what for name, what in operation.items() if name != "step"}
    return operation
