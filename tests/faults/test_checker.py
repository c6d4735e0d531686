"""The checker finds nothing in a round where all is well, and each thing that can be wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.faults.checker import Promise, check
from tests.faults.database import DeadLetter, Line, Stored
from tests.faults.history import Digest, Event
from tests.faults.replay import Replay
from tests.faults.take_backs import is_as_submitted

SHAPE: dict[str, Any] = {
    "rows": [[0, 5], [1000, 1], [5, 995]],
    "columns": [[0, 26]],
    "row_sizes": [],
    "column_sizes": [],
    "frozen": [0, 0],
}
TYPED = {"kind": "set_cells", "cells": [[0, 0, "typed"]]}
INSERTED = {"kind": "insert_rows", "before": 5, "count": 1}
STREAMED = {"kind": "set_cells", "cells": [[1, 1, "streamed"]]}


def digest(*cells: tuple[int, int, str]) -> int:
    value = Digest()
    for cell in cells:
        value.put(*cell)
    return value.value


@dataclass
class Round:
    """A round of one client that typed and inserted a row, and two messages."""

    stored: Stored = field(
        default_factory=lambda: Stored(
            head=3,
            shape=SHAPE,
            filled=2,
            log=[
                Line(1, "op-1", "guest", TYPED),
                Line(2, "op-2", "guest", INSERTED),
                Line(3, "op-3", "stream", STREAMED),
            ],
            cells={(0, 0): ("typed", 1), (1, 1): ("streamed", 3)},
            dead_letters=[DeadLetter("m-2", "malformed", b"prices")],
        )
    )
    client: list[Event] = field(
        default_factory=lambda: [
            {"t": 0, "what": "opened", "life": 0, "asked": 0, "head": 0},
            {"t": 0, "what": "submit", "operation_id": "op-1", "operation": TYPED},
            {"t": 0, "what": "submit", "operation_id": "op-2", "operation": INSERTED},
            {"t": 1, "what": "acknowledged", "operation_id": "op-1", "revision": 1},
            {"t": 1, "what": "acknowledged", "operation_id": "op-2", "revision": 2},
            {"t": 1, "what": "at", "life": 0, "revision": 2, "digest": digest((0, 0, "typed"))},
            {
                "t": 2,
                "what": "at",
                "life": 0,
                "revision": 3,
                "digest": digest((0, 0, "typed"), (1, 1, "streamed")),
            },
            {
                "t": 3,
                "what": "final",
                "life": 0,
                "revision": 3,
                "cells": [[0, 0, "typed"], [1, 1, "streamed"]],
                "styles": [],
                **SHAPE,
            },
        ]
    )
    publisher: list[Event] = field(
        default_factory=lambda: [
            {
                "t": 1,
                "what": "published",
                "message_id": "m-1",
                "text": "streamed",
                "fate": "edit",
            },
            {
                "t": 1,
                "what": "published",
                "message_id": "m-2",
                "text": "dead",
                "fate": "dead letter",
            },
        ]
    )

    def store(self, **changes: Any) -> None:
        self.stored = replace(self.stored, **changes)

    def see(self, place: int, **changes: Any) -> None:
        self.client[place] |= changes

    def promises(self) -> set[Promise]:
        histories = {"client-1": self.client, "publisher": self.publisher}
        return {violation.promise for violation in check(histories, self.stored, "prices")}


def test_a_good_round_has_no_violation() -> None:
    assert Round().promises() == set()


def unlogged(round_: Round, number: int) -> None:
    round_.store(log=[line for line in round_.stored.log if line.number != number])


def logged(round_: Round, *lines: Line) -> None:
    round_.store(log=[*round_.stored.log, *lines], head=3 + len(lines))


BREAKS: list[tuple[Promise, Callable[[Round], object]]] = [
    (Promise.ACKNOWLEDGED_BUT_LOST, lambda r: unlogged(r, 1)),
    (Promise.ACKNOWLEDGED_ELSEWHERE, lambda r: r.see(3, revision=2)),
    (Promise.COMMITTED_TWICE, lambda r: logged(r, Line(4, "op-4", "guest", TYPED))),
    (Promise.COMMITTED_TWICE, lambda r: logged(r, Line(4, "op-1", "guest", INSERTED))),
    (Promise.COMMITTED_ALTERED, lambda r: r.see(1, operation=STREAMED)),
    (Promise.FROM_NOWHERE, lambda r: logged(r, Line(4, "op-4", "guest", INSERTED))),
    (Promise.FROM_NOWHERE, lambda r: logged(r, Line(4, "op-4", "stream", TYPED))),
    (Promise.FROM_NOWHERE, lambda r: r.publisher.pop()),
    (Promise.REFUSED_BUT_COMMITTED, lambda r: r.see(3, what="refused", code="deleted")),
    (Promise.REFUSED_WRONGLY, lambda r: r.see(3, what="refused", code="deleted")),
    (Promise.UNANSWERED, lambda r: r.client.pop(3)),
    (Promise.REVISIONS_WITH_GAPS, lambda r: unlogged(r, 2)),
    (Promise.REVISIONS_WITH_GAPS, lambda r: r.store(head=4)),
    (Promise.WENT_BACK, lambda r: r.see(0, asked=5)),
    (Promise.WENT_BACK, lambda r: r.see(6, revision=1)),
    (Promise.STATE_IS_NOT_THE_LOG, lambda r: r.store(cells={})),
    (Promise.STATE_IS_NOT_THE_LOG, lambda r: r.store(filled=3)),
    (Promise.STATE_IS_NOT_THE_LOG, lambda r: r.store(shape=SHAPE | {"rows": [[0, 1001]]})),
    (Promise.STATE_IS_NOT_THE_LOG, lambda r: r.store(styles={(0, 0): '{"bold": true}'})),
    (Promise.STATE_IS_NOT_THE_LOG, lambda r: r.store(shape=SHAPE | {"frozen": [1, 0]})),
    (Promise.CLIENT_SAW_ANOTHER_STATE, lambda r: r.see(5, digest=1)),
    (Promise.CLIENT_NOT_EQUAL, lambda r: r.see(7, cells=[])),
    (Promise.CLIENT_NOT_EQUAL, lambda r: r.see(7, styles=[[0, 0, '{"bold": true}']])),
    (Promise.CLIENT_NOT_EQUAL, lambda r: r.see(7, revision=2)),
    (Promise.CLIENT_NOT_EQUAL, lambda r: r.see(7, columns=[[0, 27]])),
    (Promise.MESSAGE_LOST, lambda r: unlogged(r, 3)),
    (Promise.MESSAGE_LOST, lambda r: r.store(dead_letters=[])),
    (Promise.MESSAGE_TWICE, lambda r: logged(r, Line(4, "op-4", "stream", STREAMED))),
    (Promise.MESSAGE_TWICE, lambda r: r.store(dead_letters=r.stored.dead_letters * 2)),
    (Promise.MESSAGE_MISTAKEN, lambda r: r.publisher[1].update(text="streamed")),
    (Promise.CONTRACT, lambda r: r.client.append({"t": 4, "what": "broken", "detail": "…"})),
]


@pytest.mark.parametrize(
    ("promise", "break_"),
    BREAKS,
    ids=[f"{promise.name.lower()}-{place}" for place, (promise, _) in enumerate(BREAKS)],
)
def test_whatever_is_wrong_is_named(promise: Promise, break_: Callable[[Round], object]) -> None:
    round_ = Round()
    break_(round_)
    assert promise in round_.promises()


def test_messages_in_another_order_are_named() -> None:
    round_ = Round()
    earlier = {"kind": "set_cells", "cells": [[1, 1, "later"]]}
    logged(round_, Line(4, "op-4", "stream", earlier))
    round_.publisher.insert(
        0, {"t": 0, "what": "published", "message_id": "m-0", "text": "later", "fate": "edit"}
    )
    assert Promise.MESSAGES_OUT_OF_ORDER in round_.promises()


def test_a_reload_begins_a_new_life() -> None:
    round_ = Round()
    round_.see(6, life=1, revision=2, digest=digest((0, 0, "typed")))
    assert Promise.WENT_BACK not in round_.promises()


UNDO = {"kind": "undo", "operation_id": "op-1"}
LATER = {"kind": "set_cells", "cells": [[0, 0, "later"]]}
BOLD = {"kind": "set_styles", "rows": [[0, 1]], "columns": [[0, 1]], "style": {"bold": True}}


def undone(step: dict[str, Any] | None, *others: tuple[str, dict[str, Any]]) -> set[Promise]:
    """Judge an undo of "typed" that came to `step`, after `others` had written."""
    round_ = Round()
    lines = [Line(1, "op-1", "guest", TYPED, "guest 1")]
    for author, operation in others:
        number = len(lines) + 1
        lines.append(Line(number, f"op-{number}", "guest", operation, author))
    number = len(lines) + 1
    lines.append(Line(number, f"op-{number}", "guest", UNDO | {"step": step}, "guest 1"))
    round_.store(log=lines)
    return round_.promises() & {Promise.TAKEN_BACK_WRONGLY}


def sort_undone(step: dict[str, Any] | None, *others: dict[str, Any]) -> set[Promise]:
    """Judge an undo of a sort of three rows that came to `step`, after `others`."""
    round_ = Round()
    undo: dict[str, Any] = UNDO | {"operation_id": "op-2", "step": step}
    operations: list[dict[str, Any]] = [TYPED, SORTED, *others, undo]
    lines = [
        Line(number, f"op-{number}", "guest", operation, "guest 1")
        for number, operation in enumerate(operations, start=1)
    ]
    round_.store(log=lines)
    return round_.promises() & {Promise.TAKEN_BACK_WRONGLY, Promise.STATE_IS_NOT_THE_LOG}


SORTED = {"kind": "reorder_cells", "rows": [[0, 3]], "columns": [[0, 2]], "order": [1, 2, 0]}
SORTED_BACK = SORTED | {"order": [2, 0, 1]}
WITHOUT_ROW_1 = {"kind": "delete_rows", "rows": [[1, 1]]}


def test_a_sort_is_taken_back_as_far_as_its_rows_are_left() -> None:
    wrong = {Promise.TAKEN_BACK_WRONGLY}
    assert wrong & sort_undone(SORTED_BACK) == set()
    for step in (None, SORTED, SORTED_BACK | {"columns": [[0, 1]]}, CLEARED):
        assert wrong <= sort_undone(step)
    # Row 0 has the cells of row 1 now, row 2 those of row 0: these come first again.
    left = SORTED | {"rows": [[0, 1], [2, 1]], "order": [1, 0]}
    assert wrong & sort_undone(left, WITHOUT_ROW_1) == set()
    assert wrong <= sort_undone(left | {"order": [0, 1]}, WITHOUT_ROW_1)
    assert Promise.STATE_IS_NOT_THE_LOG in sort_undone(SORTED_BACK, WITHOUT_ROW_1)
    without = {"kind": "delete_columns", "columns": [[0, 2]]}
    assert wrong & sort_undone(None, without) == set()
    assert wrong <= sort_undone(SORTED_BACK, without)


@pytest.mark.parametrize(
    ("logged_", "is_right"),
    [
        (SORTED, True),
        (SORTED | {"rows": [[0, 1], [2, 1]], "order": [1, 0]}, True),
        (SORTED | {"rows": [[0, 1], [2, 1]], "order": [0, 1]}, False),
        (SORTED | {"rows": [[0, 2]], "order": [1, 0]}, False),
        (SORTED | {"columns": [[0, 1]]}, False),
    ],
)
def test_a_sort_is_logged_as_submitted_but_for_what_was_deleted(
    logged_: dict[str, Any], *, is_right: bool
) -> None:
    replay = Replay()
    replay.carry_out(1, WITHOUT_ROW_1)
    assert is_as_submitted(logged_, SORTED, replay) == is_right


CLEARED = {"kind": "set_cells", "cells": [[0, 0, ""]]}


@pytest.mark.parametrize(
    ("step", "others"),
    [
        (CLEARED, ()),
        (CLEARED, [("guest 2", STREAMED)]),  # another cell
        (CLEARED, [("guest 1", BOLD)]),
        (None, [("guest 2", LATER)]),
        (None, [("guest 1", LATER)]),
        (None, [("guest 2", BOLD)]),
        (None, [("guest 1", {"kind": "delete_rows", "rows": [[0, 1]]})]),
    ],
)
def test_an_undo_as_it_should_be_is_good(
    step: dict[str, Any] | None, others: list[tuple[str, dict[str, Any]]]
) -> None:
    assert undone(step, *others) == set()


@pytest.mark.parametrize(
    ("step", "others"),
    [
        (None, ()),
        ({"kind": "set_cells", "cells": [[0, 0, "other"]]}, ()),
        ({"kind": "set_cells", "cells": [[0, 0, ""], [1, 1, ""]]}, ()),
        (CLEARED, [("guest 2", LATER)]),
        (CLEARED, [("guest 2", BOLD)]),
        (CLEARED, [("guest 1", {"kind": "delete_rows", "rows": [[0, 1]]})]),
    ],
)
def test_an_undo_that_did_another_thing_is_named(
    step: dict[str, Any] | None, others: list[tuple[str, dict[str, Any]]]
) -> None:
    assert Promise.TAKEN_BACK_WRONGLY in undone(step, *others)


def restored(step: dict[str, Any] | None, *, revision: int = 1, **fields: Any) -> set[Promise]:
    """Judge a restore, by itself of revision 1, where a cell was typed, behind what changed it."""
    round_ = Round()
    restore: dict[str, Any] = {"kind": "restore", "revision": revision, **fields, "step": step}
    operations: list[dict[str, Any]] = [TYPED, INSERTED, CLEARED, restore]
    lines = [
        Line(number, f"op-{number}", "guest", operation, "guest 1")
        for number, operation in enumerate(operations, start=1)
    ]
    round_.store(log=lines)
    return round_.promises() & {Promise.RESTORED_WRONGLY}


def test_a_restore_brings_back_what_was_seen() -> None:
    gone: dict[str, Any] = {"kind": "delete_rows", "rows": [[1000, 1]]}
    whole = {"kind": "several", "steps": [gone, TYPED]}
    cells = {"kind": "several", "steps": [TYPED]}
    assert restored(whole) == set()
    assert restored(cells, range=[0, 0, 3, 3]) == set()
    assert restored(None, range=[1, 1, 3, 3]) == set()
    wrong = {Promise.RESTORED_WRONGLY}
    assert restored(cells) == wrong, "the new row is still there"
    assert restored({"kind": "several", "steps": [gone]}) == wrong
    assert restored(None) == restored(None, range=[0, 0, 3, 3]) == wrong
    assert restored(cells, range=[1, 1, 3, 3]) == wrong
    assert restored(whole, revision=34) == wrong, "the log has no such revision"
