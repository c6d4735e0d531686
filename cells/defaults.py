"""What the app takes from the settings of the project that it lives in, and what holds without."""

from typing import Any

from django.conf import settings

from cells import __version__

DEFAULTS: dict[str, Any] = {
    # Redis hosts of the people on sheets, and what /readyz asks; without any, each process knows
    # its own people.
    "REDIS_URLS": [],
    # Who decides, beside owners and shares, what somebody may do: docs/embedding.md.
    "CELLS_ROLE": None,
    "API_REQUESTS_A_MINUTE": 600,
    "IMPORT_MAX_BYTES": 50_000_000,
    "SHEETS_PER_USER": 1_000,
    "CELLS_PER_SHEET": 2_000_000,
    "SOCKETS_PER_USER": 100,
    "SOCKETS_PER_ADDRESS": 2_500,
    "METRICS_TOKEN": "",
    "SIGN_UP": False,
    "VERSION": __version__,
    "PUBSUB_PROJECT": "demo",
    "PUBSUB_TOPIC": "sheetsync-edits",
    "PUBSUB_SUBSCRIPTION": "sheetsync-edits-sub",
    "PUBSUB_ORIGIN": "",
    "PUBSUB_DEAD_LETTER_TOPIC": "",
    "PUBSUB_PUSH_AUDIENCE": "",
    "PUBSUB_PUSH_SERVICE_ACCOUNT": "",
    "PUBSUB_PUSH_CERTIFICATES_URL": "https://www.googleapis.com/oauth2/v1/certs",
    "PUBSUB_PUSH_UNAUTHENTICATED": False,
}
"""By name; docs/settings.md says what each is for. A project's own settings may say otherwise."""

IN_MEMORY_LAYER = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

SQLITE_OPTIONS: dict[str, Any] = {
    # Deferred transactions that turn into writers fail at once with "database is locked" however
    # long the time-out; immediate ones wait their turn.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: a commit survives a power cut. From batches of 100 up it costs nothing.
    # A checkpoint writes every changed page back and syncs twice; every 1,000 pages, the default,
    # that is every large batch. 8,000 pages are 32 MB of WAL.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-32768;"
    ),
}
"""For `DATABASES["default"]["OPTIONS"]` where the database is SQLite."""


def fill_in_settings() -> None:
    """Give the settings what the project does not say; called once, when Django starts the app."""
    for name, default in DEFAULTS.items():
        if not hasattr(settings, name):
            setattr(settings, name, default)
    if not hasattr(settings, "CHANNEL_LAYERS"):
        settings.CHANNEL_LAYERS = IN_MEMORY_LAYER
    if not hasattr(settings, "EMBEDDED_CALCULATION"):
        settings.EMBEDDED_CALCULATION = not settings.REDIS_URLS
