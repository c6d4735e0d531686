"""Openings: how one socket gets from what its client holds to where the sheet's hub is.

Only what the log has is sent: the steps that the hub still remembers, else what is read from the
database; a whole sheet is read once for all who open it at the same moment.
"""

import asyncio
import time
from collections.abc import Callable

from cells import protocol
from cells.live.client import Client
from cells.live.frames import Frame
from cells.live.recent import Broadcast, Recent
from cells.live.threads import DatabaseThreads
from cells.services.read import OpenedSheet, open_sheet, read_deltas

SNAPSHOT_SECONDS = 10.0  # how long a whole sheet's frames are kept for those who open it next


class Opening:
    """Answers the sheet.open of one hub's sockets, from its `recent` past or the database."""

    def __init__(
        self, sheet_id: int, readers: DatabaseThreads, recent: Recent, head: Callable[[], int]
    ) -> None:
        self._sheet_id = sheet_id
        self._readers = readers
        self._recent = recent
        self._head = head
        self._snapshot: tuple[float, Broadcast] | None = None
        self._reading: asyncio.Task[Broadcast | None] | None = None

    async def answer(self, client: Client, revision: int) -> int:
        """Send the sheet's shape and the cells since `revision`; return where that leads.

        When it returns, the client is where the hub is: without another await it can go live.
        Raises django.db.Error when the database does not answer, Sheet.DoesNotExist when the
        sheet is gone.
        """
        opened = await self._readers.run(open_sheet, self._sheet_id)
        client.send(_encode_opened(opened, client))
        # A revision that the log does not have comes from another life of the database.
        at = revision if revision <= opened.head else 0
        is_told = False
        while True:
            recent = self._recent.since(at, self._head()) if at <= self._head() else []
            # The first load is the sheet as it is, not the steps that led there.
            if recent is not None and (is_told or (recent and at > 0)):
                for broadcast in recent:
                    for frame in broadcast.frames:
                        client.outbox.put(frame)
                return at
            read = await self._read_since(at)
            if read is None:
                return at
            for frame in read.frames:
                await client.outbox.wait_for_room()
                client.outbox.put(frame)
            at, is_told = read.through, True

    def forget(self) -> None:
        """Forget the sheet as it was: an older state has taken the newer one's place."""
        self._snapshot = None

    def forget_old(self) -> None:
        """Let go of a whole sheet that was read a while ago."""
        if self._snapshot is not None:
            read_at, _ = self._snapshot
            if time.monotonic() - read_at >= SNAPSHOT_SECONDS:
                self._snapshot = None

    async def stop(self) -> None:
        """Break off what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read_since(self, revision: int) -> Broadcast | None:
        if revision > 0:
            return await self._readers.run(read_frames, self._sheet_id, revision)
        if self._snapshot is not None:
            _, snapshot = self._snapshot
            if self._recent.since(snapshot.through, self._head()) is not None:
                return snapshot
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_snapshot())
        return await asyncio.shield(self._reading)

    async def _read_snapshot(self) -> Broadcast | None:
        """Read the whole sheet once for all who open it at this moment."""
        try:
            read = await self._readers.run(read_frames, self._sheet_id, 0, is_first_load=True)
            if read is not None:
                self._snapshot = (time.monotonic(), read)
            return read
        finally:
            self._reading = None


def read_frames(sheet_id: int, after: int, *, is_first_load: bool = False) -> Broadcast | None:
    """Read and encode what leads from `after` to the head; None when the sheet is gone."""
    frames: list[Frame] = []
    through = None
    for delta in read_deltas(sheet_id, after, is_first_load=is_first_load):
        frames.append(Frame(protocol.encode_delta(delta)))
        through = delta.through
    return None if through is None else Broadcast(after, through, tuple(frames))


def _encode_opened(opened: OpenedSheet, client: Client) -> bytes:
    return protocol.encode_frame(
        protocol.SheetOpened(
            protocol.PROTOCOL,
            protocol.SheetName(opened.slug, opened.title),
            client.role,
            protocol.You(client.client_id, client.name, client.color),
            opened.head,
            opened.rows,
            opened.columns,
            opened.row_sizes,
            opened.column_sizes,
        )
    )
