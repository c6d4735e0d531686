"""The publisher: every revision of chosen sheets goes to a topic, at least once and in order."""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat

from django.db import Error as DatabaseError
from django.db import connection
from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPICallError,
    NotFound,
    ServiceUnavailable,
)
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PubsubMessage

from cells.services import publications
from cells.services.failures import is_outage
from cells.services.installation import installation_name
from cells.services.outages import Backoff, Outage
from cells.services.publications import Due
from cells.streams.clients import explain_topic, find_topic
from cells.streams.composing import CannotComposeError, Composer, Stretch
from cells.streams.names import PubsubSetupError, Route
from cells.streams.outgoing import Outgoing

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1  # between two looks for news, which are one small query each
SHEETS_AT_ONCE = 8  # that are being sent, and so in memory; Google takes some 30 ms to answer
REQUEST_SECONDS = 3
# How long others leave a sheet alone whose publisher has died, or hangs. More than a request.
LEASE_SECONDS = 15
STOP_SECONDS = 3.2  # a request at hand ends before; 5 s are promised, on a busy machine too


@dataclass(slots=True)
class Totals:
    """What has been published since the start."""

    revisions: int = 0
    messages: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """Totals since the start, and how things stand."""

    totals: Totals
    behind: int
    standing_still: int
    database_down_seconds: float | None
    pubsub_down_seconds: float | None


