"""Pulling: each thread asks Pub/Sub for messages, hands them over, and acknowledges them."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, TypeAlias

from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPICallError,
    InvalidArgument,
    NotFound,
)
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PullResponse, SubscriberClient

from cells.services.outages import Backoff, Outage
from cells.streams.clients import explain, find_subscription
from cells.streams.leases import REQUEST_SECONDS, Leases, chunks
from cells.streams.messages import Feed, Message
from cells.streams.names import PubsubSetupError, Route

logger = logging.getLogger(__name__)

# How long a pull waits for the first message. SIGTERM waits for it, too: whoever hangs up on a
# pull may leave messages leased that nobody has.
PULL_SECONDS = 3
PROBE_SECONDS = 2
# The lease that is left to what is given back. At 0, a nack, Google's emulator puts it behind the
# later messages of its ordering key that wait already.
LEASE_LEFT_SECONDS = 1
MESSAGES_PER_PULL = 1_000  # the most that Google's clients ask for; the emulator gives 100


FeedsNow: TypeAlias = Callable[[], tuple[Feed, ...] | None]
"""Who reads messages that are pulled now; empty: they are edits; None: nobody, any more."""


@dataclass(frozen=True, slots=True)
class Pull:
    """What one pull brought, in order; `settle` says what became of it."""

    messages: list[Message]
    ack_ids: list[str]
    _settled: threading.Event = field(default_factory=threading.Event)
    _committed: list[bool] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(len(message.data) for message in self.messages)

    def settle(self, *, is_committed: bool) -> None:
        """Have the puller acknowledge it all, or give it all back."""
        self._committed.append(is_committed)
        self._settled.set()

    def wait(self, seconds: float) -> bool | None:
        """Return whether it is committed, or None if that is not settled within `seconds`."""
        return self._committed[0] if self._settled.wait(seconds) else None


class Puller:
    """One thread's loop: pull, wait for the commit, acknowledge, pull again.

    That bounds the memory, by one pull a puller, whatever the backlog. And it is fast on a hot
    ordering key, whose next messages Pub/Sub delivers only after the acknowledgement: a pull that
    comes then is answered at once, one that waits already is not.
    """

    def __init__(
        self,
        client: SubscriberClient,
        route: Route,
        leases: Leases,
        outage: Outage,
        pulled: SimpleQueue[Pull],
        *,
        max_messages: int,
        create: bool,
        feeds: FeedsNow,
    ) -> None:
        self._client = client
        self._route = route
        self._leases = leases
        self._outage = outage
        self._pulled = pulled
        self._max_messages = max_messages
        self._create = create
        self._feeds = feeds
        self._stopping = threading.Event()
        self._giving_up = threading.Event()

    def stop(self) -> None:
        """Have `run` end after the pull at hand."""
        self._stopping.set()

    def give_up(self) -> None:
        """Have `run` give back what is not committed yet, and end."""
        self._giving_up.set()

    def run(self) -> None:
        """Pull until stopped; an outage of Pub/Sub pauses."""
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                pull = self._pull()
            except (GoogleAPICallError, GoogleAuthError) as error:
                self._note(error)
                self._stopping.wait(backoff.next_seconds())
                continue
            self._outage.recovered()
            backoff.reset()
            if pull.messages:
                self._see_through(pull)

    def _see_through(self, pull: Pull) -> None:
        self._leases.hold(pull.ack_ids)
        self._pulled.put(pull)
        while (is_committed := pull.wait(seconds=0.1)) is None:
            if self._giving_up.is_set():
                is_committed = False
                break
        if is_committed:
            self._acknowledge(pull.ack_ids)
            self._leases.release(pull.ack_ids)
        else:
            self._leases.release(pull.ack_ids)  # first: a renewal would take them again
            self._give_back(pull.ack_ids)

    def _pull(self) -> Pull:
        try:
            response = self._client.pull(
                subscription=self._route.subscription_path,
                max_messages=self._max_messages,
                retry=None,  # the client's own would hide an outage for a minute
                timeout=PULL_SECONDS,
            )
        except DeadlineExceeded:
            # Nothing came in time, or nobody is there; this question is answered at once.
            self._client.get_subscription(
                subscription=self._route.subscription_path, retry=None, timeout=PROBE_SECONDS
            )
            return Pull([], [])
        # The plain protobuf message: its wrapper takes longer to read than the pull itself.
        received = PullResponse.pb(response).received_messages
        feeds = self._feeds()
        if feeds is None:  # switched off while this pull waited
            self._give_back([one.ack_id for one in received])
            return Pull([], [])
        messages = [self._message(one, feeds) for one in received]
        return Pull(messages, [one.ack_id for one in received])

    def _message(self, received: Any, feeds: tuple[Feed, ...]) -> Message:
        raw = received.message
        published_at: datetime = raw.publish_time.ToDatetime(tzinfo=UTC)
        return Message(
            topic=self._route.topic_path,
            subscription=self._route.subscription_path,
            message_id=raw.message_id,
            published_at=published_at,
            data=raw.data,
            attributes=dict(raw.attributes),
            ordering_key=raw.ordering_key,
            delivery_attempt=received.delivery_attempt,
            feeds=feeds,
        )

    def _acknowledge(self, ack_ids: list[str]) -> None:
        """Acknowledge, again and again if need be.

        Otherwise it all comes again after its lease, and its ordering keys stand still until then.
        """
        backoff = Backoff()
        while True:
            try:
                for some in chunks(ack_ids):
                    self._client.acknowledge(
                        subscription=self._route.subscription_path,
                        ack_ids=some,
                        retry=None,
                        timeout=REQUEST_SECONDS,
                    )
            except (NotFound, InvalidArgument) as error:
                self._note(error)  # the subscription is gone, and what it wanted to know with it
                return
            except (GoogleAPICallError, GoogleAuthError) as error:
                self._note(error)
                if self._stopping.wait(backoff.next_seconds()):
                    return
            else:
                return

    def _give_back(self, ack_ids: list[str]) -> None:
        """Let Pub/Sub deliver again soon what would otherwise wait for its lease to end."""
        try:
            for some in chunks(ack_ids):
                self._client.modify_ack_deadline(
                    subscription=self._route.subscription_path,
                    ack_ids=some,
                    ack_deadline_seconds=LEASE_LEFT_SECONDS,
                    retry=None,
                    timeout=REQUEST_SECONDS,
                )
        except (GoogleAPICallError, GoogleAuthError) as error:
            self._note(error)
        else:
            logger.info("gave back %d messages", len(ack_ids))

    def _note(self, error: GoogleAPICallError | GoogleAuthError) -> None:
        self._outage.failed(explain(error, f"subscription {self._route.subscription_path}"))
        if self._create and isinstance(error, NotFound):
            try:  # an emulator that was started anew has forgotten everything
                find_subscription(self._client, self._route, create=True)
            except PubsubSetupError as setup_error:
                self._outage.failed(str(setup_error))
