import logging
import random
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.domain.errors import Malformed, Unavailable
from cells.domain.literals import text_of
from cells.models import Cell, DeadLetter, Revision, Sheet
from cells.services.audit import command
from cells.services.commit import commit
from cells.services.failures import is_outage
from cells.streams import batches
from cells.streams.batches import commit_batch
from cells.streams.messages import Message
from cells.streams.replaying import replay
from tests.services.protected import protect
from tests.streams.test_messages import BAD, json_messages

pytestmark = pytest.mark.django_db

SUBSCRIPTION = "projects/demo/subscriptions/edits-sub"


@pytest.fixture
def demo() -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo")


_ids = iter(range(1, 1_000_000))


def message(body: object, **attributes: str) -> Message:
    return Message(
        topic="projects/demo/topics/edits",
        subscription=SUBSCRIPTION,
        message_id=str(next(_ids)),
        published_at=datetime.now(UTC),
        data=body if isinstance(body, bytes) else msgspec.json.encode(body),
        attributes=attributes,
        ordering_key="demo",
    )


def edit(cell: str, value: object, sheet: str = "demo", **attributes: str) -> Message:
    return message({"sheet": sheet, "edits": [{"cell": cell, "value": value}]}, **attributes)


def inputs(sheet: Sheet) -> dict[tuple[int, int], str]:
    return {(cell.row, cell.column): cell.input for cell in Cell.objects.filter(sheet=sheet)}


def test_messages_are_committed_in_order(demo: Sheet) -> None:
    tally = commit_batch([edit("B2", value) for value in (1, 2, 3)])

    assert inputs(demo) == {(1, 1): "3"}
    assert list(Revision.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    assert (tally.messages, tally.edits, tally.repeated, tally.dead) == (3, 3, 0, 0)


def test_revision_says_which_message_it_came_from(demo: Sheet) -> None:
    sent = edit("B2", 1, origin="crm")

    commit_batch([sent])

    revision = Revision.objects.get()
    assert (revision.author_kind, revision.author_name) == ("stream", "crm")
    assert revision.origin == f"{SUBSCRIPTION}/{sent.message_id}"


def test_append_and_upsert_see_the_edits_before_them_in_the_batch(demo: Sheet) -> None:
    upsert = {"key": {"Symbol": "EURUSD"}, "set": {"Bid": 1.09}}

    commit_batch(
        [
            message({"sheet": "demo", "append": [["Symbol", "Bid"], ["EURUSD", 1.08]]}),
            message({"sheet": "demo", "upsert": upsert}),
            message({"sheet": "demo", "upsert": upsert | {"key": {"Symbol": "USDJPY"}}}),
            message({"sheet": "demo", "append": [["GBPUSD", 1.27]]}),
        ]
    )

    assert inputs(demo) == {
        (0, 0): "Symbol",
        (0, 1): "Bid",
        (1, 0): "EURUSD",
        (1, 1): "1.09",
        (2, 0): "USDJPY",
        (2, 1): "1.09",
        (3, 0): "GBPUSD",
        (3, 1): "1.27",
    }


def test_cell_named_twice_in_one_message_keeps_the_last_value(demo: Sheet) -> None:
    edits = [{"cell": "B2", "value": 1}, {"cell": "$b$2", "value": 2}]

    tally = commit_batch([message({"sheet": "demo", "edits": edits})])

    assert inputs(demo) == {(1, 1): "2"}
    assert tally.dead == 0


def test_redelivery_commits_nothing(demo: Sheet) -> None:
    batch = [edit("B2", 1), edit("B2", 2)]
    commit_batch(batch)

    tally = commit_batch([*batch, batch[0]])

    assert Revision.objects.count() == 2
    assert inputs(demo) == {(1, 1): "2"}
    assert (tally.edits, tally.repeated) == (0, 3)


def test_retry_with_the_same_edit_id_commits_nothing(demo: Sheet) -> None:
    tally = commit_batch([edit("B2", 1, edit_id="a"), edit("B2", 1, edit_id="a")])

    assert Revision.objects.count() == 1
    assert (tally.edits, tally.repeated) == (1, 1)


def test_each_known_poison_is_a_dead_letter_and_sinks_no_neighbour(demo: Sheet) -> None:
    good = [edit(f"A{number + 1}", number) for number in range(len(BAD) + 1)]
    bad = [message(body) for _, body, _, _ in BAD]
    batch = [one for pair in zip(good, bad, strict=False) for one in pair] + good[-1:]

    tally = commit_batch(batch)

    letters = {letter.message_id: letter for letter in DeadLetter.objects.all()}
    assert tally.dead == len(letters) == len(BAD)
    assert tally.edits == Revision.objects.count() == len(good)
    for poison, (_, _, refusal, hint) in zip(bad, BAD, strict=True):
        letter = letters[poison.message_id]
        assert letter.reason == refusal.code
        assert hint in letter.detail
        assert bytes(letter.data) == poison.data
        assert (letter.subscription, letter.ordering_key) == (SUBSCRIPTION, "demo")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"sheet": "nowhere", "edits": [{"cell": "B2", "value": 1}]}, "no_such_sheet"),
        ({"sheet": "demo", "upsert": {"key": {"Nothing": 1}, "set": {}}}, "unknown_header"),
        ({"sheet": "demo", "append": [["x"] * 9_999]}, None),
        ({"sheet": "demo", "edits": [{"cell": "XFD1000000", "value": 1}]}, None),
    ],
)
def test_refused_message_is_a_dead_letter_with_the_refusals_code(
    demo: Sheet, body: dict[str, Any], reason: str | None
) -> None:
    commit_batch([edit("A1", 1), message(body), edit("A2", 2)])

    assert [letter.reason for letter in DeadLetter.objects.all()] == ([reason] if reason else [])
    assert Revision.objects.count() == (2 if reason else 3)


