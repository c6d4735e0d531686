"""One subscription's intake: its pullers and the leases of what they hold."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from google.pubsub_v1 import SubscriberClient, Subscription

from cells.services.outages import Backoff, Outage
from cells.streams.clients import find_feed_subscription
from cells.streams.leases import Leases
from cells.streams.names import PubsubSetupError, PushedSubscription, Route
from cells.streams.pulling import MESSAGES_PER_PULL, FeedsNow, Pull, Puller

logger = logging.getLogger(__name__)

PUSHED_SECONDS = 60.0  # until a subscription that pushes is looked at again

StartThread = Callable[[str, Callable[[], None]], threading.Thread]


class Intake:
    """Pulls from one subscription into a queue that all share, until it is stopped."""

    def __init__(
        self,
        client: SubscriberClient,
        outage: Outage,
        pulled: "SimpleQueue[Pull]",
        start_thread: StartThread,
        *,
        batch_size: int,
    ) -> None:
        self.outage = outage
        self._client = client
        self._pulled = pulled
        self._start_thread = start_thread
        self._batch_size = batch_size
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # of what open and stop both change
        self._pullers: list[Puller] = []
        self._threads: list[threading.Thread] = []
        self._leases: Leases | None = None

    @property
    def threads(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._threads)

    def open(
        self,
        route: Route,
        subscription: Subscription,
        *,
        pullers: int,
        create: bool = False,
        feeds: FeedsNow = tuple,
    ) -> None:
        """Begin to pull from a subscription that was found; `feeds` says who reads its messages."""
        if not subscription.enable_message_ordering:
            logger.warning(
                "%s has no message ordering: two edits of one cell may commit in the wrong order. "
                "It cannot be turned on later; make another subscription with --create.",
                route.subscription_path,
            )
        with self._lock:
            if self._stopping.is_set():
                return
            self._leases = Leases(
                self._client,
                route.subscription_path,
                subscription.ack_deadline_seconds,
                self.outage,
            )
            self._pullers = [
                Puller(
                    self._client,
                    route,
                    self._leases,
                    self.outage,
                    self._pulled,
                    max_messages=min(self._batch_size, MESSAGES_PER_PULL),
                    create=create,
                    feeds=feeds,
                )
                for _ in range(pullers)
            ]
            name = route.subscription
            self._threads.append(self._start_thread(f"leases-{name}", self._leases.run))
            for number, puller in enumerate(self._pullers, 1):
                self._threads.append(self._start_thread(f"puller-{name}-{number}", puller.run))

    def open_for_feeds(self, path: str, feeds: FeedsNow) -> None:
        """Find a feed's subscription, as often as need be, and pull from it; returns at once."""

        def find() -> None:
            backoff = Backoff()
            while not self._stopping.is_set():
                try:
                    subscription = find_feed_subscription(self._client, path)
                except PushedSubscription:
                    self.outage.recovered()  # it is pushed to a web process; nothing is wrong
                    self._stopping.wait(PUSHED_SECONDS)
                    continue
                except PubsubSetupError as error:
                    self.outage.failed(str(error))
                    self._stopping.wait(backoff.next_seconds())
                    continue
                self.outage.recovered()
                self.open(Route.of(path, subscription.topic), subscription, pullers=1, feeds=feeds)
                return

        with self._lock:
            self._threads.append(self._start_thread(f"finder-{path.rpartition('/')[2]}", find))

    def stop(self) -> None:
        """Pull no more; what is pulled already is seen through."""
        with self._lock:
            self._stopping.set()
            pullers = list(self._pullers)
        for puller in pullers:
            puller.stop()

    def give_up(self) -> None:
        """Give back what is not committed yet."""
        for puller in self._pullers:
            puller.give_up()

    @property
    def is_pulling(self) -> bool:
        return any(
            thread.is_alive() for thread in self.threads if not thread.name.startswith("leases-")
        )

    @property
    def held(self) -> int:
        """How many messages are pulled and not acknowledged yet."""
        return 0 if self._leases is None else self._leases.count

    def close(self) -> None:
        """Renew no leases any more."""
        if self._leases is not None:
            self._leases.close()
