"""The judge: compares what clients and the publisher saw with what the database has.

It shares no code with SheetSync. Everything that it finds is a Violation with its evidence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from tests.faults.database import Stored
from tests.faults.history import Event
from tests.faults.replay import Replay, shape_of
from tests.faults.restores import Restores
from tests.faults.take_backs import TakeBacks, is_as_submitted

# What an edit may be refused for good with: somebody else deleted its row or column.
RIGHTFUL_REFUSALS = {"deleted"}
EXAMPLES = 5


class Promise(StrEnum):
    """What must hold, by the name of what it looks like when it does not."""

    ACKNOWLEDGED_BUT_LOST = "acknowledged, and not in the log"
    ACKNOWLEDGED_ELSEWHERE = "acknowledged as another revision than it has"
    COMMITTED_TWICE = "committed twice"
    COMMITTED_ALTERED = "the log has other content than was submitted"
    FROM_NOWHERE = "in the log, and nobody submitted it"
    REFUSED_BUT_COMMITTED = "refused, and in the log"
    REFUSED_WRONGLY = "refused without a reason"
    UNANSWERED = "neither acknowledged nor refused"
    REVISIONS_WITH_GAPS = "the revisions are not 1, 2, 3 … head"
    WENT_BACK = "a client was told of an older head than it had"
    STATE_IS_NOT_THE_LOG = "replaying the log gives another state than the database has"
    RESTORED_WRONGLY = "a restore did not bring back what was seen at its revision"
    TAKEN_BACK_WRONGLY = "an undo or redo changed what others wrote, or not what it should"
    CLIENT_SAW_ANOTHER_STATE = "a client held what the sheet never was at that revision"
    CLIENT_NOT_EQUAL = "a client did not end up equal to the database"
    MESSAGE_LOST = "published, and neither in the log nor a dead letter"
    MESSAGE_TWICE = "a message more than once"
    MESSAGE_MISTAKEN = "a message became what it should not"
    MESSAGES_OUT_OF_ORDER = "messages of one ordering key in another order"
    CONTRACT = "against the wire contract"
    TOO_LATE = "not settled in time"
    DID_NOT_COME_BACK = "a process did not come back"


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was broken, and how that shows."""

    promise: Promise
    evidence: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.evidence}"


def check(histories: Mapping[str, Sequence[Event]], stored: Stored, slug: str) -> list[Violation]:
    """Return everything that is wrong with one run on the sheet `slug`."""
    clients = {name: events for name, events in histories.items() if name != "publisher"}
    replay, take_backs, restores = Replay(), TakeBacks(), Restores(stored.log)
    wrongly: list[Violation] = []
    for line in stored.log:
        try:
            take_backs.look_at(line, replay)
        except ValueError as error:
            evidence = f"revision {line.number}: {error}"
            wrongly.append(Violation(Promise.TAKEN_BACK_WRONGLY, evidence))
        try:
            restores.look_at(line, replay)
        except ValueError as error:
            evidence = f"revision {line.number}: {error}"
            wrongly.append(Violation(Promise.RESTORED_WRONGLY, evidence))
        try:
            replay.carry_out(line.number, line.operation)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            evidence = f"revision {line.number} cannot be carried out: {error!r}: {line.operation}"
            broken = Violation(Promise.STATE_IS_NOT_THE_LOG, evidence)
            return [broken, *wrongly, *_check_log(stored)]
        try:
            restores.note(line.number, replay, line.operation)
        except ValueError as error:
            evidence = f"revision {line.number}: {error}"
            wrongly.append(Violation(Promise.RESTORED_WRONGLY, evidence))
    published = [event for event in histories.get("publisher", ()) if event["what"] == "published"]
    return [
        *wrongly,
        *_check_log(stored),
        *_check_edits(clients, stored, replay),
        *_check_state(stored, replay),
        *_check_messages(published, stored, slug),
        *(
            violation
            for name, events in clients.items()
            for violation in _check_client(name, events, stored, replay)
        ),
    ]


def _check_log(stored: Stored) -> Iterator[Violation]:
    numbers = [line.number for line in stored.log]
    wanted = set(range(1, stored.head + 1))
    if numbers != sorted(wanted):
        yield Violation(
            Promise.REVISIONS_WITH_GAPS,
            f"head {stored.head}, missing {_some(sorted(wanted - set(numbers)))}, "
            f"too many {_some(sorted(set(numbers) - wanted))}",
        )
    for operation_id, count in Counter(line.operation_id for line in stored.log).items():
        if count > 1:
            at = [line.number for line in stored.log if line.operation_id == operation_id]
            yield Violation(Promise.COMMITTED_TWICE, f"operation {operation_id} at {at}")
    places: dict[str, list[int]] = defaultdict(list)
    for line in stored.log:
        for text in _texts(line.operation):
            places[text].append(line.number)
    for text, at in places.items():
        if len(at) > 1:
            yield Violation(Promise.COMMITTED_TWICE, f"the text {text!r} at revisions {at}")


