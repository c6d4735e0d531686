"""Packing: stores snapshots of large sheets, behind the openings that would have been faster."""

import asyncio
import logging
import time

from django.db import Error as DatabaseError

from cells import protocol
from cells.live.threads import DatabaseThreads
from cells.services import snapshots

logger = logging.getLogger(__name__)

MIN_REST_SECONDS = (
    30.0  # a sheet that is opened and edited all the time need not be packed more often
)
REST_FACTOR = 20  # nor may packing it take more than a twentieth of one core


class Packer:
    """Packs what is wanted, one sheet at a time in this process, in a reader's thread."""

    def __init__(self, readers: DatabaseThreads) -> None:
        self._readers = readers
        self._wanted: dict[int, str] = {}
        self._rests_until: dict[int, float] = {}
        self._working: asyncio.Task[None] | None = None
        self._is_stopped = False

    def want(self, sheet_id: int, slug: str) -> None:
        """Have a sheet packed soon, unless that was done a moment ago."""
        if self._is_stopped or time.monotonic() < self._rests_until.get(sheet_id, 0.0):
            return
        self._wanted[sheet_id] = slug
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Take no more, and break off what is at hand: it is only a cache."""
        self._is_stopped = True
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._wanted and not self._is_stopped:
                sheet_id = next(iter(self._wanted))
                await self._pack(sheet_id, self._wanted.pop(sheet_id))
        finally:
            self._working = None

    async def _pack(self, sheet_id: int, slug: str) -> None:
        began = time.monotonic()
        self._rests_until = {id_: at for id_, at in self._rests_until.items() if at > began}
        try:
            packed = await self._readers.run(
                snapshots.pack,
                sheet_id,
                protocol.encode_delta,
                is_wanted=lambda: not self._is_stopped,
            )
        except DatabaseError as error:
            packed = None
            logger.warning("sheet=%s: not packed: %s", slug, error)
        except Exception:
            packed = None
            logger.exception("sheet=%s: not packed", slug)
        seconds = time.monotonic() - began
        rest_seconds = max(MIN_REST_SECONDS, REST_FACTOR * seconds)
        self._rests_until[sheet_id] = began + seconds + rest_seconds
        if packed is not None:
            logger.info(
                "sheet=%s revision=%s: packed %s cells into %s bytes in %.1f s",
                slug,
                packed.revision,
                packed.cells,
                len(packed.data),
                seconds,
            )
