"""Signs of life of our own processes, each with its figures, for /metrics and the admin.

Through the database, so that any web process can tell of all of them, Redis or not. A row is as
fresh as its process is: one whose event loop hangs writes nothing either. All by the database's
clock: several machines have one each.
"""

import atexit
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from cells.models import ProcessBeat
from cells.services.figures import Distribution, figures

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0  # how old figures may be; Prometheus usually asks every 15 s
FRESH_SECONDS = 16.0  # three beats lost: it hangs, or was killed
MISSED_AFTER = timedelta(seconds=FRESH_SECONDS)
MISSED_FOR = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)
END_SECONDS = 0.5  # for the last words; an operator was promised when a process ends


class LiveSheet(msgspec.Struct, frozen=True):
    """A sheet that a process has open: its sockets, who they are, and what they have to be sent."""

    sheet_id: int
    sockets: int
    people: int
    names: tuple[str, ...]  # of the first of them
    backlog_bytes: int


class Backlog(msgspec.Struct, frozen=True):
    """What a process's sockets have not been sent: `bytes` in all, of `frames`, for `sockets`."""

    frames: int = 0
    bytes: int = 0
    sockets: int = 0
    largest_bytes: int = 0


class Live(msgspec.Struct, frozen=True):
    """What only a web process has: its open sheets, of many the busiest, and their sockets."""

    sheets: int = 0
    busiest: tuple[LiveSheet, ...] = ()
    backlog: Backlog = Backlog()


class Told(msgspec.Struct, frozen=True):
    """What a process says of itself. What another version does not say is zero."""

    live: Live = Live()
    sockets: int = 0
    gaps_healed: int = 0
    refusals: dict[str, int] = {}
    closings: dict[str, int] = {}
    commit_seconds: Distribution = Distribution()
    commit_submissions: Distribution = Distribution()
    delta_bytes: Distribution = Distribution()
    calculation_seconds: Distribution = Distribution()


class Process(NamedTuple):
    """A process that lives, and what it told last."""

    beat: ProcessBeat
    told: Told


class Beating:
    """Says every few seconds, from a thread of its own, how this process is."""

    def __init__(self, kind: str, look: Callable[[], Live] = Live) -> None:
        """`look` is asked from that thread; one that raises TimeoutError leaves a beat out."""
        self._beat = ProcessBeat(
            id=uuid.uuid4(),
            kind=kind,
            name=f"{socket.gethostname()}:{os.getpid()}",
            version=settings.VERSION,
            started_at=timezone.now(),
        )
        self._look = look
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)
        self._is_known = False

    def start(self) -> None:
        """Begin; what ends in an orderly way is not missed."""
        atexit.register(self.stop)
        self._thread.start()

    def end(self) -> None:
        """Have the last words said meanwhile; returns at once."""
        self._stopping.set()

    def stop(self) -> None:
        """End, without waiting for long for a database that does not answer."""
        self.end()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        is_away = False
        while True:
            try:
                self._write()
                is_away = False
            except TimeoutError:
                logger.warning("the event loop does not answer: process=%s", self._beat.name)
            except DatabaseError as error:
                if not is_away:
                    logger.warning("nobody can be told how this process is: %s", error)
                is_away = True
                connection.close()
            except Exception:
                logger.exception("it could not be written down how this process is")
                connection.close()
            if self._stopping.wait(BEAT_SECONDS):
                break
        try:
            ProcessBeat.objects.filter(pk=self._beat.pk).delete()
        except DatabaseError as error:
            logger.debug("the last beat stays: %s", error)
        connection.close()

    def _write(self) -> None:
        told = read_figures(self._look())
        self._beat.told = msgspec.json.encode(told).decode()
        if not self._is_known:
            ProcessBeat.objects.filter(beat_at__lt=Now() - FORGOTTEN_AFTER).delete()
        own = ProcessBeat.objects.filter(pk=self._beat.pk)
        if self._is_known and own.update(told=self._beat.told, beat_at=Now()):
            return
        self._beat.beat_at = Now()
        self._beat.save(force_insert=True)  # the first; or an older database was brought back
        self._is_known = True


def read_figures(live: Live) -> Told:
    """Return what this process has counted so far."""
    return Told(
        live,
        figures.sockets,
        figures.gaps_healed,
        figures.refusals.read(),
        figures.closings.read(),
        figures.commit_seconds.read(),
        figures.commit_submissions.read(),
        figures.delta_bytes.read(),
        figures.calculation_seconds.read(),
    )


def living_processes() -> list[Process]:
    """Return all that live, of each name the newest: a container that restarts keeps its name.

    Raises django.db.Error.
    """
    fresh = ProcessBeat.objects.filter(beat_at__gte=Now() - MISSED_AFTER)
    newest = {(beat.kind, beat.name): beat for beat in fresh}  # the last of its name started last
    return [
        Process(beat, msgspec.json.decode(beat.told, type=Told, strict=False))
        for beat in newest.values()
    ]


def missed_processes() -> list[ProcessBeat]:
    """Return those that fell silent within the last hour without an end: killed, or hanging.

    Raises django.db.Error.
    """
    missed = ProcessBeat.objects.filter(beat_at__lt=Now() - MISSED_AFTER)
    return list(missed.filter(beat_at__gte=Now() - MISSED_FOR).defer("told"))
