"""Does anything grow? `make soak SECONDS=3600`: a deployment under a moderate load for an hour.

Two web processes, a listener, PostgreSQL, Redis and Pub/Sub's emulator; people edit, reload, go
offline and come back. Every half minute, what each process holds is written down; in the end the
log is compared with what people were told. Writes bench/soak.json and prints a table.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression
from typing import Any, TypeVar

import redis
from google.cloud import pubsub_v1

from bench import processes
from bench.people import Person
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ServerProcess
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Listener, WebServer, run_manage

RESULTS = Path(__file__).parent / "soak.json"
SAMPLE_SECONDS = 30.0
SHORTEST_KEPT_SECONDS = 1800.0  # a shorter one says little, and takes no longer one's place
WARM_UP_SECONDS = 600.0  # caches, pools and the first sheets; growth counts after it
PEOPLE = 20
SHEETS = tuple(f"soak-{number}" for number in range(4))
OTHER_SHEETS = tuple(f"other-{number}" for number in range(40))
MESSAGES_PER_SECOND = 2.0
TOPIC = "sheetsync-edits"
COUNT_CONNECTIONS = (  # less the one that asks
    "SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'"
)

Server = TypeVar("Server", bound=ServerProcess)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process, or PostgreSQL's tree of them, holds at a moment of the soak."""

    at_seconds: float
    process: str
    rss_bytes: int
    pss_bytes: int
    descriptors: int
    threads: int
    redis_connections: int
    postgresql_connections: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Soak:
    """The processes that are watched, and what people speak to."""

    web: list[WebServer]
    listener: Listener
    postgresql: PostgresqlServer
    redis: RedisServer
    emulator: PubsubEmulator
    project: str
    deployment: Deployment

    def sample(self, at_seconds: float) -> list[Sample]:
        watched = {
            "web 1": self.web[0],
            "web 2": self.web[1],
            "listener": self.listener,
            "Redis": self.redis,
            "PostgreSQL": self.postgresql,
            "emulator": self.emulator,
        }
        return [
            self._sample_one(at_seconds, name, processes.tree(server.pid))
            for name, server in watched.items()
        ]

    def _sample_one(self, at_seconds: float, name: str, pids: list[int]) -> Sample:
        memory = processes.memory(pids)
        to_redis = processes.connections_to(self.redis.port, pids)
        to_postgresql = processes.connections_to(self.postgresql.port, pids)
        match name:
            case "Redis":
                with redis.Redis.from_url(self.redis.url) as client:
                    to_redis = client.info("clients")["connected_clients"] - 1  # less this one
            case "PostgreSQL":
                ((count,),) = self.postgresql.rows(self.postgresql.url(), COUNT_CONNECTIONS)
                to_postgresql = int(count)
        return Sample(
            round(at_seconds, 1),
            name,
            memory.rss_bytes,
            memory.pss_bytes,
            processes.descriptors(pids),
            processes.threads(pids),
            to_redis,
            to_postgresql,
            round(processes.cpu_seconds(pids), 2),
        )


