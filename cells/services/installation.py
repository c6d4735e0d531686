"""The name by which other SheetSyncs know this one."""

import secrets

from django.conf import settings
from django.db import transaction

from cells.models import Installation

_kept: list[str] = []  # the name in the database, once it is known to stay there


def installation_name() -> str:
    """Return PUBSUB_ORIGIN, or else the random name in the database, made by whoever asks first.

    Raises django.db.Error while the database does not answer.
    """
    name: str = settings.PUBSUB_ORIGIN
    if name:
        return name
    if not _kept:
        random = f"sheetsync-{secrets.token_hex(3)}"
        name = Installation.objects.get_or_create(pk=1, defaults={"name": random})[0].name
        # Who asks within a transaction may see it undone, and the name with it.
        transaction.on_commit(lambda: _kept.append(name))
        return name
    return _kept[0]
