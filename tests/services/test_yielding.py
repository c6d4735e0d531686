"""Whose text stays where a feed writes what a person has edited since."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cells.domain.operations import AddressedOperation, Intended, SetAddresses, SetCells, UpsertRow
from cells.models import AuthorKind, Feed, FeedPolicy, Proposal, Revision, Sheet
from cells.services.authors import Author, Source
from cells.services.commit import CommitResult, Committed, Submission, commit
from tests.services.prices import assert_log_is_whole, texts

STREAM = Author(AuthorKind.STREAM, "Ticks", origin="projects/p/subscriptions/s/1")
BOB = Author(AuthorKind.GUEST, "Bob", origin=str(uuid.UUID(int=2)))
API = Author(AuthorKind.API, "a program")
NOW = datetime.now(UTC)


@pytest.fixture
def feed(sheet: Sheet) -> Feed:
    Sheet.objects.filter(pk=sheet.pk).update(link_role="editor")
    return Feed.objects.create(name="Ticks", sheet=sheet, subscription="ticks-sub")


def cells(*texts_: tuple[str, str]) -> SetAddresses:
    places = {"A": 0, "B": 1, "C": 2}
    edits = tuple((int(a1[1:]) - 1, places[a1[0]], text) for a1, text in texts_)
    return SetAddresses(edits)


def streamed(
    feed: Feed,
    operation: Intended | AddressedOperation,
    policy: FeedPolicy = FeedPolicy.PERSON,
    event_at: datetime | None = None,
) -> Submission:
    source = Source(NOW, event_at, feed.pk, policy)
    return Submission("prices", uuid.uuid4(), operation, STREAM, source)


def typed(operation: Intended | AddressedOperation, author: Author = BOB) -> Submission:
    return Submission("prices", uuid.uuid4(), operation, author)


def put(*submissions: Submission) -> CommitResult:
    result = commit(submissions)
    assert all(isinstance(outcome, Committed) for outcome in result.outcomes), result.outcomes
    return result


def test_what_a_person_has_edited_since_stays_and_the_log_says_what_gave_way(feed: Feed) -> None:
    put(streamed(feed, cells(("A1", "1"), ("B1", "1"))))
    put(typed(cells(("A1", "Bob's"))))
    again = streamed(feed, cells(("A1", "2"), ("B1", "2"), ("C1", "2")))
    result = put(again)
    assert texts() == {"A1": "Bob's", "B1": "2", "C1": "2"}
    line = Revision.objects.get(number=3)
    assert line.operation["cells"] == [[0, 1, "2"], [0, 2, "2"]]
    assert line.operation["yielded"] == [[0, 0, "2"]]
    assert (line.feed_id, line.published_at, line.event_at) == (feed.pk, NOW, None)
    changes = result.deltas[feed.sheet_id].changes
    assert changes == [("stream", [(0, 1, "2"), (0, 2, "2")])]
    assert not put(again).deltas, "a redelivery finds it in the log"
    assert_log_is_whole("prices", 3)


def test_an_edit_that_gives_way_in_every_cell_is_a_line_all_the_same(feed: Feed) -> None:
    put(typed(cells(("A1", "Bob's"))))
    gone = streamed(feed, cells(("A1", "2")))
    put(gone)
    put(typed(cells(("A1", ""))))  # cleared by a person is edited by a person
    put(streamed(feed, cells(("A1", "3"))))
    assert texts() == {}
    assert Revision.objects.get(number=2).operation["cells"] == []
    assert_log_is_whole("prices", 4)


def test_programs_and_other_streams_are_no_people(feed: Feed) -> None:
    put(typed(cells(("A1", "api")), API))
    put(streamed(feed, cells(("A1", "1"))))
    assert texts() == {"A1": "1"}
    put(typed(cells(("A1", "Bob's"))))
    put(streamed(feed, cells(("A1", "2")), FeedPolicy.STREAM))
    assert texts() == {"A1": "2"}
    put(streamed(feed, cells(("A1", "3"))))
    assert texts() == {"A1": "3"}, "the stream has written it since"


def test_edits_of_the_same_batch_count(feed: Feed) -> None:
    put(
        typed(cells(("A1", "Bob's"))),
        streamed(feed, cells(("A1", "1"))),
        streamed(feed, cells(("B1", "1"))),
        typed(cells(("B1", "Bob's"))),
        streamed(feed, cells(("B1", "2"))),
    )
    assert texts() == {"A1": "Bob's", "B1": "Bob's"}
    assert_log_is_whole("prices", 5)


def test_the_newest_event_time_wins_whoever_it_is_of(feed: Feed) -> None:
    now = datetime.now(UTC)

    def at(minutes: int, text: str) -> Submission:
        event_at = now + timedelta(minutes=minutes)
        return streamed(feed, cells(("A1", text)), FeedPolicy.NEWEST, event_at)

    put(at(-10, "old"), at(-20, "older"), at(-5, "new"))
    assert texts() == {"A1": "new"}
    put(at(-7, "late"))
    assert texts() == {"A1": "new"}
    put(typed(cells(("A1", "Bob's"))))
    put(at(-1, "before Bob"))
    assert texts() == {"A1": "Bob's"}
    put(at(+5, "after Bob"))
    assert texts() == {"A1": "after Bob"}
    assert_log_is_whole("prices", 7)


def test_what_is_only_proposed_is_kept_for_a_person(feed: Feed) -> None:
    put(streamed(feed, cells(("A1", "1"), ("B1", "1")), FeedPolicy.PROPOSE))
    assert not Proposal.objects.exists(), "nobody has edited anything"
    put(typed(cells(("A1", "Bob's"))))
    for number in (2, 3):
        put(streamed(feed, cells(("A1", str(number)), ("B1", str(number))), FeedPolicy.PROPOSE))
    assert texts() == {"A1": "Bob's", "B1": "3"}
    proposal = Proposal.objects.get()
    assert (proposal.row, proposal.column, proposal.input) == (0, 0, "3")
    assert (proposal.feed_id, proposal.revision) == (feed.pk, 4)


def test_an_upsert_gives_way_in_its_row_and_not_in_a_new_one(feed: Feed) -> None:
    put(typed(SetCells(((0, 0, "Name"), (0, 1, "Bid"), (1, 0, "EUR"), (1, 1, "Bob's")))))
    for name in ("EUR", "USD"):
        put(streamed(feed, UpsertRow((("Name", name),), (("Bid", "1"),))))
    assert texts() == {
        "A1": "Name",
        "B1": "Bid",
        "A2": "EUR",
        "B2": "Bob's",
        "A3": "USD",
        "B3": "1",
    }


def test_a_policy_costs_one_statement_a_batch(feed: Feed) -> None:
    def statements(policy: FeedPolicy, count: int) -> int:
        batch = [streamed(feed, cells(("A1", str(number))), policy) for number in range(count)]
        with CaptureQueriesContext(connection) as captured:
            put(*batch)
        return len(captured)

    plain = statements(FeedPolicy.STREAM, 1)
    assert statements(FeedPolicy.PERSON, 1) == plain + 1
    assert statements(FeedPolicy.PERSON, 40) == plain + 1
