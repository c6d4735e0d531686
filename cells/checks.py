"""What `manage.py check` says about settings that harm a deployment of SheetSync."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

DEVELOPMENT_SECRET_KEYS = {"", "insecure-development-key"}  # what settings.py falls back to


def check_deployment(
    app_configs: Iterable[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Return a warning for each setting that is meant for a developer's machine alone.

    Warnings, not errors: each of them has a use somewhere, as the emulator has in
    docker-compose.yml. `check --deploy --fail-level WARNING` makes them stop a release.
    """
    return [*_unsafe(), *_not_shared(), *_rehearsal()]


def check_push(
    app_configs: Iterable[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Return an error for an open door that a deployment never wants; each command asks this."""
    if settings.DEBUG or not settings.PUBSUB_PUSH_UNAUTHENTICATED:
        return []
    return [
        checks.Error(
            "PUBSUB_PUSH_UNAUTHENTICATED is on and DEBUG is off: anybody could edit every sheet "
            "through /pubsub/push, which therefore ignores it.",
            hint="Remove PUBSUB_PUSH_UNAUTHENTICATED from the environment; Google's Pub/Sub sends "
            "a token, for PUBSUB_PUSH_AUDIENCE and PUBSUB_PUSH_SERVICE_ACCOUNT.",
            id="cells.E001",
        )
    ]


def _unsafe() -> Iterator[checks.CheckMessage]:
    if settings.DEBUG:
        yield checks.Warning(
            "DEBUG is on: errors show source code and settings to everybody, and guests may "
            "create sheets.",
            hint="Set DEBUG=0 in the environment.",
            id="cells.W001",
        )
    if settings.SECRET_KEY in DEVELOPMENT_SECRET_KEYS:
        yield checks.Warning(
            "SECRET_KEY is the one from the source code: anybody can forge a session.",
            hint="Put a secret of your own into the environment, the same on every machine: "
            '`python -c "import secrets; print(secrets.token_urlsafe(50))"` makes one.',
            id="cells.W002",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield checks.Warning(
            "ALLOWED_HOSTS contains *: any site may open WebSockets here in the name of its "
            "visitors.",
            hint="Name the hosts that people type, separated by commas: "
            "ALLOWED_HOSTS=sheets.example.com.",
            id="cells.W003",
        )
    if not settings.PUBSUB_PUSH_CERTIFICATES_URL.startswith("https://"):
        yield checks.Warning(
            "PUBSUB_PUSH_CERTIFICATES_URL is no https:// address: whoever is on the way there "
            "can say who may push messages.",
            hint="Remove PUBSUB_PUSH_CERTIFICATES_URL from the environment, to use Google's.",
            id="cells.W008",
        )


def _not_shared() -> Iterator[checks.CheckMessage]:
    channel_layer = settings.CHANNEL_LAYERS.get("default", {}).get("BACKEND", "")
    if not settings.DEBUG and channel_layer == "channels.layers.InMemoryChannelLayer":
        yield checks.Warning(
            "The channel layer is in memory: several processes do not see each other's people, "
            "and see each other's edits only when they next look into the database.",
            hint="Set REDIS_URL=redis://host:6379/0, or run exactly one web process.",
            id="cells.W004",
        )
    is_sqlite = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    if is_sqlite and settings.REDIS_URLS:
        yield checks.Warning(
            "REDIS_URL is set, as for several machines, and the database is SQLite, a file on "
            "one of them: the others would show other sheets.",
            hint="Set DATABASE_URL=postgres://user:password@host:5432/sheetsync.",
            id="cells.W005",
        )
    elif is_sqlite and not settings.DEBUG:
        yield checks.Warning(
            "The database is SQLite: one writer at a time, and one machine only.",
            hint="Set DATABASE_URL=postgres://user:password@host:5432/sheetsync, unless this one "
            "machine is all there will be.",
            id="cells.W006",
        )


def _rehearsal() -> Iterator[checks.CheckMessage]:
    if not settings.DEBUG and os.environ.get("PUBSUB_EMULATOR_HOST"):
        yield checks.Warning(
            "PUBSUB_EMULATOR_HOST is set: edits are read from an emulator, which forgets its "
            "messages when it stops, and nothing reaches Google Cloud.",
            hint="Remove PUBSUB_EMULATOR_HOST from the environment, unless this is a rehearsal "
            "such as docker-compose.yml.",
            id="cells.W007",
        )
