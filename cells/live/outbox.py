"""Outboxes: frames on their way to one socket, bounded, in order, never waited for."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from cells.live.direct import DirectSocket
from cells.live.frames import Frame
from cells.protocol import CloseCode
from cells.services.figures import figures

logger = logging.getLogger(__name__)

MAX_BACKLOG_BYTES = 4 * 1024 * 1024  # ten of the largest pastes; more means that nobody reads
MAX_BACKLOG_FRAMES = 4_096  # minutes of a busy sheet
LINGER_SECONDS = 10.0  # for a slow socket to take what is queued, and the close frame behind it
PACED_BACKLOG_BYTES = 512 * 1024  # a catch-up fills no more, so that live frames find room

Send = Callable[[Any], Awaitable[None]]


class Waiting(NamedTuple):
    """What a socket has not been sent: frames in the outbox, bytes there and in the transport."""

    frames: int
    bytes: int


class Outbox:
    """What one socket has yet to be sent.

    `put` returns at once. A socket whose backlog is over the bound loses it and is closed with
    4408: its client reconnects and catches up, and its neighbours never notice.
    """

    __slots__ = (
        "_backlog",
        "_backlog_bytes",
        "_close_message",
        "_direct",
        "_has_room",
        "_lingering",
        "_send",
        "_writer",
        "is_closed",
    )

    def __init__(self, send: Send) -> None:
        self._send = send
        self._direct: DirectSocket | None = None
        self._backlog: deque[Frame] | None = None  # made when first used: most never are
        self._backlog_bytes = 0
        self._has_room: asyncio.Event | None = None  # made when somebody waits: most never do
        self._close_message: dict[str, Any] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self.is_closed = False

    def go_direct(self, direct: DirectSocket) -> None:
        """Write past ASGI from now on, as long as the socket keeps up."""
        self._direct = direct

    def put(self, frame: Frame) -> None:
        """Send a frame now or queue it, or close the socket that has too many queued."""
        if self.is_closed:
            return
        if self._writer is None and self._direct is not None and self._direct.write(frame.wire):
            return
        size = len(frame)
        if self._backlog is None:
            self._backlog = deque()
        # A lone frame always passes: however large, it says nothing about who reads it.
        if self._backlog and (
            self._backlog_bytes + size > MAX_BACKLOG_BYTES
            or len(self._backlog) >= MAX_BACKLOG_FRAMES
        ):
            self._backlog.clear()
            self._backlog_bytes = 0
            self.close(CloseCode.TOO_SLOW, "the connection does not keep up; reconnect")
            return
        self._backlog.append(frame)
        self._backlog_bytes += size
        self._write_on()

    @property
    def backlog(self) -> Waiting:
        """What waits here, and in the transport behind."""
        below = 0 if self._direct is None else self._direct.waiting_bytes
        return Waiting(len(self._backlog or ()), self._backlog_bytes + below)

    async def wait_for_room(self) -> None:
        """Wait until a large answer may go on; returns at once for a closed outbox."""
        while not self.is_closed:
            if self._backlog_bytes > PACED_BACKLOG_BYTES:
                self._has_room = asyncio.Event()
                await self._has_room.wait()
            elif self._direct is not None and not self._direct.is_writable:
                await self._direct.wait_until_writable()
            else:
                return

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket behind what is queued; later frames are dropped."""
        if self.is_closed:
            return
        self.is_closed = True
        figures.closings.note(str(int(code)))
        self._close_message = {"type": "websocket.close", "code": int(code), "reason": reason}
        self._tell_room()
        self._write_on()
        self._lingering = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._cut)

    async def stop(self) -> None:
        """End the writing; the socket is gone."""
        self.is_closed = True
        self._tell_room()
        self._cut()
        if self._lingering is not None:
            self._lingering.cancel()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    def _write_on(self) -> None:
        """Have somebody write what is queued; a socket that keeps up needs nobody."""
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._backlog:
                frame = self._backlog.popleft()
                self._backlog_bytes -= len(frame)
                await self._send(frame.message)
                if self._backlog_bytes <= PACED_BACKLOG_BYTES:
                    self._tell_room()
            if self._close_message is not None:
                await self._send(self._close_message)
        except (OSError, RuntimeError) as error:
            # Each ASGI server has its own of these for a socket that is gone; its disconnect
            # message is on the way to the consumer.
            logger.debug("a socket went away while it was written to: %s", error)
            self.is_closed = True
            self._tell_room()
        finally:
            self._writer = None

    def _tell_room(self) -> None:
        if self._has_room is not None:
            self._has_room.set()
            self._has_room = None

    def _cut(self) -> None:
        """End a connection whose other end takes nothing: to end it gracefully waits for that.

        ASGI has no word for it; where there is no transport to be told, it lasts until TCP gives
        it up.
        """
        if self._writer is not None and self._direct is not None:
            self._direct.abort()
