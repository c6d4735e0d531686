"""`manage.py set_feed`, and dead letters that are forwarded to a topic."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from google.pubsub_v1 import Subscription
from pytest_django import Settings

from cells.models import DeadLetter, Feed, Sheet
from cells.streams.forwarding import Forwarder, message_for
from cells.streams.listener import Listener
from tests.admin.stored import dead_letter
from tests.servers.process import wait_until
from tests.streams.conftest import Stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo() -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo")


def set_feed(*columns: str, name: str = "Ticks", **options: Any) -> None:
    call_command("set_feed", name, "demo", "ticks-sub", *columns, **options)


def test_a_feed_is_made_and_changed_by_its_name(demo: Sheet) -> None:
    set_feed("Bid=$.px.bid", "Ask=$.px['a=b']", key=["Symbol=$.sym"], policy="person")
    feed = Feed.objects.get()
    assert (feed.sheet_id, feed.subscription, feed.policy) == (demo.pk, "ticks-sub", "person")
    assert list(feed.columns.values_list("target", "source", "is_key")) == [
        ("Symbol", "$.sym", True),
        ("Bid", "$.px.bid", False),
        ("Ask", "$.px['a=b']", False),
    ]
    Feed.objects.update(messages=5)
    set_feed("B2=$.bid", write="cells", off=True, stale_after=60)
    changed = Feed.objects.get()
    assert (changed.pk, changed.messages, changed.is_enabled) == (feed.pk, 5, False)
    assert (changed.stale_after_seconds, changed.columns.count()) == (60, 1)


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (["Bid"], {}, "no TARGET=SOURCE"),
        (["Bid=bid"], {"key": ["Symbol=$.sym"]}, "no JSONPath"),
        (["Bid=$.bid"], {}, "has to be a key"),
        (["Bid=$.bid", "Bid=$.ask"], {"write": "append"}, "already exists"),
        (["Bid=$.bid"], {"write": "append", "filter": "@."}, "filter: This is no filter"),
    ],
)
def test_what_cannot_work_is_told_and_nothing_is_saved(
    demo: Sheet, columns: list[str], options: dict[str, Any], said: str
) -> None:
    set_feed("Last=$.last", write="append")
    with pytest.raises(CommandError, match=said):
        set_feed(*columns, **options)
    assert Feed.objects.get().columns.get().target == "Last"


def test_a_sheet_that_is_not_there_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="there is no sheet"):
        set_feed("Bid=$.bid", write="append")


def test_topic_and_subscription_are_made_on_request(
    stream: Stream, demo: Sheet, settings: Settings
) -> None:
    settings.PUBSUB_PROJECT = stream.route.project
    for _ in range(2):
        set_feed("Bid=$.bid", write="append", create_topic="ticks")
    found = stream.subscriber.get_subscription(
        subscription=f"projects/{stream.route.project}/subscriptions/ticks-sub"
    )
    assert found.topic.endswith("/topics/ticks")
    assert found.enable_message_ordering


def test_what_is_forwarded_says_why_it_is_dead() -> None:
    letter = DeadLetter(
        pk=7,
        subscription="s",
        message_id="17",
        reason="malformed",
        detail="ü" * 2_000,
        data=b"\xff",
        attributes={str(number): "x" for number in range(100)},
    )
    message = message_for(letter)
    assert (message.data, len(message.attributes)) == (b"\xff", 100)
    assert message.attributes["dead_letter_reason"] == "malformed"
    assert message.attributes["dead_letter_detail"] == "ü" * 512


@pytest.fixture
def listen(stream: Stream) -> Iterator[Callable[[], Listener]]:
    started: list[Listener] = []

    def start() -> Listener:
        started.append(Listener(stream.subscriber, stream.route, pullers=1, batch_size=100))
        started[-1].start()
        return started[-1]

    yield start
    for listener in started:
        listener.stop()
        listener.check()


def dead_topic(stream: Stream) -> Stream:
    """Make a topic for dead letters, and a subscription that hears it from the beginning."""
    dead = replace(stream, route=replace(stream.route, topic="dead", subscription="dead-sub"))
    stream.publisher.create_topic(name=dead.route.topic_path)
    stream.subscriber.create_subscription(
        request=Subscription(name=dead.route.subscription_path, topic=dead.route.topic_path)
    )
    return dead


def test_dead_letters_wait_for_their_topic(stream: Stream) -> None:
    forwarder = Forwarder(f"projects/{stream.route.project}/topics/dead")
    dead_letter(b"no edit")
    forwarder.forward()
    assert DeadLetter.objects.filter(forwarded_at=None).exists(), "there is no such topic yet"
    dead = dead_topic(stream)
    for _ in range(2):
        forwarder.forward()
    assert not DeadLetter.objects.filter(forwarded_at=None).exists()
    (came,) = dead.undelivered()
    assert came.message.data == b"no edit"
    assert came.message.attributes["dead_letter_reason"] == "malformed"


def test_a_listener_forwards_dead_letters_old_and_new(
    stream: Stream, listen: Callable[[], Listener], settings: Settings
) -> None:
    stream.create()
    dead = dead_topic(stream)
    settings.PUBSUB_DEAD_LETTER_TOPIC = dead.route.topic_path
    dead_letter(b"an old one")
    stream.publish(b"no edit")
    listener = listen()

    def all_forwarded() -> bool:
        listener.check()
        return DeadLetter.objects.exclude(forwarded_at=None).count() == 2

    wait_until(all_forwarded, "the letters to be forwarded")
    came: set[bytes] = set()

    def all_came() -> bool:
        came.update(one.message.data for one in dead.undelivered())
        return came == {b"an old one", b"no edit"}

    wait_until(all_came, "the letters at the topic")
