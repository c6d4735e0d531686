"""From publish to screen: `make bench-streams` writes bench/STREAMS.md.

The listener, and beside it Google's streaming-pull client with a callback and a commit a message,
on the same PostgreSQL, Redis and emulator, in turns. A backlog is published, then the listener
started: messages a second from the first to the last that sockets have seen. Then 100 messages a
second are published, and each says when.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

from google.cloud import pubsub_v1
from websockets.asyncio.client import connect
from websockets.typing import Origin

from bench.processes import memory, tree
from bench.results import commit, percentile, progress
from bench.typists import TYPING_RATE, opening
from tests.servers.databases import Databases
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, ServerProcess
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import WebServer, manage

RESULTS = Path(__file__).parent / "STREAMS.md"
OURS, PEER = "SheetSync's listener", "streaming pull, a callback and a commit a message"
PEOPLE = 2
LONGEST_SECONDS = 30.0  # of a backlog; what is seen by then counts
LATENCY_SECONDS = 20.0
LATENCY_RATE = 100.0
TOPIC, SUBSCRIPTION = "edits", "edits-sub"


@dataclass(frozen=True, slots=True)
class Case:
    """So many messages that wait for a listener, dealt out over so many sheets."""

    sheets: int
    backlog: int

    def __str__(self) -> str:
        return f"{_sheets(self.sheets)}, {self.backlog:,} waiting"


# One hot sheet twice: with each pull the emulator looks through all that waits of a key.
CASES = Case(1, 5_000), Case(1, 20_000), Case(50, 20_000)
BESIDE_PEOPLE = Case(50, 100_000)
SHEETS = 1, 50  # of what trickles in


@dataclass(slots=True)
class Seen:
    """What the sockets have seen: how many revisions, from when to when, and each edit's delay."""

    wanted: int
    revisions: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    delays: list[float] = field(default_factory=list)
    peoples_delays: list[float] = field(default_factory=list)  # of edits that a person typed
    listener_mb: list[float] = field(default_factory=list)
    has_all: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def rate(self) -> float:
        return self.revisions / max(self.last_at - self.first_at, 1e-9)


class Delays(NamedTuple):
    """From `publish` to the frame at a socket, in one round of one listener."""

    p50_ms: float
    p99_ms: float


class Bench:
    """The servers that both listeners share; each round has a project and sheets of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.postgresql = PostgresqlServer(folder)
        self.postgresql.initialize()
        self.emulator = PubsubEmulator(folder)
        self.redis = RedisServer(folder)
        for server in (self.postgresql, self.emulator, self.redis):
            server.start()
            stack.callback(server.kill)
        self._databases = Databases(folder, lambda: self.postgresql)

    def rate(self, who: str, case: Case) -> float:
        """Return at how many messages a second one listener works off what waits."""
        return self._seen(who, case, _work_off).rate

    def delays(self, who: str, sheets: int) -> Delays:
        """Return what one listener's messages take, with nothing that waits."""
        delays = sorted(self._seen(who, Case(sheets, 0), _trickle).delays) or [math.nan]
        return Delays(percentile(delays, 0.5) * 1e3, percentile(delays, 0.99) * 1e3)

    def beside_people(self) -> "Seen":
        """Have people type into sheets whose backlog is being worked off."""
        return self._seen(OURS, BESIDE_PEOPLE, _work_off_beside_people)

    def _seen(self, who: str, case: Case, work: "Work") -> "Seen":
        slugs = [f"stream-{number}" for number in range(case.sheets)]
        project = self.emulator.new_project()
        environment = {
            "DATABASE_URL": self._databases("postgresql", *slugs),
            "REDIS_URL": self.redis.url,
            "PUBSUB_EMULATOR_HOST": self.emulator.host,
            "PUBSUB_PROJECT": project,
            "PUBSUB_TOPIC": TOPIC,
            "PUBSUB_SUBSCRIPTION": SUBSCRIPTION,
            "LOG_LEVEL": "WARNING" if who == PEER else "INFO",
            "DEBUG": "1",
        }
        publisher = Publisher(self.emulator.host, project)
        publisher.make()
        web = WebServer(environment, log=self._folder / "web.log")
        listener = self._listener(who, environment)
        with _running(web):
            seen = Seen(case.backlog)
            asyncio.run(_watched(web, slugs, work, publisher, listener, seen))
            return seen

    def _listener(self, who: str, environment: dict[str, str]) -> ServerProcess:
        command = (
            manage("pubsub_listener")
            if who == OURS
            else [sys.executable, "-u", "-m", "bench.callback_listener"]
        )
        return _Listening(
            "listener", command, log=self._folder / "listener.log", environment=environment
        )