def _texts(operation: Mapping[str, Any]) -> set[str]:
    """Return what an operation was the first to write; an undo brings back what was there."""
    if operation["kind"] != "set_cells":
        return set()
    return {text for _, _, text, *_ in operation["cells"] if text}


def _check_edits(
    clients: Mapping[str, Sequence[Event]], stored: Stored, replay: Replay
) -> Iterator[Violation]:
    lines = {line.operation_id: line for line in stored.log}
    submitted: dict[str, Any] = {}
    for name, events in clients.items():
        answered: dict[str, str] = {}
        for event in events:
            operation_id = event.get("operation_id", "")
            line = lines.get(operation_id)
            match event["what"]:
                case "submit":
                    submitted[operation_id] = event["operation"]
                    operation = event["operation"]
                    if line is not None and not is_as_submitted(line.operation, operation, replay):
                        yield Violation(
                            Promise.COMMITTED_ALTERED,
                            f"{name} submitted {event['operation']} as {operation_id}, "
                            f"revision {line.number} is {line.operation}",
                        )
                case "acknowledged":
                    answered[operation_id] = "acknowledged"
                    if line is None:
                        yield Violation(
                            Promise.ACKNOWLEDGED_BUT_LOST,
                            f"{name} had {operation_id} acknowledged as revision "
                            f"{event['revision']} at {event['t']} s",
                        )
                    elif line.number != event["revision"]:
                        yield Violation(
                            Promise.ACKNOWLEDGED_ELSEWHERE,
                            f"{name} had {operation_id} acknowledged as revision "
                            f"{event['revision']}, it is {line.number}",
                        )
                case "refused":
                    answered[operation_id] = "refused"
                    yield from _check_refusal(name, event, submitted[operation_id], replay)
                    if line is not None:
                        yield Violation(
                            Promise.REFUSED_BUT_COMMITTED,
                            f"{name} had {operation_id} refused ({event['code']}), and it is "
                            f"revision {line.number}",
                        )
        for event in events:
            if event["what"] == "submit" and event["operation_id"] not in answered:
                line = lines.get(event["operation_id"])
                where = "not in the log" if line is None else f"revision {line.number}"
                yield Violation(
                    Promise.UNANSWERED,
                    f"{name} submitted {event['operation_id']} at {event['t']} s; it is {where}",
                )
    for line in stored.log:
        if line.author_kind != "stream" and line.operation_id not in submitted:
            yield Violation(
                Promise.FROM_NOWHERE,
                f"revision {line.number} of a {line.author_kind}, operation {line.operation_id}",
            )


def _check_refusal(name: str, event: Event, operation: Any, replay: Replay) -> Iterator[Violation]:
    named: set[tuple[str, int]] = set()
    for row, column, *_ in operation.get("cells", ()):
        named |= {("rows", row), ("columns", column)}
    for axis in ("rows", "columns") if operation["kind"] != "freeze" else ():
        named |= {
            (axis, id_)
            for first, count in operation.get(axis, ())
            for id_ in range(first, first + count)
        }
    is_right = event["code"] in RIGHTFUL_REFUSALS and any(
        id_ in replay.ever_deleted[axis] for axis, id_ in named
    )
    if not is_right:
        yield Violation(
            Promise.REFUSED_WRONGLY,
            f"{name} had {operation} refused with {event['code']!r} at {event['t']} s",
        )


def _check_state(stored: Stored, replay: Replay) -> Iterator[Violation]:
    cells = {
        key: (replay.cells.cells.get(key, ""), revision) for key, revision in replay.touched.items()
    }
    if cells != stored.cells:
        different = sorted(
            key
            for key in cells.keys() | stored.cells.keys()
            if cells.get(key) != stored.cells.get(key)
        )
        evidence = [
            f"{key}: by the log {cells.get(key)}, in the table {stored.cells.get(key)}"
            for key in different[:EXAMPLES]
        ]
        yield Violation(
            Promise.STATE_IS_NOT_THE_LOG, f"{len(different)} cells; " + "; ".join(evidence)
        )
    if replay.cells.styles != stored.styles:
        differ = replay.cells.styles.items() ^ stored.styles.items()
        yield Violation(Promise.STATE_IS_NOT_THE_LOG, f"styles differ: {sorted(differ)[:EXAMPLES]}")
    shape = shape_of(stored.shape)
    for axis, by_log in replay.shape().items():
        if by_log != shape[axis]:
            yield Violation(
                Promise.STATE_IS_NOT_THE_LOG, f"{axis} differ: the sheet has {stored.shape[axis]}"
            )
    if stored.filled != len(replay.cells.cells):
        yield Violation(
            Promise.STATE_IS_NOT_THE_LOG,
            f"{stored.filled} cells are said to be filled, and {len(replay.cells.cells)} are",
        )


