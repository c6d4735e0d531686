"""Past ASGI, to uvicorn's transport: frames written as they are, and read without a queue.

A frame through uvicorn's `send` costs a coroutine, a copy and the protocol's state machine, for
every socket; one that comes in costs a queue, two switches of tasks, and a pause of the reading.
Where the server is uvicorn with its sans-I/O protocol, and nothing compresses, messages go
directly. Everything else (handshake, pings, closing, errors) stays uvicorn's, and so does all of
it where the server is another one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built

MAX_WAITING_BYTES = 512 * 1024  # in the transport; beyond, the outbox keeps count
CUT_SECONDS = 1.0  # for who floods to read why it is closed

# RFC 6455, section 5.2: FIN and an opcode; a client's second byte is 128 and a length.
_FIN = 0x80
_CONTINUATION_OPCODE, _TEXT_OPCODE, _BINARY_OPCODE = 0x0, 0x1, 0x2
_TEXT = _FIN | _TEXT_OPCODE
_CLOSE = 0x88
_PING = 0x89
_CONTROL = frozenset((_CLOSE, _PING, 0x8A))
_MASKED = 0x80

Take = Callable[[bytes | None], Awaitable[None] | None]
"""Takes in one message, None for a binary one; what it returns is awaited before the next one."""

Bear = Callable[[], bool]
"""Says whether one more frame that is no message is borne; nobody's commit holds these back."""


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

    def listen(self, take: Take, bear: Bear) -> None:
        """Begin to read; each message goes to `take`, unmasked, and valid UTF-8 if it is text.

        Pings, pongs and fragments are asked about with `bear`; where it says no, no more is read.
        """
        if not self._transport.is_closing():
            self._transport.set_protocol(_Reader(self._owner, take, bear))
            self._transport.resume_reading()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()


class _Reader(asyncio.Protocol):
    """Stands between the transport and uvicorn's protocol, and keeps messages."""

    def __init__(self, owner: WebSocketsSansIOProtocol, take: Take, bear: Bear) -> None:
        self._owner = owner
        self._take = take
        self._bear = bear
        self._max_size = owner.config.ws_max_size
        self._rest = bytearray()
        self._wanted = 0  # bytes of it before there is anything to read
        self._opcode = 0  # of the message whose fragments are coming
        self._begun = bytearray()  # what has come of it
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
        self._rest.clear()
        self._begun.clear()
        self._owner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._rest or self._waiting is not None:
            # Not read again with each byte: a frame of a million may come in as many packets.
            self._rest += data
            if self._waiting is not None or len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
            self._rest.clear()
        self._read(data)

    def _read(self, data: bytes) -> None:
        """Take the whole frames of `data`, and keep the rest."""
        at, size = 0, len(data)
        self._wanted = 6
        while size - at >= 6:
            first, second = data[at], data[at + 1]
            length = second & 0x7F
            start = at + 6
            if length >= 126:
                start += 2 if length == 126 else 8
                if size < start:
                    self._wanted = start - at
                    break
                length = int.from_bytes(data[at + 2 : start - 4], "big")
            end = start + length
            is_text = first == _TEXT and length <= self._max_size and not self._opcode
            is_control = first in _CONTROL and length < 126
            if second < _MASKED or not (is_text or is_control or self._is_part(first, length)):
                self._give_back(data[at:])
                return
            if end > size:
                self._wanted = end - at
                break
            if not is_text and first != _CLOSE and not self._bear():
                self._stop()
                return
            if is_control:
                self._hand_on(data[at:end])
                at = end
                continue
            payload = apply_mask(data[start:end], data[start - 4 : start])
            if not is_text:
                self._opcode = self._opcode or first & 0x0F
                if not first & _FIN:
                    self._begun += payload
                    at = end
                    continue
                is_text = self._opcode == _TEXT_OPCODE
                payload = bytes(self._begun) + payload
            if is_text and not payload.isascii() and not _is_utf8(payload):
                self._give_back(data[at:])
                return
            self._opcode = 0
            self._begun.clear()
            at = end
            waiting = self._take(payload if is_text else None)
            if waiting is not None:
                self._rest += data[at:]
                self._pause(waiting)
                return
        self._rest += data[at:]

    def _stop(self) -> None:
        """Read no more: the socket is being closed, and what else floods in is not looked at."""
        transport = self._owner.transport
        if not transport.is_closing():
            transport.pause_reading()
            asyncio.get_running_loop().call_later(CUT_SECONDS, transport.abort)

    def _is_part(self, first: int, length: int) -> bool:
        """Say whether a frame is a fragment in its place, or a binary one, and not too long."""
        opcode = first & 0x0F
        is_in_place = (
            opcode == _CONTINUATION_OPCODE
            if self._opcode
            else opcode in (_TEXT_OPCODE, _BINARY_OPCODE)
        )
        has_no_flags = first & 0x70 == 0
        return is_in_place and has_no_flags and len(self._begun) + length <= self._max_size

    def _hand_on(self, frame: bytes) -> None:
        """Let uvicorn answer a control frame."""
        # Who pings and reads no pong would have them pile up here; RFC 6455, section 5.5.3, lets
        # all but the last go unanswered.
        waits = self._owner.transport.get_write_buffer_size() > MAX_WAITING_BYTES
        if frame[0] != _PING or not waits:
            self._owner.data_received(frame)

    def _give_back(self, data: bytes) -> None:
        """Let uvicorn read from here on, and the consumer receive through ASGI: it will close."""
        if self._opcode:  # what has come of a message, as one fragment
            header = bytes((self._opcode, _MASKED | 127)) + len(self._begun).to_bytes(8, "big")
            data = header + bytes(4) + self._begun + data
        self._rest.clear()
        self._begun.clear()
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
        rest = bytes(self._rest)
        self._rest.clear()
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
