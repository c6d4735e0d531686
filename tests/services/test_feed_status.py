"""What a sheet's page is told of its streams."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cells.domain.operations import SetAddresses, SetCells
from cells.models import AuthorKind, Feed, FeedColumn, FeedPolicy, Sheet
from cells.services.authors import Author, Source
from cells.services.commit import Committed, Submission, commit
from cells.services.feed_status import (
    MAX_PROPOSALS,
    OpenProposal,
    dismiss_proposal,
    read_feeds,
    read_owned,
    read_proposals,
)

STREAM = Author(AuthorKind.STREAM, "Ticks", origin="projects/p/subscriptions/s/1")
BOB = Author(AuthorKind.GUEST, "Bob", origin=str(uuid.UUID(int=2)))


@pytest.fixture
def feed(sheet: Sheet) -> Feed:
    Sheet.objects.filter(pk=sheet.pk).update(link_role="editor")
    return Feed.objects.create(name="Ticks", sheet=sheet, subscription="ticks-sub")


def proposed(feed: Feed, *cells: tuple[int, int, str]) -> None:
    source = Source(datetime.now(UTC), None, feed.pk, FeedPolicy.PROPOSE)
    put(Submission("prices", uuid.uuid4(), SetAddresses(cells), STREAM, source))


def typed(*cells: tuple[int, int, str], author: Author = BOB) -> None:
    put(Submission("prices", uuid.uuid4(), SetCells(cells), author))


def put(submission: Submission) -> None:
    (outcome,) = commit([submission]).outcomes
    assert isinstance(outcome, Committed), outcome


def test_a_feed_says_how_long_ago_it_was_heard_and_whether_that_is_too_long(feed: Feed) -> None:
    FeedColumn.objects.create(feed=feed, target="Symbol", source="$.sym", is_key=True)
    FeedColumn.objects.create(feed=feed, target="Bid", source="$.bid")
    (fresh,) = read_feeds(feed.sheet_id)
    assert fresh == ("Ticks", ["Symbol", "Bid"], False, None, False, "stream")
    Feed.objects.update(
        last_message_at=timezone.now() - timedelta(seconds=90),
        stale_after_seconds=60,
        trouble="403 on projects/p/subscriptions/ticks-sub",
        policy=FeedPolicy.PROPOSE,
    )
    (late,) = read_feeds(feed.sheet_id)
    assert late.is_stale
    assert late.seconds is not None
    assert 90 <= late.seconds < 100
    assert (late.has_trouble, late.policy) == (True, "propose")


def test_disabled_feeds_and_those_of_other_sheets_are_not_shown(feed: Feed) -> None:
    other = Sheet.objects.create(slug="other", title="Other")
    assert read_feeds(other.pk) == []
    typed((0, 0, "Bob's"))
    proposed(feed, (0, 0, "1"))
    assert len(read_proposals(feed.sheet_id)) == 1
    Feed.objects.update(is_enabled=False)
    assert read_feeds(feed.sheet_id) == []
    assert read_proposals(feed.sheet_id) == []


def test_a_proposal_is_open_until_somebody_writes_its_cell(feed: Feed) -> None:
    typed((0, 0, "Bob's"), (1, 0, "Bob's"))
    proposed(feed, (0, 0, "1"), (1, 0, "1"))
    proposed(feed, (0, 0, "2"))
    assert read_proposals(feed.sheet_id) == [
        OpenProposal(0, 0, "2", "Ticks"),
        OpenProposal(1, 0, "1", "Ticks"),
    ]
    typed((0, 0, "2"))
    assert read_proposals(feed.sheet_id) == [OpenProposal(1, 0, "1", "Ticks")]
    proposed(feed, (0, 0, "3"))
    assert read_proposals(feed.sheet_id)[0] == OpenProposal(0, 0, "3", "Ticks")


def test_only_the_first_open_proposals_are_told(
    feed: Feed, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    count = MAX_PROPOSALS + 5
    typed(*((row, 0, "Bob's") for row in range(count)))
    proposed(feed, *((row, 0, "1") for row in range(count)))
    typed((0, 0, "1"))
    with django_assert_num_queries(1):
        told = read_proposals(feed.sheet_id)
    assert [one.row for one in told] == list(range(1, MAX_PROPOSALS + 1))


def test_a_dismissed_proposal_is_gone_and_a_newer_one_is_not(feed: Feed) -> None:
    typed((0, 0, "Bob's"))
    proposed(feed, (0, 0, "1"))
    proposed(feed, (0, 0, "2"))
    assert not dismiss_proposal(feed.sheet_id, 0, 0, "1")
    assert len(read_proposals(feed.sheet_id)) == 1
    assert dismiss_proposal(feed.sheet_id, 0, 0, "2")
    assert read_proposals(feed.sheet_id) == []
    assert not dismiss_proposal(feed.sheet_id, 0, 0, "2")


def test_a_cell_is_a_stream_s_while_a_stream_wrote_it_last(
    feed: Feed, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = Author(AuthorKind.STREAM, "orders")
    typed((0, 0, "1"), (0, 1, "2"), (0, 9, "3"), (7, 0, "4"), author=STREAM)
    typed((1, 0, "5"), author=other)
    typed((2, 0, "a program's"), author=Author(AuthorKind.API, "orders"))
    typed((0, 1, "Bob's"))
    with django_assert_num_queries(1):
        owned = read_owned(feed.sheet_id, range(5), (0, 5))
    assert sorted(owned) == [(0, 0, "Ticks"), (1, 0, "orders")]
    typed((0, 0, ""))
    assert read_owned(feed.sheet_id, [0], (0, 25)) == [(0, 9, "Ticks")]
    assert read_owned(feed.sheet_id, [], (0, 25)) == []
