"""A client on bare sockets: cheap, so that the load on a shared core is the server's."""

import asyncio
import json
import struct
import time
import uuid
from collections.abc import Callable, Sequence
from typing import cast


def text_frame(frame: object) -> bytes:
    """Return a text frame as a client sends it, masked with zeros."""
    return frame_bytes(0x81, json.dumps(frame).encode())


def frame_bytes(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def submission(cells: Sequence[tuple[int, int, str]]) -> bytes:
    operation = {"kind": "set_cells", "cells": cells}
    return text_frame(
        {"type": "operation.submit", "operation_id": str(uuid.uuid4()), "operation": operation}
    )


class Client(asyncio.Protocol):
    """One socket: calls `take` with each text frame, and remembers why it was closed."""

    def __init__(self, take: Callable[[bytes], None] = lambda payload: None) -> None:
        self.take = take
        self.transport: asyncio.Transport
        self.buffer = b""
        self.is_upgraded = False
        self.is_open = asyncio.Event()
        self.closed = asyncio.Event()
        self.can_write = asyncio.Event()
        self.can_write.set()
        self.close_code: int | None = None
        self.closed_at = 0.0
        self.bytes_in = 0

    async def dial(self, port: int, revision: int | None = None) -> "Client":
        """Connect and ask to open the sheet; `is_open` tells when it is."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port)
        hello = {"type": "sheet.open", "protocol": 1, "client_id": str(uuid.uuid4())}
        self.transport.write(
            b"GET /ws/sheets/bench/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1\r\n\r\n"
        )
        self.hello = text_frame(hello | {"revision": revision})
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class

    def pause_writing(self) -> None:
        self.can_write.clear()

    def resume_writing(self) -> None:
        self.can_write.set()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.is_set():
            self.close_code, self.closed_at = self.close_code or 1006, time.monotonic()
        self.closed.set()
        self.can_write.set()

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self.buffer += data
        if not self.is_upgraded:
            head, end, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if not end:
                self.buffer = head
                return
            self.is_upgraded = True
            self.transport.write(self.hello)
        at = 0
        while (size := len(self.buffer) - at) >= 2:
            length, start = self.buffer[at + 1], 2
            if length == 126:
                if size < 4:
                    break
                (length,), start = struct.unpack_from("!H", self.buffer, at + 2), 4
            elif length == 127:
                if size < 10:
                    break
                (length,), start = struct.unpack_from("!Q", self.buffer, at + 2), 10
            if size < start + length:
                break
            self._take(self.buffer[at], self.buffer[at + start : at + start + length])
            at += start + length
        self.buffer = self.buffer[at:]

    def _take(self, first: int, payload: bytes) -> None:
        if first == 0x88:
            (self.close_code,) = struct.unpack_from("!H", payload)
            self.closed_at = time.monotonic()
            self.closed.set()
            self.transport.write(frame_bytes(0x88, payload[:2]))
        elif first == 0x89:
            self.transport.write(frame_bytes(0x8A, payload))
        elif first == 0x81:
            if payload.startswith(b'{"type":"presence.changed"') and b'"full":true' in payload:
                self.is_open.set()
            self.take(payload)

    async def until_open(self) -> None:
        waits = {asyncio.ensure_future(event.wait()) for event in (self.is_open, self.closed)}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not self.is_open.is_set():
            raise ConnectionError(f"closed with {self.close_code}")
