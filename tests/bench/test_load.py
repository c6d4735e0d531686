"""The load generator counts what a server really did: a good one, and ones with known faults."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.servers.deployment import Deployment
from tests.servers.missing import missing_service
from tests.servers.process import ROOT, free_port
from tests.servers.sheetsync import WebServer

pytestmark = pytest.mark.xdist_group("load")  # they share a generator, which takes long to build

Result = dict[str, Any]
Forward = Callable[[ServerConnection, str], Awaitable[None]]

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the generator with the sanitizers in it: what it does wrong ends it, and the test."""
    if shutil.which("cc") is None:
        missing_service("A C compiler", "apt install gcc libc6-dev.")
    folder = tmp_path_factory.mktemp("load")
    built = subprocess.run(
        ["make", "-C", str(ROOT / "bench" / "load"), f"BUILD={folder}", "SANITIZE=1"],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "load"


async def run_load(load: Path, mode: str, port: int, **options: object) -> Result:
    """Run the generator to its end and return the object that it printed."""
    words = [mode, "--port", str(port), "--core", "-1"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    process = await asyncio.create_subprocess_exec(
        load, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        printed, said = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, said.decode()
    result: Result = json.loads(printed)
    return result


# -- a real server --------------------------------------------------------------------------------


@pytest.fixture
def server(
    web_server: Callable[..., WebServer],
    new_database: Callable[[Literal["sqlite", "postgresql"]], str],
) -> WebServer:
    database_url = new_database("sqlite")
    Deployment(database_url).make_sheets("bench", "bench-0", "bench-1")
    return web_server({"DATABASE_URL": database_url, "ALLOWED_HOSTS": "127.0.0.1"})


async def test_every_edit_of_a_real_server_is_delivered_and_acknowledged(
    load: Path, server: WebServer
) -> None:
    sheet: Result = {"protocol": "sheetsync", "path": "/ws/sheets/bench/"}
    ran = await run_load(
        load, "run", server.port, **sheet, sockets=6, editors=2, rate=100, seconds=1, settle=10
    )
    assert ran["ok"], ran
    assert (ran["sent"], ran["acknowledged"]) == (100, 100)
    assert (ran["expected"], ran["delivered"], ran["missing"]) == (500, 500, 0)
    assert 0 < ran["p50_ms"] <= ran["p90_ms"] <= ran["p99_ms"] <= ran["max_ms"]

    opened = await run_load(load, "open", server.port, **sheet, count=2)
    assert opened["ok"], opened
    assert opened["cells"] == 100
    assert 0 < opened["opened_ms"] <= opened["first_cells_ms"] <= opened["last_cell_ms"]
    caught_up = await run_load(load, "open", server.port, **sheet, revision=90)
    assert caught_up["cells"] == 10

    idle = await run_load(load, "idle", server.port, **sheet, sockets=5, seconds=0.2)
    assert idle["ok"], idle
    assert idle["open"] == 5

    sheets = sheet | {"path": "/ws/sheets/bench-{sheet}/", "sheets": 2}
    apart = await run_load(
        load, "run", server.port, **sheets, sockets=6, editors=2, rate=100, seconds=0.2, settle=10
    )
    assert apart["ok"], apart
    assert apart["expected"] == 20 * 2

    taken_in = await run_load(
        load, "intake", server.port, **sheet, sockets=2, seconds=0.5, window=4, settle=10
    )
    assert taken_in["ok"], taken_in
    assert taken_in["sent"] == taken_in["acknowledged"] > 8


# -- servers with known faults --------------------------------------------------------------------


class Relay:
    """A relay of edits, with a way of its own to hand each on."""

    def __init__(self, forward: Forward | None = None, cells: dict[str, str] | None = None) -> None:
        self.forward = forward or ServerConnection.send
        self.cells = cells or {}
        self.sockets: list[ServerConnection] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        state = json.dumps({"type": "state", "cells": self.cells})
        half = len(state) // 2
        await socket.send([state[:half], state[half:]])  # two fragments
        async for text in socket:
            assert isinstance(text, str)
            for other in self.sockets:
                if other is not socket:
                    task = asyncio.create_task(self._hand_on(other, text))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)

    async def _hand_on(self, other: ServerConnection, text: str) -> None:
        await self.forward(other, text)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        port = free_port()
        async with serve(self.serve, "127.0.0.1", port, compression=None, max_size=None):
            yield port
            await asyncio.gather(*self.tasks, return_exceptions=True)


async def run_against(load: Path, relay: Relay, **options: object) -> Result:
    usual = {"sockets": 4, "editors": 2, "rate": 200, "seconds": 0.5, "settle": 0.5}
    async with relay.listening() as port:
        return await run_load(load, "run", port, protocol="relay", **(usual | options))


async def test_a_faultless_relay_is_ok_without_acknowledgements(load: Path) -> None:
    ran = await run_against(load, Relay())
    assert ran["ok"], ran
    assert ran["acknowledged"] is None
    assert ran["delivered"] == ran["frames"] == 300


async def test_one_dropped_delivery_is_missed(load: Path) -> None:
    count = 0

    async def drop_the_150th(other: ServerConnection, text: str) -> None:
        nonlocal count
        count += 1
        if count != 150:
            await other.send(text)

    ran = await run_against(load, Relay(drop_the_150th))
    assert not ran["ok"]
    assert (ran["expected"], ran["delivered"], ran["missing"]) == (300, 299, 1)


async def test_a_later_write_of_the_cell_stands_for_those_before(load: Path) -> None:
    latest: dict[tuple[int, str], str] = {}

    async def merge(other: ServerConnection, text: str) -> None:
        cell = json.dumps(json.loads(text)["cell"])
        is_planned = (id(other), cell) in latest
        latest[id(other), cell] = text
        if not is_planned:
            await asyncio.sleep(0.1)
            await other.send(latest.pop((id(other), cell)))

    ran = await run_against(load, Relay(merge), rows=1)
    assert ran["ok"], ran
    assert ran["delivered"] == 300
    assert ran["frames"] < 150
    assert ran["p99_ms"] >= 90  # the oldest that a merged delivery stands for


async def test_a_delay_shows_in_the_latencies(load: Path) -> None:
    async def wait(other: ServerConnection, text: str) -> None:
        await asyncio.sleep(0.05)
        await other.send(text)

    ran = await run_against(load, Relay(wait))
    assert ran["ok"], ran
    assert ran["p50_ms"] >= 50


async def test_what_waits_behind_a_stalled_server_counts_from_its_due_time(load: Path) -> None:
    """An open loop: a stall of 0.5 s hits all that was due meanwhile, not one edit alone."""
    stalled_until = 0.0

    async def stall_once(other: ServerConnection, text: str) -> None:
        nonlocal stalled_until
        now = asyncio.get_running_loop().time()
        if not stalled_until and json.loads(text)["value"] == "10":
            stalled_until = now + 0.5
        await asyncio.sleep(max(0.0, stalled_until - now))
        await other.send(text)

    ran = await run_against(load, Relay(stall_once), rate=100, seconds=1, settle=2)
    assert ran["ok"], ran
    assert ran["max_ms"] >= 490
    assert ran["p90_ms"] >= 300  # half of the second's edits waited, evenly spread up to 500 ms


async def test_a_repeated_delivery_counts_once(load: Path) -> None:
    async def twice(other: ServerConnection, text: str) -> None:
        await other.send(text)
        await other.send(text)

    ran = await run_against(load, Relay(twice))
    assert ran["ok"], ran
    assert ran["delivered"] == 300
    assert 250 < ran["repeated"] <= 300  # the last ones may come after the end


async def test_an_edit_that_nobody_sent_is_not_ok(load: Path) -> None:
    async def alter(other: ServerConnection, text: str) -> None:
        await other.send(text)
        if json.loads(text)["value"] == "10":
            await other.send(text.replace('"10"', '"1000010"'))

    ran = await run_against(load, Relay(alter))
    assert not ran["ok"]
    assert ran["strange"] == 6
    assert ran["missing"] == 0


async def test_closes_are_told_by_their_codes(load: Path) -> None:
    relay = Relay()

    async def close_the_last(other: ServerConnection, text: str) -> None:
        if json.loads(text)["value"] == "10" and other is relay.sockets[-1]:
            await other.close(4408, "too slow")
            return
        with contextlib.suppress(Exception):
            await other.send(text)

    relay.forward = close_the_last
    ran = await run_against(load, relay)
    assert not ran["ok"]
    assert ran["closes"] == {"4408": 1}
    assert ran["missing"] >= 70


async def test_pings_long_frames_and_odd_cuts_change_nothing(load: Path) -> None:
    """Messages of all sizes at which a frame's head changes, and far above the buffers."""
    sizes = iter([125, 126, 127, 65_535, 65_536, 65_537, 300_000, 5 * MEGABYTE])

    async def pad(other: ServerConnection, text: str) -> None:
        await (await other.ping())
        frame = json.loads(text) | {"odd": ['"\\]}'], "pad": ""}
        missing = next(sizes, 200) - len(json.dumps(frame))
        text = json.dumps(frame | {"pad": "x" * missing})
        third = len(text) // 3
        await other.send([text[:third], "", text[third:]] if len(text) % 2 else text)

    cells = {f"{row}:0": "x" * 1000 for row in range(9_000)}
    ran = await run_against(load, Relay(pad, cells), rate=20, seconds=1, settle=10)
    assert ran["ok"], ran
    assert ran["bytes_in"] > 5 * MEGABYTE


# -- SheetSync's wire, where a real server seldom goes ---------------------------------------------

PACKINGS = {
    "as it is": (0, zlib.Z_DEFAULT_STRATEGY),
    "as SheetSync does": (4, zlib.Z_DEFAULT_STRATEGY),
    "with fixed codes": (9, zlib.Z_FIXED),
}


class Sheet:
    """Answers sheet.open with a snapshot of 20,000 cells at revision 7; knows up to revision 9."""

    def __init__(self, level: int = 4, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> None:
        packer = zlib.compressobj(level, zlib.DEFLATED, 31, zlib.DEF_MEM_LEVEL, strategy)
        lines = b""
        for at in range(10):
            cells = [[row, 30, f"text {row}"] for row in range(at * 2_000, at * 2_000 + 2_000)]
            more = {"more": True} if at < 9 else {}
            lines += json.dumps(_changed(0, 7, cells) | more).encode() + b"\n"
        self.packed = packer.compress(lines) + packer.flush()
        self.asked: list[Result] = []

    async def serve(self, socket: ServerConnection) -> None:
        async for text in socket:
            frame = json.loads(text)
            self.asked.append(frame)
            await self._answer(socket, frame["revision"])

    async def _answer(self, socket: ServerConnection, revision: int | None) -> None:
        await socket.send(json.dumps({"type": "sheet.opened", "protocol": 1, "head": 9}))
        if revision is None:
            announced = {"after": 0, "through": 7, "encoding": "gzip", "cells": 20_000}
            size = {"type": "cells.packed", "bytes": len(self.packed)}
            await socket.send(json.dumps(announced | size))
            for at in range(0, len(self.packed), 10_000):
                await socket.send(self.packed[at : at + 10_000])
        await socket.send(json.dumps(_changed(7, 9, [[0, 30, "8"], [0, 30, "9"]])))
        everyone = {"type": "presence.changed", "clients": [], "gone": [], "full": True}
        await socket.send(json.dumps(everyone))


def _changed(after: int, through: int, cells: list[list[Any]]) -> Result:
    return {
        "type": "cells.changed",
        "after": after,
        "through": through,
        "changes": [[None, cells]],
    }


@pytest.mark.parametrize("packing", PACKINGS)
async def test_a_packed_first_load_is_read_to_its_last_cell(load: Path, packing: str) -> None:
    sheet = Sheet(*PACKINGS[packing])
    port = free_port()
    async with serve(sheet.serve, "127.0.0.1", port, compression=None):
        opened = await run_load(load, "open", port, protocol="sheetsync-packed", count=2)
    assert opened["ok"], opened
    assert sheet.asked[0]["packed"] == "gzip"
    assert opened["cells"] == 20_002
    assert opened["bytes"] > len(sheet.packed)


async def test_a_gap_is_closed_by_asking_for_what_is_missing(load: Path) -> None:
    asked: list[int | None] = []
    operation_ids: list[UUID] = []

    async def skip_a_revision(socket: ServerConnection) -> None:
        log: list[list[Any]] = []
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "sheet.open":
                asked.append(frame["revision"])
                await socket.send(json.dumps({"type": "sheet.opened", "head": len(log)}))
                missed = log[frame["revision"] or 0 :]
                await socket.send(json.dumps(_changed(frame["revision"] or 0, len(log), missed)))
                await socket.send(json.dumps({"type": "presence.changed", "full": True}))
                continue
            operation_ids.append(UUID(frame["operation_id"]))
            log += frame["operation"]["cells"]
            if len(log) != 3:
                await socket.send(json.dumps(_changed(len(log) - 1, len(log), log[-1:])))
            number = [[frame["operation_id"], len(log)]]
            await socket.send(json.dumps({"type": "operations.committed", "operations": number}))

    port = free_port()
    async with serve(skip_a_revision, "127.0.0.1", port, compression=None):
        ran = await run_load(
            load, "run", port, protocol="sheetsync", sockets=1, rate=50, seconds=0.2
        )
    assert ran["ok"], ran
    assert ran["gaps"] == 1
    assert asked == [None, 2]
    assert {id_.version for id_ in operation_ids} == {4}
    # As random as anybody's, in the first bits too: an index must not be spared.
    assert len({id_.time_low for id_ in operation_ids}) == 10


async def test_a_server_that_does_not_answer_is_said(load: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        load,
        *("run", "--protocol", "relay", "--sockets", "2", "--rate", "1"),
        *("--port", str(free_port())),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert not printed
    assert b"only 0 of 2 sockets got ready" in said