@dataclass(slots=True)
class _Trouble:
    """A publication that fails, while others go on."""

    error: str
    retry_at: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class Publisher:
    """One thread composes and keeps the cursors; some more only wait for Pub/Sub's answers.

    Each request is answered before the next one of its sheet is sent, and the cursor is written
    after the answer. So a crash repeats the last request at the most, with the same edit ids. The
    client library's own batching with ordering keys would keep several requests on their way,
    and has to be told to go on after a failure.
    """

    def __init__(self, client: PublisherClient, route: Route, *, create: bool = False) -> None:
        """Publish to the route's topic what names none. Raises PubsubSetupError without it."""
        self._client = client
        self._route = route
        self._create = create
        self._id = uuid.uuid4()
        self._pubsub = Outage("Pub/Sub")
        self._database = Outage("The database")
        self._stopping = threading.Event()
        self._totals = Totals()
        self._behind = 0
        self._troubles: dict[int, _Trouble] = {}
        self._failure: BaseException | None = None
        self._composer: Composer | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        for topic in self._topics():
            find_topic(client, self._route_to(topic), create=create)

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raise what ended the thread: the process should end, too, instead of going dumb."""
        if self._failure is not None:
            raise self._failure

    def status(self) -> PublisherStatus:
        return PublisherStatus(
            replace(self._totals),
            self._behind,
            len(self._troubles),
            self._database.seconds,
            self._pubsub.seconds,
        )

    def stop(self) -> bool:
        """Send nothing more, and return whether all has ended; what was not sent waits."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        totals = self._totals
        logger.info("stopped: %d revisions, %d messages", totals.revisions, totals.messages)
        return not self._thread.is_alive()

    def _topics(self) -> set[str]:
        """Return the topics to look at before the start; the usual one where nothing is known."""
        try:
            return publications.topics_in_use() or {""}
        except DatabaseError as error:
            if not is_outage(error):
                raise
            connection.close()
            return {""}

    def _route_to(self, topic: str) -> Route:
        return Route.from_settings(self._route.project, topic or self._route.topic)

    def _run(self) -> None:
        try:
            with ThreadPoolExecutor(SHEETS_AT_ONCE, thread_name_prefix="sender") as senders:
                self._publish_until_stopped(senders)
        except BaseException as error:
            self._failure = error
            raise
        finally:
            with contextlib.suppress(DatabaseError):
                publications.let_go(self._id)
            connection.close()

    def _publish_until_stopped(self, senders: ThreadPoolExecutor) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                has_more = self._publish_what_is_due(senders)
            except DatabaseError as error:
                if not is_outage(error):
                    raise
                self._database.failed(f"{type(error).__name__}: {str(error).strip()}")
                connection.close()  # what comes back is another server to this connection
                self._stopping.wait(backoff.next_seconds())
                continue
            self._database.recovered()
            backoff.reset()
            if not has_more:
                self._stopping.wait(POLL_SECONDS)

    def _publish_what_is_due(self, senders: ThreadPoolExecutor) -> bool:
        """Publish one stretch of each sheet that has news; return whether one of them has more.

        What comes meanwhile can wait for the next look: so a sheet that is edited without a pause
        costs ten requests and cursors a second, and no more.
        """
        due = publications.find_due()
        now = time.monotonic()
        self._behind = sum(due.values())
        self._troubles = {id_: self._troubles[id_] for id_ in due if id_ in self._troubles}
        ready = [
            id_ for id_ in due if id_ not in self._troubles or self._troubles[id_].retry_at <= now
        ]
        has_more = False
        for start in range(0, len(ready), SHEETS_AT_ONCE):
            if self._stopping.is_set():
                break
            held_at = time.monotonic()
            some = publications.hold(ready[start : start + SHEETS_AT_ONCE], self._id, LEASE_SECONDS)
            has_more |= self._publish(senders, self._compose(some), held_at)
        return has_more

    def _compose(self, some: Sequence[Due]) -> list[Stretch]:
        if self._composer is None:
            self._composer = Composer(installation_name())
        stretches = []
        for due in some:
            if due.published == due.head:  # another publisher was here in between
                publications.note_error(due.id, self._id, "")
                continue
            try:
                stretches.append(self._composer.compose(due))
            except CannotComposeError as error:
                self._note(due, str(error))
        return stretches

    def _publish(
        self, senders: ThreadPoolExecutor, stretches: Sequence[Stretch], held_at: float
    ) -> bool:
        """Send each stretch, and write the cursors of those that were taken whole.

        Return whether one of these is not at its head yet.
        """
        left = {stretch.due.id: stretch for stretch in stretches}
        has_more = False
        place = 0
        while left and not self._stopping.is_set():
            if time.monotonic() - held_at > LEASE_SECONDS - 2 * REQUEST_SECONDS:
                held_at = time.monotonic()
                left = self._still_held(left)
            taken: list[Stretch] = []
            sent = list(left.values())
            for stretch, error in zip(
                sent, senders.map(self._send, sent, repeat(place)), strict=True
            ):
                if error is not None:
                    self._note(stretch.due, error)
                    del left[stretch.due.id]
                elif place + 1 == len(stretch.requests):
                    taken.append(left.pop(stretch.due.id))
            if taken:
                self._advance(taken)
                has_more |= any(one.through < one.due.head for one in taken)
            place += 1
        return has_more

    def _still_held(self, left: dict[int, Stretch]) -> dict[int, Stretch]:
        """Hold stretches for longer; leave out what another publisher has taken."""
        held = publications.hold(list(left), self._id, LEASE_SECONDS)
        return {due.id: left[due.id] for due in held if due.published == left[due.id].due.published}

    def _advance(self, taken: Sequence[Stretch]) -> None:
        """Write the cursors: from here on a crash repeats nothing of these stretches."""
        moves = [(one.due.id, one.due.published, one.through) for one in taken]
        publications.advance(moves, self._id)
        for stretch in taken:
            if self._troubles.pop(stretch.due.id, None):
                logger.warning("sheet=%s is published again", stretch.due.slug)
            self._totals.revisions += stretch.through - stretch.due.published
            logger.debug(
                "published sheet=%s revision=%s after=%s",
                stretch.due.slug,
                stretch.through,
                stretch.due.published,
            )

    def _send(self, stretch: Stretch, place: int) -> str | None:
        """Send one request of a stretch and return what is wrong; runs beside other sheets'."""
        try:
            route = self._route_to(stretch.due.topic)
        except PubsubSetupError as error:
            return str(error)
        messages = stretch.requests[place]
        try:
            self._client.publish(
                topic=route.topic_path,
                messages=[_to_pubsub(message, stretch.due.slug) for message in messages],
                retry=None,  # the client's own would hide an outage for a minute
                timeout=REQUEST_SECONDS,
            )
        except (ServiceUnavailable, DeadlineExceeded, GoogleAuthError) as error:
            reason = explain_topic(error, route)
            self._pubsub.failed(reason)
            return reason
        except GoogleAPICallError as error:
            if self._create and isinstance(error, NotFound):
                with contextlib.suppress(PubsubSetupError):  # the next attempt says it again
                    find_topic(self._client, route, create=True)
            return explain_topic(error, route)
        self._pubsub.recovered()
        self._totals.messages += len(messages)
        self._totals.bytes += sum(len(message.data) for message in messages)
        return None

    def _note(self, due: Due, error: str) -> None:
        """Let one publication wait before it is tried again, and say why."""
        trouble = self._troubles.get(due.id)
        if trouble is None or trouble.error != error:
            logger.warning(
                "sheet=%s stands still at revision=%s: %s", due.slug, due.published, error
            )
        if trouble is None:
            trouble = self._troubles[due.id] = _Trouble(error)
        trouble.error = error
        trouble.retry_at = time.monotonic() + trouble.backoff.next_seconds()
        publications.note_error(due.id, self._id, error)


def _to_pubsub(message: Outgoing, slug: str) -> PubsubMessage:
    return PubsubMessage(data=message.data, attributes=message.attributes, ordering_key=slug)
