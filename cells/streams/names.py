"""Names at Pub/Sub: projects, topics, subscriptions. No client is loaded for them."""

import re
from dataclasses import dataclass

from django.conf import settings

_PROJECT = re.compile(r"[a-z0-9.:-]{1,100}")
# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
_NAME = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


class PubsubSetupError(Exception):
    """Pub/Sub cannot be used as it is configured; the message tells the operator what to do."""


@dataclass(frozen=True, slots=True)
class Route:
    """The project, topic and subscription that edits come through."""

    project: str
    topic: str
    subscription: str
    foreign_topic: str = ""  # in full; of another project than the subscription's, perhaps

    @classmethod
    def from_settings(
        cls, project: str | None = None, topic: str | None = None, subscription: str | None = None
    ) -> "Route":
        """Return the configured route, with what is given here instead of the settings' names.

        Raises PubsubSetupError for a missing or impossible name.
        """
        route = cls(
            project=settings.PUBSUB_PROJECT if project is None else project,
            topic=settings.PUBSUB_TOPIC if topic is None else topic,
            subscription=settings.PUBSUB_SUBSCRIPTION if subscription is None else subscription,
        )
        if not _PROJECT.fullmatch(route.project):
            raise PubsubSetupError(
                f"{route.project!r} is no Google Cloud project: set PUBSUB_PROJECT or --project "
                '("demo" will do for the emulator).'
            )
        for kind, name in (("topic", route.topic), ("subscription", route.subscription)):
            if not _NAME.fullmatch(name):
                raise PubsubSetupError(
                    f"{name!r} is no name for a {kind}: set PUBSUB_{kind.upper()} or --{kind} to "
                    "3 to 255 letters, digits and -._~+% that start with a letter."
                )
        return route

    @classmethod
    def of(cls, path: str, topic: str) -> "Route":
        """Return the route of a subscription that was found; both are full resource names."""
        _, project, _, name = path.split("/")
        return cls(project, topic.rpartition("/")[2], name, topic)

    @property
    def topic_path(self) -> str:
        return self.foreign_topic or f"projects/{self.project}/topics/{self.topic}"

    @property
    def subscription_path(self) -> str:
        return f"projects/{self.project}/subscriptions/{self.subscription}"


class PushedSubscription(PubsubSetupError):
    """The subscription pushes: whoever it pushes to has its messages, and nobody can pull."""


def subscription_path(name: str) -> str:
    """Return the full resource name of a feed's subscription."""
    if name.startswith("projects/"):
        return name
    return f"projects/{settings.PUBSUB_PROJECT}/subscriptions/{name}"


def dead_letter_topic_path() -> str | None:
    """Return the full name of the topic that dead letters go to, if any.

    Raises PubsubSetupError for an impossible one.
    """
    name: str = settings.PUBSUB_DEAD_LETTER_TOPIC
    if not name:
        return None
    project = settings.PUBSUB_PROJECT
    path = name if name.startswith("projects/") else f"projects/{project}/topics/{name}"
    project, _, topic = path.removeprefix("projects/").partition("/topics/")
    if not _PROJECT.fullmatch(project) or not _NAME.fullmatch(topic):
        raise PubsubSetupError(
            f"{name!r} is no topic: set PUBSUB_DEAD_LETTER_TOPIC to its name, or to "
            "projects/PROJECT/topics/NAME."
        )
    return path


def check_subscription_name(path: str) -> None:
    """Raise PubsubSetupError for what is no full name of a subscription, or that of edits."""
    project, _, name = path.removeprefix("projects/").partition("/subscriptions/")
    if not _PROJECT.fullmatch(project) or not _NAME.fullmatch(name):
        raise PubsubSetupError(
            f"{path!r} is no subscription: 3 to 255 letters, digits and -._~+% that start with a "
            "letter, or projects/PROJECT/subscriptions/NAME."
        )
    if path == f"projects/{settings.PUBSUB_PROJECT}/subscriptions/{settings.PUBSUB_SUBSCRIPTION}":
        raise PubsubSetupError(
            f"{path} is where edits in SheetSync's own form come through (PUBSUB_SUBSCRIPTION): "
            "choose another one."
        )
