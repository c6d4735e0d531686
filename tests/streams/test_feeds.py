"""Feeds: foreign messages become edits, listeners serve all of them and hear of every change."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.test import Client
from google.pubsub_v1 import PushConfig, Subscription

from cells.models import (
    Cell,
    DeadLetter,
    Feed,
    FeedColumn,
    FeedPolicy,
    FeedWrite,
    ListenerBeat,
    Revision,
    Sheet,
)
from cells.streams.batches import commit_batch
from cells.streams.feeds import FeedBook
from cells.streams.listener import Listener
from cells.streams.messages import Message
from cells.streams.names import subscription_path
from tests.servers.process import wait_until
from tests.streams.conftest import Stream, edit

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "projects/demo/subscriptions/ticks-sub"


@pytest.fixture
def demo() -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo")


def make_feed(sheet: Sheet, name: str = "Ticks", **fields: Any) -> Feed:
    """Make a feed of {"sym", "bid"} into the columns Symbol and Bid."""
    feed = Feed.objects.create(sheet=sheet, name=name, **{"subscription": PATH} | fields)
    is_key = feed.write == FeedWrite.UPSERT
    FeedColumn.objects.create(feed=feed, target="Symbol", source="$.sym", is_key=is_key)
    FeedColumn.objects.create(feed=feed, target="Bid", source="$.bid")
    return feed


_ids = iter(range(1, 1_000_000))


def tick(data: object, book: FeedBook | None = None, **attributes: str) -> Message:
    if book is None:
        book = FeedBook()
        book.refresh()
    return Message(
        topic="projects/demo/topics/ticks",
        subscription=PATH,
        message_id=str(next(_ids)),
        published_at=datetime.now(UTC),
        data=data if isinstance(data, bytes) else msgspec.json.encode(data),
        attributes=attributes,
        feeds=book.feeds_of(PATH),
    )


def rows(sheet: Sheet) -> list[list[str]]:
    """Return the filled rows of the first two columns."""
    found: dict[int, list[str]] = {}
    for cell in Cell.objects.filter(sheet=sheet, column__lt=2).exclude(input=""):
        found.setdefault(cell.row, ["", ""])[cell.column] = cell.input
    return [found[row] for row in sorted(found)]


def write_headers(sheet: Sheet, *names: str) -> None:
    body = {"sheet": sheet.slug, "append": [list(names)]}
    message = Message("t", "s", str(next(_ids)), datetime.now(UTC), msgspec.json.encode(body))
    assert commit_batch([message]).dead == 0


def test_foreign_messages_become_rows_by_key_and_say_where_they_came_from(demo: Sheet) -> None:
    write_headers(demo, "Symbol", "Bid")
    feed = make_feed(demo, event_time="$.at")
    at = "2026-11-23T09:30:00Z"
    sent = [tick({"sym": s, "bid": b, "at": at}) for s, b in (("A", 1), ("B", 2), ("A", 3))]
    tally = commit_batch(sent)
    assert rows(demo) == [["Symbol", "Bid"], ["A", "3"], ["B", "2"]]
    assert (tally.messages, tally.edits, tally.dead, tally.skipped) == (3, 3, 0, 0)
    assert (tally.of(feed.pk).messages, tally.of(feed.pk).edits) == (3, 3)
    line = Revision.objects.get(number=4)
    assert (line.feed_id, line.author_name) == (feed.pk, "Ticks")
    assert line.origin == f"{PATH}/{sent[-1].message_id}"
    assert line.event_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert line.published_at == sent[-1].published_at
    assert commit_batch(sent).repeated == 3


def test_several_feeds_of_one_subscription_each_take_what_they_want(demo: Sheet) -> None:
    other = Sheet.objects.create(slug="other", title="Other")
    for sheet in (demo, other):
        write_headers(sheet, "Symbol", "Bid")
    make_feed(demo, filter="@.sym == 'A'")
    make_feed(other, "Log of ticks", write=FeedWrite.APPEND, filter="@.bid > 1")
    sent = [tick({"sym": s, "bid": b}) for s, b in (("A", 1), ("B", 1), ("A", 2), ("C", 3))]
    tally = commit_batch(sent)
    assert rows(demo) == [["Symbol", "Bid"], ["A", "2"]]
    assert rows(other) == [["Symbol", "Bid"], ["A", "2"], ["C", "3"]]
    assert (tally.messages, tally.skipped) == (4, 1)


def test_what_a_feed_cannot_read_is_its_dead_letter_and_the_rest_is_committed(demo: Sheet) -> None:
    write_headers(demo, "Symbol", "Bid")
    feed = make_feed(demo)
    tally = commit_batch([tick({"sym": "A", "bid": 1}), tick({"bid": 2}), tick(b"\xff")])
    assert rows(demo)[1:] == [["A", "1"]]
    assert (tally.dead, tally.of(feed.pk).dead) == (2, 2)
    letters = DeadLetter.objects.order_by("pk")
    assert [(letter.feed_id, letter.reason) for letter in letters] == [(feed.pk, "malformed")] * 2
    assert letters[0].topic == "projects/demo/topics/ticks"
    assert "is a key" in letters[0].detail


def test_a_header_that_is_missing_is_told_by_name(demo: Sheet) -> None:
    write_headers(demo, "Symbol")
    make_feed(demo)
    commit_batch([tick({"sym": "A", "bid": 1})])
    letter = DeadLetter.objects.get()
    assert letter.reason == "unknown_header"
    assert "'Bid'" in letter.detail


def test_a_persons_edit_stays_where_the_feed_says_so(demo: Sheet) -> None:
    write_headers(demo, "Symbol", "Bid")
    make_feed(demo, policy=FeedPolicy.PERSON)
    commit_batch([tick({"sym": "A", "bid": 1})])
    Revision.objects.filter(number=2).update(author_kind="user")  # as if a person had typed it
    commit_batch([tick({"sym": "A", "bid": 2})])
    assert rows(demo)[1:] == [["A", "1"]]


def test_the_book_leaves_out_what_is_off_deleted_or_cannot_work(
    demo: Sheet, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Sheet.objects.create(slug="gone", title="Gone", deleted_at=datetime.now(UTC))
    some: list[tuple[Sheet, dict[str, Any]]] = [
        (demo, {}),
        (demo, {"is_enabled": False}),
        (gone, {}),
        (demo, {"filter": "@."}),
    ]
    for place, (sheet, fields) in enumerate(some):
        make_feed(sheet, f"feed {place}", **fields)
    book = FeedBook()
    book.refresh()
    (mapping,) = book.feeds_of(PATH)
    assert mapping.spec.name == "feed 0"
    assert "feed 3 cannot be used: filter" in caplog.text
    book.refresh()
    assert book.feeds_of(PATH) == (mapping,), "what has not changed is not compiled again"


def test_a_short_name_is_one_of_the_projects_own(settings: Any) -> None:
    settings.PUBSUB_PROJECT = "acme"
    assert subscription_path("ticks-sub") == "projects/acme/subscriptions/ticks-sub"
    assert subscription_path(PATH) == PATH


@pytest.fixture
def listen(stream: Stream) -> Iterator[Callable[[], Listener]]:
    """Start a listener in threads of this process; it stops when the test ends."""
    started: list[Listener] = []

    def start() -> Listener:
        listener = Listener(stream.subscriber, stream.route, pullers=1, batch_size=100)
        listener.start()
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stop()
        listener.check()


def subscribe(stream: Stream, name: str) -> tuple[Stream, str]:
    """Make a topic and a subscription of that name beside a stream's own."""
    route = replace(stream.route, topic=f"{name}-topic", subscription=name)
    foreign = replace(stream, route=route)
    stream.publisher.create_topic(name=route.topic_path)
    stream.subscriber.create_subscription(
        request=Subscription(
            name=route.subscription_path, topic=route.topic_path, enable_message_ordering=True
        )
    )
    return foreign, route.subscription_path