@contextmanager
def deployed() -> Iterator[Soak]:
    """Start everything, durable, and end it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sheetsync-soak-")))
        folder.chmod(0o755)

        def started(server: Server) -> Server:
            stack.callback(server.kill)
            server.start()
            return server

        postgresql = PostgresqlServer(folder, is_durable=True)
        postgresql.initialize()
        started(postgresql)
        redis_server = started(RedisServer(folder))
        emulator = started(PubsubEmulator(folder))
        project = emulator.new_project()
        environment = {
            "DEBUG": "0",
            "SECRET_KEY": "soak",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": postgresql.new_database(),
            "REDIS_URL": redis_server.url,
            "PUBSUB_EMULATOR_HOST": emulator.host,
            "PUBSUB_PROJECT": project,
            "PUBSUB_TOPIC": TOPIC,
        }
        run_manage(environment, "migrate", "--verbosity=0")
        # The pages of a deployment need its collected static files.
        run_manage(environment, "collectstatic", "--noinput", "--verbosity=0")
        deployment = Deployment(environment["DATABASE_URL"])
        deployment.make_sheets(*SHEETS, *OTHER_SHEETS)
        listening = environment | {"LOG_LEVEL": "INFO"}  # it says so when it listens
        listener = started(Listener(listening, log=folder / "listener.log"))
        web = [
            started(WebServer(environment, log=folder / f"web-{number}.log", name=f"web {number}"))
            for number in (1, 2)
        ]
        yield Soak(web, listener, postgresql, redis_server, emulator, project, deployment)


async def publish(project: str, sheets: Sequence[str], until: float) -> Counter[str]:
    """Publish edits of one cell at a low rate; return how many per sheet."""
    published: Counter[str] = Counter()
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    with pubsub_v1.PublisherClient(publisher_options=options) as publisher:
        topic = publisher.topic_path(project, TOPIC)
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await asyncio.sleep(1 / MESSAGES_PER_SECOND)
            number = published.total()
            sheet = sheets[number % len(sheets)]
            edits = [{"cell": f"Z{number % 1_000 + 1}", "value": number}]
            message = publisher.publish(
                topic, json.dumps({"sheet": sheet, "edits": edits}).encode(), ordering_key=sheet
            )
            await asyncio.wrap_future(message)
            published[sheet] += 1
    return published


async def watch(soak: Soak, until: float, samples: list[Sample]) -> None:
    """Add a round of samples every half minute."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        taken = await asyncio.to_thread(soak.sample, loop.time() - began)
        samples += taken
        held = "  ".join(f"{s.process} {s.pss_bytes / 1e6:.1f} MB" for s in taken)
        print(f"{taken[0].at_seconds:6.0f} s  {held}", file=sys.stderr, flush=True)
        if loop.time() >= until:
            return
        await asyncio.sleep(min(SAMPLE_SECONDS, max(0.1, until - loop.time())))


