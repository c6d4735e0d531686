"""The process's mailbox on the channel layer: one channel, in the groups of all open sheets."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from cells.services.announce import group_name, send_to_group

logger = logging.getLogger(__name__)

MAX_OUTGOING = 1_000  # hints; with Redis down the oldest are worth least
JOIN_TIMEOUT_SECONDS = 1.0  # a sheet opens without Redis too
RETRY_SECONDS = 1.0

Deliver = Callable[[int, dict[str, Any]], None]


class Mailbox:
    """Joins groups, delivers what arrives as (sheet id, message), and sends without waiting.

    Whatever fails is tried again for as long as it is wanted; meanwhile the tail serves. With an
    in-memory layer there is no other process to hear or to tell, and nothing is done.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._layer = get_channel_layer()
        self.is_alone = isinstance(self._layer, InMemoryChannelLayer)
        self._wanted: set[int] = set()
        self._joined: set[int] = set()
        self._joining = asyncio.Lock()
        self._channel: str | None = None
        self._outgoing: deque[tuple[int, Any]] = deque(maxlen=MAX_OUTGOING)
        self._has_outgoing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen, to send, and to retry."""
        if not self.is_alone:
            work = (self._receive(), self._send(), self._retry())
            self._tasks = [asyncio.create_task(coroutine) for coroutine in work]

    async def stop(self) -> None:
        """Leave all groups and end."""
        for sheet_id in list(self._wanted):
            await self.leave(sheet_id)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def join(self, sheet_id: int) -> None:
        """Join a sheet's group, now if the channel layer answers, else as soon as it does."""
        if self.is_alone:
            return
        self._wanted.add(sheet_id)
        await self._join(sheet_id)

    async def leave(self, sheet_id: int) -> None:
        """Leave a sheet's group."""
        self._wanted.discard(sheet_id)
        if sheet_id not in self._joined or self._channel is None:
            return
        self._joined.discard(sheet_id)
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_SECONDS):
                await self._layer.group_discard(group_name(sheet_id), self._channel)
        except Exception as error:  # noqa: BLE001 - each layer has its own; nothing hangs on it
            logger.debug("sheet=%s: could not leave the group: %s", sheet_id, error)

    def send(self, sheet_id: int, message: Any) -> None:
        """Queue a message to a sheet's group; it may be lost."""
        if not self.is_alone:
            self._outgoing.append((sheet_id, message))
            self._has_outgoing.set()

    async def _join(self, sheet_id: int) -> None:
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_SECONDS), self._joining:
                if self._channel is None:
                    self._channel = await self._layer.new_channel()
                await self._layer.group_add(group_name(sheet_id), self._channel)
        except Exception as error:  # noqa: BLE001 - each layer has its own; it is tried again
            logger.debug("sheet=%s: could not join the group yet: %s", sheet_id, error)
        else:
            self._joined.add(sheet_id)
            if sheet_id not in self._wanted:  # the last socket left while this was under way
                await self.leave(sheet_id)

    async def _retry(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            for sheet_id in self._wanted - self._joined:
                await self._join(sheet_id)

    async def _send(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            while self._outgoing:
                sheet_id, message = self._outgoing.popleft()
                await send_to_group(sheet_id, message)

    async def _receive(self) -> None:
        while True:
            if self._channel is None:
                await asyncio.sleep(RETRY_SECONDS / 10)
                continue
            try:
                message = await self._layer.receive(self._channel)
                self._deliver(message["sheet"], message)
            except Exception:
                logger.exception("a message of the channel layer could not be taken in")
                await asyncio.sleep(RETRY_SECONDS)
