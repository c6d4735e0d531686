"""The hubs of this process: opened by the first socket of a sheet, closed by its last."""

import asyncio
import logging
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

from cells.live.admissions import Admissions
from cells.live.attendance import Register
from cells.live.client import Client
from cells.live.door import Door
from cells.live.healing import Healer
from cells.live.hub import Hub
from cells.live.mailbox import Mailbox
from cells.live.packing import Packer
from cells.live.places import Places
from cells.live.planning import Planning
from cells.live.presence import REFRESH_SECONDS
from cells.live.tail import Tail
from cells.live.threads import (
    POSTGRESQL_WRITERS,
    READERS,
    SQLITE_WRITERS,
    DatabaseThreads,
)
from cells.protocol import CloseCode

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0  # how late a heartbeat may be
DRAIN_SECONDS = 3.0  # for commits at hand; Docker kills 10 s after its SIGTERM
FLUSH_SECONDS = 1.0  # for sockets to take what they are still owed, the close frame last


@dataclass(slots=True)
class _Opened:
    hub: Hub
    ready: asyncio.Task[None]
    users: int = 0


class Hubs:
    """All open sheets of one event loop, by sheet id, with what serves them together."""

    def __init__(self) -> None:
        self.process = uuid.uuid4().hex
        self.is_draining = False
        writers = POSTGRESQL_WRITERS if connection.vendor == "postgresql" else SQLITE_WRITERS
        self.writers = DatabaseThreads("commit", writers)
        self.readers = DatabaseThreads("read", READERS)
        self._healer = Healer(self.readers)
        self._planning = Planning()
        self._packer = Packer(self.readers)
        self._register = Register(self.process)
        self.door = Door(self.readers)
        self.admissions = Admissions()
        self.places = Places()
        self._opened: dict[int, _Opened] = {}
        self._mailbox = Mailbox(self._deliver)
        self._tail = Tail(self, is_alone=self._mailbox.is_alone)
        self._tasks = [
            asyncio.create_task(self._tail.run()),
            asyncio.create_task(self._beat()),
            asyncio.create_task(self.admissions.run()),
            asyncio.create_task(self._register.run()),
        ]
        self._mailbox.start()

    async def join(self, sheet_id: int, slug: str) -> Hub:
        """Return the running hub of a sheet, and count one user of it in; `leave` counts out.

        Raises django.db.Error or Sheet.DoesNotExist when it cannot start.
        """
        opened = self._opened.get(sheet_id)
        if opened is None:
            hub = Hub(
                sheet_id,
                slug,
                self.process,
                self.writers,
                self.readers,
                self._healer,
                self._planning,
                self._packer,
                self._register,
                self._mailbox.send,
            )
            opened = _Opened(hub, asyncio.create_task(self._start(hub)))
            self._opened[sheet_id] = opened
        opened.users += 1
        try:
            await asyncio.shield(opened.ready)
        except BaseException:
            await self._release(sheet_id, opened)
            raise
        return opened.hub

    async def leave(self, hub: Hub, client: Client | None) -> None:
        """Take a socket off a hub, and close the hub when it was the last."""
        if client is not None:
            hub.leave(client)
        opened = self._opened.get(hub.sheet_id)
        if opened is not None and opened.hub is hub:
            await self._release(hub.sheet_id, opened)

    async def drain(self) -> None:
        """Finish the commits at hand, answer their authors, and close every socket with 1012.

        From now on no edit is taken in and nobody is let in. Whatever takes too long is left to
        the server's own end: those clients send again, under the same ids, to another process.
        """
        self.is_draining = True
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.gather(*(opened.hub.drain() for opened in self._opened.values()))
        except TimeoutError:
            logger.warning("commits at hand took more than %s s; closing without", DRAIN_SECONDS)
        for opened in list(self._opened.values()):
            opened.hub.close_all(CloseCode.DRAINING, "this process ends; reconnect")
        until = time.monotonic() + FLUSH_SECONDS
        while any(opened.hub.clients for opened in self._opened.values()):
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.01)
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._register.write()

    async def stop(self) -> None:
        """Close everything; commits at hand are finished."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for opened in list(self._opened.values()):
            await opened.hub.stop()
        self._opened.clear()
        await self._healer.stop()
        self._planning.stop()
        await self._register.stop()
        await self._packer.stop()
        await self._mailbox.stop()
        await asyncio.to_thread(self._close_threads)

    def open_hubs(self) -> list[Hub]:
        """Return the hubs of all open sheets."""
        return [opened.hub for opened in self._opened.values()]

    def heads(self) -> dict[int, int]:
        """Return up to which revision each open sheet's sockets were told."""
        return {sheet_id: opened.hub.head for sheet_id, opened in self._opened.items()}

    def notice_heads(self, asked: dict[int, int], heads: dict[int, int]) -> None:
        """Take in the heads that the database has for the `asked` sheets."""
        for sheet_id, head in asked.items():
            opened = self._opened.get(sheet_id)
            if opened is None:
                continue
            if sheet_id not in heads:
                opened.hub.close_all(CloseCode.NO_SUCH_SHEET, "the sheet was deleted")
            elif heads[sheet_id] < head:
                opened.hub.rewind(heads[sheet_id])
            else:
                opened.hub.notice(heads[sheet_id])

    async def _start(self, hub: Hub) -> None:
        await self._mailbox.join(hub.sheet_id)
        await hub.start()

    async def _release(self, sheet_id: int, opened: _Opened) -> None:
        opened.users -= 1
        if opened.users > 0 or self._opened.get(sheet_id) is not opened:
            return
        del self._opened[sheet_id]
        await opened.hub.stop()
        if sheet_id not in self._opened:
            await self._mailbox.leave(sheet_id)

    def _deliver(self, sheet_id: int, message: dict[str, Any]) -> None:
        opened = self._opened.get(sheet_id)
        if opened is not None:
            opened.hub.hear(message)

    async def _beat(self) -> None:
        beats_a_refresh = int(REFRESH_SECONDS / BEAT_SECONDS)
        beats = 0
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            beats += 1
            for opened in list(self._opened.values()):
                try:
                    opened.hub.beat()
                    if beats % beats_a_refresh == 0:
                        opened.hub.refresh_presence()
                except Exception:
                    logger.exception("sheet=%s missed a beat", opened.hub.slug)

    def _close_threads(self) -> None:
        self.writers.close()
        self.readers.close()
        self._planning.close()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hubs] = WeakKeyDictionary()


def hubs_of(loop: asyncio.AbstractEventLoop) -> Hubs | None:
    """Return the hubs of an event loop, None where no socket has come yet."""
    return _hubs.get(loop)


def get_hubs() -> Hubs:
    """Return the hubs of the running event loop, made at the first call."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hubs()
    return _hubs[loop]