Work = Callable[[WebServer, "Publisher", ServerProcess, Sequence[str], "Seen"], Awaitable[None]]
"""What is done while sockets watch: it starts the listener itself."""


async def _watched(
    web: WebServer,
    slugs: Sequence[str],
    work: Work,
    publisher: "Publisher",
    listener: ServerProcess,
    seen: Seen,
) -> None:
    sockets = [asyncio.create_task(_watch(web, slug, seen)) for slug in slugs]
    try:
        await work(web, publisher, listener, slugs, seen)
    finally:
        for socket in sockets:
            socket.cancel()
        await asyncio.gather(*sockets, return_exceptions=True)


async def _work_off(
    web: WebServer,
    publisher: "Publisher",
    listener: ServerProcess,
    slugs: Sequence[str],
    seen: Seen,
) -> None:
    await asyncio.to_thread(publisher.publish_backlog, slugs, seen.wanted)
    with _running(listener), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS):
            await seen.has_all.wait()


async def _work_off_beside_people(
    web: WebServer,
    publisher: "Publisher",
    listener: ServerProcess,
    slugs: Sequence[str],
    seen: Seen,
) -> None:
    """Work off a longer backlog for a while, and note what the listener holds in memory."""
    await asyncio.to_thread(publisher.publish_backlog, slugs, seen.wanted)
    await asyncio.to_thread(listener.start)  # aside: the sockets go on reading meanwhile
    try:
        people = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.typists", web.url, *slugs[:PEOPLE]),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(int(LONGEST_SECONDS)):
            seen.listener_mb.append(memory(tree(listener.pid)).pss_bytes / 1e6)
            await asyncio.sleep(1)
            if seen.revisions >= seen.wanted:
                break  # it would only idle beside them from now on
        found, _ = await people.communicate(b"")
        seen.peoples_delays = json.loads(found)
    finally:
        listener.kill()


async def _trickle(
    web: WebServer,
    publisher: "Publisher",
    listener: ServerProcess,
    slugs: Sequence[str],
    seen: Seen,
) -> None:
    with _running(listener):
        await asyncio.to_thread(publisher.publish_slowly, slugs)
        await asyncio.sleep(2)


class _Listening(ServerProcess):
    def __init__(self, name: str, command: Sequence[str], **where: object) -> None:
        super().__init__(name, command, folder=ROOT, **where)  # type: ignore[arg-type]

    def is_ready(self) -> bool:
        return "listening to" in self.output()


class Publisher:
    """Publishes edits that say when they were published, by sheet and in order."""

    def __init__(self, host: str, project: str) -> None:
        os.environ["PUBSUB_EMULATOR_HOST"] = host  # Google's clients read it
        self._client = pubsub_v1.PublisherClient(
            publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
        )
        self._subscriber = pubsub_v1.SubscriberClient()
        self._topic = f"projects/{project}/topics/{TOPIC}"
        self._subscription = f"projects/{project}/subscriptions/{SUBSCRIPTION}"
        self._number = 0

    def make(self) -> None:
        self._client.create_topic(name=self._topic)
        self._subscribe()

    def publish_backlog(self, slugs: Sequence[str], count: int) -> None:
        futures = [self._publish(slugs[number % len(slugs)]) for number in range(count)]
        for future in futures:
            future.result()

    def publish_slowly(self, slugs: Sequence[str]) -> None:
        began = time.monotonic()
        for number in range(int(LATENCY_SECONDS * LATENCY_RATE)):
            time.sleep(max(0.0, began + number / LATENCY_RATE - time.monotonic()))
            self._publish(slugs[number % len(slugs)])

    def _publish(self, slug: str) -> "pubsub_v1.publisher.futures.Future":
        self._number += 1
        cell = f"B{self._number % 900 + 1}"
        body = {"sheet": slug, "edits": [{"cell": cell, "value": str(time.time())}]}
        return self._client.publish(self._topic, json.dumps(body).encode(), ordering_key=slug)

    def _subscribe(self) -> None:
        self._subscriber.create_subscription(
            request={
                "name": self._subscription,
                "topic": self._topic,
                "enable_message_ordering": True,
                "ack_deadline_seconds": 60,
            }
        )


async def _watch(web: WebServer, slug: str, seen: Seen) -> None:
    """Be a browser on one sheet, and note what comes."""
    url = f"{web.websocket_url}/ws/sheets/{slug}/"
    async with connect(url, origin=Origin(web.url), max_size=None, proxy=None) as socket:
        await socket.send(json.dumps(opening(_client_id(slug))))
        revision = 0
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] != "cells.changed" or frame["through"] <= revision:
                continue
            now, wall = time.monotonic(), time.time()
            seen.first_at = seen.first_at or now
            seen.last_at = now
            seen.revisions += frame["through"] - revision
            revision = frame["through"]
            if seen.revisions >= seen.wanted:
                seen.has_all.set()
            for author, cells in frame["changes"]:
                if author == "stream":
                    seen.delays += [wall - float(cell[2]) for cell in cells]


