"""The publisher in threads of this process, against the real emulator."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import OperationalError
from django.db.models import Count
from google.pubsub_v1 import PublisherClient

from cells.domain.operations import SetCells
from cells.models import AuthorKind, Publication, Revision, Sheet
from cells.services import publications
from cells.services.commit import Author, Submission, commit
from cells.streams import publishing
from cells.streams.clients import publisher_client
from cells.streams.composing import Stretch
from cells.streams.names import PubsubSetupError, Route
from cells.streams.publishing import Publisher
from tests.faults.proxy import Proxy
from tests.servers.process import wait_until
from tests.streams.conftest import Stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo() -> Sheet:
    sheet = Sheet.objects.create(slug="demo", title="Demo")
    Publication.objects.create(sheet=sheet)
    return sheet


@pytest.fixture
def publish(stream: Stream) -> Iterator[Callable[..., Publisher]]:
    """Start publishers in threads of this process; they stop when the test ends."""
    started: list[Publisher] = []

    def start(client: PublisherClient | None = None) -> Publisher:
        publisher = Publisher(client or stream.publisher, stream.route)
        publisher.start()
        started.append(publisher)
        return publisher

    yield start
    for publisher in started:
        assert publisher.stop()
        publisher.check()


def write(*texts: str, slug: str = "demo") -> None:
    """Commit each text as a revision of its own to A1."""
    author = Author(AuthorKind.API, "alice")
    commit([Submission(slug, uuid4(), SetCells(((0, 0, text),)), author) for text in texts])


def wait_for_cursors() -> None:
    wait_until(lambda: not publications.find_due(), "all cursors at the heads")


class Subscriber:
    """Receives what a test waits for, acknowledging it, so that the next may come."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.messages: list[Any] = []

    def receive(self, count: int) -> list[Any]:
        """Return all messages so far, at least `count`."""

        def came() -> bool:
            received = self._stream.undelivered()
            self.messages += [one.message for one in received]
            if received:
                self._stream.subscriber.acknowledge(
                    subscription=self._stream.route.subscription_path,
                    ack_ids=[one.ack_id for one in received],
                )
            return len(self.messages) >= count

        wait_until(came, f"{count} messages")
        return self.messages


def revisions(messages: list[Any], slug: str = "demo") -> list[int]:
    of_sheet = [one for one in messages if one.ordering_key == slug]
    return [int(one.attributes["revision"]) for one in of_sheet]


def values(messages: list[Any]) -> list[str]:
    return [msgspec.json.decode(one.data)["edits"][0]["input"] for one in messages]


def test_every_revision_is_published_once_and_in_order(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher]
) -> None:
    stream.create()
    write(*map(str, range(150)))

    publisher = publish()
    write(*map(str, range(150, 200)))
    received = Subscriber(stream).receive(200)

    assert revisions(received) == list(range(1, 201))
    assert values(received) == list(map(str, range(200)))
    wait_for_cursors()
    publication = Publication.objects.get()
    assert (publication.published, publication.held_by, publication.error) == (200, None, "")
    status = publisher.status()
    assert (status.totals.revisions, status.totals.messages) == (200, 200)