def test_one_listener_serves_edits_and_all_feeds_and_hears_of_changes(
    stream: Stream, demo: Sheet, listen: Callable[[], Listener]
) -> None:
    stream.create()
    ticks, ticks_path = subscribe(stream, "ticks")
    orders, orders_path = subscribe(stream, "orders")
    write_headers(demo, "Symbol", "Bid")
    first = make_feed(demo, subscription=ticks_path)
    listener = listen()

    def has(*expected: list[str]) -> Callable[[], bool]:
        def is_so() -> bool:
            listener.check()
            return rows(demo)[1:] == list(expected)

        return is_so

    stream.publish(edit("D9", "an edit"))
    ticks.publish({"sym": "A", "bid": 1}, {"sym": "A", "bid": 2}, key="A")
    wait_until(has(["A", "2"]), "the edits of the first feed")
    wait_until(lambda: Cell.objects.filter(input="an edit").exists(), "the plain edit")

    make_feed(demo, "Orders", subscription=orders_path)
    orders.publish({"sym": "O", "bid": 9}, key="O")
    wait_until(has(["A", "2"], ["O", "9"]), "the edits of a feed that is new")

    FeedColumn.objects.filter(feed=first, target="Bid").update(source="$.ask")
    wait_until(lambda: listener_reads(listener, ticks_path, "$.ask"), "the changed mapping")
    ticks.publish({"sym": "A", "bid": 3, "ask": 4}, key="A")
    wait_until(has(["A", "4"], ["O", "9"]), "an edit by the changed mapping")

    Feed.objects.filter(pk=first.pk).update(is_enabled=False)
    wait_until(lambda: ticks_path not in listener._intakes, "the feed to be switched off")
    ticks.publish({"sym": "A", "ask": 5}, key="A")
    orders.publish({"sym": "O", "bid": 10}, key="O")
    wait_until(has(["A", "4"], ["O", "10"]), "the other feed goes on")
    listener.stop()
    first.refresh_from_db()
    assert (first.messages, first.edits, first.dead) == (3, 3, 0)
    assert first.last_message_at is not None
    assert len(ticks.undelivered()) == 1, "what a feed that is off has is left to Pub/Sub"


