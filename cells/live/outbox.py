"""Outboxes: frames on their way to one socket, bounded, in order, never waited for."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

from cells.protocol import CloseCode

logger = logging.getLogger(__name__)

MAX_BACKLOG_CHARACTERS = 4 * 1024 * 1024  # ten of the largest pastes; more means that nobody reads
MAX_BACKLOG_FRAMES = 4_096  # minutes of a busy sheet
LINGER_SECONDS = 10.0  # for a slow socket to take what is queued, and the close frame behind it
PACED_BACKLOG_CHARACTERS = 512 * 1024  # a catch-up fills no more, so that live frames find room

Send = Callable[[Any], Awaitable[None]]


class SendMessage(TypedDict):
    """ASGI's message of one text frame; one object serves all sockets."""

    type: str
    text: str


class Outbox:
    """What one socket has yet to be sent.

    `put` returns at once. A socket whose backlog is over the bound loses it and is closed with
    4408: its client reconnects and catches up, and its neighbours never notice.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._backlog: deque[SendMessage] = deque()
        self._backlog_size = 0
        self._close_message: dict[str, Any] | None = None
        self._has_work = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._writer: asyncio.Task[None] | None = None
        self._is_sending = False
        self._lingering: asyncio.TimerHandle | None = None
        self.is_closed = False

    def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write())

    def put(self, message: SendMessage) -> None:
        """Queue a frame, or close the socket that has too many queued."""
        if self.is_closed:
            return
        size = len(message["text"])
        # A lone frame always passes: however large, it says nothing about who reads it.
        if self._backlog and (
            self._backlog_size + size > MAX_BACKLOG_CHARACTERS
            or len(self._backlog) >= MAX_BACKLOG_FRAMES
        ):
            self._backlog.clear()
            self._backlog_size = 0
            self.close(CloseCode.TOO_SLOW, "the connection does not keep up; reconnect")
            return
        self._backlog.append(message)
        self._backlog_size += size
        if self._backlog_size > PACED_BACKLOG_CHARACTERS:
            self._has_room.clear()
        self._has_work.set()

    async def wait_for_room(self) -> None:
        """Wait until a large answer may go on; returns at once for a closed outbox."""
        await self._has_room.wait()

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket behind what is queued; later frames are dropped."""
        if self.is_closed:
            return
        self.is_closed = True
        self._close_message = {"type": "websocket.close", "code": int(code), "reason": reason}
        self._has_room.set()
        self._has_work.set()
        self._lingering = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._cut)

    async def stop(self) -> None:
        """End the writing; the socket is gone."""
        self.is_closed = True
        self._has_room.set()
        self._cut()
        if self._lingering is not None:
            self._lingering.cancel()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while self._close_message is None or self._backlog:
                await self._has_work.wait()
                self._has_work.clear()
                while self._backlog:
                    await self._write_next()
            await self._send_one(self._close_message)
        except (OSError, RuntimeError) as error:
            # Each ASGI server has its own of these for a socket that is gone; its disconnect
            # message is on the way to the consumer.
            logger.debug("a socket went away while it was written to: %s", error)
            self.is_closed = True
            self._has_room.set()

    async def _write_next(self) -> None:
        message = self._backlog.popleft()
        self._backlog_size -= len(message["text"])
        await self._send_one(message)
        if self._backlog_size <= PACED_BACKLOG_CHARACTERS:
            self._has_room.set()

    async def _send_one(self, message: Any) -> None:
        self._is_sending = True
        try:
            await self._send(message)
        finally:
            self._is_sending = False

    def _cut(self) -> None:
        """End a connection whose other end takes nothing: to end it gracefully waits for that."""
        if self._is_sending and (transport := _transport_of(self._send)) is not None:
            transport.abort()


def _transport_of(send: Send) -> Any:
    """Return what a socket's `send` writes to; None where it cannot be told.

    ASGI has no word for cutting a connection. Uvicorn's `send` is a method of what has the
    transport, behind the one that Channels' sessions put around it. Elsewhere the connection
    lasts until TCP gives it up.
    """
    owner = getattr(send, "__self__", None)
    while owner is not None and not hasattr(owner, "transport"):
        owner = getattr(getattr(owner, "real_send", None), "__self__", None)
    return getattr(owner, "transport", None)


def text_message(text: str) -> SendMessage:
    """Return the ASGI message of a frame."""
    return SendMessage(type="websocket.send", text=text)
