from typing import Any
from uuid import uuid4

import msgspec
import pytest

from cells.domain.axes import AxisName
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Intended,
    Move,
    SetAddresses,
    SetCells,
    SetStyles,
    Undo,
)
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.domain.values import SetValues
from cells.models import AuthorKind, Publication, Revision, Sheet
from cells.services import publications
from cells.services.commit import Author, Committed, Submission, commit
from cells.services.publications import Due
from cells.streams import composing, outgoing
from cells.streams.batches import commit_batch
from cells.streams.composing import CannotComposeError, Composer
from cells.streams.origins import is_dropped
from cells.streams.outgoing import Outgoing
from tests.streams.test_batches import message

pytestmark = pytest.mark.django_db

ALICE = Author(AuthorKind.API, "alice")
CALCULATOR = Author(AuthorKind.CALCULATOR, "calculator")
HOLDER = uuid4()


@pytest.fixture
def demo() -> Sheet:
    sheet = Sheet.objects.create(slug="demo", title="Demo")
    Publication.objects.create(sheet=sheet)
    return sheet


def put(operation: Any, author: Author = ALICE) -> Any:
    submission = Submission("demo", uuid4(), operation, author)
    (outcome,) = commit([submission]).outcomes
    assert isinstance(outcome, Committed), outcome
    return submission.operation_id


def write(*cells: tuple[int, int, str]) -> Any:
    return put(SetCells(cells))


def due() -> Due:
    (one,) = publications.hold(list(publications.find_due()), HOLDER, 10)
    return one


def taken(composer: Composer) -> list[Outgoing]:
    """Compose the next stretch, and move the cursor as if it had been published."""
    stretch = composer.compose(due())
    moved = [(stretch.due.id, stretch.due.published, stretch.through)]
    publications.advance(moved, HOLDER)
    return [message for request in stretch.requests for message in request]


def bodies(messages: list[Outgoing]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(message.data) for message in messages]


def edits(messages: list[Outgoing]) -> list[list[tuple[str, str, str | None]]]:
    return [
        [(edit["cell"], edit["input"], edit.get("column")) for edit in body.get("edits", [])]
        for body in bodies(messages)
    ]


def test_a_revision_is_a_message_with_addresses_headers_and_inputs(demo: Sheet) -> None:
    write((0, 0, "Symbol"), (0, 1, "Bid"))
    operation_id = write((1, 0, "EURUSD"), (1, 1, "$1.0800"), (1, 2, ""))

    first, second = taken(Composer("berlin"))

    assert msgspec.json.decode(second.data) == {
        "sheet": "demo",
        "revision": 2,
        "author": "alice",
        "committed_at": Revision.objects.get(operation_id=operation_id)
        .committed_at.isoformat()
        .replace("+00:00", "Z"),
        "edits": [
            {"cell": "A2", "input": "EURUSD", "value": "EURUSD", "column": "Symbol"},
            {"cell": "B2", "input": "$1.0800", "value": 1.08, "column": "Bid"},
            {"cell": "C2", "input": "", "value": None},
        ],
    }
    assert second.attributes["revision"] == "2"
    assert second.attributes["origin"] == "berlin"
    assert "kind" not in second.attributes
    assert first.attributes["edit_id"] != second.attributes["edit_id"]
    assert edits([first]) == [[("A1", "Symbol", "Symbol"), ("B1", "Bid", "Bid")]]


def test_later_revisions_do_not_leak_into_earlier_messages(demo: Sheet) -> None:
    write((0, 0, "Old"), (1, 0, "1"))
    put(Insert(AxisName.ROWS, 1, 1))
    write((1, 0, "2"))
    put(Delete(AxisName.ROWS, ((0, 1),)))
    write((1, 0, "3"))
    put(Move(AxisName.ROWS, ((1, 1),), None))
    write((1, 0, "4"), (0 + 2, 0, "New"))

    whole = taken(Composer("berlin"))

    assert edits(whole) == [
        [("A1", "Old", "Old"), ("A2", "1", "Old")],
        [],
        [("A3", "2", "Old")],
        [],
        [("A2", "3", None)],  # the inserted row, an empty one, is the first now
        [],
        [("A1000", "4", None), ("A2", "New", None)],
    ]
    assert [message.attributes.get("kind") for message in whole] == [
        *(None, "insert_rows", None, "delete_rows", None, "move_rows", None)
    ]


