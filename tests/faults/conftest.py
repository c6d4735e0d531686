"""A deployment under load while a part of it fails: PostgreSQL, Redis, two web processes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.site import Services
from tests.servers.databases import Databases
from tests.servers.deployment import Deployment
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer


@dataclass(slots=True)
class Load:
    """Authors who go on editing whatever happens, each in a column of its own."""

    deployment: Deployment
    authors: list[RetryingClient]
    submitted: dict[str, str] = field(default_factory=dict)
    _writing: list[asyncio.Task[None]] = field(default_factory=list)
    _is_over: bool = False

    def begin(self) -> None:
        self._writing = [
            asyncio.create_task(self._write(author, column))
            for column, author in enumerate(self.authors)
        ]

    async def until_acknowledged_more(self, count: int = 50) -> None:
        """Wait until each author has got so many more edits through."""
        wanted = [len(author.acknowledged) + count for author in self.authors]
        for author, number in zip(self.authors, wanted, strict=True):
            await author.until(
                lambda author=author, number=number: len(author.acknowledged) >= number,  # type: ignore[misc]
                f"{number} edits through",
                seconds=60,
            )

    def stop(self) -> None:
        self._is_over = True

    async def end(self) -> None:
        """Stop writing; all that was submitted must get through, exactly once, to everyone."""
        self.stop()
        await asyncio.gather(*self._writing)
        for author in self.authors:
            await author.until_acknowledged()
        self.check()
        head = self.deployment.head()
        for author in self.authors:
            await author.until_revision(head)
            assert author.replica.revision == head
            assert author.replica.filled() == self.deployment.cells()

    def check(self) -> None:
        """Compare with the log: it has no gap, and all that was acknowledged as acknowledged."""
        log = self.deployment.log()
        assert [line.number for line in log] == list(range(1, len(log) + 1))
        revisions = {line.operation_id: line.number for line in log}
        assert len(revisions) == len(log)
        assert revisions.keys() <= self.submitted.keys()
        assert {line.operation_id: line.texts for line in log} == {
            operation_id: [self.submitted[operation_id]] for operation_id in revisions
        }
        for author in self.authors:
            assert author.acknowledged.items() <= revisions.items()
            lost = author.submitted - author.unacknowledged.keys() - revisions.keys()
            assert not lost, f"neither waiting nor in the log: {lost}"

    async def _write(self, author: RetryingClient, column: int) -> None:
        number = 0
        while not self._is_over:
            number += 1
            text = f"{column}: {number}"
            self.submitted[await author.put(number % 500, column, text)] = text
            # As fast as answers come, and during an outage no more than a burst ahead.
            await asyncio.sleep(0.002 if len(author.unacknowledged) < 50 else 0.05)


@pytest.fixture
def deployment(new_database: Databases) -> Deployment:
    return Deployment(new_database("postgresql", "prices"))


@pytest.fixture
def servers(
    deployment: Deployment, redis_server: RedisServer, web_server: Callable[..., WebServer]
) -> list[WebServer]:
    environment = {"DATABASE_URL": deployment.database_url, "REDIS_URL": redis_server.url}
    return [web_server(environment), web_server(environment)]


@pytest.fixture
async def load(deployment: Deployment, servers: list[WebServer]) -> AsyncIterator[Load]:
    """Two authors on the first process and one on the second."""
    addresses = [server.websocket_url for server in (servers[0], servers[0], servers[1])]
    load = Load(deployment, [RetryingClient(address) for address in addresses])
    load.begin()
    await load.until_acknowledged_more()
    yield load
    load.stop()
    for author in load.authors:
        await author.leave()


@pytest.fixture(scope="session")
def fault_services(pubsub_emulator: PubsubEmulator) -> Iterator[Services]:
    """Services of their own for rounds of faults, which break them; on a disk that can be full."""
    # Not pytest's own folder, which no other account may enter: PostgreSQL does not run as root.
    with tempfile.TemporaryDirectory(prefix="sheetsync-faults-") as folder:
        services = Services(Path(folder), lambda: pubsub_emulator.host)
        yield services
        services.close()
