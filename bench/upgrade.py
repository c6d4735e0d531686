"""Nobody loses an edit by an upgrade: `make upgrade SECONDS=600 OLD=v1` writes bench/UPGRADE.md.

The composition without Docker, as tests/test_compose.py rehearses it, with two web services behind
a balancer. 500 sockets are open, a tenth of them people who edit, reload, go offline and come back,
beside a stream. In the middle of it today's build, with one more migration, takes the place of the
one of a commit, `OLD`: its migrations first, then one process after the other. In the end logs,
screens and what people were told are compared.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.people import Person
from bench.results import commit, percentile, progress
from bench.soak import check, publish
from tests.servers.balancer import Balancer
from tests.servers.compose import Service, build_image, environment_of, read_services
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, ServerProcess, free_port
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import Calculator, Listener, WebServer

RESULTS = Path(__file__).parent / "UPGRADE.md"
SOCKETS, EDITORS = 500, 50
SHEETS = tuple(f"upgrade-{number}" for number in range(10))
OTHER_SHEETS = tuple(f"other-{number}" for number in range(20))
WEB_SERVICES = 2
OPENED_PER_SECOND = 50.0
SHORTEST_KEPT_SECONDS = 300.0
MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("cells", "{latest}")]
    operations = [
        migrations.AddField("revision", "rehearsed", models.TextField(null=True)),
        migrations.AddField("sheet", "rehearsed", models.IntegerField(default=7, db_default=7)),
        migrations.AddIndex("sheet", models.Index(fields=["rehearsed"], name="rehearsed")),
    ]
"""


@dataclass(slots=True)
class Deployed:
    """A running composition: its services by name, each of a build, and who stands in front."""

    services: Mapping[str, Service]
    servers: dict[str, ServerProcess]
    balancer: Balancer
    database: Deployment
    project: str
    steps: list[tuple[str, float]] = field(default_factory=list)  # what, and how many seconds

    def upgrade(self, build: Path) -> None:
        """Let a build take the old one's place, its migrations first."""
        self._step("migrate", lambda: migrate(self.services["migrate"], build))
        for name, server in self.servers.items():
            self._step(f"{name}: end", server.stop)
            server.folder = build
            self._step(f"{name}: start", server.start)

    def _step(self, what: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        self.steps.append((what, time.monotonic() - began))
        progress(f"{what}: {self.steps[-1][1]:.1f} s")


@dataclass(frozen=True, slots=True)
class Found:
    """What a rehearsal came to. Seconds are people's longest waits for a socket and an answer."""

    seconds: float
    revisions: int
    acknowledged: int
    published: int
    moves: int
    rejected: int
    pages_again: int
    waits: list[float]
    steps: list[tuple[str, float]]


def migrate(service: Service, build: Path) -> None:
    subprocess.run(
        service.command,
        cwd=build,
        env=environment_of(service) | {"PYTHONUNBUFFERED": "1"},
        check=True,
    )


def build_old(folder: Path, revision: str) -> None:
    """Make the build of a commit."""
    source = folder.with_name("source")
    source.mkdir()
    archive = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive, check=True)
    build_image(folder, source)


def build_next(folder: Path) -> None:
    """Make the build that follows: what is here, and a migration that it adds."""
    build_image(folder)
    migrations = folder / "cells" / "migrations"
    latest = max(path.stem for path in migrations.glob("0*.py"))
    number = int(latest[:4]) + 1
    (migrations / f"{number:04}_rehearsed.py").write_text(MIGRATION.format(latest=latest))


@contextmanager
def deployed(folder: Path, build: Path) -> Iterator[Deployed]:
    """Start a build's services, on a durable PostgreSQL, and end them."""
    with ExitStack() as stack:
        postgresql = PostgresqlServer(folder, is_durable=True)
        postgresql.initialize()
        redis, emulator = RedisServer(folder), PubsubEmulator(folder)
        for service_of_others in (postgresql, redis, emulator):
            stack.callback(service_of_others.kill)
            service_of_others.start()
        database_url = postgresql.new_database()
        addresses = {
            "db:5432": f"127.0.0.1:{postgresql.port}",
            "redis:6379": f"127.0.0.1:{redis.port}",
            "pubsub:8085": emulator.host,
            "0.0.0.0": "127.0.0.1",
        }
        project = emulator.new_project()
        secrets = {"SECRET_KEY": "a key of this rehearsal", "POSTGRES_PASSWORD": "of it"}
        found = read_services(secrets | {"PUBSUB_PROJECT": project, "LOG_LEVEL": "INFO"})
        services = {name: service.at(addresses) for name, service in found.items()}
        for service in services.values():
            service.environment["DATABASE_URL"] = database_url
        migrate(services["migrate"], build)
        database = Deployment(database_url)
        database.make_sheets(*SHEETS, *OTHER_SHEETS)
        servers: dict[str, ServerProcess] = {}
        ports = [free_port() for _ in range(WEB_SERVICES)]
        for number, port in enumerate(ports, 1):
            service = services["web"].at({"8000": str(port)})
            servers[f"web {number}"] = WebServer(
                environment_of(service) | {"WEB_CONCURRENCY": "1"},
                log=folder / f"web-{number}.log",
                command=service.command,
                port=port,
                folder=build,
            )
        for name, kind in (("listener", Listener), ("calculator", Calculator)):
            servers[name] = kind(
                environment_of(services[name]),
                log=folder / f"{name}.log",
                command=services[name].command,
                folder=build,
            )
        for server in servers.values():
            stack.callback(server.kill)
            server.start()
        balancer = stack.enter_context(Balancer(ports))
        os.environ["PUBSUB_EMULATOR_HOST"] = emulator.host
        yield Deployed(services, servers, balancer, database, project)


