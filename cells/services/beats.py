"""Signs of life of the listeners: how each is, for /readyz, /metrics and the admin.

The row is as fresh as the database is there; a listener that cannot write it is one that cannot
commit either.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from cells.models import ListenerBeat

FRESH_SECONDS = 10.0  # five beats
FORGOTTEN_AFTER = timedelta(days=1)


class Beat(NamedTuple):
    """How a listener is now: totals since its start."""

    name: str
    subscription: str
    started_at: datetime
    lag_seconds: float
    messages: int
    edits: int
    repeated: int
    skipped: int
    dead: int
    trouble: str


def write_beat(beat: Beat) -> None:
    """Say that a listener lives. Raises django.db.Error."""
    values = beat._asdict()
    name = values.pop("name")
    values["beat_at"] = timezone.now()
    if not ListenerBeat.objects.filter(name=name).update(**values):
        ListenerBeat.objects.update_or_create(name=name, defaults=values)
        gone = timezone.now() - FORGOTTEN_AFTER
        ListenerBeat.objects.filter(beat_at__lt=gone).delete()


def end_beat(name: str) -> None:
    """Say that a listener has ended as it should. Raises django.db.Error."""
    ListenerBeat.objects.filter(name=name).delete()


def listener_problem(host: str = "") -> str | None:
    """Return what is wrong with the listeners, "" if one of them hears; None if there is none.

    Of those on `host` alone, if one is named. One that has ended as it should is none; one that
    was killed is missed for a day. Raises django.db.Error.
    """
    now = timezone.now()
    known = ListenerBeat.objects.filter(beat_at__gte=now - FORGOTTEN_AFTER)
    beats = list(known.filter(name__startswith=f"{host}:") if host else known)
    if not beats:
        return None
    fresh = [one for one in beats if (now - one.beat_at).total_seconds() < FRESH_SECONDS]
    if not fresh:
        newest = max(one.beat_at for one in beats)
        return f"last heard of {(now - newest).total_seconds():.0f} s ago"
    if all(one.trouble for one in fresh):
        return "hears nothing: Pub/Sub does not answer"
    return ""
