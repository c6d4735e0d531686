import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError

from cells.models import Cell, DeadLetter, Revision, Sheet
from cells.streams import listener as listener_module
from cells.streams.batches import Tally, commit_batch
from cells.streams.listener import Listener
from cells.streams.messages import Message
from cells.streams.names import PubsubSetupError
from tests.servers.process import wait_until
from tests.streams.conftest import Stream, edit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]


@pytest.fixture
def demo() -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo")


@pytest.fixture
def listen(stream: Stream) -> Iterator[Callable[..., Listener]]:
    """Start listeners in threads of this process; they stop when the test ends."""
    started: list[Listener] = []

    def start(*, pullers: int = 2, batch_size: int = 100, create: bool = False) -> Listener:
        listener = Listener(
            stream.subscriber, stream.route, pullers=pullers, batch_size=batch_size, create=create
        )
        listener.start()
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stop()
        listener.check()


def wait_for_messages(listener: Listener, count: int) -> None:
    def all_came() -> bool:
        listener.check()
        return listener.status().tally.messages >= count

    wait_until(all_came, f"{count} messages")


def test_messages_of_one_ordering_key_commit_in_the_order_of_publishing(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener]
) -> None:
    stream.create()
    stream.publish(*[edit("B2", number) for number in range(1_000)])

    listener = listen(pullers=4)
    wait_for_messages(listener, 1_000)

    log = Revision.objects.filter(sheet=demo).order_by("number").values_list("operation", "number")
    assert [operation["cells"][0][2] for operation, _ in log] == [str(n) for n in range(1_000)]
    assert [number for _, number in log] == list(range(1, 1_001))
    assert Cell.objects.get().input == "999"


def test_settled_messages_are_acknowledged(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener]
) -> None:
    stream.create()
    stream.publish(edit("B2", 1), b"nonsense", edit("B2", 1, sheet="nowhere"), edit("B2", 2))

    listener = listen()
    wait_for_messages(listener, 4)

    assert listener.stop()
    # The next message of an ordering key is delivered only when those before it are acknowledged.
    (probe,) = stream.publish(edit("B2", 3))
    assert [received.message.message_id for received in stream.undelivered()] == [probe]
    assert Revision.objects.count() == 2
    assert sorted(DeadLetter.objects.values_list("reason", flat=True)) == [
        "malformed",
        "no_such_sheet",
    ]


def test_publishers_retry_with_the_same_edit_id_commits_once(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener]
) -> None:
    stream.create()
    stream.publish(edit("B2", 1), edit_id="order-7")
    stream.publish(edit("B2", 2))
    stream.publish(edit("B2", 1), edit_id="order-7")

    listener = listen()
    wait_for_messages(listener, 3)

    assert Revision.objects.count() == 2
    assert Cell.objects.get().input == "2"
    assert listener.status().tally.repeated == 1


