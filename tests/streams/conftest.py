"""A topic and a subscription of a test's own at the real emulator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from google.pubsub_v1 import (
    PublisherClient,
    PubsubMessage,
    SubscriberClient,
    Subscription,
)

from cells.streams.clients import publisher_client, subscriber_client
from cells.streams.names import Route
from tests.servers.pubsub import PubsubEmulator


@dataclass(frozen=True)
class Stream:
    """What a test publishes to, and where a listener of its own listens."""

    route: Route
    emulator: PubsubEmulator
    publisher: PublisherClient
    subscriber: SubscriberClient

    @property
    def environment(self) -> dict[str, str]:
        """What the processes of a test need to hear this stream."""
        return {
            "PUBSUB_EMULATOR_HOST": self.emulator.host,
            "PUBSUB_PROJECT": self.route.project,
            "PUBSUB_TOPIC": self.route.topic,
            "PUBSUB_SUBSCRIPTION": self.route.subscription,
        }

    def create(self, **fields: Any) -> None:
        """Make the topic and the subscription, the latter with these fields."""
        self.publisher.create_topic(name=self.route.topic_path)
        defaults = {"enable_message_ordering": True, "ack_deadline_seconds": 10}
        self.subscriber.create_subscription(
            request=Subscription(
                name=self.route.subscription_path,
                topic=self.route.topic_path,
                **defaults | fields,
            )
        )

    def publish(self, *bodies: object, key: str = "demo", **attributes: str) -> list[str]:
        """Publish messages, JSON unless they are bytes, and return their ids."""
        messages = [
            PubsubMessage(
                data=body if isinstance(body, bytes) else msgspec.json.encode(body),
                ordering_key=key,
                attributes=attributes,
            )
            for body in bodies
        ]
        ids: list[str] = []
        for start in range(0, len(messages), 1_000):  # what one request may carry
            response = self.publisher.publish(
                topic=self.route.topic_path, messages=messages[start : start + 1_000]
            )
            ids += response.message_ids
        return ids

    def undelivered(self) -> Sequence[Any]:
        """Return what the subscription would still deliver at once."""
        response = self.subscriber.pull(
            subscription=self.route.subscription_path, max_messages=100, retry=None, timeout=2
        )
        return response.received_messages


@pytest.fixture
def stream(pubsub_emulator: PubsubEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Return a stream whose topic and subscription do not exist yet."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    route = Route(pubsub_emulator.new_project(), "edits", "edits-sub")
    stream = Stream(route, pubsub_emulator, publisher_client(), subscriber_client())
    yield stream
    stream.publisher.transport.close()
    stream.subscriber.transport.close()


def edit(cell: str, value: object, sheet: str = "demo") -> dict[str, Any]:
    return {"sheet": sheet, "edits": [{"cell": cell, "value": value}]}