def test_two_publishers_share_sheets_and_repeat_nothing(
    stream: Stream, publish: Callable[..., Publisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "SHEETS_AT_ONCE", 2)
    stream.create()
    slugs = [f"sheet-{number}" for number in range(6)]
    for slug in slugs:
        Publication.objects.create(sheet=Sheet.objects.create(slug=slug, title=slug))
    publish(), publish()

    for number in range(10):
        for slug in slugs:
            write(str(number), slug=slug)
    received = Subscriber(stream).receive(60)
    wait_for_cursors()

    for slug in slugs:
        assert revisions(received, slug) == list(range(1, 11))


class CrashError(BaseException):
    pass


class DyingPublisher(Publisher):
    """Dies when Pub/Sub has taken a request and the database has not heard of it."""

    def _advance(self, taken: list[Stretch]) -> None:  # type: ignore[override]
        raise CrashError


def test_a_crash_before_the_cursor_is_written_repeats_under_the_same_ids(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    monkeypatch.setattr(publications, "let_go", lambda holder: None)  # nobody tidies up
    monkeypatch.setattr(publishing, "LEASE_SECONDS", 1)
    stream.create()
    write("1", "2", "3")

    dying = DyingPublisher(stream.publisher, stream.route)
    dying.start()
    subscriber = Subscriber(stream)
    subscriber.receive(3)
    dying.stop()
    with pytest.raises(CrashError):
        dying.check()
    assert Publication.objects.get().published == 0
    assert Publication.objects.get().held_by is not None
    write("4")
    publish()
    received = subscriber.receive(7)

    assert revisions(received) == [1, 2, 3, 1, 2, 3, 4]
    counts = Counter(one.attributes["edit_id"] for one in received)
    assert sorted(counts.values()) == [1, 2, 2, 2]
    wait_for_cursors()


def test_an_outage_of_pubsub_pauses_and_skips_nothing(
    stream: Stream,
    demo: Sheet,
    publish: Callable[..., Publisher],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream.create()
    with Proxy() as proxy:
        link = proxy.link("pubsub", stream.emulator.port)
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{link.port}")
        client = publisher_client()
        publisher = publish(client)
        write("1")
        subscriber = Subscriber(stream)
        subscriber.receive(1)

        link.refuse()
        write("2", "3")
        wait_until(lambda: publisher.status().pubsub_down_seconds, "the outage to show")
        wait_until(lambda: Publication.objects.get().error, "the reason to be kept")
        write("4")
        assert "does not answer" in Publication.objects.get().error
        assert publisher.status().standing_still == 1
        link.accept()
        received = subscriber.receive(4)
        wait_for_cursors()
        wait_until(lambda: publisher.status().standing_still == 0, "its end")
        client.transport.close()

    assert revisions(received) == [1, 2, 3, 4]
    assert publisher.status().pubsub_down_seconds is None
    assert Publication.objects.get().error == ""
    assert "Pub/Sub answers again" in caplog.text


def test_an_outage_of_the_database_pauses_and_skips_nothing(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between the publishing and the cursor: the worst moment."""
    stream.create()
    advance, is_down = publications.advance, threading.Event()
    is_down.set()

    def advance_unless_down(*arguments: Any) -> None:
        if is_down.is_set():
            raise OperationalError("server closed the connection unexpectedly")
        advance(*arguments)

    monkeypatch.setattr(publications, "advance", advance_unless_down)
    write("1", "2")
    publisher = publish()
    wait_until(lambda: publisher.status().database_down_seconds, "the outage to show")
    is_down.clear()
    wait_for_cursors()
    write("3")
    wait_for_cursors()

    received = Subscriber(stream).receive(publisher.status().totals.messages)
    numbers = revisions(received)
    assert numbers[:4] == [1, 2, 1, 2]
    assert numbers[-1] == 3
    ids = {(one.attributes["revision"], one.attributes["edit_id"]) for one in received}
    assert len(ids) == 3


def test_a_missing_topic_stops_its_publication_alone(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher]
) -> None:
    stream.create()
    publisher = publish()
    other = Sheet.objects.create(slug="other", title="Other")
    lost = Publication.objects.create(sheet=other, topic="nowhere")
    write("1", slug="other")
    write("1", "2")

    received = Subscriber(stream).receive(2)
    wait_until(lambda: Publication.objects.get(pk=lost.pk).error, "the reason to be kept")

    assert revisions(received) == [1, 2]
    lost.refresh_from_db()
    assert "There is no topic" in lost.error
    assert "/topics/nowhere: make it with `manage.py pubsub_publisher --create`" in lost.error
    assert lost.published == 0
    assert publisher.status().pubsub_down_seconds is None
    stream.publisher.create_topic(name=f"projects/{stream.route.project}/topics/nowhere")
    wait_for_cursors()


def test_topics_are_looked_for_before_the_start(stream: Stream, demo: Sheet) -> None:
    with pytest.raises(PubsubSetupError, match=r"There is no topic .*/topics/edits: make it"):
        Publisher(stream.publisher, stream.route)
    Publisher(stream.publisher, stream.route, create=True)
    Publisher(stream.publisher, stream.route)

    Publication.objects.create(sheet=demo, topic="second")
    with pytest.raises(PubsubSetupError, match="/topics/second"):
        Publisher(stream.publisher, stream.route)
    Publisher(stream.publisher, Route(stream.route.project, "unused", "unused"), create=True)


def test_a_disabled_publication_waits_where_it_is(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher]
) -> None:
    stream.create()
    publish()
    write("1")
    subscriber = Subscriber(stream)
    subscriber.receive(1)
    wait_for_cursors()
    Publication.objects.update(is_enabled=False)
    write("2", "3")
    other = Publication.objects.create(sheet=demo, topic="edits")
    subscriber.receive(4)  # the other one's, from the beginning
    assert Publication.objects.exclude(pk=other.pk).get().published == 1

    Publication.objects.update(is_enabled=True)
    assert revisions(subscriber.receive(6)) == [1, 1, 2, 3, 2, 3]


def test_a_revision_of_many_requests_is_sent_in_order_before_the_cursor_moves(
    stream: Stream, demo: Sheet, publish: Callable[..., Publisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cells.streams.outgoing.MAX_DATA_BYTES", 200)
    monkeypatch.setattr("cells.streams.composing.MAX_MESSAGES", 4)
    monkeypatch.setattr(publishing, "LEASE_SECONDS", 2 * publishing.REQUEST_SECONDS)  # renewed
    stream.create()
    cells = tuple((row, 0, f"text {row}") for row in range(60))
    commit([Submission("demo", uuid4(), SetCells(cells), Author(AuthorKind.API, "alice"))])
    write("after")

    publish()
    wait_for_cursors()
    received = Subscriber(stream).receive(10)

    parts = [msgspec.json.decode(one.data) for one in received]
    assert [part.get("part") for part in parts] == [*range(1, len(parts)), None]
    assert [edit["input"] for part in parts[:-1] for edit in part["edits"]] == [
        f"text {row}" for row in range(60)
    ]
    assert Revision.objects.aggregate(count=Count("id"))["count"] == 2
