"""Healing: what the hubs of a process lack of their logs is read for all of them together."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TypeAlias

from django.db import Error as DatabaseError
from django.db import connection

from cells import protocol
from cells.live.frames import Frame
from cells.live.opening import read_frames
from cells.live.recent import Broadcast
from cells.live.threads import DatabaseThreads
from cells.services.gaps import read_small_gaps

_Waiting: TypeAlias = dict[int, tuple[int, asyncio.Future[Broadcast | None]]]
"""By sheet id: the revision that is known, and who waits for what came after it."""


class Healer:
    """Reads gaps: at once while nothing is read, else together with all that came meanwhile.

    A batch of a stream leaves one on each of its sheets at the same moment, and a reading each
    would cost the people beside them more than the batch itself.
    """

    def __init__(self, readers: DatabaseThreads) -> None:
        self._readers = readers
        self._is_worth_it = connection.vendor == "postgresql"  # SQLite has no wire to save
        self._waiting: _Waiting = {}
        self._reading: asyncio.Task[None] | None = None

    async def read(self, sheet_id: int, after: int) -> Broadcast | None:
        """Return what leads from `after` to the sheet's head; None when the sheet is gone.

        One caller a sheet at a time. Raises django.db.Error when the database does not answer.
        """
        if self._is_worth_it and (read := await self._read_together(sheet_id, after)):
            return read
        return await self._readers.run(read_frames, sheet_id, after)

    async def stop(self) -> None:
        """Break off what is being read; nobody may wait any more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read_together(self, sheet_id: int, after: int) -> Broadcast | None:
        """Return a gap that is small enough for it."""
        found: asyncio.Future[Broadcast | None] = asyncio.get_running_loop().create_future()
        self._waiting[sheet_id] = after, found
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_waiting())
        return await found

    async def _read_waiting(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._answer(waiting)
        finally:
            self._reading = None

    async def _answer(self, waiting: _Waiting) -> None:
        wanted = {sheet_id: after for sheet_id, (after, _) in waiting.items()}
        read: dict[int, Broadcast] = {}
        with contextlib.suppress(DatabaseError):  # then each reads alone, and learns of it there
            read = await self._readers.run(_read_small_gaps, wanted)
        for sheet_id, (_, found) in waiting.items():
            if not found.done():
                found.set_result(read.get(sheet_id))


def _read_small_gaps(wanted: Mapping[int, int]) -> dict[int, Broadcast]:
    return {
        sheet_id: Broadcast(delta.after, delta.through, (Frame(protocol.encode_delta(delta)),))
        for sheet_id, delta in read_small_gaps(wanted).items()
    }
