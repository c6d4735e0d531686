"""One message of a subscription, looked at and left there."""

import contextlib
from datetime import UTC

from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PullResponse

from cells.streams.clients import SETUP_SECONDS, explain, find_feed_subscription, subscriber_client
from cells.streams.messages import Message
from cells.streams.names import PubsubSetupError

PULL_SECONDS = 3


def pull_sample(path: str) -> Message | None:
    """Return a message that waits in the subscription `path`, or None if none does.

    It is given back at once, and costs one delivery attempt. Raises PubsubSetupError.
    """
    client = subscriber_client()
    try:
        subscription = find_feed_subscription(client, path)
        try:
            response = client.pull(
                subscription=path, max_messages=1, retry=None, timeout=PULL_SECONDS
            )
        except DeadlineExceeded:
            return None
        received = PullResponse.pb(response).received_messages
        if not received:
            return None
        with contextlib.suppress(GoogleAPICallError):  # its lease ends by itself
            client.modify_ack_deadline(
                subscription=path,
                ack_ids=[received[0].ack_id],
                ack_deadline_seconds=0,
                retry=None,
                timeout=SETUP_SECONDS,
            )
        raw = received[0].message
        return Message(
            subscription.topic,
            path,
            raw.message_id,
            raw.publish_time.ToDatetime(tzinfo=UTC),
            raw.data,
            dict(raw.attributes),
            raw.ordering_key,
        )
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise PubsubSetupError(explain(error, f"subscription {path}")) from error
    finally:
        client.transport.close()
