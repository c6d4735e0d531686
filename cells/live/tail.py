"""The tail: notices commits that no hint announced."""

import asyncio
import logging
from typing import Protocol

from django.db import Error as DatabaseError
from django.db import connection

from cells.live.threads import DatabaseThreads
from cells.services.read import read_heads

logger = logging.getLogger(__name__)

ALONE_SECONDS = 0.05  # without Redis it is how other processes' commits show at all
WITH_HINTS_SECONDS = 2.0  # with Redis it heals what was lost
OUTAGE_SECONDS = 2.0


class Followed(Protocol):
    """What the tail looks after: the heads that sockets know, and where to tell of newer ones."""

    def heads(self) -> dict[int, int]: ...

    def notice_heads(self, asked: dict[int, int], heads: dict[int, int]) -> None: ...


class Tail:
    """Compares, now and then, what sockets were told with what the database has.

    One statement for all open sheets. On SQLite it costs less still: `PRAGMA data_version`
    says whether any other connection has committed (https://sqlite.org/pragma.html).
    """

    def __init__(self, followed: Followed, *, is_alone: bool) -> None:
        self._followed = followed
        self._seconds = ALONE_SECONDS if is_alone else WITH_HINTS_SECONDS
        # A thread of its own, because data_version compares two looks of one connection.
        self.thread = DatabaseThreads("tail", 1)
        self._data_version: int | None = None
        self._asked: set[int] = set()

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
            await asyncio.to_thread(self.thread.close)

    async def look(self) -> None:
        """Compare once."""
        asked = self._followed.heads()
        if not asked:
            self._data_version = None
            return
        try:
            heads = await self.thread.run(self._read, list(asked))
        except DatabaseError as error:
            logger.warning("the tail cannot read the log: %s", error)
            await asyncio.sleep(OUTAGE_SECONDS)
            return
        if heads is not None:
            self._followed.notice_heads(asked, heads)

    def _read(self, sheet_ids: list[int]) -> dict[int, int] | None:
        """Return the heads, or None when nothing at all was committed since the last look."""
        if connection.vendor != "sqlite":
            return read_heads(sheet_ids)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            (version,) = cursor.fetchone()
        if version == self._data_version and self._asked.issuperset(sheet_ids):
            return None
        heads = read_heads(sheet_ids)
        # Only now: a look that fails, or that did not ask about a sheet, must not count as one.
        self._data_version, self._asked = version, set(sheet_ids)
        return heads
