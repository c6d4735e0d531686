"""More time from Pub/Sub for what this process holds and has not committed yet."""

import threading
from collections.abc import Iterator, Sequence

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import SubscriberClient

from cells.services.outages import Outage
from cells.streams.clients import explain

# A request may have 512 KiB and an id about 200 bytes.
# https://cloud.google.com/pubsub/quotas#resource_limits
IDS_PER_REQUEST = 2_000
REQUEST_SECONDS = 5
RENEWALS_PER_DEADLINE = 3  # two may fail before a lease is lost


class Leases:
    """The acknowledgement ids that are held, renewed by a thread of its own.

    So they last while the committer waits for a database. A lease that is lost all the same
    costs a redelivery, which commits nothing: operation ids see to that.
    """

    def __init__(
        self,
        client: SubscriberClient,
        subscription: str,
        ack_deadline_seconds: int,
        outage: Outage,
    ) -> None:
        self._client = client
        self._subscription = subscription
        self._ack_deadline_seconds = ack_deadline_seconds
        self._outage = outage
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._closing = threading.Event()

    @property
    def count(self) -> int:
        """How many messages are held."""
        return len(self._held)

    def hold(self, ack_ids: Sequence[str]) -> None:
        """Renew these from now on."""
        with self._lock:
            self._held.update(ack_ids)

    def release(self, ack_ids: Sequence[str]) -> None:
        """Renew these no longer."""
        with self._lock:
            self._held.difference_update(ack_ids)

    def close(self) -> None:
        """Have `run` end."""
        self._closing.set()

    def run(self) -> None:
        """Renew until closed."""
        while not self._closing.wait(self._ack_deadline_seconds / RENEWALS_PER_DEADLINE):
            with self._lock:
                held = list(self._held)
            try:
                for ack_ids in chunks(held):
                    self._client.modify_ack_deadline(
                        subscription=self._subscription,
                        ack_ids=ack_ids,
                        ack_deadline_seconds=self._ack_deadline_seconds,
                        retry=None,
                        timeout=REQUEST_SECONDS,
                    )
            except (GoogleAPICallError, GoogleAuthError) as error:
                self._outage.failed(explain(error, f"subscription {self._subscription}"))


def chunks(ack_ids: list[str]) -> Iterator[list[str]]:
    """Yield the ids in parts that one request can carry."""
    for start in range(0, len(ack_ids), IDS_PER_REQUEST):
        yield ack_ids[start : start + IDS_PER_REQUEST]