def test_a_publisher_that_starts_anew_at_any_revision_says_the_same(demo: Sheet) -> None:
    write((0, 0, "Name"), (0, 1, "Price"), (1, 0, "b"), (1, 1, "2"), (2, 0, "a"), (2, 1, "1"))
    put(ReorderCells(((1, 2),), ((0, 2),), (1, 0)))
    put(Insert(AxisName.COLUMNS, 1, 1))
    write((0, 26, "Between"), (2, 26, "x"))
    sort = put(ReorderCells(((0, 3),), ((0, 2), (26, 1)), (2, 0, 1)))
    write((0, 0, "changed"), (1, 0, "later"))
    put(Undo(sort, is_redo=False))
    put(Delete(AxisName.COLUMNS, ((0, 1),)))
    write((1, 1, "3"))
    whole = taken(Composer("berlin"))

    for number in range(demo_head(demo)):
        Publication.objects.update(published=number)
        assert taken(Composer("berlin")) == whole[number:], number

    assert edits(whole)[1] == [
        ("A2", "a", "Name"),
        ("B2", "1", "Price"),
        ("A3", "b", "Name"),
        ("B3", "2", "Price"),
    ]
    assert edits(whole)[4] == [  # row 1 got what row 3 had, and the headers went to row 2
        ("A1", "b", "b"),
        ("C1", "2", "2"),
        ("B1", "x", "x"),
        ("A2", "Name", "b"),
        ("C2", "Price", "2"),
        ("B2", "Between", "x"),
        ("A3", "a", "b"),
        ("C3", "1", "2"),
        ("B3", "", "x"),
    ]


def demo_head(sheet: Sheet) -> int:
    sheet.refresh_from_db()
    return sheet.head


def test_an_undo_is_the_step_that_it_came_to(demo: Sheet) -> None:
    write((0, 0, "before"))
    operation_id = write((0, 0, "after"), (1, 0, "new"))
    put(Undo(operation_id, is_redo=False))
    put(Undo(operation_id, is_redo=True))

    messages = taken(Composer("berlin"))

    assert edits(messages)[2:] == [
        [("A1", "before", "before"), ("A2", "", "before")],
        [("A1", "after", "after"), ("A2", "new", "after")],
    ]


def test_what_edits_cannot_repeat_is_a_notice(demo: Sheet) -> None:
    operations: list[Intended] = [
        SetStyles(((0, 1),), ((0, 1),), parse_change({"bold": True})),
        Freeze(1, 0),
        ReorderCells(((0, 2),), ((0, 1),), (1, 0)),  # the looks alone change places
    ]
    for operation in operations:
        put(operation)

    messages = taken(Composer("berlin"))

    kinds = ["set_styles", "freeze", "reorder_cells"]
    assert [message.attributes["kind"] for message in messages] == kinds
    log = Revision.objects.order_by("number")
    for body, kind, revision in zip(bodies(messages), kinds, log, strict=True):
        assert "edits" not in body
        assert body["operation"] == revision.operation
        assert body["operation"]["kind"] == kind


