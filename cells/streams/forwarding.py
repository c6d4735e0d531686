"""Dead letters on their way to a topic of the operator's, for whoever watches that."""

import logging

from django.utils import timezone
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PubsubMessage

from cells.models import DeadLetter
from cells.services.outages import Outage
from cells.streams.clients import SETUP_SECONDS, explain, publisher_client

logger = logging.getLogger(__name__)

LETTERS_PER_REQUEST = 100
MAX_REQUEST_BYTES = 9_000_000  # a request may have 10 MB
MAX_ATTRIBUTE_BYTES = 1_024
MAX_ATTRIBUTES = 100
# https://cloud.google.com/pubsub/quotas#resource_limits


class Forwarder:
    """Publishes dead letters that were not published yet, the oldest first, at least once each."""

    def __init__(self, topic_path: str) -> None:
        self._topic_path = topic_path
        self._client: PublisherClient | None = None
        self._outage = Outage(f"The dead-letter topic {topic_path}")

    def forward(self) -> None:
        """Publish what waits; an outage of Pub/Sub leaves it for later. Raises django.db.Error."""
        while letters := self._next():
            try:
                self._client = self._client or publisher_client()
                self._client.publish(
                    topic=self._topic_path,
                    messages=[message_for(letter) for letter in letters],
                    retry=None,
                    timeout=SETUP_SECONDS,
                )
            except (GoogleAPICallError, GoogleAuthError) as error:
                self._outage.failed(explain(error, f"topic {self._topic_path}"))
                return
            self._outage.recovered()
            ids = [letter.pk for letter in letters]
            DeadLetter.objects.filter(pk__in=ids).update(forwarded_at=timezone.now())
            if len(letters) < LETTERS_PER_REQUEST:
                return

    def _next(self) -> list[DeadLetter]:
        """Return the next ones, as many as a request holds, but always one."""
        found: list[DeadLetter] = []
        size = 0
        waiting = DeadLetter.objects.filter(forwarded_at=None).order_by("pk")
        for letter in waiting[:LETTERS_PER_REQUEST].iterator(chunk_size=LETTERS_PER_REQUEST):
            size += len(letter.data)
            if found and size > MAX_REQUEST_BYTES:
                break
            found.append(letter)
        return found


def message_for(letter: DeadLetter) -> PubsubMessage:
    """Return the message that tells of a letter: its bytes as they came, and why it is dead."""
    reasons = {
        "dead_letter_reason": letter.reason,
        "dead_letter_detail": _cut(letter.detail),
        "dead_letter_subscription": letter.subscription,
        "dead_letter_message_id": letter.message_id,
        "dead_letter_id": str(letter.pk),
    }
    room = MAX_ATTRIBUTES - len(reasons)
    own = {name: _cut(text) for name, text in list(letter.attributes.items())[:room]}
    return PubsubMessage(data=bytes(letter.data), attributes={**own, **reasons})


def _cut(text: str) -> str:
    return text.encode()[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")
