"""Listeners say how they are: a deaf or a dead one shows in /readyz and in /metrics."""

import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cells.models import Feed, ListenerBeat, Sheet
from cells.services.beats import Beat, end_beat, listener_problem, write_beat
from cells.streams.listener import Listener
from tests.admin.stored import dead_letter
from tests.servers.process import wait_until
from tests.streams.conftest import Stream, edit

pytestmark = pytest.mark.django_db


def beat(name: str = "web-1:7", trouble: str = "", messages: int = 3) -> Beat:
    subscription = "projects/demo/subscriptions/edits-sub"
    return Beat(name, subscription, timezone.now(), 0.5, messages, 4, 1, 0, 2, trouble)


def readiness(client: Client) -> tuple[str, str | None]:
    """Return what /readyz says; the listener's own page has to agree."""
    answer = client.get("/readyz").json()
    listener = answer["dependencies"].get("listener")
    of_its_own = client.get("/readyz/listener")
    if listener is None:
        assert of_its_own.status_code == 404
    else:
        assert of_its_own.status_code == (200 if listener == "ok" else 503)
        assert of_its_own.json()["dependencies"] == {"listener": listener}
    return answer["status"], listener


def grow_old(seconds: float) -> None:
    ListenerBeat.objects.update(beat_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.django_db(transaction=True)
def test_readiness_misses_a_listener_that_was_killed_or_hears_nothing(client: Client) -> None:
    assert readiness(client) == ("ready", None), "none has ever run here"
    write_beat(beat())
    assert readiness(client) == ("ready", "ok")
    write_beat(beat(trouble="Pub/Sub does not answer"))
    assert readiness(client) == ("degraded", "hears nothing: Pub/Sub does not answer")
    write_beat(beat())
    grow_old(60)
    assert readiness(client) == ("degraded", "last heard of 60 s ago")
    write_beat(beat("web-2:9"))
    assert readiness(client) == ("ready", "ok"), "another one has taken over"
    end_beat("web-2:9")
    grow_old(2 * 24 * 60 * 60)
    assert readiness(client) == ("ready", None)


def test_a_new_listener_clears_away_who_was_missed_long_enough() -> None:
    write_beat(beat("old:1"))
    grow_old(2 * 24 * 60 * 60)
    write_beat(beat("new:2"))
    write_beat(beat("new:2", messages=9))
    assert list(ListenerBeat.objects.values_list("name", "messages")) == [("new:2", 9)]
    assert listener_problem() == ""


def test_metrics_tell_of_listeners_feeds_and_dead_letters(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "secret"
    write_beat(beat())
    sheet = Sheet.objects.create(slug="demo", title="Demo")
    late = timezone.now() - timedelta(minutes=5)
    fields: dict[str, Any] = {"sheet": sheet, "subscription": "s", "stale_after_seconds": 60}
    Feed.objects.create(name="Ticks", messages=7, edits=9, dead=1, last_message_at=late, **fields)
    fields |= {"last_message_at": timezone.now(), "trouble": "gone"}
    feed = Feed.objects.create(name="Orders", **fields)
    dead_letter(b"x", feed=feed)
    dead_letter(b"x", outcome="discarded")
    dead_letter(b"x")
    text = client.get("/metrics", headers={"authorization": "Bearer secret"}).content.decode()
    lines = set(text.splitlines())
    assert {
        'sheetsync_listener_up{listener="web-1:7"} 1.0',
        'sheetsync_listener_lag_seconds{listener="web-1:7"} 0.5',
        'sheetsync_listener_messages_total{listener="web-1:7"} 3.0',
        'sheetsync_listener_dead_total{listener="web-1:7"} 2.0',
        'sheetsync_feed_messages_total{feed="Ticks"} 7.0',
        'sheetsync_feed_stale{feed="Ticks"} 1.0',
        'sheetsync_feed_stale{feed="Orders"} 0.0',
        'sheetsync_feed_trouble{feed="Orders"} 1.0',
        'sheetsync_dead_letters_waiting{feed="Orders"} 1.0',
        'sheetsync_dead_letters_waiting{feed=""} 1.0',
    } <= lines
    name = 'sheetsync_feed_last_message_age_seconds{feed="Ticks"}'
    (age,) = [line for line in lines if line.startswith(name)]
    assert 300 <= float(age.split()[1]) < 400
    grow_old(60)
    text = client.get("/metrics", headers={"authorization": "Bearer secret"}).content.decode()
    assert 'sheetsync_listener_up{listener="web-1:7"} 0.0' in text


def test_a_host_asks_for_its_own_listener() -> None:
    with pytest.raises(CommandError, match="no listener runs on"):
        call_command("pubsub_listener", check=True)
    write_beat(beat("elsewhere:7"))
    with pytest.raises(CommandError, match="no listener runs on"):
        call_command("pubsub_listener", check=True)
    write_beat(beat(f"{socket.gethostname()}:7", trouble="away"))
    with pytest.raises(CommandError, match="hears nothing"):
        call_command("pubsub_listener", check=True)
    write_beat(beat(f"{socket.gethostname()}:8"))
    call_command("pubsub_listener", check=True)


def test_metrics_are_for_who_has_the_token(client: Client, settings: Settings) -> None:
    settings.DEBUG = False
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics").status_code == 401
    for wrong in ("Bearer other", "Basic secret", "Bearer", "Bearer sécret"):
        assert client.get("/metrics", headers={"authorization": wrong}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "bearer secret"}).status_code == 200
    assert client.post("/metrics").status_code == 405
    settings.DEBUG, settings.METRICS_TOKEN = True, ""
    assert client.get("/metrics").status_code == 200


def test_a_feed_is_stale_by_its_own_limit() -> None:
    now = timezone.now()
    made = now - timedelta(seconds=90)
    came = now - timedelta(seconds=30)

    def is_stale(limit: int | None, last: datetime | None) -> bool:
        return Feed(created_at=made, stale_after_seconds=limit, last_message_at=last).is_stale

    assert not is_stale(None, None)
    assert is_stale(60, None), "nothing has come since it was made"
    assert not is_stale(60, came)
    assert is_stale(20, came)


@pytest.mark.django_db(transaction=True)
def test_a_listener_beats_while_it_lives_and_says_when_pubsub_is_away(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    stream.create()
    listener = Listener(stream.subscriber, stream.route, pullers=1, batch_size=100)
    listener.start()

    def beat_is(is_so: Callable[[ListenerBeat], bool]) -> Callable[[], bool]:
        def found() -> bool:
            listener.check()
            return any(is_so(one) for one in ListenerBeat.objects.all())

        return found

    try:
        stream.publish(edit("A1", 1), b"no edit")
        wait_until(beat_is(lambda one: (one.messages, one.dead) == (2, 1)), "the counts")
        stream.subscriber.delete_subscription(subscription=stream.route.subscription_path)
        wait_until(beat_is(lambda one: "There is no" in one.trouble), "the trouble")
    finally:
        listener.stop()
    assert not ListenerBeat.objects.exists(), "one that ends as it should is not missed"


@pytest.mark.django_db(transaction=True)
def test_a_listener_without_messages_says_that_the_database_is_away(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.create()
    listener = Listener(stream.subscriber, stream.route, pullers=1, batch_size=100)
    is_away = threading.Event()
    refresh = listener._feeds.refresh

    def refresh_or_fail() -> None:
        if is_away.is_set():
            raise OperationalError("server closed the connection unexpectedly")
        refresh()

    monkeypatch.setattr(listener._feeds, "refresh", refresh_or_fail)
    listener.start()

    def is_down() -> bool:
        listener.check()
        return listener.status().database_down_seconds is not None

    try:
        wait_until(ListenerBeat.objects.exists, "the first beat")
        assert not is_down()
        is_away.set()
        wait_until(is_down, "the outage to be told")
        is_away.clear()
        wait_until(lambda: not is_down(), "the outage to be over")
    finally:
        listener.stop()
