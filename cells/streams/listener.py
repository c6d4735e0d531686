"""The listener: pulled messages become commits, and are acknowledged only afterwards."""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue

from django.db import DatabaseError, connection
from google.pubsub_v1 import SubscriberClient

from cells.services.beats import Beat, end_beat, write_beat
from cells.services.failures import is_outage
from cells.services.outages import Backoff, Outage
from cells.streams.batches import Tally, commit_batch
from cells.streams.clients import find_subscription
from cells.streams.counting import FeedCounts, write_trouble
from cells.streams.feeds import REFRESH_SECONDS, FeedBook
from cells.streams.forwarding import Forwarder
from cells.streams.intake import Intake
from cells.streams.messages import Feed, Message
from cells.streams.names import Route, dead_letter_topic_path
from cells.streams.pulling import Pull

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
    feeds_down_seconds: dict[str, float] = field(default_factory=dict)  # by subscription


class Listener:
    """Pullers feed one committer; a third kind of thread keeps the leases, a fourth the feeds.

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
        """Find the subscription of edits, or raise PubsubSetupError; feeds' are found later."""
        self._client = client
        self._route = route
        self._subscription = find_subscription(client, route, create=create)
        self._create = create
        self._puller_count = pullers
        self._batch_size = batch_size
        self._pubsub = Outage("Pub/Sub")
        self._database = Outage("The database")
        self._pulled: SimpleQueue[Pull] = SimpleQueue()
        self._stopping = threading.Event()
        self._plain = self._intake(self._pubsub)
        self._feeds = FeedBook()
        self._intakes: dict[str, Intake] = {}
        self._ending: list[Intake] = []  # of feeds that were switched off
        self._counts = FeedCounts()
        letters_to = dead_letter_topic_path()
        self._forwarder = None if letters_to is None else Forwarder(letters_to)
        self._tally = Tally()
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._started_at = datetime.now(UTC)
        self._lag_seconds = self._beat_lag = 0.0
        self._waiting_since: datetime | None = None
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._threads.append(self._start_thread("committer", self._commit_forever))
        self._plain.open(
            self._route,
            self._subscription,
            pullers=self._puller_count,
            create=self._create,
        )
        self._threads.append(self._start_thread("feeds", self._follow_feeds))

    def check(self) -> None:
        """Raise what ended a thread: the process should end, too, instead of going deaf."""
        if self._failure is not None:
            raise self._failure

    @property
    def held(self) -> int:
        """How many messages are pulled and not acknowledged yet."""
        return sum(intake.held for intake in (self._plain, *list(self._intakes.values())))

    def status(self) -> Status:
        """Return totals, and the greatest lag since the last call."""
        lag, self._lag_seconds = self._lag_seconds, 0.0
        if (waiting_since := self._waiting_since) is not None:
            lag = max(lag, _seconds_since(waiting_since))
        intakes = dict(self._intakes)
        feeds_down = {
            path.rpartition("/")[2]: seconds
            for path, intake in intakes.items()
            if (seconds := intake.outage.seconds) is not None
        }
        return Status(
            replace(self._tally), lag, self._database.seconds, self._pubsub.seconds, feeds_down
        )

    def stop(self) -> bool:
        """Pull no more, commit what is held, give back the rest; return whether all of it ended.

        What is not committed in time is given back rather than left until its lease ends:
        the later messages of its ordering key would wait as long. If not everything ended, the
        process may exit all the same; Pub/Sub delivers again what was not acknowledged.
        """
        self._stopping.set()
        intakes = [self._plain, *list(self._intakes.values()), *self._ending]
        for intake in intakes:
            intake.stop()
        pulling = [thread for intake in intakes for thread in intake.threads]
        pulling = [thread for thread in pulling if not thread.name.startswith("leases-")]
        _join(pulling, DRAIN_SECONDS)
        for intake in intakes:
            intake.give_up()
        _join(pulling, GIVE_BACK_SECONDS)
        for intake in intakes:
            intake.close()
        logger.info(
            "stopped: %d messages, %d edits, %d repeated, %d skipped, %d dead",
            self._tally.messages,
            self._tally.edits,
            self._tally.repeated,
            self._tally.skipped,
            self._tally.dead,
        )
        # The committer ends with the pullers, unless it hangs in the database.
        threads = [*self._threads, *(thread for intake in intakes for thread in intake.threads)]
        _join(threads, seconds=0.3)
        return not any(thread.is_alive() for thread in threads)

    def _intake(self, outage: Outage) -> Intake:
        return Intake(
            self._client, outage, self._pulled, self._start_thread, batch_size=self._batch_size
        )

    def _follow_feeds(self) -> None:
        """Pull for the feeds as they are now, and write down what came of them."""
        troubles: dict[str, str] = {}
        is_away = False
        try:
            while True:
                try:
                    self._feeds.refresh()
                    self._counts.flush()
                    troubles = self._write_troubles(troubles)
                    write_beat(self._beat())
                    if self._forwarder is not None:
                        self._forwarder.forward()
                except DatabaseError as error:
                    if not is_outage(error):
                        raise
                    # The committer would say so, too, if there were anything to commit.
                    self._database.failed(f"{type(error).__name__}: {str(error).strip()}")
                    connection.close()
                    is_away = True
                else:
                    if is_away:
                        self._database.recovered()
                    is_away = False
                self._keep_up_intakes()
                if self._stopping.wait(REFRESH_SECONDS):
                    return
        finally:
            with contextlib.suppress(DatabaseError):
                self._counts.flush()
                end_beat(self._name)
            connection.close()

    def _keep_up_intakes(self) -> None:
        wanted = self._feeds.subscriptions - {self._route.subscription_path}
        for path in self._intakes.keys() - wanted:
            intake = self._intakes.pop(path)
            intake.stop()
            self._ending.append(intake)
        for intake in [one for one in self._ending if not one.is_pulling]:
            intake.close()
            self._ending.remove(intake)
        for path in wanted - self._intakes.keys():
            if self._stopping.is_set():
                return
            logger.info("listening to %s for feeds", path)
            intake = self._intakes[path] = self._intake(Outage(f"The subscription {path}"))
            intake.open_for_feeds(path, partial(self._feeds_now, path))

    def _feeds_now(self, path: str) -> tuple[Feed, ...] | None:
        return self._feeds.feeds_of(path) or None

    def _beat(self) -> Beat:
        lag, self._beat_lag = self._beat_lag, 0.0
        if (waiting_since := self._waiting_since) is not None:
            lag = max(lag, _seconds_since(waiting_since))
        tally = self._tally
        return Beat(
            self._name,
            self._route.subscription_path,
            self._started_at,
            lag,
            tally.messages,
            tally.edits,
            tally.repeated,
            tally.skipped,
            tally.dead,
            self._pubsub.reason,
        )

    def _write_troubles(self, known: dict[str, str]) -> dict[str, str]:
        """Say at the feeds what is wrong with their subscriptions, where that is news."""
        now = {path: intake.outage.reason for path, intake in self._intakes.items()}
        for path, reason in now.items():
            if known.get(path, "") != reason:
                ids = [feed.feed_id for feed in self._feeds.feeds_of(path)]
                write_trouble(ids, reason)
        return now

    def _commit_forever(self) -> None:
        try:
            while self._is_pulling or not self._stopping.is_set():
                if pulls := self._take():
                    self._settle(pulls)
        finally:
            connection.close()

    @property
    def _is_pulling(self) -> bool:
        intakes = [self._plain, *list(self._intakes.values()), *self._ending]
        return any(intake.is_pulling for intake in intakes)

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
        lag = _seconds_since(self._waiting_since)
        self._lag_seconds, self._beat_lag = max(self._lag_seconds, lag), max(self._beat_lag, lag)
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
                self._counts.add(tally.by_feed)
                return True

    def _start_thread(self, name: str, loop: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                loop()
            except BaseException as error:
                self._failure = error
                raise

        # Daemons: a thread that hangs in a dead server must not keep the process from ending.
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread


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
