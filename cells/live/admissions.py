"""Admissions: whether everybody who was let in may still be here, asked every second.

The database is asked, a few statements for all, so that it holds without Redis and whatever road a
change took: a page, the admin, another process, the clock.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db import Error as DatabaseError

from cells.live.threads import DatabaseThreads
from cells.services.credentials import Credentials
from cells.services.host_roles import RememberedWords
from cells.services.protections import NONE_SEEN, Seen, seen_now
from cells.services.standing import Asked, Standing, standings_now

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between the starts of two looks: what ends has ended everywhere within 2 s
LEAST_PAUSE_SECONDS = 0.2  # where a look takes long, for the database to do other things
AT_ONCE = 250  # people: some 9 ms of Python, in which the event loop waits its turn


T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Pass:
    """What somebody was let in with, and whom to tell when that changes; None is not known yet."""

    sheet_id: int
    credentials: Credentials
    standing: Standing | None
    changed: Callable[[Standing], None]
    seen: Callable[[Seen], None] | None = None  # told at each look what of the sheet is protected


class Admissions:
    """The passes of one event loop."""

    def __init__(self) -> None:
        self._passes: set[Pass] = set()
        self._words = RememberedWords()
        self._is_failing = False

    def add(self, admitted: Pass) -> None:
        """Look after a pass from now on."""
        self._passes.add(admitted)

    def discard(self, admitted: Pass) -> None:
        """Forget a pass; one that is not known is none."""
        self._passes.discard(admitted)

    async def run(self) -> None:
        """Look until cancelled."""
        # Of its own: readers may all be at work on large sheets.
        thread = DatabaseThreads("admissions", 1)
        try:
            while True:
                began = time.monotonic()
                await self._look(thread)
                took = time.monotonic() - began
                await asyncio.sleep(max(LOOK_SECONDS - took, min(LEAST_PAUSE_SECONDS, took)))
        finally:
            await asyncio.to_thread(thread.close)

    async def _look(self, thread: DatabaseThreads) -> None:
        """Ask once, and tell those whose standing is another one now."""
        passes = list(self._passes)
        if not passes:
            return
        asked = list({(one.sheet_id, one.credentials) for one in passes})
        standings: dict[Asked, Standing] = {}
        watched = {(one.sheet_id, one.credentials.user_id) for one in passes if one.seen}
        found: dict[tuple[int, int | None], Seen] = {}
        try:
            for some in _slices(asked):
                standings |= await thread.run(standings_now, some, self._words)
            for part in _slices(list(watched)):
                found |= await thread.run(seen_now, part)
        except DatabaseError as error:
            if not self._is_failing:
                logger.warning("nobody's role can be checked: %s", error)
            self._is_failing = True
            return
        except Exception:
            if not self._is_failing:
                logger.exception("nobody's role could be checked")
            self._is_failing = True
            return
        self._is_failing = False
        for one in passes:
            standing = standings[one.sheet_id, one.credentials]
            if standing != one.standing and one in self._passes:
                one.standing = standing
                one.changed(standing)
            if one.seen is not None and one in self._passes:
                one.seen(found.get((one.sheet_id, one.credentials.user_id), NONE_SEEN))


def _slices(asked: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(asked), AT_ONCE):
        yield asked[start : start + AT_ONCE]