def _check_client(
    name: str, events: Sequence[Event], stored: Stored, replay: Replay
) -> Iterator[Violation]:
    revision, life = 0, 0
    for event in events:
        if event.get("life", life) != life:
            revision, life = 0, event["life"]
        match event["what"]:
            case "broken":
                yield Violation(Promise.CONTRACT, f"{name} at {event['t']} s: {event['detail']}")
            case "opened" if event["head"] < event["asked"]:
                yield Violation(
                    Promise.WENT_BACK,
                    f"{name} opened from revision {event['asked']} at {event['t']} s and was "
                    f"told of head {event['head']}",
                )
            case "at":
                if event["revision"] <= revision:
                    yield Violation(
                        Promise.WENT_BACK,
                        f"{name} went from {revision} to {event['revision']} at {event['t']} s",
                    )
                revision = event["revision"]
                if replay.digests.get(revision) != event["digest"]:
                    yield Violation(
                        Promise.CLIENT_SAW_ANOTHER_STATE,
                        f"{name} at revision {revision}, {event['t']} s after the start",
                    )
            case "final":
                yield from _check_final(name, event, stored)


def _check_final(name: str, final: Event, stored: Stored) -> Iterator[Violation]:
    held = {(row, column): text for row, column, text in final["cells"]}
    wanted = {key: text for key, (text, _) in stored.cells.items() if text}
    looks = {(row, column): style for row, column, style in final["styles"]}
    different = sorted(
        key
        for key in held.keys() | wanted.keys() | looks.keys() | stored.styles.keys()
        if held.get(key) != wanted.get(key) or looks.get(key) != stored.styles.get(key)
    )
    shape, wanted_shape = shape_of(final), shape_of(stored.shape)
    axes = [axis for axis in shape if shape[axis] != wanted_shape[axis]]
    if final["revision"] != stored.head or different or axes:
        examples = [
            f"{key}: {held.get(key)!r} {looks.get(key, '')} instead of {wanted.get(key)!r} "
            f"{stored.styles.get(key, '')}"
            for key in different[:EXAMPLES]
        ]
        yield Violation(
            Promise.CLIENT_NOT_EQUAL,
            f"{name} is at revision {final['revision']} of {stored.head}, with {len(different)} "
            f"other cells and other {axes or 'nothing else'}; {'; '.join(examples)}",
        )


def _check_messages(published: Sequence[Event], stored: Stored, slug: str) -> Iterator[Violation]:
    """Each message has a text of its own, wherever it ends up."""
    lines: dict[str, list[int]] = defaultdict(list)
    for line in stored.log:
        if line.author_kind == "stream":
            for text in _texts(line.operation):
                lines[text].append(line.number)
    letters = Counter(
        letter.message_id for letter in stored.dead_letters if slug.encode() in letter.data
    )
    expected_letters: set[str] = set()
    order: list[tuple[int, str]] = []
    seen: set[str] = set()
    for event in published:
        text, message_id = event["text"], event["message_id"]
        if event["fate"] == "dead letter":
            expected_letters.add(message_id)
            count, others = letters[message_id], len(lines.get(text, ()))
        else:
            count, others = len(lines.get(text, ())), letters[message_id]
            if count and text not in seen:
                order.append((lines[text][0], text))
            seen.add(text)
        if others:
            yield Violation(
                Promise.MESSAGE_MISTAKEN,
                f"message {message_id} ({text!r}) should become: {event['fate']}",
            )
        elif count == 0:
            yield Violation(
                Promise.MESSAGE_LOST,
                f"message {message_id} ({text!r}), published at {event['t']} s",
            )
        elif count > 1:
            yield Violation(
                Promise.MESSAGE_TWICE,
                f"message {message_id} ({text!r}) is there {count} times: {lines.get(text)}",
            )
    for message_id in letters.keys() - expected_letters:
        if all(event["message_id"] != message_id for event in published):
            yield Violation(Promise.FROM_NOWHERE, f"the dead letter of message {message_id}")
    for line in stored.log:
        if line.author_kind == "stream" and not _texts(line.operation) & seen:
            yield Violation(
                Promise.FROM_NOWHERE, f"revision {line.number}, of no message: {line.operation}"
            )
    for (number, text), (later, later_text) in pairwise(order):
        if number > later:
            yield Violation(
                Promise.MESSAGES_OUT_OF_ORDER,
                f"{text!r} is revision {number}, and {later_text!r}, published after it, {later}",
            )


def _some(numbers: Sequence[int]) -> str:
    if len(numbers) <= EXAMPLES:
        return str(list(numbers))
    return f"{list(numbers[:EXAMPLES])} and {len(numbers) - EXAMPLES} more"