@given(bodies=st.lists(json_messages, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_committed_or_refused_by_name(demo: Sheet, bodies: list[object]) -> None:
    """Nothing gets past the decoder that the database then chokes on."""
    before = Revision.objects.count()

    tally = commit_batch([edit("A1", "Symbol"), *map(message, bodies)])

    assert tally.messages == len(bodies) + 1
    assert Revision.objects.count() == before + tally.messages - tally.dead
    assert not DeadLetter.objects.filter(reason="internal").exists()


@pytest.mark.parametrize(
    "text", ["x" * 32_767, "😀" * 16_383, "\x01\x1f\x7f\ufffe\uffff", "'\"\\%s{}$1"]
)
def test_largest_and_oddest_texts_are_kept(demo: Sheet, text: str) -> None:
    header = text_of(text)  # as people read it in A1 and XFD2
    commit_batch(
        [
            edit("A1", text),
            edit("XFD2", text),
            message({"sheet": "demo", "upsert": {"key": {header: text}, "set": {}}}),
            message({"sheet": "demo", "upsert": {"key": {header: text}, "set": {}}}),
        ]
    )

    assert not DeadLetter.objects.exists()
    assert list(Cell.objects.values_list("input", flat=True)) == [text] * 3


@pytest.mark.parametrize("attribute", ["origin", "edit_id", "x" * 300, "nul\0"])
def test_attributes_that_no_column_holds_sink_no_batch(demo: Sheet, attribute: str) -> None:
    for value in ("\0", "x" * 2_000, "😀" * 200, ""):
        commit_batch([edit("A1", 1), edit("A2", 2, **{attribute: value}), edit("A3", 3)])

    assert Revision.objects.count() + DeadLetter.objects.count() <= 12
    assert inputs(demo).keys() >= {(0, 0), (2, 0)}


def test_message_that_breaks_the_batch_is_found_and_kept(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure that nobody foresaw cannot be made with a real message: those are all refused."""

    def commit_unless_poisoned(submissions: Any) -> Any:
        if any("poison" in str(submission.operation) for submission in submissions):
            raise OverflowError("nobody thought of this")
        return commit(submissions)

    monkeypatch.setattr(batches, "commit", commit_unless_poisoned)
    batch = [edit(f"A{number}", number) for number in range(1, 101)]
    poison = edit("A50", "poison")
    batch[49] = poison

    with caplog.at_level(logging.CRITICAL):
        tally = commit_batch(batch)

    letter = DeadLetter.objects.get()
    assert (letter.message_id, letter.reason) == (poison.message_id, "internal")
    assert "nobody thought of this" in letter.detail
    assert (tally.messages, tally.edits, tally.dead) == (100, 99, 1)
    numbers = list(Cell.objects.order_by("revision").values_list("input", flat=True))
    assert numbers == [str(number) for number in range(1, 101) if number != 50]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("server closed the connection unexpectedly"), True),
        (ProgrammingError('relation "cells_sheet" does not exist'), True),
        (Unavailable("later"), True),
        (DataError("value out of range"), False),
        (IntegrityError("duplicate key"), False),
        (Malformed("no"), False),
        (RecursionError(), False),
    ],
)
def test_only_what_is_no_fault_of_the_message_is_an_outage(
    error: Exception, expected: bool
) -> None:
    assert is_outage(error) is expected


@pytest.mark.parametrize("size", [2, 200])
def test_batches_of_any_size_take_the_same_statements(
    demo: Sheet, django_assert_max_num_queries: Any, size: int
) -> None:
    for slug in range(8):
        Sheet.objects.create(slug=f"s{slug}", title="")
    batch = [edit("B2", n, sheet=f"s{n % 8}") for n in range(size)]

    with django_assert_max_num_queries(14):
        commit_batch([*batch, edit("nonsense", 1), edit("A1", uuid4().hex, sheet="nowhere")])

    assert connection.vendor in ("sqlite", "postgresql")


def test_a_transaction_locks_few_sheets_and_each_sheet_keeps_its_order(
    demo: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person on one of them waits for no more than a few sheets' worth of a long batch."""
    for number in range(25):
        Sheet.objects.create(slug=f"s{number}", title="")
    locked: list[int] = []

    def commit_noting_sheets(submissions: Any) -> Any:
        locked.append(len({submission.sheet for submission in submissions}))
        return commit(submissions)

    monkeypatch.setattr(batches, "commit", commit_noting_sheets)
    slugs = [f"s{number}" for number in range(25)] * 3
    random.Random(5).shuffle(slugs)

    tally = commit_batch([edit("B2", n, sheet=slug) for n, slug in enumerate(slugs)])

    assert (tally.messages, tally.edits) == (75, 75)
    assert locked == [10, 10, 5]
    for sheet in Sheet.objects.exclude(pk=demo.pk):
        lines = sheet.revisions.order_by("number").values_list("operation", flat=True)
        of_sheet = [str(n) for n, slug in enumerate(slugs) if slug == sheet.slug]
        assert [line["cells"][0][2] for line in lines] == of_sheet


def test_a_message_into_a_protected_range_waits_until_it_may(demo: Sheet) -> None:
    protection = protect(demo, "B:B")
    tally = commit_batch([edit("B2", 1), edit("A2", 1)])
    assert (inputs(demo), tally.dead) == ({(1, 0): "1"}, 1)
    letter = DeadLetter.objects.get()
    assert letter.reason == "protected"
    assert "B:B is protected" in letter.detail
    protection.takes_messages = True
    protection.save()
    assert replay([letter], command("a test")).replayed == 1
    assert inputs(demo)[1, 1] == "1"