def test_a_large_revision_is_several_messages_that_a_mirror_commits(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MAX_DATA_BYTES", 300)
    write(*[(row, 0, f"{row}é") for row in range(20)])
    write((0, 0, "next"))
    stretch = Composer("berlin").compose(due())
    messages = [message for request in stretch.requests for message in request]
    *parts, last = messages
    count = len(parts)

    assert 2 < count < 10
    assert [body["part"] for body in bodies(parts)] == list(range(1, count + 1))
    assert {body["parts"] for body in bodies(parts)} == {count}
    assert {message.attributes["revision"] for message in parts} == {"1"}
    assert len({message.attributes["edit_id"] for message in messages}) == count + 1
    assert all(len(message.data) < 500 for message in parts)
    assert "part" not in msgspec.json.decode(last.data)

    Sheet.objects.filter(pk=demo.pk).update(slug="source")
    mirror = Sheet.objects.create(slug="demo", title="Mirror")
    copies = [message(one.data, **one.attributes) for one in messages]
    monkeypatch.setattr("django.conf.settings.PUBSUB_ORIGIN", "paris")
    tally = commit_batch([*copies[:2], *copies])
    assert (tally.edits, tally.repeated, tally.dead) == (21, 2, 0)
    assert {cell.row: cell.input for cell in mirror.cells.all()} == {
        0: "next",
        **{row: f"{row}é" for row in range(1, 20)},
    }


def test_requests_are_bounded_and_the_next_stretch_goes_on(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "MAX_MESSAGES", 3)
    for number in range(7):
        write((0, 0, str(number)))
    composer = Composer("berlin")

    stretches = [taken(composer) for _ in range(3)]

    assert [len(messages) for messages in stretches] == [3, 3, 1]
    assert [value for one in stretches for ((_, value, _),) in edits(one)] == list("0123456")


def test_a_request_that_would_be_too_large_is_two(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "MAX_REQUEST_BYTES", 2_500)
    for number in range(6):
        write((0, 0, str(number) * 800))

    stretch = Composer("berlin").compose(due())

    assert [len(request) for request in stretch.requests] == [1, 1]
    assert stretch.through == 2


def test_a_failed_request_is_composed_again_without_reading_the_past(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    write((0, 0, "Header"), (1, 0, "1"))
    composer = Composer("berlin")
    first = composer.compose(due())
    put(Insert(AxisName.ROWS, 0, 1))
    write((1, 0, "2"))
    monkeypatch.setattr(composing, "_standing_at", None)

    again = composer.compose(due())

    assert again.requests[0][:1] == first.requests[0]
    assert edits(again.requests[0])[2] == [("A3", "2", None)]


def test_a_stream_keeps_its_origin(demo: Sheet) -> None:
    put(SetAddresses(((0, 0, "1"),)), Author(AuthorKind.STREAM, "paris", origin="subscription/17"))
    (sent,) = taken(Composer("berlin"))
    assert sent.attributes["origin"] == "paris > berlin"
    assert msgspec.json.decode(sent.data)["author"] == "paris"


def test_a_gap_in_the_log_is_named(demo: Sheet) -> None:
    for number in range(4):
        write((0, 0, str(number)))
    Revision.objects.filter(number=2).delete()
    with pytest.raises(CannotComposeError, match="The log has no revision 2 any more"):
        Composer("berlin").compose(due())
    Revision.objects.all().delete()
    with pytest.raises(CannotComposeError, match="The log has no revision 1 any more"):
        Composer("berlin").compose(due())


def test_a_database_of_yesterday_is_named(demo: Sheet) -> None:
    write((0, 0, "1"))
    Publication.objects.update(published=5)
    with pytest.raises(CannotComposeError, match="is at revision 1, and 5 has been published"):
        Composer("berlin").compose(due())


def test_an_operation_of_a_newer_release_is_named(demo: Sheet) -> None:
    write((0, 0, "1"))
    Revision.objects.update(operation={"kind": "paint_rows"})
    with pytest.raises(CannotComposeError, match="start the publisher of that release"):
        Composer("berlin").compose(due())


def test_a_cell_named_twice_is_published_once(demo: Sheet) -> None:
    write((0, 0, "first"), (0, 0, "last"))
    assert edits(taken(Composer("berlin"))) == [[("A1", "last", "last")]]


def test_a_formula_goes_out_as_it_reads_and_its_value_when_it_is_calculated(demo: Sheet) -> None:
    write((0, 0, "Total"), (0, 1, "Bid"))
    put(Insert(AxisName.ROWS, 1, 1))  # row 2 has the id 1,000 now
    write((1_000, 0, "=A2*2"), (1, 0, "=B1"))
    calculated = SetValues(3, ((1_000, 0, 6), (1, 0, {"error": "#DIV/0!"})))
    put(calculated, CALCULATOR)
    put(Delete(AxisName.ROWS, ((1_000, 1),)))

    *_, typed, values, _ = taken(Composer("berlin"))

    assert bodies([typed])[0]["edits"] == [
        {"cell": "A2", "input": "=A3*2", "column": "Total"},
        {"cell": "A3", "input": "=B1", "column": "Total"},
    ]
    assert "kind" not in typed.attributes
    assert bodies([values])[0]["edits"] == [
        {"cell": "A2", "value": 6, "column": "Total"},
        {"cell": "A3", "value": {"error": "#DIV/0!"}, "column": "Total"},
    ]
    assert values.attributes["kind"] == "set_values"
    assert values.attributes["origin"] == "berlin"


def test_a_mirror_calculates_by_itself(demo: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or each of two would have the other calculate again, without an end."""
    write((0, 0, "=1+1"))
    put(SetValues(1, ((0, 0, 2),)), CALCULATOR)

    typed, values = taken(Composer("paris"))

    copies = [message(one.data, **one.attributes) for one in (typed, values)]
    monkeypatch.setattr("django.conf.settings.PUBSUB_ORIGIN", "berlin")
    assert [is_dropped(one) for one in copies] == [False, True]
