"""How this process reaches Pub/Sub: names, the emulator or Google, and what is wrong."""

import contextlib
import os
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.api_core.exceptions import (
    AlreadyExists,
    DeadlineExceeded,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    ServiceUnavailable,
    Unauthenticated,
)
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient, Subscription
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from cells.streams.names import PubsubSetupError, PushedSubscription, Route

SETUP_SECONDS = 5  # a healthy Pub/Sub answers in milliseconds; an operator waits for the sentence

ACK_DEADLINE_SECONDS = 60  # the minimum is 10; leave room for a wait on a sheet's lock

CHANNEL_OPTIONS = [
    # gRPC waits up to two minutes between its attempts to connect: an outage of an hour would end
    # two minutes late. (min_reconnect_backoff_ms is none of these waits, but how long one attempt
    # may take; a short one never connects to a busy or distant server.)
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # What Google's own transport sets, and these options replace.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 4 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
]


def subscriber_client() -> SubscriberClient:
    """Return a client for synchronous calls, which any number of threads may share.

    Raises PubsubSetupError without credentials.
    """
    try:
        return SubscriberClient(transport=_transport(SubscriberGrpcTransport))
    except GoogleAuthError as error:
        raise PubsubSetupError(explain(error)) from error


def publisher_client() -> PublisherClient:
    """Return a client whose `publish` is one synchronous request.

    Raises PubsubSetupError without credentials.
    """
    try:
        return PublisherClient(transport=_transport(PublisherGrpcTransport))
    except GoogleAuthError as error:
        raise PubsubSetupError(explain(error)) from error


def _transport(kind: Any) -> Any:
    # Google's clients know PUBSUB_EMULATOR_HOST, but not the channel options.
    if host := os.environ.get("PUBSUB_EMULATOR_HOST"):
        return kind(host=host, channel=grpc.insecure_channel(host, options=CHANNEL_OPTIONS))

    def channel(host: str, **arguments: Any) -> grpc.Channel:
        return kind.create_channel(host, **arguments | {"options": CHANNEL_OPTIONS})

    return kind(channel=channel)


def find_subscription(client: SubscriberClient, route: Route, *, create: bool) -> Subscription:
    """Return the subscription; `create` makes it, and its topic, where they are missing.

    Raises PubsubSetupError when it is not there, cannot be pulled from or hears another topic.
    """
    if create:
        try:
            _create(client, route)
        except (GoogleAPICallError, GoogleAuthError) as error:
            resource = f"subscription {route.subscription_path}"
            raise PubsubSetupError(explain(error, resource)) from error
    subscription = find_feed_subscription(client, route.subscription_path)
    if subscription.topic != route.topic_path:
        raise PubsubSetupError(
            f"The subscription {route.subscription_path} belongs to the topic "
            f"{subscription.topic}, not to {route.topic_path}: correct PUBSUB_TOPIC or --topic, "
            "or choose another subscription."
        )
    return subscription


def find_feed_subscription(client: SubscriberClient, path: str) -> Subscription:
    """Return a subscription by its full name, whatever its topic.

    Raises PubsubSetupError when it is not there, PushedSubscription when it cannot be pulled from.
    """
    try:
        subscription = client.get_subscription(subscription=path, retry=None, timeout=SETUP_SECONDS)
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise PubsubSetupError(explain(error, f"subscription {path}")) from error
    if subscription.push_config.push_endpoint:
        raise PushedSubscription(
            f"The subscription {path} pushes to {subscription.push_config.push_endpoint}: "
            "choose one that can be pulled from."
        )
    return subscription


def create_topic_and_subscription(route: Route) -> None:
    """Make a topic and an ordered subscription of it, where they are missing.

    Raises PubsubSetupError.
    """
    client = subscriber_client()
    try:
        _create(client, route)
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise PubsubSetupError(explain(error, f"topic {route.topic_path}")) from error
    finally:
        client.transport.close()


def find_topic(client: PublisherClient, route: Route, *, create: bool) -> None:
    """See that the topic is there; `create` makes it where it is missing.

    Raises PubsubSetupError when it is not, or cannot be seen.
    """
    try:
        if create:
            with contextlib.suppress(AlreadyExists):
                client.create_topic(name=route.topic_path, retry=None, timeout=SETUP_SECONDS)
        else:
            client.get_topic(topic=route.topic_path, retry=None, timeout=SETUP_SECONDS)
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise PubsubSetupError(explain_topic(error, route)) from error


def explain_topic(error: Exception, route: Route) -> str:
    """Return what an error means to who publishes to a topic."""
    if isinstance(error, NotFound):
        return (
            f"There is no topic {route.topic_path}: make it with `manage.py pubsub_publisher "
            "--create`, or correct the name."
        )
    return explain(error, f"topic {route.topic_path}")


def _create(client: SubscriberClient, route: Route) -> None:
    publisher = publisher_client()
    try:
        with contextlib.suppress(AlreadyExists):
            publisher.create_topic(name=route.topic_path, retry=None, timeout=SETUP_SECONDS)
    finally:
        publisher.transport.close()
    wanted = Subscription(
        name=route.subscription_path,
        topic=route.topic_path,
        ack_deadline_seconds=ACK_DEADLINE_SECONDS,
        # Edits of one sheet must commit in the order in which they were published; and it cannot
        # be turned on later.
        enable_message_ordering=True,
    )
    with contextlib.suppress(AlreadyExists):
        client.create_subscription(request=wanted, retry=None, timeout=SETUP_SECONDS)


def explain(error: Exception, resource: str = "") -> str:
    """Return what an error of Google's libraries means here, and what to do next.

    `resource` is what was asked for: "topic projects/demo/topics/edits".
    """
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    reason = str(error).partition("\n")[0][:300]
    match error:
        case DefaultCredentialsError():
            return (
                "There are no Google credentials: set PUBSUB_EMULATOR_HOST=127.0.0.1:8085 to use "
                "the emulator, or run `gcloud auth application-default login`, or set "
                f"GOOGLE_APPLICATION_CREDENTIALS to a key file. ({reason})"
            )
        case ServiceUnavailable() | DeadlineExceeded() if emulator:
            return (
                f"The Pub/Sub emulator at PUBSUB_EMULATOR_HOST={emulator} does not answer: start "
                f"it with `gcloud beta emulators pubsub start`, or correct the address. ({reason})"
            )
        case ServiceUnavailable() | DeadlineExceeded():
            return f"Google Pub/Sub does not answer: is there a way to it from here? ({reason})"
        case NotFound():
            return (
                f"There is no {resource}: make it, and what belongs to it, with `manage.py "
                f"pubsub_listener --create`, or correct the name. ({reason})"
            )
        case Forbidden() | Unauthenticated():
            return (
                f"These credentials may not use the {resource}: to listen, the account needs the "
                "roles pubsub.subscriber and pubsub.viewer; to publish, pubsub.publisher and "
                f"pubsub.viewer; for --create, pubsub.editor. ({reason})"
            )
        case _:
            return f"Pub/Sub refuses the {resource}: {type(error).__name__}: {reason}"
