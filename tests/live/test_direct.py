"""What goes past ASGI says the same as what goes through it, and only whole text frames do."""

import asyncio
import json
import uuid

import pytest
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

from cells.live import direct as direct_module
from cells.live.direct import DirectSocket
from cells.live.frames import Frame
from tests.live.conftest import LiveServer


def submission(row: int, text: str) -> str:
    return json.dumps(
        {
            "type": "operation.submit",
            "operation_id": str(uuid.uuid4()),
            "operation": {"kind": "set_cells", "cells": [[row, 0, text]]},
        }
    )


def wire(text: str) -> bytes:
    return WireFrame(Opcode.TEXT, text.encode()).serialize(mask=True)


@pytest.fixture(params=["past ASGI", "through ASGI"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "through ASGI":
        monkeypatch.setattr(DirectSocket, "under", lambda send: None)
    return str(request.param)


async def test_behind_uvicorn_frames_go_past_asgi(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = DirectSocket.write

    def count(self: DirectSocket, data: bytes) -> bool:
        written.append(len(data))
        return write(self, data)

    monkeypatch.setattr(DirectSocket, "write", count)
    tab = await live.tab()
    await tab.put(0, 0, "x")
    await tab.until(lambda: tab.replica.revision == 1)
    assert len(written) == len(tab.frames)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_frame_of_any_length_is_framed_as_the_library_frames_it(length: int) -> None:
    payload = b"x" * length
    assert Frame(payload).wire == WireFrame(Opcode.TEXT, payload).serialize(mask=False)


async def test_frames_cut_at_every_byte_are_put_together(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    data = wire(submission(0, "short")) + wire(submission(1, "long " * 100))
    for at in range(len(data)):
        tab.socket.transport.write(data[at : at + 1])
        await asyncio.sleep(0)
    await tab.until(lambda: tab.replica.filled() == {(0, 0): "short", (1, 0): "long " * 100})


async def test_many_frames_in_one_packet_are_taken_in_order(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    tab.socket.transport.write(b"".join(wire(submission(0, str(n))) for n in range(1_000)))
    await tab.until(lambda: tab.replica.revision == 1_000)
    assert tab.replica.filled() == {(0, 0): "999"}


async def test_a_frame_of_64_kilobytes_and_more_is_taken(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    texts = {(row, 0): "ü" * 12_000 for row in range(3)}
    cells = [[row, column, text] for (row, column), text in texts.items()]
    await tab.submit({"kind": "set_cells", "cells": cells}, str(uuid.uuid4()))
    await tab.until(lambda: tab.replica.filled() == texts)


async def test_a_fragmented_message_is_taken_and_order_is_kept(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    whole, parts, after = submission(0, "1"), submission(0, "2"), submission(0, "3")
    await tab.socket.send(whole)
    await tab.socket.send([parts[:20], parts[20:40], parts[40:]])
    await tab.socket.send(after)
    await tab.until(lambda: tab.replica.revision == 3)
    assert tab.replica.filled() == {(0, 0): "3"}


async def test_a_ping_between_edits_is_answered(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    await tab.socket.send(submission(0, "1"))
    answered = await tab.socket.ping()
    await tab.socket.send(submission(1, "2"))
    await asyncio.wait_for(answered, 5)
    await tab.until(lambda: tab.replica.revision == 2)


async def test_text_that_is_no_utf8_closes_with_1007(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    await tab.socket.send(b"\xff\xfe", text=True)
    assert await tab.until_closed() == 1007


async def test_a_frame_above_the_servers_limit_closes_with_1009(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    await tab.socket.send("x" * (1024 * 1024 + 1))
    assert await tab.until_closed() == 1009


async def test_what_was_sent_before_a_close_is_committed(live: LiveServer, way: str) -> None:
    alice, bob = await live.tab(), await live.tab()
    for number in range(50):
        await alice.socket.send(submission(number, "x"))
    await alice.socket.close()
    await bob.until(lambda: bob.replica.revision == 50)


async def test_a_ping_is_not_answered_while_too_much_waits_to_be_read(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_module, "MAX_WAITING_BYTES", -1)  # so nothing at all may wait
    tab = await live.tab()
    answered = asyncio.ensure_future(await tab.socket.ping())
    await tab.put(0, 0, "behind the ping")
    assert not answered.done()
    answered.cancel()


def fragment(opcode: Opcode, payload: bytes, *, fin: bool = False, flags: int = 0) -> bytes:
    """One frame, masked; also what the library refuses to send."""
    whole = WireFrame(Opcode.TEXT, payload).serialize(mask=True)
    return bytes(((0x80 if fin else 0) | flags | opcode,)) + whole[1:]


def fragments(text: str, count: int) -> bytes:
    """A message in its first half a byte at a time, and the rest in one piece."""
    data = text.encode()
    parts = [data[at : at + 1] for at in range(count - 1)] + [data[count - 1 :]]
    opcodes = [Opcode.TEXT] + [Opcode.CONT] * (count - 1)
    return b"".join(
        fragment(opcode, part, fin=at == count - 1)
        for at, (opcode, part) in enumerate(zip(opcodes, parts, strict=True))
    )


async def test_a_message_in_thousands_of_fragments_is_taken(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    tab.socket.transport.write(fragments(submission(0, "ü" * 3_000), 3_000))
    await tab.until(lambda: tab.replica.filled() == {(0, 0): "ü" * 3_000})


async def test_a_ping_between_two_fragments_is_answered(live: LiveServer, way: str) -> None:
    tab = await live.tab()
    whole = submission(0, "1").encode()
    tab.socket.transport.write(fragment(Opcode.TEXT, whole[:9]))
    await asyncio.wait_for(await tab.socket.ping(), 30)
    tab.socket.transport.write(fragment(Opcode.CONT, whole[9:], fin=True))
    await tab.until(lambda: tab.replica.filled() == {(0, 0): "1"})


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param(fragment(Opcode.TEXT, b"{") + wire("{}"), 1002, id="a message within one"),
        pytest.param(fragment(Opcode.CONT, b"{}", fin=True), 1002, id="a fragment of nothing"),
        pytest.param(
            fragment(Opcode.TEXT, b"\xc3") + fragment(Opcode.CONT, b"(", fin=True),
            1007,
            id="no UTF-8 across fragments",
        ),
        pytest.param(
            fragment(Opcode.TEXT, b"x" * 900_000) + fragment(Opcode.CONT, b"x" * 900_000),
            1009,
            id="too long in all",
        ),
        pytest.param(fragment(Opcode.TEXT, b"{}", fin=True, flags=0x40), 1002, id="compressed"),
        pytest.param(
            WireFrame(Opcode.TEXT, b"{} " * 9).serialize(mask=False), 1002, id="not masked"
        ),
        pytest.param(fragment(Opcode.PING, b"", fin=False), 1002, id="a ping in fragments"),
    ],
)
async def test_what_breaks_the_protocol_closes_with_its_code(
    live: LiveServer, way: str, frames: bytes, code: int
) -> None:
    tab = await live.tab()
    tab.socket.transport.write(frames)
    assert await tab.until_closed() == code


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(fragment(Opcode.PING, b"", fin=True) * 20_000, id="pings"),
        pytest.param(
            fragment(Opcode.TEXT, b"") + fragment(Opcode.CONT, b"") * 20_000,
            id="a message that never ends",
        ),
    ],
)
async def test_a_flood_of_trifles_closes_that_socket_alone(live: LiveServer, frames: bytes) -> None:
    flooding, other = await live.tab(), await live.tab()
    flooding.socket.transport.write(frames)
    assert await flooding.until_closed() == 4429
    await other.put(0, 0, "as before")
    await other.until(lambda: other.replica.filled() == {(0, 0): "as before"})


async def test_a_binary_message_is_refused_and_the_next_one_taken(
    live: LiveServer, way: str
) -> None:
    tab = await live.tab()
    await tab.socket.send(b"\x00\xff")
    await tab.put(0, 0, "1")
    await tab.until(lambda: tab.replica.filled() == {(0, 0): "1"})
    assert any('"malformed"' in json.dumps(frame) for frame in tab.frames)
