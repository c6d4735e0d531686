"""The door: a crowd is let in a few at a time, so that nobody inside feels it."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cells.domain.errors import SheetSyncError
from cells.live.threads import DatabaseThreads

AT_ONCE = 2  # of the readers' threads, so that what heals a gap or answers an opening finds one
PATIENCE_SECONDS = 5.0  # a browser hangs up after 10 s and comes back; better to send it away first

P = ParamSpec("P")
T = TypeVar("T")


class Crowded(SheetSyncError):
    """Too many want to come in at this moment."""

    code = "unavailable"
    retryable = True


class Door:
    """Reads for those who want to come in, in the order in which they came."""

    def __init__(self, readers: DatabaseThreads) -> None:
        self._readers = readers
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like DatabaseThreads.run. Raises Crowded when its turn does not come in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise Crowded("too many people come at once; try again soon") from None
        try:
            return await self._readers.run(work, *args, **kwargs)
        finally:
            self._places.release()