def listener_reads(listener: Listener, path: str, source: str) -> bool:
    return any(
        column.source == source
        for mapping in listener._feeds.feeds_of(path)
        for column in mapping.spec.columns
    )


def test_a_subscription_that_is_missing_is_told_at_its_feed_and_found_later(
    stream: Stream, demo: Sheet, listen: Callable[[], Listener]
) -> None:
    stream.create()
    write_headers(demo, "Symbol", "Bid")
    path = f"projects/{stream.route.project}/subscriptions/later"
    feed = make_feed(demo, subscription=path)
    listener = listen()

    def trouble() -> str:
        listener.check()
        feed.refresh_from_db()
        return feed.trouble

    wait_until(lambda: "There is no subscription" in trouble(), "the trouble to be told")
    assert "later" in listener.status().feeds_down_seconds
    stream.publish(edit("D9", "an edit"))
    wait_until(lambda: Cell.objects.filter(input="an edit").exists(), "the plain edit")
    later, _ = subscribe(stream, "later")
    later.publish({"sym": "A", "bid": 1}, key="A")
    wait_until(lambda: rows(demo)[1:] == [["A", "1"]], "the edit of the feed")
    wait_until(lambda: not trouble(), "the trouble to be over")
    assert not listener.status().feeds_down_seconds


def test_a_sample_is_looked_at_and_stays_in_its_subscription(
    stream: Stream, demo: Sheet, admin_client: Client
) -> None:
    write_headers(demo, "Symbol", "Bid")
    ticks, path = subscribe(stream, "ticks")
    feed = make_feed(demo, subscription=path)
    url = f"/admin/cells/feed/{feed.pk}/try/"
    page = admin_client.post(url, {"pull": "1"}).content.decode()
    assert "has no message now" in page
    ticks.publish({"sym": "A", "bid": 1}, key="A", kind="quote")
    page = admin_client.post(url, {"pull": "1"}).content.decode()
    assert "{&quot;sym&quot;:&quot;A&quot;,&quot;bid&quot;:1}</textarea>" in page
    assert "&quot;kind&quot;: &quot;quote&quot;" in page
    assert len(ticks.undelivered()) == 1
    Feed.objects.update(subscription=path + "-gone")
    page = admin_client.post(url, {"pull": "1"}).content.decode()
    assert "There is no subscription" in page


def test_a_subscription_that_pushes_is_no_trouble(
    stream: Stream, demo: Sheet, listen: Callable[[], Listener]
) -> None:
    stream.create()
    path = f"projects/{stream.route.project}/subscriptions/pushed"
    stream.subscriber.create_subscription(
        request=Subscription(
            name=path,
            topic=stream.route.topic_path,
            push_config=PushConfig(push_endpoint="http://127.0.0.1:9/pubsub/push"),
        )
    )
    feed = make_feed(demo, subscription=path)
    listener = listen()
    wait_until(lambda: path in listener._intakes, "the feed to be looked at")
    wait_until(ListenerBeat.objects.exists, "what listeners write down")
    assert not listener.status().feeds_down_seconds
    feed.refresh_from_db()
    assert feed.trouble == ""