async def run(soak: Soak, seconds: float, samples: list[Sample]) -> dict[str, Any]:
    """Let people live and watch the processes; then check what the promise says."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    people = [
        Person(soak.web, SHEETS[number % len(SHEETS)], OTHER_SHEETS, number, seed=number)
        for number in range(PEOPLE)
    ]
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(soak, until, samples))
        publishing = group.create_task(publish(soak.project, SHEETS, until))
        for person in people:
            group.create_task(person.live(until))
    revisions = await check(soak.deployment, SHEETS, people, publishing.result())
    for person in people:
        assert person.pages_again == 0, "a page was not served, and no process had ended"
        await person.client.leave()
    done = sum((person.done for person in people), Counter[str]())
    return {
        "actions": dict(done),
        "published": publishing.result().total(),
        "acknowledged": sum(len(person.acknowledged) for person in people),
        "revisions": revisions,
    }


async def check(
    deployment: Deployment,
    sheets: Sequence[str],
    people: Sequence[Person],
    published: Counter[str],
) -> int:
    """Compare logs, screens and what was acknowledged; return how many revisions there are."""
    revisions = 0
    for sheet in sheets:
        here = [person for person in people if person.sheet == sheet]
        log = deployment.log(sheet)
        deadline = time.monotonic() + 60
        while sum(line.author_kind == "stream" for line in log) < published[sheet]:
            assert time.monotonic() < deadline, f"published edits of {sheet} are missing"
            await asyncio.sleep(1)
            log = deployment.log(sheet)
        numbers = {line.operation_id: line.number for line in log}
        assert [line.number for line in log] == list(range(1, len(log) + 1)), "a gap in the log"
        assert len(numbers) == len(log), "an edit twice in the log"
        assert sum(line.author_kind == "stream" for line in log) == published[sheet]
        for person in here:
            assert person.acknowledged.items() <= numbers.items(), "an acknowledged edit is lost"
            await person.client.until_revision(len(log))
            assert person.client.replica.filled() == deployment.cells(sheet), "screens differ"
        revisions += len(log)
    return revisions


def table(results: dict[str, Any]) -> str:
    """Return what each process held after the warm-up and at the end, and the slopes between."""
    samples = [Sample(*values) for values in results["samples"]]
    after = warm_up_seconds(results["seconds"])
    lines = [
        "| process | PSS MB after warm-up → end | PSS MB/h | RSS MB → end | RSS MB/h "
        "| descriptors | threads | Redis connections | PostgreSQL connections | CPU |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(sample.process for sample in samples):
        of_process = [sample for sample in samples if sample.process == name]
        kept = [sample for sample in of_process if sample.at_seconds >= after] or of_process[-1:]
        at = [sample.at_seconds for sample in kept]
        pss = [sample.pss_bytes / 1e6 for sample in kept]
        rss = [sample.rss_bytes / 1e6 for sample in kept]
        first, last = of_process[0], of_process[-1]
        cpu = (last.cpu_seconds - first.cpu_seconds) / max(1, last.at_seconds - first.at_seconds)
        lines.append(
            f"| {name} | {pss[0]:.1f} → {pss[-1]:.1f} | {slope_per_hour(at, pss):+.2f} "
            f"| {rss[0]:.1f} → {rss[-1]:.1f} | {slope_per_hour(at, rss):+.2f} "
            f"| {_range(s.descriptors for s in kept)} | {_range(s.threads for s in kept)} "
            f"| {_range(s.redis_connections for s in kept)} "
            f"| {_range(s.postgresql_connections for s in kept)} | {cpu:.1%} |"
        )
    return "\n".join(lines)


def slope_per_hour(seconds: Sequence[float], values: Sequence[float]) -> float:
    """Return the least-squares slope, an hour; 0 for fewer than two moments."""
    return linear_regression(seconds, values).slope * 3600 if len(set(seconds)) > 1 else 0.0


def warm_up_seconds(seconds: float) -> float:
    """Return ten minutes, or a sixth of a shorter soak."""
    return min(WARM_UP_SECONDS, seconds / 6)


def summary(results: dict[str, Any]) -> str:
    actions = results["actions"]
    return (
        f"{results['seconds']:,.0f} s from {results['began_at']}: {PEOPLE} people on "
        f"{len(SHEETS)} sheets, {actions.get('edit', 0):,} edits by hand, "
        f"{actions.get('reload', 0):,} reloads, {actions.get('go_offline', 0):,} times offline, "
        f"{actions.get('visit', 0):,} visits to other sheets, {results['published']:,} messages; "
        f"{results['revisions']:,} revisions without a gap, all {results['acknowledged']:,} "
        "acknowledged edits among them once, all screens equal to the database. Slopes after the "
        f"first {warm_up_seconds(results['seconds']):,.0f} s."
    )


def _range(counts: Iterator[int]) -> str:
    found = list(counts)
    return f"{min(found)}-{max(found)}" if min(found) < max(found) else f"{found[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    seconds = parser.parse_args().seconds
    # Ended by `kill` too, the servers go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    results: dict[str, Any] = {
        "began_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seconds": seconds,
    }
    samples: list[Sample] = []
    try:
        with deployed() as soak:
            os.environ["PUBSUB_EMULATOR_HOST"] = soak.emulator.host
            results |= asyncio.run(run(soak, seconds, samples))
    except BaseException as error:
        results["failed"] = repr(error)
        raise
    finally:
        results["samples"] = [list(asdict(sample).values()) for sample in samples]
        if seconds >= SHORTEST_KEPT_SECONDS:
            write(results)
    print(f"\n{summary(results)}\n\n{table(results)}")
    if seconds < SHORTEST_KEPT_SECONDS:
        print(f"\nShorter than {SHORTEST_KEPT_SECONDS:,.0f} s: not kept in {RESULTS.name}.")


def write(results: dict[str, Any]) -> None:
    """Keep the results, a sample a line."""
    samples = ",\n  ".join(json.dumps(sample) for sample in results["samples"])
    rest = json.dumps({key: value for key, value in results.items() if key != "samples"}, indent=1)
    RESULTS.write_text(f'{rest[:-2]},\n "samples": [\n  {samples}\n ]\n}}\n')


if __name__ == "__main__":
    main()
