"""The listener: pulled messages become commits, and are acknowledged only afterwards."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from django.db import connection
from google.pubsub_v1 import SubscriberClient

from cells.services.failures import is_outage
from cells.streams.batches import Tally, commit_batch
from cells.streams.clients import Route, find_subscription
from cells.streams.leases import Leases
from cells.streams.messages import Message
from cells.streams.outages import Backoff, Outage
from cells.streams.pulling import MESSAGES_PER_PULL, Pull, Puller

logger = logging.getLogger(__name__)

# What one transaction takes, besides the number of messages. It bounds the cells, of which a
# short message can name 10,000, and so how long a person's edit of the same sheet waits.
MAX_BATCH_BYTES = 1024 * 1024

# Together they stay below the 5 s that an operator is promised between SIGTERM and the end.
DRAIN_SECONDS = 3.8
GIVE_BACK_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Status:
    """Totals since the start, and how things stand."""

    tally: Tally
    lag_seconds: float
    database_down_seconds: float | None
    pubsub_down_seconds: float | None


class Listener:
    """Pullers feed one committer; a third kind of thread keeps the leases.

    One committer, because batches make commits cheap and two of them would wait for each other's
    sheet locks. Several listeners may share a subscription: Pub/Sub gives the messages of one
    ordering key to one of them at a time.
    """

    def __init__(
        self,
        client: SubscriberClient,
        route: Route,
        *,
        pullers: int,
        batch_size: int,
        create: bool = False,
    ) -> None:
        """Find the subscription, or raise PubsubSetupError."""
        subscription = find_subscription(client, route, create=create)
        if not subscription.enable_message_ordering:
            logger.warning(
                "%s has no message ordering: two edits of one cell may commit in the wrong order. "
                "It cannot be turned on later; make another subscription with --create.",
                route.subscription_path,
            )
        self._batch_size = batch_size
        self._pubsub = Outage("Pub/Sub")
        self._database = Outage("The database")
        self._pulled: SimpleQueue[Pull] = SimpleQueue()
        self._stopping = threading.Event()
        self._leases = Leases(
            client, route.subscription_path, subscription.ack_deadline_seconds, self._pubsub
        )
        self._pullers = [
            Puller(
                client,
                route,
                self._leases,
                self._pubsub,
                self._pulled,
                max_messages=min(batch_size, MESSAGES_PER_PULL),
                create=create,
            )
            for _ in range(pullers)
        ]
        self._tally = Tally()
        self._lag_seconds = 0.0
        self._waiting_since: datetime | None = None
        self._failure: BaseException | None = None
        self._pulling = [
            self._thread(f"puller-{number}", puller.run)
            for number, puller in enumerate(self._pullers, 1)
        ]
        self._committing = self._thread("committer", self._commit_forever)
        self._renewing = self._thread("leases", self._leases.run)

    def start(self) -> None:
        for thread in (self._renewing, self._committing, *self._pulling):
            thread.start()

    def check(self) -> None:
        """Raise what ended a thread: the process should end, too, instead of going deaf."""
        if self._failure is not None:
            raise self._failure

    def status(self) -> Status:
        """Return totals, and the greatest lag since the last call."""
        lag, self._lag_seconds = self._lag_seconds, 0.0
        if (waiting_since := self._waiting_since) is not None:
            lag = max(lag, _seconds_since(waiting_since))
        return Status(replace(self._tally), lag, self._database.seconds, self._pubsub.seconds)

    def stop(self) -> bool:
        """Pull no more, commit what is held, give back the rest; return whether all of it ended.

        What is not committed in time is given back rather than left until its lease ends:
        the later messages of its ordering key would wait as long. If not everything ended, the
        process may exit all the same; Pub/Sub delivers again what was not acknowledged.
        """
        self._stopping.set()
        for puller in self._pullers:
            puller.stop()
        _join(self._pulling, DRAIN_SECONDS)
        for puller in self._pullers:
            puller.give_up()
        _join(self._pulling, GIVE_BACK_SECONDS)
        self._leases.close()
        logger.info(
            "stopped: %d messages, %d edits, %d repeated, %d dead",
            self._tally.messages,
            self._tally.edits,
            self._tally.repeated,
            self._tally.dead,
        )
        # The committer ends with the pullers, unless it hangs in the database.
        threads = (*self._pulling, self._committing, self._renewing)
        _join(threads, seconds=0.3)
        return not any(thread.is_alive() for thread in threads)

    def _commit_forever(self) -> None:
        try:
            while any(thread.is_alive() for thread in self._pulling) or not self._stopping.is_set():
                if pulls := self._take():
                    self._settle(pulls)
        finally:
            connection.close()

    def _take(self) -> list[Pull]:
        """Return what the pullers have brought meanwhile, up to a batch; wait for the first."""
        pulls: list[Pull] = []
        count = size = 0
        with contextlib.suppress(Empty):
            while count < self._batch_size and size < MAX_BATCH_BYTES:
                pull = self._pulled.get(block=not pulls, timeout=0.1)
                pulls.append(pull)
                count += len(pull.messages)
                size += pull.size_bytes
        return pulls

    def _settle(self, pulls: list[Pull]) -> None:
        """Commit, then let the pullers acknowledge; during an outage hold and try again."""
        messages = [message for pull in pulls for message in pull.messages]
        self._waiting_since = min(message.published_at for message in messages)
        is_committed = all(self._commit(batch) for batch in _batches(messages, self._batch_size))
        for pull in pulls:
            pull.settle(is_committed=is_committed)
        self._lag_seconds = max(self._lag_seconds, _seconds_since(self._waiting_since))
        self._waiting_since = None

    def _commit(self, batch: list[Message]) -> bool:
        """Return True when it is committed, False when the listener stopped during an outage."""
        backoff = Backoff()
        while True:
            try:
                tally = commit_batch(batch)
            except Exception as error:
                if not is_outage(error):
                    raise
                self._database.failed(f"{type(error).__name__}: {str(error).strip()}")
                connection.close()  # what comes back is another server to this connection
                # Held, not given back: that would count as a failed delivery, and the message
                # has not failed.
                if self._stopping.wait(backoff.next_seconds()):
                    return False
            else:
                self._database.recovered()
                self._tally.add(tally)
                return True

    def _thread(self, name: str, loop: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                loop()
            except BaseException as error:
                self._failure = error
                raise

        # Daemons: a thread that hangs in a dead server must not keep the process from ending.
        return threading.Thread(target=run, name=name, daemon=True)


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _batches(messages: list[Message], max_messages: int) -> Iterator[list[Message]]:
    """Yield the messages, in order, in parts of what one transaction may take."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.data)
        if batch and (len(batch) == max_messages or size > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], len(message.data)
        batch.append(message)
    yield batch
