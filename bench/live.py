"""How fast an edit gets from one socket to all others: `make bench`.

One uvicorn worker as it is deployed, N sockets on one sheet, a tenth of them editing, R edits a
second in all, for some seconds; each edit carries the moment at which it was sent. The load
comes from one Python process on the same machine, whose own share is printed: beyond that it
says more of the load than of the server. Prints Markdown and writes it to bench/RESULTS.md.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import WebServer, run_manage

RESULTS = Path(__file__).parent / "RESULTS.md"
SECONDS = 5.0
SETTLE_SECONDS = 2.0  # what is under way when the sending ends still counts
LOADS = ((10, 20), (10, 100), (100, 20), (100, 100))  # sockets, edits a second
RUNS = 3
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
LIMITS = """
## What this does not say

* Load generator and server share the cores, and the generator is Python: these are no highest
  rates, and no comparison with anything else. A neutral generator and peers come with the work on
  speed.
* A tail (p99) of a few runs of 5 s on a shared machine is a rough one.
* Not measured here: Pub/Sub intake, cold opening of large sheets, memory, the grid's frame rate.
"""
MAKE_SHEET = (
    "from cells.services.access import create_sheet; "
    "create_sheet(None, 'Bench', slug={slug!r}, link_role='editor')"
)


@dataclass(slots=True)
class Measured:
    """One run: latencies in ms of each delivery to another socket, and CPU in seconds."""

    expected: int
    latencies_ms: list[float]
    server_seconds: float
    load_seconds: float

    def row(self) -> tuple[float, ...]:
        """Return delivered share, p50, p99, server CPU-ms per 1,000 deliveries, load's share."""
        found = sorted(self.latencies_ms) or [float("nan")]
        return (
            len(self.latencies_ms) / self.expected,
            statistics.median(found),
            found[min(len(found) - 1, int(len(found) * 0.99))],
            self.server_seconds * 1e6 / max(1, len(self.latencies_ms)),
            self.load_seconds / (SECONDS + SETTLE_SECONDS),
        )


async def open_socket(server: WebServer, slug: str) -> ClientConnection:
    socket = await connect(
        f"{server.websocket_url}/ws/sheets/{slug}/", origin=Origin(server.url), proxy=None
    )
    opening = {"type": "sheet.open", "protocol": 1, "client_id": str(uuid.uuid4())}
    await socket.send(json.dumps(opening))
    while json.loads(await socket.recv())["type"] != "presence.changed":
        pass
    return socket


async def listen(socket: ClientConnection, place: int, latencies_ms: list[float]) -> None:
    async for text in socket:
        now = time.perf_counter()
        frame = json.loads(text)
        if frame["type"] == "cells.changed":
            for _author, cells in frame["changes"]:
                for _row, column, sent_at in cells:
                    if column != place:  # a socket's own column: it typed there itself
                        latencies_ms.append((now - float(sent_at)) * 1000)


async def edit(socket: ClientConnection, place: int, interval: float) -> int:
    """Type down the column `place` until the time is up; return how often."""
    # Editors take turns: at the same moment, their edits would be merged into one delta.
    await asyncio.sleep(interval * (place % 10) / 10)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        # A cell of its own each time: a merged delta would carry only the last of two edits.
        cell = [count % 1_000, place, repr(time.perf_counter())]
        frame = {
            "type": "operation.submit",
            "operation_id": str(uuid.uuid4()),
            "operation": {"kind": "set_cells", "cells": [cell]},
        }
        await socket.send(json.dumps(frame))
        count += 1
        await asyncio.sleep(max(0.0, began + count * interval - time.perf_counter()))
    return count


async def measure(server: WebServer, slug: str, sockets: int, rate: int) -> Measured:
    editors = max(1, sockets // 10)
    opened = [await open_socket(server, slug) for _ in range(sockets)]
    latencies_ms: list[float] = []
    listening = [
        asyncio.create_task(listen(socket, place, latencies_ms))
        for place, socket in enumerate(opened)
    ]
    server_before, load_before = cpu_seconds(server), time.process_time()
    counts = await asyncio.gather(
        *(edit(opened[place], place, editors / rate) for place in range(editors))
    )
    await asyncio.sleep(SETTLE_SECONDS)
    server_seconds = cpu_seconds(server) - server_before
    load_seconds = time.process_time() - load_before
    for socket in opened:
        await socket.close()
    await asyncio.gather(*listening)
    return Measured(sum(counts) * (sockets - 1), latencies_ms, server_seconds, load_seconds)


def cpu_seconds(server: WebServer) -> float:
    """Return the processor time of the worker since its start (Linux)."""
    total = 0
    for pid in server.worker_pids():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_SECOND


@contextmanager
def deployment(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a deployment on fresh, durable servers."""
    if kind == "SQLite, no Redis":
        yield {"DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}"}
        return
    folder.chmod(0o755)
    postgresql = PostgresqlServer(folder, is_durable=True)
    postgresql.initialize()
    redis = RedisServer(folder)
    postgresql.start()
    redis.start()
    try:
        yield {"DATABASE_URL": postgresql.new_database(), "REDIS_URL": redis.url}
    finally:
        redis.kill()
        postgresql.kill()


def bench(kind: str) -> Iterator[str]:
    """Yield the table's rows of one kind of deployment: medians of the runs."""
    with tempfile.TemporaryDirectory(prefix="sheetsync-bench-") as name:
        folder = Path(name)
        with deployment(kind, folder) as services:
            environment = {"DEBUG": "0", "SECRET_KEY": "bench", "ALLOWED_HOSTS": "127.0.0.1"}
            environment |= {"LOG_LEVEL": "WARNING", **services}
            run_manage(environment, "migrate", "--verbosity=0")
            server = WebServer(environment, log=folder / "web.log")
            server.start()
            try:
                for sockets, rate in LOADS:
                    rows = []
                    for run in range(RUNS):
                        slug = f"bench-{sockets}-{rate}-{run}"
                        run_manage(environment, "shell", "-v0", "-c", MAKE_SHEET.format(slug=slug))
                        rows.append(asyncio.run(measure(server, slug, sockets, rate)).row())
                        print(".", end="", file=sys.stderr, flush=True)
                    share, p50, p99, cpu, load = map(statistics.median, zip(*rows, strict=True))
                    yield (
                        f"| {kind} | {sockets} | {rate} | {share:.1%} | {p50:.1f} | {p99:.1f} "
                        f"| {cpu:.0f} | {load:.0%} |"
                    )
            finally:
                server.stop()


def main() -> None:
    lines = [
        "# Results",
        "",
        f"`make bench`, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores shared by server and "
        f"load, medians of {RUNS} runs of {SECONDS:.0f} s. One uvicorn worker, every edit durable "
        "(`synchronous=FULL`, `fsync=on`) before it is shown or acknowledged. A tenth of the "
        "sockets edit; latency is from the moment of typing to each other socket.",
        "",
        "| deployment | sockets | edits/s | delivered | p50 ms | p99 ms | server CPU-ms per 1,000 "
        "deliveries | load generator's share of a core |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in ("SQLite, no Redis", "PostgreSQL, Redis"):
        lines += bench(kind)
    text = "\n".join(lines) + "\n" + LIMITS
    RESULTS.write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