def test_database_outage_holds_the_batch_and_keeps_its_leases(
    stream: Stream,
    demo: Sheet,
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The tests of the processes stop a real PostgreSQL; this one outlasts a lease."""
    stream.create(ack_deadline_seconds=10)
    stream.publish(*[edit(f"A{number}", number) for number in range(1, 51)])
    is_down = threading.Event()
    is_down.set()

    def commit_unless_down(messages: list[Message]) -> Tally:
        if is_down.is_set():
            raise OperationalError("server closed the connection unexpectedly")
        return commit_batch(messages)

    monkeypatch.setattr(listener_module, "commit_batch", commit_unless_down)
    caplog.set_level(logging.WARNING)
    listener = listen()
    wait_until(lambda: listener.status().database_down_seconds, "the outage to show", 3)

    time.sleep(14)  # longer than the lease of 10 s

    lines = [record.message for record in caplog.records if "The database fails" in record.message]
    assert 2 <= len(lines) <= 5
    assert listener.status().lag_seconds > 13
    is_down.clear()
    wait_for_messages(listener, 50)
    time.sleep(1)
    status = listener.status()
    assert (status.tally.messages, status.tally.repeated) == (50, 0)  # none came a second time
    assert status.database_down_seconds is None
    assert Revision.objects.count() == 50


def test_stopping_during_an_outage_gives_the_messages_back_at_once(
    stream: Stream,
    demo: Sheet,
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream.create(ack_deadline_seconds=600)
    stream.publish(edit("B2", 1))

    def fail(messages: object) -> object:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(listener_module, "commit_batch", fail)
    listener = listen()
    wait_until(lambda: listener.status().database_down_seconds, "the outage to show", 5)

    started = time.monotonic()
    assert listener.stop()

    assert time.monotonic() - started < 10  # Docker's grace
    assert len(stream.undelivered()) == 1


@pytest.mark.only_on("sqlite")  # about Pub/Sub and threads, whatever the database
def test_failure_that_is_no_outage_ends_the_listener(
    stream: Stream,
    demo: Sheet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream.create()
    stream.publish(edit("B2", 1))

    def fail(messages: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(listener_module, "commit_batch", fail)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    listener = Listener(stream.subscriber, stream.route, pullers=1, batch_size=10)
    listener.start()

    def has_failed() -> bool:
        try:
            listener.check()
        except ZeroDivisionError:
            return True
        return False

    wait_until(has_failed, "the failure to be raised", 5)
    listener.stop()


def test_backlog_is_held_by_pubsub_and_not_in_memory(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.create(enable_message_ordering=False)
    stream.publish(*[edit(f"A{number}", number) for number in range(1, 3_001)], key="")
    may_go_on = threading.Event()
    seen: list[int] = []

    def commit_later(messages: list[Message]) -> Tally:
        seen.append(len(messages))
        may_go_on.wait(10)
        return commit_batch(messages)

    monkeypatch.setattr(listener_module, "commit_batch", commit_later)
    listener = listen(pullers=3, batch_size=50)
    time.sleep(2)
    assert len(seen) == 1
    assert listener.held <= 3 * 50

    may_go_on.set()
    wait_for_messages(listener, 3_000)
    assert Revision.objects.count() == 3_000
    assert max(seen) <= 50


def test_batch_with_many_bytes_is_several_transactions(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.create()
    stream.publish(*[edit("A1", f"{number}".ljust(30_000)) for number in range(50)])
    seen: list[int] = []

    def commit_noting(messages: list[Message]) -> Tally:
        seen.append(len(messages))
        return commit_batch(messages)

    monkeypatch.setattr(listener_module, "commit_batch", commit_noting)
    monkeypatch.setattr(listener_module, "MAX_BATCH_BYTES", 300_000)
    listener = listen(pullers=1)
    wait_for_messages(listener, 50)

    assert max(seen) == 9
    assert Cell.objects.get().input.strip() == "49"


@pytest.mark.only_on("sqlite")  # about Pub/Sub and threads, whatever the database
def test_emulator_that_comes_back_empty_is_set_up_again(
    stream: Stream,
    demo: Sheet,
    listen: Callable[..., Listener],
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = listen(create=True)
    stream.publish(edit("B2", "before"))
    wait_for_messages(listener, 1)
    caplog.set_level(logging.WARNING)

    stream.emulator.kill()
    wait_until(lambda: listener.status().pubsub_down_seconds, "the outage to show", 4)
    stream.emulator.start()

    wait_until(lambda: listener.status().pubsub_down_seconds is None, "the end of it")
    stream.publish(edit("B2", "after"))
    wait_for_messages(listener, 2)
    # The emulator gave the message id 1 a second time; it is another message all the same.
    assert Cell.objects.get().input == "after"
    assert listener.status().pubsub_down_seconds is None
    lines = [record.message for record in caplog.records]
    assert any("does not answer" in line for line in lines)
    assert any("Pub/Sub answers again" in line for line in lines)


@pytest.mark.only_on("sqlite")  # about Pub/Sub and threads, whatever the database
def test_emulator_that_hangs_is_an_outage_and_no_silence(
    stream: Stream, demo: Sheet, listen: Callable[..., Listener]
) -> None:
    stream.create()
    listener = listen()
    os.killpg(stream.emulator.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: listener.status().pubsub_down_seconds, "the outage to show", 10)
    finally:
        os.killpg(stream.emulator.pid, signal.SIGCONT)

    stream.publish(edit("B2", 1))
    wait_for_messages(listener, 1)
    assert listener.status().pubsub_down_seconds is None


def test_subscription_without_ordering_is_named(
    stream: Stream, listen: Callable[..., Listener], caplog: pytest.LogCaptureFixture
) -> None:
    stream.create(enable_message_ordering=False)

    listen()

    assert "has no message ordering" in caplog.text


def test_subscription_of_another_topic_is_refused(stream: Stream) -> None:
    stream.create()
    other = type(stream.route)(stream.route.project, "another-topic", stream.route.subscription)

    with pytest.raises(PubsubSetupError, match=r"belongs to the topic projects/.*/edits, not to"):
        Listener(stream.subscriber, other, pullers=1, batch_size=1)
