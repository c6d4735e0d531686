"""What the others feel while one client misbehaves: `python -m bench.overload`.

Twenty well-behaved sockets on one sheet, two of them editing, 20 edits a second in all; a calm
spell, then one of the scenarios from a process of its own. Latency counts from the moment at which
an edit was due. The server, and PostgreSQL, run on core 0, the clients on core 1. `measure` returns
rows; run as a script it prints them as Markdown.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from tests.servers.postgresql import PostgresqlServer
from tests.servers.sheetsync import WebServer, run_manage

NEIGHBOURS = 20
EDITORS = 2
EDITS_PER_SECOND = 20.0
CALM_SECONDS = 4.0
LEAD_SECONDS = 1.0  # for the offender's process to start
SERVER_CORE, LOAD_CORE = 0, 1
NICENESS = 10  # of the offender: the clients that are measured come first on their core
BIG_CELLS, BIG_TEXT = 100_000, 1_000  # 100 MB of text
MAKE_SHEET = (
    "from cells.services.access import create_sheet; "
    "create_sheet(None, 'Bench', slug='bench', link_role='editor')"
)
FILL_SHEET = f"""
import uuid
from cells.domain.operations import SetCells
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
text = "x" * {BIG_TEXT}
author = Author(AuthorKind.STREAM, "bench")
cells = [(number // 26, number % 26) for number in range({BIG_CELLS})]
from cells.domain.operations import parse_operation
from cells.models import Sheet
rows = {BIG_CELLS} // 26 + 1 - 1_000
operation = parse_operation({{"kind": "insert_rows", "before": None, "count": rows}})
assert commit([Submission("bench", uuid.uuid4(), operation, author)]).deltas
for at in range(0, len(cells), 1_000):
    part = tuple((row, column, text) for row, column in cells[at : at + 1_000])
    commit([Submission("bench", uuid.uuid4(), SetCells(part), author)])
print(Sheet.objects.get(slug="bench").head)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario on one deployment; latencies in ms, memory in MB, of the worker."""

    deployment: str
    scenario: str
    calm_p99: float
    p50: float
    p99: float
    max: float
    delivered: float
    lag_max: float  # of the measuring client itself
    waited: float  # share of the time in which the server could have run but had no core
    rss_before: float
    rss_peak: float
    offender: str

    def markdown(self) -> str:
        return (
            f"| {self.deployment} | {self.scenario} | {self.calm_p99:.1f} | {self.p50:.1f} "
            f"| **{self.p99:.1f}** | {self.max:.0f} | {self.delivered:.1%} | {self.lag_max:.0f} "
            f"| {self.waited:.0%} "
            f"| {self.rss_before:.0f} → {self.rss_peak:.0f} | {self.offender} |"
        )


HEADER = (
    "| deployment | scenario | calm p99 ms | p50 ms | p99 ms | max ms | delivered "
    "| client's own lag ms | core taken from the server | server MB, peak | the offender |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)

# -- a client on bare sockets: cheap, so that the load is the server's ----------------------------


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


# -- the others ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Felt:
    """What the well-behaved sockets felt: (due moment, ms) of each delivery, and our own lag."""

    deliveries: list[tuple[float, float]] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)

    def between(self, begin: float, end: float) -> tuple[list[float], float]:
        """Return the latencies of edits due in a spell, sorted, and the share that came."""
        found = sorted(ms for due, ms in self.deliveries if begin <= due < end)
        expected = sum(begin <= due < end for due in self.sent) * (NEIGHBOURS - 1)
        return found, len(found) / max(1, expected)


def percentile(found: Sequence[float], share: float) -> float:
    return found[min(len(found) - 1, math.ceil(len(found) * share) - 1)] if found else math.nan


@asynccontextmanager
async def neighbours(port: int, revision: int | None) -> AsyncIterator[Felt]:
    felt = Felt()

    def taker(place: int) -> Callable[[bytes], None]:
        def take(payload: bytes) -> None:
            now = time.monotonic()
            if payload.startswith(b'{"type":"cells.changed"') and b'"due:' in payload:
                for _author, cells in json.loads(payload)["changes"]:
                    for cell in cells:
                        if cell[2].startswith("due:") and cell[1] != place:
                            due = float(cell[2][4:])
                            felt.deliveries.append((due, (now - due) * 1000))

        return take

    clients = [Client(taker(place)) for place in range(NEIGHBOURS)]
    for client in clients:
        await client.dial(port, revision)
        await client.until_open()
    is_over = False

    async def edit(place: int) -> None:
        interval = EDITORS / EDITS_PER_SECOND
        began = time.monotonic() + interval * place / EDITORS
        number = 0
        while not is_over:
            due = began + number * interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            felt.sent.append(due)
            clients[place].transport.write(submission([(number % 1_000, place, f"due:{due!r}")]))
            number += 1

    async def watch_lag() -> None:
        while not is_over:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            felt.lags_ms.append((time.monotonic() - due) * 1000)

    working = [asyncio.create_task(edit(place)) for place in range(EDITORS)]
    working.append(asyncio.create_task(watch_lag()))
    try:
        yield felt
    finally:
        is_over = True
        await asyncio.gather(*working)
        await asyncio.sleep(2)
        felt.closes = [client.close_code for client in clients if client.close_code]
        for client in clients:
            client.transport.abort()


# -- offenders: each runs in a process of its own and says what became of it -----------------------


async def flood(port: int, seconds: float, make: Callable[[int], bytes], rate: float) -> str:
    """Send `rate` frames a second, whatever comes back."""
    client = await Client().dial(port)
    await client.until_open()
    began, sent = time.monotonic(), 0
    while not client.closed.is_set() and (now := time.monotonic() - began) < seconds:
        due = int(now * rate)
        if due > sent:
            client.transport.write(b"".join(make(number) for number in range(sent, due)))
            sent = due
        await asyncio.sleep(0.001)
    return said(client, began, f"{sent:,} frames sent")


def said(client: Client, began: float, what: str) -> str:
    if client.close_code is None:
        return f"{what}; stays open"
    return f"{what}; {client.close_code} after {client.closed_at - began:.1f} s"


async def flood_presence(port: int, seconds: float, revision: int) -> str:
    def make(number: int) -> bytes:
        return text_frame({"type": "presence.update", "cell": [number % 1_000, 5]})

    return await flood(port, seconds, make, 10_000)


async def flood_pings(port: int, seconds: float, revision: int) -> str:
    return await flood(port, seconds, lambda number: frame_bytes(0x89, b"x" * 100), 10_000)


async def flood_malformed(port: int, seconds: float, revision: int) -> str:
    return await flood(port, seconds, lambda number: text_frame({"type": "?"}), 10_000)


async def flood_edits(port: int, seconds: float, revision: int) -> str:
    return await flood(
        port, seconds, lambda number: submission([(number % 1_000, 5, str(number))]), 10_000
    )


async def submit_backlog(port: int, seconds: float, frames: Iterator[bytes]) -> str:
    """Send as fast as it is taken, reading what comes back."""
    client = await Client().dial(port)
    await client.until_open()
    began, sent = time.monotonic(), 0
    for frame in frames:
        await client.can_write.wait()
        if client.closed.is_set() or time.monotonic() - began > seconds:
            break
        client.transport.write(frame)
        sent += len(frame)
        await asyncio.sleep(0)
    taken = sent - client.transport.get_write_buffer_size()
    return said(client, began, f"{taken / 1e6:.0f} MB taken in {time.monotonic() - began:.0f} s")


async def backlog_of_texts(port: int, seconds: float, revision: int) -> str:
    text = "x" * 1_200
    frames = (submission([(n, 5, text) for n in range(at, at + 200)]) for at in (0, 200) * 210)
    return await submit_backlog(port, seconds, frames)


async def backlog_of_pastes(port: int, seconds: float, revision: int) -> str:
    frames = (
        submission([(n % 500, 5 + n // 500, f"{at} {n}") for n in range(10_000)])
        for at in range(500)
    )
    return await submit_backlog(port, seconds, frames)


async def backlog_of_cells(port: int, seconds: float, revision: int) -> str:
    frames = (submission([(n % 1_000, 5, f"{n} {'x' * 50}")]) for n in range(500_000))
    return await submit_backlog(port, seconds, frames)


async def open_large(port: int, seconds: float, clients: int) -> str:
    began = time.monotonic()
    opened = [await Client().dial(port) for _ in range(clients)]
    results = await asyncio.gather(
        *(asyncio.wait_for(client.until_open(), seconds) for client in opened),
        return_exceptions=True,
    )
    failures = [result for result in results if result is not None]
    megabytes = sum(client.bytes_in for client in opened) / 1e6
    return f"{clients} read {megabytes:.0f} MB in {time.monotonic() - began:.1f} s" + (
        f"; {failures[0]!r}" if failures else ""
    )


async def open_large_once(port: int, seconds: float, revision: int) -> str:
    return await open_large(port, seconds, 1)


async def open_large_by_five(port: int, seconds: float, revision: int) -> str:
    return await open_large(port, seconds, 5)


async def catch_up_large(port: int, seconds: float, revision: int) -> str:
    began = time.monotonic()
    client = await Client().dial(port, 1)
    await asyncio.wait_for(client.until_open(), seconds)
    return f"{client.bytes_in / 1e6:.0f} MB in {time.monotonic() - began:.1f} s"


async def read_nothing(port: int, seconds: float, revision: int) -> str:
    """Twenty sockets open the sheet and then read nothing, while a writer fills it."""
    sleepers = [await Client().dial(port) for _ in range(20)]
    for client in sleepers:
        await client.until_open()
        client.transport.pause_reading()
    writer = await Client().dial(port)
    await writer.until_open()
    began, sent = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds - 2:
        if now * 60 > sent:
            writer.transport.write(submission([(sent % 1_000, 5, f"{sent} " + "x" * 30_000)]))
            sent += 1
        await asyncio.sleep(0.002)
    for client in sleepers:
        client.transport.resume_reading()
    await asyncio.wait([asyncio.ensure_future(c.closed.wait()) for c in sleepers], timeout=2)
    codes = sorted({str(client.close_code) for client in sleepers})
    return f"20 sleepers while {sent * 30 / 1000:.0f} MB were written: {', '.join(codes)}"


async def stampede(port: int, seconds: float, revision: int) -> str:
    """2,000 sockets connect within a second and open the sheet; whoever is refused comes back."""
    began = time.monotonic()
    codes: dict[int | None, int] = {}
    opened_at: list[float] = []
    kept: list[Client] = []

    async def visit(number: int) -> None:
        await asyncio.sleep(number / 2_000)
        failures = 0
        while True:
            client = Client()
            try:
                await client.dial(port)
                await client.until_open()
            except OSError:
                codes[client.close_code] = codes.get(client.close_code, 0) + 1
                failures += 1
                await asyncio.sleep(random.random() * min(15.0, 0.1 * 2**failures))
            else:
                opened_at.append(time.monotonic() - began)
                kept.append(client)
                return

    visits = [asyncio.create_task(visit(number)) for number in range(2_000)]
    await asyncio.wait(visits, timeout=seconds)
    for task in visits:
        task.cancel()
    refused = ", ".join(f"{count} × {code}" for code, count in codes.items()) or "none refused"
    last = f"{max(opened_at):.1f} s" if opened_at else "never"
    left = sum(client.closed.is_set() for client in kept)
    megabytes = sum(client.bytes_in for client in kept) / 1e6
    return (
        f"{len(opened_at)} open, half after {statistics.median(opened_at or [math.nan]):.1f} s, "
        f"the last after {last}; {refused}; {left} closed later; {megabytes:.0f} MB sent to them"
    )


async def nothing(port: int, seconds: float, revision: int) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    offend: Callable[[int, float, int], Coroutine[Any, Any, str]]
    seconds: float = 8.0
    is_large: bool = False


SCENARIOS = {
    "calm": Scenario("nothing", nothing),
    "sleepers": Scenario("20 sockets read nothing", read_nothing, 12),
    "presence": Scenario("10,000 cursor movements a second", flood_presence, 5),
    "pings": Scenario("10,000 pings a second", flood_pings, 5),
    "malformed": Scenario("10,000 malformed frames a second", flood_malformed, 5),
    "edits": Scenario("10,000 edits a second", flood_edits, 6),
    "stampede": Scenario("2,000 sockets within a second", stampede, 15),
    "open": Scenario("one opens 100 MB", open_large_once, 15, is_large=True),
    "open5": Scenario("five open 100 MB at once", open_large_by_five, 30, is_large=True),
    "catchup": Scenario("one catches up on 100 MB", catch_up_large, 15, is_large=True),
    "texts": Scenario("100 MB of edits: 200 long texts each", backlog_of_texts, 12),
    "pastes": Scenario("100 MB of edits: 10,000 short cells each", backlog_of_pastes, 12),
    "cells": Scenario("100 MB of edits: one cell each", backlog_of_cells, 12),
}

# -- measuring -------------------------------------------------------------------------------------


def resident_mb(pid: int, name: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return math.nan


def start_new_peak(pid: int) -> None:
    """Let VmHWM begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def waited_seconds(pid: int) -> float:
    """Return how long the event loop's thread was ready to run while others had its core."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9


async def measure_one(kind: str, key: str, server: WebServer, revision: int | None) -> Row:
    scenario = SCENARIOS[key]
    (pid,) = server.worker_pids()
    async with neighbours(server.port, revision) as felt:
        await asyncio.sleep(1)  # the first edits warm what is lazy
        calm = time.monotonic(), time.monotonic() + CALM_SECONDS
        await asyncio.sleep(CALM_SECONDS)
        before = resident_mb(pid)
        start_new_peak(pid)
        offender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.overload", "--offend", key),
            *("--port", str(server.port), "--revision", str(revision or 0)),
            stdout=subprocess.PIPE,
        )
        await asyncio.sleep(LEAD_SECONDS)
        began, waited = time.monotonic(), waited_seconds(pid)
        out, _ = await offender.communicate()
        ended = max(time.monotonic(), began + 5)
        await asyncio.sleep(max(0, ended - time.monotonic()))
        peak = resident_mb(pid, "VmHWM")
        waited = (waited_seconds(pid) - waited) / (ended - began)
    calm_found, _ = felt.between(*calm)
    found, delivered = felt.between(began, ended)
    note = out.decode().strip()
    if felt.closes:
        note += f"; THE OTHERS WERE CLOSED: {felt.closes}"
    return Row(
        kind,
        scenario.name,
        percentile(calm_found, 0.99),
        percentile(found, 0.5),
        percentile(found, 0.99),
        max(found, default=math.nan),
        delivered,
        max(felt.lags_ms),
        waited,
        before,
        peak,
        note,
    )


@contextmanager
def deployment(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    environment = {"DEBUG": "0", "SECRET_KEY": "bench", "ALLOWED_HOSTS": "127.0.0.1"}
    environment |= {"LOG_LEVEL": "WARNING"}
    if kind == "SQLite":
        yield environment | {"DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}"}
        return
    folder.chmod(0o755)
    postgresql = PostgresqlServer(folder, is_durable=True)
    postgresql.initialize()
    postgresql.start()
    try:
        yield environment | {"DATABASE_URL": postgresql.new_database()}
    finally:
        postgresql.kill()


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on one core, and let what is started meanwhile stay there."""
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(
    keys: Sequence[str] = tuple(SCENARIOS), kinds: Sequence[str] = ("SQLite", "PostgreSQL")
) -> Iterator[Row]:
    """Yield a row for each scenario and kind of deployment, each on a fresh server and sheet."""
    for kind in kinds:
        for key in keys:
            with tempfile.TemporaryDirectory(prefix="sheetsync-overload-") as name:
                folder = Path(name)
                with on_core(SERVER_CORE), deployment(kind, folder) as environment:
                    run_manage(environment, "migrate", "--verbosity=0")
                    run_manage(environment, "shell", "-v0", "-c", MAKE_SHEET)
                    revision = None
                    if SCENARIOS[key].is_large:
                        head = run_manage(environment, "shell", "-v0", "-c", FILL_SHEET)
                        revision = int(head.split()[-1])
                    server = WebServer(environment, log=folder / "web.log")
                    server.start()
                    try:
                        with on_core(LOAD_CORE):
                            yield uvloop.run(measure_one(kind, key, server, revision))
                    finally:
                        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), help=", ".join(SCENARIOS))
    parser.add_argument("--database", choices=("SQLite", "PostgreSQL"), action="append")
    parser.add_argument("--offend", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--revision", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.offend:
        os.nice(NICENESS)
        scenario = SCENARIOS[chosen.offend]
        print(uvloop.run(scenario.offend(chosen.port, scenario.seconds, chosen.revision)))
        return
    print(HEADER)
    for row in measure(chosen.scenarios, chosen.database or ("SQLite", "PostgreSQL")):
        print(row.markdown(), flush=True)


if __name__ == "__main__":
    main()
