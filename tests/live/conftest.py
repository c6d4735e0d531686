"""A real ASGI server in this process, on the test database, and clients of the wire contract."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from cells.live.hubs import get_hubs
from cells.models import LinkRole, Sheet
from cells.services.access import create_sheet
from sheetsync.asgi import application
from tests.servers.replica import Frame, Packed, Replica

SECONDS = 60.0


class Tab:
    """A browser tab: one socket on one sheet, its replica, and all frames that it was sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.client_id = str(uuid.uuid4())
        self.replica = Replica()
        self.packed: Packed | None = None
        self.frames: list[Frame] = []
        self.close_code: int | None = None
        self._read = asyncio.Condition()
        self._reader = asyncio.create_task(self._receive())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.socket.close()
        await self._reader

    async def open(
        self,
        revision: int | None = None,
        client_id: str | None = None,
        packed: str | None = None,
        held_ms: float | None = None,
    ) -> Frame:
        """Open the sheet and wait until the head is reached."""
        seen = len(self.frames)
        await self.ask(revision, client_id, packed, held_ms=held_ms)
        opened = await self.next("sheet.opened", seen)
        await self.until(lambda: self.replica.revision >= opened["head"])
        await self.next("presence.changed", seen)
        return opened

    async def ask(
        self,
        revision: int | None = None,
        client_id: str | None = None,
        packed: str | None = None,
        view: tuple[int, int] | None = None,
        held_ms: float | None = None,
    ) -> None:
        """Send sheet.open; `view` is the position of the first row that is shown, and how many."""
        self.client_id = client_id or self.client_id
        await self.send(
            {
                "type": "sheet.open",
                "protocol": 1,
                "client_id": self.client_id,
                "revision": revision,
                **({} if packed is None else {"packed": packed}),
                **({} if view is None else {"view": {"rows": view}}),
                **({} if held_ms is None else {"held_ms": held_ms}),
            }
        )

    async def send(self, frame: object) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def submit(
        self, operation: Frame, operation_id: str | None = None, **more: object
    ) -> Frame:
        """Submit an operation, with more fields of the frame; return the frame that answers it."""
        operation_id = operation_id or str(uuid.uuid4())
        seen = len(self.frames)
        frame = {"type": "operation.submit", "operation_id": operation_id, "operation": operation}
        await self.send(frame | more)

        def answer() -> Frame | None:
            for frame in self.frames[seen:]:
                if frame.get("operation_id") == operation_id:
                    return frame
                if operation_id in dict(frame.get("operations", [])):
                    return frame
            return None

        await self.until(lambda: answer() is not None)
        found = answer()
        assert found is not None
        return found

    async def put(self, row: int, column: int, text: str) -> Frame:
        return await self.submit({"kind": "set_cells", "cells": [[row, column, text]]})

    async def next(self, kind: str, after: int = 0) -> Frame:
        """Return the first frame of a type behind the first `after` ones."""
        return await self._first({kind}, after)

    async def refusal(self, after: int = 0) -> Frame:
        """Return the first refusal, of a frame or an operation, behind the first `after` frames."""
        return await self._first({"error", "operation.rejected"}, after)

    async def _first(self, kinds: set[str], after: int) -> Frame:
        def found() -> Frame | None:
            return next((f for f in self.frames[after:] if f["type"] in kinds), None)

        await self.until(lambda: found() is not None)
        frame = found()
        assert frame is not None
        return frame

    async def until(self, is_so: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until something holds that only a frame can bring about."""
        try:
            async with asyncio.timeout(seconds), self._read:
                await self._read.wait_for(is_so)
        except TimeoutError:
            frames = "\n".join(str(frame)[:200] for frame in self.frames[-10:])
            raise AssertionError(f"not within {seconds} s; the last frames:\n{frames}") from None

    async def until_closed(self, seconds: float = SECONDS) -> int | None:
        await self.until(lambda: self._reader.done() or self.close_code is not None, seconds)
        return self.close_code

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "sheet.opened":
            self.replica.open(frame)
        elif frame["type"] == "cells.packed":
            self.packed = Packed(frame)
        elif frame["type"] == "cells.changed":
            assert self.replica.apply(frame), f"a gap at {self.replica.revision}: {frame}"
        self.frames.append(frame)

    async def _receive(self) -> None:
        try:
            async for message in self.socket:
                if isinstance(message, bytes):
                    assert self.packed is not None
                    for frame in self.packed.take(message) or []:
                        self._take(frame)
                else:
                    self._take(json.loads(message))
                async with self._read:
                    self._read.notify_all()
        except ConnectionClosed:
            pass
        self.close_code = self.socket.close_code
        async with self._read:
            self._read.notify_all()


class LiveServer:
    """The application behind uvicorn as it is deployed, in this event loop."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        self.port = port
        self.origin = Origin(f"http://127.0.0.1:{port}")
        self._stack = stack

    async def connect(
        self,
        slug: str = "prices",
        *,
        user: User | None = None,
        origin: str | None = None,
        **options: Any,
    ) -> Tab:
        headers = {}
        if user is not None:
            headers["Cookie"] = f"sessionid={await sync_to_async(session_of)(user)}"
        socket = await connect(
            f"ws://127.0.0.1:{self.port}/ws/sheets/{slug}/",
            origin=Origin(origin) if origin else self.origin,
            additional_headers=headers,
            max_size=None,
            proxy=None,
            **options,
        )
        return await self._stack.enter_async_context(Tab(socket))

    async def tab(self, slug: str = "prices", *, user: User | None = None) -> Tab:
        """Return a tab that has the sheet open."""
        tab = await self.connect(slug, user=user)
        await tab.open()
        return tab


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[LiveServer]:
    """Serve the test database; a sheet `prices` that every guest may edit is there."""
    await sync_to_async(create_sheet)(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)
    config = uvicorn.Config(
        application,
        port=0,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1024 * 1024,
        log_config=None,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    async with AsyncExitStack() as stack:
        yield LiveServer(server.servers[0].sockets[0].getsockname()[1], stack)
    await server.shutdown()
    await get_hubs().stop()
    await sync_to_async(connections.close_all)()


def session_of(user: User) -> str:
    """Sign a person in and return the session's key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key


async def database(work: Callable[[], Any]) -> Any:
    """Use the ORM from a coroutine."""
    return await sync_to_async(work)()


async def state_of(slug: str = "prices") -> tuple[int, dict[tuple[int, int], str]]:
    """Return a sheet's head and its filled cells, as the database has them."""

    def read() -> tuple[int, dict[tuple[int, int], str]]:
        sheet = Sheet.objects.get(slug=slug)
        cells = sheet.cells.exclude(input="").values_list("row", "column", "input")
        return sheet.head, {(row, column): text for row, column, text in cells}

    head, cells = await sync_to_async(read)()
    return head, cells
