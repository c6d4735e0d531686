"""How long clients are without a server when a web process is ended: `python -m bench.draining`.

Two uvicorn workers on PostgreSQL and Redis behind a round-robin balancer, a hundred clients that
edit and reconnect as a browser does (up to 0.5 s of jitter after 1012); one worker gets SIGTERM.
"""

import asyncio
import json
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.bare_client import Client, submission
from bench.overload import MAKE_SHEET, deployment
from bench.results import Record, percentile, progress
from tests.servers.balancer import Balancer
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import WebServer, run_manage

CLIENTS = 100
EDITS_PER_SECOND = 2.0  # of each client
DRAIN_JITTER_SECONDS = 0.5  # as sync/connection.js has it
RETRY_SECONDS = 0.1


@dataclass(slots=True)
class Moved:
    """Seconds of each client that was moved, and what became of all edits."""

    away: list[float] = field(default_factory=list)  # from its close to its sheet open again
    until_open: list[float] = field(default_factory=list)  # from SIGTERM to that
    codes: list[int | None] = field(default_factory=list)
    submitted: int = 0
    sent_again: int = 0
    unanswered: int = 0
    ended_after: float = 0.0

    def __str__(self) -> str:
        found = sorted(self.until_open)
        codes = ", ".join(sorted({str(code) for code in self.codes}))
        return (
            f"{len(found)} of {CLIENTS} clients were moved, closed with {codes}; open again after "
            f"SIGTERM: p50 {percentile(found, 0.5):.2f} s, the last {found[-1]:.2f} s; without a "
            f"server: p50 {percentile(sorted(self.away), 0.5):.2f} s; the process ended after "
            f"{self.ended_after:.2f} s; {self.submitted:,} edits, {self.sent_again} sent again, "
            f"{self.unanswered} unanswered"
        )


async def measure(balancer: Balancer, ending: WebServer) -> Moved:
    """End one of the balancer's servers after 2 s and watch all clients for 5 s."""
    moved = Moved()
    is_over = asyncio.Event()
    asked_at = 0.0

    async def live(place: int) -> None:
        waiting: dict[str, bytes] = {}

        def take(payload: bytes) -> None:
            if payload.startswith(b'{"type":"operations.committed"'):
                for operation_id, _ in json.loads(payload)["operations"]:
                    waiting.pop(operation_id, None)

        client = await Client(take).dial(balancer.port)
        await client.until_open()
        await asyncio.sleep(place / CLIENTS / EDITS_PER_SECOND)
        number = 0
        while not is_over.is_set():
            if client.closed.is_set():
                closed_at = client.closed_at
                moved.codes.append(client.close_code)
                await asyncio.sleep(random.random() * DRAIN_JITTER_SECONDS)
                client = await reopen(take)
                moved.away.append(time.monotonic() - closed_at)
                moved.until_open.append(time.monotonic() - asked_at)
                moved.sent_again += len(waiting)
                client.transport.write(b"".join(waiting.values()))
            frame = submission([(number % 1_000, place % 26, f"{place} {number}")])
            waiting[json.loads(frame[frame.index(b"{") :])["operation_id"]] = frame
            client.transport.write(frame)
            moved.submitted += 1
            number += 1
            waits = [asyncio.ensure_future(event.wait()) for event in (client.closed, is_over)]
            await asyncio.wait(
                waits, timeout=1 / EDITS_PER_SECOND, return_when=asyncio.FIRST_COMPLETED
            )
            for wait in waits:
                wait.cancel()
        await asyncio.sleep(1)
        moved.unanswered += len(waiting)
        client.transport.abort()

    async def reopen(take: Callable[[bytes], None]) -> Client:
        while True:
            client = Client(take)
            try:
                await client.dial(balancer.port)
                await client.until_open()
            except OSError:
                await asyncio.sleep(random.random() * RETRY_SECONDS)
            else:
                return client

    living = [asyncio.create_task(live(place)) for place in range(CLIENTS)]
    await asyncio.sleep(2)
    asked_at = time.monotonic()
    ending.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(ending.wait_for_exit)
    moved.ended_after = time.monotonic() - asked_at
    await asyncio.sleep(5)
    is_over.set()
    await asyncio.gather(*living)
    return moved


def rounds(count: int) -> Iterator[Record]:
    """Yield a record per round, each on servers of its own."""
    for round_ in range(count):
        moved = _round()
        progress("draining", str(moved))
        until_open = sorted(moved.until_open)
        yield {
            "round": round_,
            "clients": CLIENTS,
            "moved": len(until_open),
            "codes": sorted({str(code) for code in moved.codes}),
            "until_open_p50_seconds": round(percentile(until_open, 0.5), 3),
            "until_open_max_seconds": round(until_open[-1], 3),
            "away_p50_seconds": round(percentile(sorted(moved.away), 0.5), 3),
            "ended_after_seconds": round(moved.ended_after, 3),
            "submitted": moved.submitted,
            "sent_again": moved.sent_again,
            "unanswered": moved.unanswered,
        }


def _round() -> Moved:
    with (
        tempfile.TemporaryDirectory(prefix="sheetsync-draining-") as name,
        two_servers(Path(name)) as servers,
        Balancer([server.port for server in servers]) as balancer,
    ):
        return uvloop.run(measure(balancer, servers[0]))


@contextmanager
def two_servers(folder: Path) -> Iterator[list[WebServer]]:
    redis = RedisServer(folder)
    redis.start()
    try:
        with deployment("PostgreSQL", folder) as environment:
            environment |= {"REDIS_URL": redis.url}
            run_manage(environment, "migrate", "--verbosity=0")
            run_manage(environment, "shell", "-v0", "-c", MAKE_SHEET)
            servers = [WebServer(environment, log=folder / f"web-{n}.log") for n in range(2)]
            try:
                yield [server.start() for server in servers]
            finally:
                for server in servers:
                    server.kill()
    finally:
        redis.kill()


if __name__ == "__main__":
    print(_round())