def _client_id(slug: str) -> str:
    return f"00000000-0000-4000-8000-{int(slug.rpartition('-')[2]):012d}"


@contextmanager
def _running(server: ServerProcess) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and end the servers
    rates: dict[tuple[Case, str], list[float]] = defaultdict(list)
    delays: dict[tuple[int, str], list[Delays]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sheetsync-streams-")))
        folder.chmod(0o755)  # PostgreSQL's own user looks into it
        bench = Bench(stack, folder)
        for number in range(1, runs + 1):
            for case, who in product(CASES, (OURS, PEER)):
                rate = bench.rate(who, case)
                rates[case, who].append(rate)
                progress(f"round {number} of {runs}, {case}, {who}: {rate:,.0f} messages/s")
            for sheets, who in product(SHEETS, (OURS, PEER)):
                found = bench.delays(who, sheets)
                delays[sheets, who].append(found)
                what = f"p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms"
                progress(f"round {number} of {runs}, {_sheets(sheets)}, {who}: {what}")
        beside = [bench.beside_people() for _ in range(runs)]
        progress("beside people: done")
    RESULTS.write_text(report(rates, delays, beside, runs))


def report(
    rates: Mapping[tuple[Case, str], Sequence[float]],
    delays: Mapping[tuple[int, str], Sequence[Delays]],
    beside: Sequence[Seen],
    runs: int,
) -> str:
    """Return the page, medians of the rounds and the ratios to the peer first."""
    lines = [
        "# From publish to screen",
        "",
        f"`make bench-streams` wrote this on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, at commit",
        f"{commit()}: medians of {runs} rounds, both listeners in each, on PostgreSQL, Redis and",
        "Google's emulator, all on the same 2 cores.",
        "",
        "| | listener | messages/s | times |",
        "| --- | --- | --- | --- |",
    ]
    for case, who in product(CASES, (OURS, PEER)):
        rate, peer = median(rates[case, who]), median(rates[case, PEER])
        lines.append(f"| {case} | {who} | {rate:,.0f} | {rate / peer:.1f} × |")
    lines += [
        "",
        "A message sets one cell. What waits is published first, then the listener started;",
        "a rate is from the first to the last revision that a socket on each sheet has seen, of",
        f"what it has seen within {LONGEST_SECONDS:.0f} s. With each pull the emulator looks",
        "through all that waits of an ordering key, which is why one hot sheet depends on how much",
        "that is (decision 7).",
        "",
        "| | listener | p50 ms | p99 ms |",
        "| --- | --- | --- | --- |",
    ]
    for sheets, who in product(SHEETS, (OURS, PEER)):
        p50, p99 = map(median, zip(*delays[sheets, who], strict=True))
        lines.append(f"| {_sheets(sheets)} | {who} | {p50:.1f} | {p99:.1f} |")
    lines += [
        "",
        f"{LATENCY_RATE:.0f} messages a second are published for {LATENCY_SECONDS:.0f} s; a delay",
        "is from `publish` to the frame at the socket.",
        "",
        "Aims: 3 times the peer on 50 sheets, 30 times on one hot sheet, p50 below 60 ms.",
        "",
    ]
    peoples = sorted(delay * 1e3 for seen in beside for delay in seen.peoples_delays)
    rate = median(seen.rate for seen in beside)
    low, high = (median(pick(seen.listener_mb) for seen in beside) for pick in (min, max))
    lines += [
        "## Beside people",
        "",
        f"{PEOPLE} people type {TYPING_RATE:.0f} times a second each into as many of",
        f"{BESIDE_PEOPLE.sheets} sheets, while the listener works off a backlog of",
        f"{BESIDE_PEOPLE.backlog:,} messages over all, flat out:",
        f"{rate:,.0f} revisions/s, medians of {runs} rounds, at most {LONGEST_SECONDS:.0f} s.",
        "",
        f"* An edit of theirs is on the other screens after p50 {percentile(peoples, 0.5):.1f} ms,",
        f"  p99 {percentile(peoples, 0.99):.1f} ms (the aim is a p99 below 100 ms).",
        f"* The listener's memory (PSS) is {low:.0f} to {high:.0f} MB: the backlog stays with",
        "  Pub/Sub.",
        "",
    ]
    return "\n".join(lines)


def _sheets(count: int) -> str:
    return "one hot sheet" if count == 1 else f"{count} sheets"


if __name__ == "__main__":
    main()
