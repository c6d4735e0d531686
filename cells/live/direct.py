"""Past ASGI, to uvicorn's transport: frames written as they are, and read without a queue.

A frame through uvicorn's `send` costs a coroutine, a copy and the protocol's state machine, for
every socket; one that comes in costs a queue, two switches of tasks, and a pause of the reading.
Where the server is uvicorn with its sans-I/O protocol, and nothing compresses, whole text frames
go directly. Everything else (handshake, pings, closing, fragments, errors) stays uvicorn's, and
so does all of it where the server is another one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built

MAX_WAITING_BYTES = 512 * 1024  # in the transport; beyond, the outbox keeps count

# RFC 6455, section 5.2: FIN and an opcode; a client's second byte is 128 and a length.
_TEXT = 0x81
_PING = 0x89
_CONTROL = frozenset((0x88, _PING, 0x8A))
_MASKED = 0x80

Take = Callable[[bytes], Awaitable[None] | None]
"""Takes in one frame; what it returns has to be awaited before the next one."""


class DirectSocket:
    """The transport under one socket's `send`. Made right after the handshake, and not read yet."""

    @classmethod
    def under(cls, send: Callable[..., Any]) -> "DirectSocket | None":
        """Return what lies under `send`, or None where that is to be left alone."""
        owner = _owner_of(send)
        if (
            not isinstance(owner, WebSocketsSansIOProtocol)
            or not owner.handshake_complete
            or owner.conn.extensions
            or not owner.queue.empty()  # it spoke before it was answered
            or owner.conn.reader.buffer
            or owner.transport.is_closing()
        ):
            return None
        return cls(owner)

    def __init__(self, owner: WebSocketsSansIOProtocol) -> None:
        self._owner = owner
        self._transport = owner.transport
        is_plain = owner.transport.get_extra_info("ssl_object") is None
        socket = owner.transport.get_extra_info("socket")
        self._descriptor: int | None = socket.fileno() if is_plain and socket is not None else None
        self._transport.pause_reading()

    @property
    def is_writable(self) -> bool:
        """Whether the transport has little waiting."""
        return self._owner.writable.is_set()

    @property
    def waiting_bytes(self) -> int:
        """How much the transport has not been able to write."""
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    async def wait_until_writable(self) -> None:
        """Wait until the transport has little waiting, or is gone."""
        await self._owner.writable.wait()

    def write(self, data: bytes) -> bool:
        """Write ready-made bytes; False, and nothing is written, when too much waits already."""
        transport = self._transport
        if transport.is_closing():
            return True  # nobody is there to take it; the disconnect is on its way
        waiting = transport.get_write_buffer_size()
        if waiting > MAX_WAITING_BYTES:
            return False
        if waiting or self._descriptor is None:
            transport.write(data)
            return True
        try:
            # What the transport would do too, at the end of this round of the loop.
            sent = os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            transport.write(data)
        except OSError:
            transport.abort()
        else:
            if sent < len(data):
                transport.write(data[sent:])
        return True

    def listen(self, take: Take) -> None:
        """Begin to read; each whole text frame goes to `take`, unmasked and valid UTF-8."""
        if not self._transport.is_closing():
            self._transport.set_protocol(_Reader(self._owner, take))
            self._transport.resume_reading()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()


class _Reader(asyncio.Protocol):
    """Stands between the transport and uvicorn's protocol, and keeps whole text frames."""

    def __init__(self, owner: WebSocketsSansIOProtocol, take: Take) -> None:
        self._owner = owner
        self._take = take
        self._max_size = owner.config.ws_max_size
        self._rest = b""
        self._waiting: asyncio.Task[None] | None = None
        self._is_lost = False

    def pause_writing(self) -> None:
        self._owner.pause_writing()

    def resume_writing(self) -> None:
        self._owner.resume_writing()

    def eof_received(self) -> None:
        self._owner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        self._rest = b""
        self._owner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if self._waiting is None:
            self._read(data)
        else:
            self._rest = data

    def _read(self, data: bytes) -> None:
        """Take the whole frames of `data`, and keep the rest."""
        at, size = 0, len(data)
        while size - at >= 6:
            first, second = data[at], data[at + 1]
            length = second & 0x7F
            start = at + 6
            if length >= 126:
                start += 2 if length == 126 else 8
                if size < start:
                    break
                length = int.from_bytes(data[at + 2 : start - 4], "big")
            end = start + length
            if first != _TEXT or second < _MASKED or length > self._max_size:
                if first not in _CONTROL or second < _MASKED or length >= 126:
                    self._give_back(data[at:])
                    return
                if end > size:
                    break
                # Who pings and reads no pong would have them pile up here; RFC 6455, section 5.5.3,
                # lets all but the last go unanswered.
                waiting_bytes = self._owner.transport.get_write_buffer_size()
                if first != _PING or waiting_bytes <= MAX_WAITING_BYTES:
                    self._owner.data_received(data[at:end])
                at = end
                continue
            if end > size:
                break
            payload = apply_mask(data[start:end], data[start - 4 : start])
            if not payload.isascii() and not _is_utf8(payload):
                self._give_back(data[at:])
                return
            at = end
            waiting = self._take(payload)
            if waiting is not None:
                self._rest = data[at:]
                self._pause(waiting)
                return
        self._rest = data[at:]

    def _give_back(self, data: bytes) -> None:
        """Let uvicorn read from here on, and the consumer receive through ASGI."""
        self._rest = b""
        self._owner.transport.set_protocol(self._owner)
        self._owner.data_received(data)

    def _pause(self, waiting: Awaitable[None]) -> None:
        if not self._owner.transport.is_closing():
            self._owner.transport.pause_reading()
        self._waiting = asyncio.ensure_future(self._wait(waiting))

    async def _wait(self, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Exception:
            self._owner.transport.abort()
            raise
        finally:
            self._waiting = None
        if self._is_lost:
            return
        rest, self._rest = self._rest, b""
        if not self._owner.transport.is_closing():
            self._owner.transport.resume_reading()
        self._read(rest)


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _owner_of(send: Callable[..., Any]) -> object:
    """Return the server's own object behind a `send`, and behind Channels' sessions around it."""
    owner = getattr(send, "__self__", None)
    while (inner := getattr(owner, "real_send", None)) is not None:
        owner = getattr(inner, "__self__", None)
    return cast(object, owner)
