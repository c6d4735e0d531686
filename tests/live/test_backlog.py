"""A socket that does not read: closed with 4408, and never felt by its neighbours."""

import asyncio
import uuid

import pytest

from cells.live import client as client_module
from cells.live import outbox as outbox_module
from cells.live.frames import Frame
from cells.live.outbox import Outbox
from cells.protocol import CloseCode
from tests.live.conftest import LiveServer, state_of


class Socket:
    """An ASGI send that stops taking frames until it is released."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []
        self.takes = asyncio.Event()
        self.takes.set()

    async def send(self, message: dict[str, object]) -> None:
        await self.takes.wait()
        self.sent.append(message)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_frames_go_out_in_order() -> None:
    socket = Socket()
    outbox = Outbox(socket.send)
    for number in range(100):
        outbox.put(Frame(b"%d" % number))
    await settle()
    assert [message["text"] for message in socket.sent] == [str(number) for number in range(100)]
    await outbox.stop()


async def test_a_backlog_over_the_bound_is_dropped_and_the_socket_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "MAX_BACKLOG_BYTES", 1_000)
    socket = Socket()
    socket.takes.clear()
    outbox = Outbox(socket.send)
    for _ in range(11):
        outbox.put(Frame(b"x" * 100))
        await settle()
    closed = [outbox.is_closed]  # not yet: one is with the socket, ten wait, just within
    outbox.put(Frame(b"x"))
    assert [*closed, outbox.is_closed] == [False, True]
    socket.takes.set()
    await settle()
    assert [message["type"] for message in socket.sent] == ["websocket.send", "websocket.close"]
    assert socket.sent[-1]["code"] == CloseCode.TOO_SLOW
    await outbox.stop()


async def test_a_lone_frame_passes_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_BACKLOG_BYTES", 1_000)
    socket = Socket()
    outbox = Outbox(socket.send)
    outbox.put(Frame(b"x" * 5_000))
    await settle()
    assert (len(socket.sent), outbox.is_closed) == (1, False)
    await outbox.stop()


async def test_a_client_with_much_in_flight_is_read_no_further(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_IN_FLIGHT_WEIGHT", 1)
    tab = await live.tab()
    for number in range(20):
        await tab.send(
            {
                "type": "operation.submit",
                "operation_id": str(uuid.uuid4()),
                "operation": {"kind": "set_cells", "cells": [[number, 0, "x"]]},
            }
        )
    await tab.until(lambda: tab.replica.revision == 20)
    batches = [frame for frame in tab.frames if frame["type"] == "operations.committed"]
    assert [len(frame["operations"]) for frame in batches] == [1] * 20


async def test_a_large_answer_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "PACED_BACKLOG_BYTES", 100)
    socket = Socket()
    socket.takes.clear()
    outbox = Outbox(socket.send)
    outbox.put(Frame(b"x" * 60))
    await asyncio.wait_for(outbox.wait_for_room(), 1)
    for _ in range(3):
        outbox.put(Frame(b"x" * 60))
    waiting = asyncio.create_task(outbox.wait_for_room())
    await settle()
    assert not waiting.done()
    socket.takes.set()
    await asyncio.wait_for(waiting, 1)
    await outbox.stop()


async def test_a_socket_that_is_gone_ends_its_outbox() -> None:
    async def send(message: dict[str, object]) -> None:
        raise OSError("gone")

    outbox = Outbox(send)
    outbox.put(Frame(b"x"))
    await settle()
    assert outbox.is_closed
    await asyncio.wait_for(outbox.wait_for_room(), 1)
    await outbox.stop()


async def test_a_tab_that_stops_reading_does_not_slow_its_neighbours(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    # A real socket with small buffers whose owner opens the sheet and then reads nothing more.
    sleeper = await live.connect(max_queue=1, write_limit=1)
    await sleeper.open()
    sleeper.socket.transport.pause_reading()
    text = "x" * 20_000
    edits = 600  # 12 MB: more than the kernel's buffers and the outbox's bound together
    for number in range(edits):
        answer = await alice.submit(
            {"kind": "set_cells", "cells": [[number % 1000, 0, f"{number} {text}"]]},
            str(uuid.uuid4()),
        )
        assert answer["type"] == "operations.committed"
    await bob.until(lambda: bob.replica.revision == edits)
    _, cells = await state_of()
    assert bob.replica.filled() == alice.replica.filled() == cells
    sleeper.socket.transport.resume_reading()
    assert await sleeper.until_closed(10) == CloseCode.TOO_SLOW
    again = await live.tab()
    assert again.replica.filled() == cells
