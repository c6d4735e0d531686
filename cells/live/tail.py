"""The tail: notices commits that no hint announced."""

import asyncio
import logging
import time
from typing import Protocol

from django.db import Error as DatabaseError
from django.db import connection

from cells.live.threads import DatabaseThreads
from cells.services.calculations import note_watched
from cells.services.heads import SqliteHeads, read_heads

logger = logging.getLogger(__name__)

# Without Redis it is how other processes' commits show at all; on SQLite a look costs nothing.
ALONE_SECONDS = 0.05
SQLITE_SECONDS = 0.01
WITH_HINTS_SECONDS = 2.0  # with Redis it heals what was lost
OUTAGE_SECONDS = 2.0
WATCHED_SECONDS = 5.0  # between two notes of which sheets are open, for NOW() to go on there


class Followed(Protocol):
    """What the tail looks after: the heads that sockets know, and where to tell of newer ones."""

    def heads(self) -> dict[int, int]: ...

    def notice_heads(self, asked: dict[int, int], heads: dict[int, int]) -> None: ...


class Tail:
    """Compares, now and then, what sockets were told with what the database has.

    One statement for all open sheets; on SQLite only when something was committed at all.
    """

    def __init__(self, followed: Followed, *, is_alone: bool) -> None:
        self._followed = followed
        is_sqlite = connection.vendor == "sqlite"
        self._seconds = WITH_HINTS_SECONDS
        if is_alone:
            self._seconds = SQLITE_SECONDS if is_sqlite else ALONE_SECONDS
        self._thread = DatabaseThreads("tail", 1)
        self._sqlite = SqliteHeads() if is_sqlite else None
        self._watched_at = float("-inf")

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await asyncio.sleep(self._seconds)
                try:
                    await self.look()
                except Exception:
                    logger.exception("the tail could not take in what the log has; it looks again")
                    await asyncio.sleep(OUTAGE_SECONDS)
        finally:
            await self.close()

    async def look(self) -> None:
        """Compare once."""
        asked = self._followed.heads()
        if not asked:
            return
        try:
            if self._sqlite is not None:
                heads = self._sqlite.read_if_changed(asked)
            else:
                heads = await self._thread.run(read_heads, asked)
        except DatabaseError as error:
            logger.warning("the tail cannot read the log: %s", error)
            await asyncio.sleep(OUTAGE_SECONDS)
            return
        if heads is not None:
            self._followed.notice_heads(asked, heads)
        if time.monotonic() - self._watched_at >= WATCHED_SECONDS:
            self._watched_at = time.monotonic()
            await self._note_watched(list(asked))

    async def _note_watched(self, sheet_ids: list[int]) -> None:
        """Say that these sheets are open, for whoever calculates what changes by itself."""
        try:
            await self._thread.run(note_watched, sheet_ids)
        except DatabaseError as error:
            logger.warning("nobody can be told which sheets are open: %s", error)

    async def close(self) -> None:
        """End the thread, and close the connections."""
        if self._sqlite is not None:
            self._sqlite.close()
        await asyncio.to_thread(self._thread.close)
