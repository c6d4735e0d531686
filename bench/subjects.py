"""What is measured, and how it is started: SheetSync as it is deployed, and its peers."""

import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias, TypeVar

from bench import cores, processes
from bench.database import Database, Templates
from bench.peers.servers import NAIVE_CHANNELS, PEERS_BY_NAME, Peer, PeerServer, make_tables
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ServerProcess, free_port
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import WebServer, uvicorn

OURS = "sheetsync"
Kind: TypeAlias = Literal["SQLite", "PostgreSQL"]

Server = TypeVar("Server", bound=ServerProcess)


class Stage:
    """Where subjects are started: a folder, and the services that they share, on their core."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="sheetsync-bench-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)  # PostgreSQL's account must get in
        self.templates = Templates(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    @cached_property
    def postgresql(self) -> PostgresqlServer:
        server = PostgresqlServer(self.folder, is_durable=True)
        server.initialize()
        return self._started(server)

    @cached_property
    def redis(self) -> RedisServer:
        return self._started(RedisServer(self.folder))

    def _started(self, server: Server) -> Server:
        self._stack.callback(server.kill)
        return start_pinned(server)


@dataclass(slots=True)
class Running:
    """A subject that serves: where, by which processes, and under which addresses."""

    port: int
    server: ServerProcess
    new_path: Callable[[], str]
    services: list[ServerProcess] = field(default_factory=list)
    database: Database | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def server_pids(self) -> list[int]:
        return processes.tree(self.server.pid)

    def service_pids(self) -> list[int]:
        return [pid for service in self.services for pid in processes.tree(service.pid)]


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of the tables."""

    key: str
    label: str
    protocol: str
    start: Callable[[Stage], Iterator[Running]]

    @property
    def is_ours(self) -> bool:
        return self.protocol == OURS

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Running]:
        """Start the subject on its core, on a fresh database, and end it."""
        yield from self.start(stage)


def start_pinned(server: Server) -> Server:
    """Start a server on the servers' core, and make sure that it is there."""
    with cores.on_core(cores.SERVER_CORE):
        server.start()
    cores.check(processes.tree(server.pid), cores.SERVER_CORE)
    return server


def sheetsync(
    server: Literal["uvicorn", "daphne"],
    database: Kind,
    *,
    has_redis: bool,
) -> Subject:
    """Return SheetSync with one worker, its database durable as its settings make it."""

    def start(stage: Stage) -> Iterator[Running]:
        services: list[ServerProcess] = []
        if database == "SQLite":
            made = stage.templates.new_sqlite()
        else:
            services.append(stage.postgresql)
            made = stage.templates.new_postgresql(stage.postgresql)
        environment = {
            "DEBUG": "0",
            "SECRET_KEY": f"bench-{uuid.uuid4().hex}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": made.url,
        }
        if has_redis:
            services.append(stage.redis)
            environment["REDIS_URL"] = stage.redis.url
        port = free_port()
        web = WebServer(
            environment,
            log=stage.folder / f"web-{port}.log",
            port=port,
            command=uvicorn(port) if server == "uvicorn" else _daphne(port),
        )
        try:
            start_pinned(web)
            yield Running(
                port,
                web,
                lambda: f"/ws/sheets/{made.new_sheet()}/",
                services,
                made,
                environment,
            )
        finally:
            web.kill()
            made.close()

    short = {"SQLite": "sqlite", "PostgreSQL": "pg"}[database]
    return Subject(
        f"{server}-{short}{'-redis' if has_redis else ''}",
        f"SheetSync, {server}, {database}{', Redis' if has_redis else ''}",
        OURS,
        start,
    )


def _daphne(port: int) -> list[str]:
    application = "sheetsync.asgi:application"
    return [
        *(sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)),
        *("--access-log", "/dev/null", "-v", "0", application),
    ]


def peer(described: Peer, database: Kind | None = None) -> Subject:
    """Return a peer; one that needs services commits to `database`, durably, and uses Redis."""
    key = described.name + ("-sqlite" if database == "SQLite" else "")

    def start(stage: Stage) -> Iterator[Running]:
        services: list[ServerProcess] = []
        environment: dict[str, str] = {}
        if database is not None:
            services.append(stage.redis)
            environment["REDIS_URL"] = stage.redis.url
            if database == "SQLite":
                environment["DATABASE_URL"] = f"sqlite:///{stage.folder / uuid.uuid4().hex}.sqlite3"
            else:
                services.append(stage.postgresql)
                environment["DATABASE_URL"] = stage.postgresql.new_database()
            make_tables(environment)
        port = free_port()
        log = stage.folder / f"{key}-{port}.log"
        server = PeerServer(described, log=log, environment=environment, port=port)
        try:
            start_pinned(server)
            yield Running(
                port, server, lambda: described.sheet_path(uuid.uuid4().hex[:12]), services
            )
        finally:
            server.kill()

    what = f"{database}, Redis" if database else described.keeps
    return Subject(key, f"{described.label}, {what}", described.name, start)


RELAY = peer(PEERS_BY_NAME["relay"])
UVICORN_SQLITE = sheetsync("uvicorn", "SQLite", has_redis=False)
UVICORN_PG_REDIS = sheetsync("uvicorn", "PostgreSQL", has_redis=True)
# Measured of everything: the aims are about these.
MAIN = UVICORN_SQLITE, UVICORN_PG_REDIS
OTHER_DEPLOYMENTS = (
    sheetsync("uvicorn", "SQLite", has_redis=True),
    sheetsync("uvicorn", "PostgreSQL", has_redis=False),
    sheetsync("daphne", "SQLite", has_redis=False),
    sheetsync("daphne", "PostgreSQL", has_redis=True),
)
IN_MEMORY = tuple(
    peer(found) for found in PEERS_BY_NAME.values() if found.is_node and found.name != RELAY.key
)
NAIVE = peer(NAIVE_CHANNELS, "PostgreSQL")
NAIVE_SQLITE = peer(NAIVE_CHANNELS, "SQLite")
PEERS = (RELAY, *IN_MEMORY, NAIVE)

SUBJECTS = {
    subject.key: subject
    for subject in (RELAY, *MAIN, *OTHER_DEPLOYMENTS, *IN_MEMORY, NAIVE, NAIVE_SQLITE)
}
