"""A program that publishes edits, some of them twice and some of them wrong, and keeps account."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient, Subscription
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.faults.history import History

PUBLISH_SECONDS = 0.15  # between two requests, on average
MOST_A_REQUEST = 8
LEASE_SECONDS = 10  # the shortest: what a killed listener held comes again soon
ROWS, COLUMNS = 40, "ABCDEFGH"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with one subscription at Google's emulator."""

    host: str
    project: str

    @property
    def path(self) -> str:
        return f"projects/{self.project}/topics/edits"

    @property
    def subscription_path(self) -> str:
        return f"projects/{self.project}/subscriptions/edits-sub"

    def environment(self, host: str) -> dict[str, str]:
        """Return what a listener needs that reaches the emulator at `host`."""
        return {
            "PUBSUB_EMULATOR_HOST": host,
            "PUBSUB_PROJECT": self.project,
            "PUBSUB_TOPIC": "edits",
            "PUBSUB_SUBSCRIPTION": "edits-sub",
        }

    def create(self) -> None:
        """Make both."""
        with grpc.insecure_channel(self.host) as channel:
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(
                name=self.path
            )
            SubscriberClient(
                transport=SubscriberGrpcTransport(channel=channel)
            ).create_subscription(
                request=Subscription(
                    name=self.subscription_path,
                    topic=self.path,
                    enable_message_ordering=True,
                    ack_deadline_seconds=LEASE_SECONDS,
                )
            )


@dataclass(slots=True)
class Publisher:
    """Publishes to one sheet, in order; `edits` and `dead` count what must come of it."""

    topic: Topic
    sheet: str
    history: History
    draw: random.Random
    edits: int = 0
    dead: int = 0
    messages: int = 0
    _number: int = 0
    _is_over: bool = False
    _again: list[tuple[PubsubMessage, Body]] = field(default_factory=list)

    async def run(self) -> None:
        """Publish until `stop`; never cancelled, for the fate of each request must be known."""
        with grpc.insecure_channel(self.topic.host) as channel:
            client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            while not self._is_over:
                await asyncio.sleep(self.draw.uniform(0, 2 * PUBLISH_SECONDS))
                batch = [self._invent() for _ in range(self.draw.randint(1, MOST_A_REQUEST))]
                if self._again and self.draw.random() < 0.3:
                    batch.append(self._again.pop(self.draw.randrange(len(self._again))))
                response = await asyncio.to_thread(
                    client.publish,
                    topic=self.topic.path,
                    messages=[message for message, _ in batch],
                    timeout=10,
                )
                self._note(batch, response.message_ids)

    def stop(self) -> None:
        """Let `run` end after the request at hand."""
        self._is_over = True

    def _note(self, batch: list[tuple[PubsubMessage, Body]], ids: Any) -> None:
        for (_, account), message_id in zip(batch, ids, strict=True):
            self.history.note("published", message_id=message_id, **account)
            self.messages += 1
            if account["fate"] == "dead letter":
                self.dead += 1
            elif not account["again"]:
                self.edits += 1

    def _invent(self) -> tuple[PubsubMessage, Body]:
        """Return a message, and for the account: its text, and what must become of it."""
        self._number += 1
        text = f"stream {self._number}"
        cell = f"{self.draw.choice(COLUMNS)}{self.draw.randint(1, ROWS)}"
        chance = self.draw.random()
        body: Body = {"sheet": self.sheet}
        fate = "edit"
        if chance < 0.8:
            body["edits"] = [{"cell": cell, "value": text}]
        elif chance < 0.92:
            body["append"] = [[text, self._number]]
        else:
            fate = "dead letter"
            body |= self.draw.choice(
                [
                    {"edits": [{"cell": "A0", "value": text}]},  # not an address
                    {"edits": text},  # not a list
                    {"sheet": f"no-{self.sheet}", "edits": [{"cell": cell, "value": text}]},
                ]
            )
        attributes = {}
        account = {"text": text, "fate": fate, "again": False}
        if self.draw.random() < 0.5:
            attributes["edit_id"] = f"{self.sheet} {self._number}"
        message = PubsubMessage(
            data=json.dumps(body).encode(), ordering_key=self.sheet, attributes=attributes
        )
        if attributes and fate == "edit" and self.draw.random() < 0.3:
            self._again.append((message, account | {"again": True}))
        return message, account