async def rehearse(deployed: Deployed, build: Path, seconds: float) -> Found:
    """Open the sockets, let people edit, upgrade in the middle; then check the promise."""
    loop = asyncio.get_running_loop()
    people: list[Person] = []
    onlookers: list[RetryingClient] = []
    for number in range(SOCKETS):
        sheet = SHEETS[number % len(SHEETS)]
        if number < EDITORS:
            column = number // len(SHEETS)  # one's own on that sheet
            people.append(Person([deployed.balancer], sheet, OTHER_SHEETS, column, seed=number))
        else:
            onlookers.append(RetryingClient(deployed.balancer.websocket_url, sheet))
        await asyncio.sleep(1 / OPENED_PER_SECOND)
    await asyncio.gather(*(client.until_open(60) for client in onlookers))
    progress(f"{SOCKETS} sockets are open")
    until = loop.time() + seconds
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish(deployed.project, SHEETS, until))
        for person in people:
            group.create_task(person.live(until))
        await asyncio.sleep(seconds / 2)
        await asyncio.to_thread(deployed.upgrade, build)
    published = publishing.result()
    revisions = await check(deployed.database, SHEETS, people, published)
    for client in onlookers:
        await client.until_revision(len(deployed.database.log(client.sheet)))
        cells = deployed.database.cells(client.sheet)
        assert client.replica.filled() == cells, f"an onlooker's {client.sheet} differs"
    clients = [*onlookers, *(person.client for person in people)]
    found = Found(
        seconds,
        revisions,
        sum(len(person.acknowledged) for person in people),
        published.total(),
        sum(len(client.close_codes) for client in onlookers),
        sum(len(client.rejected) for client in clients),
        sum(person.pages_again for person in people),
        sorted(wait for person in people for wait in person.waits),
        deployed.steps,
    )
    for client in clients:
        await client.leave()
    return found


def report(found: Found, old: str, new: str) -> str:
    p50, p99 = (percentile(found.waits, share) * 1e3 for share in (0.5, 0.99))
    lines = [
        f"# An upgrade while {SOCKETS} sockets are open",
        "",
        f"`make upgrade SECONDS={found.seconds:.0f} OLD={old}` wrote this on "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, at commit {new}, on {os.cpu_count()} cores.",
        "",
        f"{SOCKETS} sockets on {len(SHEETS)} sheets, {EDITORS} of them people who edit about once",
        "a second, reload, go offline and come back, beside a stream of two messages a second, for",
        f"{found.seconds:.0f} s, on the composition with {WEB_SERVICES} web services. In between",
        f"this build, with one more migration, took the place of that of {old}.",
        "",
        "| step | seconds |",
        "|---|---|",
        *(f"| {what} | {seconds:.1f} |" for what, seconds in found.steps),
        "",
        f"* {found.revisions:,} revisions without a gap; all {found.acknowledged:,} acknowledged",
        f"  edits among them once, and all {found.published:,} published ones. Nothing is left",
        f"  unacknowledged, and all {SOCKETS} screens equal the database.",
        f"* The sockets of the {SOCKETS - EDITORS} who look on were closed {found.moves:,} times,",
        f"  and opened elsewhere. {found.rejected:,} edits were asked to be sent again;",
        f"  {found.pages_again:,} connections broke off before a page came, which then came.",
        "* From submitting to the acknowledgement, reconnecting included, people's edits took p50",
        f"  {p50:.0f} ms, p99 {p99:.0f} ms, the longest {found.waits[-1]:.1f} s.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--old", default="HEAD", help="the commit that is deployed before")
    arguments = parser.parse_args()
    seconds, old_commit = arguments.seconds, arguments.old
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with tempfile.TemporaryDirectory(prefix="sheetsync-upgrade-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user looks into it
        old, new = folder / "old", folder / "new"
        for build in (old, new):
            build.mkdir()
        build_old(old, old_commit)
        build_next(new)
        with deployed(folder, old) as running:
            found = asyncio.run(rehearse(running, new, seconds))
    text = report(found, old_commit, commit())
    print(text)
    if seconds >= SHORTEST_KEPT_SECONDS:
        RESULTS.write_text(text)
    else:
        print(f"Shorter than {SHORTEST_KEPT_SECONDS:.0f} s: not kept in {RESULTS.name}.")


if __name__ == "__main__":
    main()
