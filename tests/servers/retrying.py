"""A client that survives outages as the wire contract allows: it reconnects and tries again."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin

from tests.servers.replica import Frame, Replica

RETRY_SECONDS = 0.1


class RetryingClient:
    """One person on one sheet, over as many sockets as it takes.

    What is unacknowledged goes out again under its operation id after a reconnect and after a
    retryable rejection; the replica catches up from its revision.
    """

    def __init__(self, websocket_url: str, sheet: str = "prices") -> None:
        self.websocket_url = websocket_url
        self.sheet = sheet
        self.client_id = str(uuid.uuid4())
        self.replica = Replica()
        self.submitted: set[str] = set()
        self.unacknowledged: dict[str, Frame] = {}
        self.acknowledged: dict[str, int] = {}
        self.waits: list[float] = []  # seconds from each submission here to its acknowledgement
        self.rejected: list[Frame] = []
        self.close_codes: list[int | None] = []
        self.present: dict[str, Frame] = {}
        self.is_open = False
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self._retries: set[asyncio.Task[None]] = set()
        self._submitted_at: dict[str, float] = {}
        self._living = asyncio.create_task(self._live())

    async def __aenter__(self) -> Self:
        await self.until_open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the socket for good."""
        for task in (self._living, *self._retries):
            task.cancel()
        await asyncio.gather(self._living, *self._retries, return_exceptions=True)

    async def submit(self, operation: Frame) -> str:
        """Submit an operation and return its id; it stays unacknowledged until it is answered."""
        operation_id = str(uuid.uuid4())
        self.submitted.add(operation_id)
        self._submitted_at[operation_id] = time.monotonic()
        self.unacknowledged[operation_id] = {
            "type": "operation.submit",
            "operation_id": operation_id,
            "operation": operation,
        }
        await self._send(operation_id)
        return operation_id

    async def put(self, row: int, column: int, text: str) -> str:
        return await self.submit({"kind": "set_cells", "cells": [[row, column, text]]})

    async def until(self, is_so: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something holds that only a frame or a lost socket can bring about."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(is_so)
        except TimeoutError:
            raise AssertionError(
                f"{what}: not within {seconds} s, at revision {self.replica.revision} with "
                f"{len(self.unacknowledged)} unacknowledged, closed with {self.close_codes}"
            ) from None

    async def until_open(self, seconds: float = 60) -> None:
        await self.until(lambda: self.is_open, "the sheet open", seconds)

    async def until_acknowledged(self, seconds: float = 60) -> None:
        await self.until(lambda: not self.unacknowledged, "all edits acknowledged", seconds)

    async def until_revision(self, revision: int, seconds: float = 60) -> None:
        await self.until(lambda: self.replica.revision >= revision, f"revision {revision}", seconds)

    async def until_cell(self, row: int, column: int, text: str, seconds: float = 60) -> None:
        await self.until(
            lambda: self.replica.cells.get((row, column)) == text, f"{text!r}", seconds
        )

    async def _live(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException):
                await self._serve_one_socket()
            await asyncio.sleep(RETRY_SECONDS)

    async def _serve_one_socket(self) -> None:
        async with connect(
            f"{self.websocket_url}/ws/sheets/{self.sheet}/",
            origin=Origin(self.websocket_url.replace("ws://", "http://")),
            max_size=None,
            proxy=None,
        ) as socket:
            self._socket = socket
            try:
                await self._open(socket)
                async for text in socket:
                    await self._receive(socket, json.loads(text))
            finally:
                self.is_open = False
                self.close_codes.append(socket.close_code)
                await self._notify()

    async def _open(self, socket: ClientConnection) -> None:
        frame: dict[str, Any] = {
            "type": "sheet.open",
            "protocol": 1,
            "client_id": self.client_id,
            "revision": self.replica.revision or None,
        }
        await socket.send(json.dumps(frame))

    async def _receive(self, socket: ClientConnection, frame: Frame) -> None:
        match frame["type"]:
            case "sheet.opened":
                self.replica.open(frame)
                self.is_open = True
                for operation_id in list(self.unacknowledged):
                    await self._send(operation_id)
            case "cells.changed":
                if not self.replica.apply(frame):
                    await self._open(socket)
            case "operations.committed":
                for operation_id, revision in frame["operations"]:
                    self.unacknowledged.pop(operation_id, None)
                    self.acknowledged[operation_id] = revision
                    if (began := self._submitted_at.pop(operation_id, None)) is not None:
                        self.waits.append(time.monotonic() - began)
            case "operation.rejected":
                self.rejected.append(frame)
                assert frame["retryable"], frame
                self._retry_soon(frame["operation_id"])
            case "presence.changed":
                if frame.get("full"):
                    self.present = {}
                self.present |= {client["client_id"]: client for client in frame["clients"]}
                for client_id in frame["gone"]:
                    self.present.pop(client_id, None)
        await self._notify()

    def _retry_soon(self, operation_id: str) -> None:
        async def retry() -> None:
            await asyncio.sleep(RETRY_SECONDS)
            await self._send(operation_id)

        task = asyncio.create_task(retry())
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    async def _send(self, operation_id: str) -> None:
        if self.is_open and self._socket is not None and operation_id in self.unacknowledged:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(self.unacknowledged[operation_id]))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
