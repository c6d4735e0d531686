"""What is measured, and how it is started: SheetSync as it is deployed, and its peers."""

import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

from bench import cores, processes
from bench.database import Database, Templates
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, ServerProcess, answers_http, free_port
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import WebServer, uvicorn

PEERS = ROOT / "bench" / "peers"
OURS = "sheetsync"

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

    @cached_property
    def node(self) -> str:
        """The program, once the peers' packages are installed as their lock file says."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise SystemExit("The peers need Node.js 20 or newer, with npm: install it.")
        lock, installed = PEERS / "package-lock.json", PEERS / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            print("installing the peers with npm ci", file=sys.stderr, flush=True)
            install = [npm, "ci", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(install, cwd=PEERS, check=True)
            installed.touch()
        return node

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
    database: Literal["SQLite", "PostgreSQL"],
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


class PeerServer(ServerProcess):
    """A peer in a process of its own; it answers GET /healthz when it serves."""

    def __init__(
        self, name: str, command: Sequence[str], port: int, folder: Path, log: Path
    ) -> None:
        self.port = port
        super().__init__(
            name, command, log=log, environment={"NODE_ENV": "production"}, folder=folder
        )

    def is_ready(self) -> bool:
        return answers_http(self.port, "/healthz")


def node_peer(key: str, label: str, script: str, path: str) -> Subject:
    """Return a peer that `node SCRIPT PORT` serves, all in memory; `path` holds one {}."""

    def start(stage: Stage) -> Iterator[Running]:
        port = free_port()
        command = [stage.node, script, str(port)]
        server = PeerServer(label, command, port, PEERS, stage.folder / f"{key}-{port}.log")
        try:
            start_pinned(server)
            yield Running(port, server, lambda: path.format(uuid.uuid4().hex[:12]))
        finally:
            server.kill()

    return Subject(key, label, key, start)


RELAY = node_peer("relay", "bare Express + ws relay (Node, in memory)", "relay.mjs", "/sheets/{}/")
UVICORN_SQLITE = sheetsync("uvicorn", "SQLite", has_redis=False)
UVICORN_PG_REDIS = sheetsync("uvicorn", "PostgreSQL", has_redis=True)

SUBJECTS = {
    subject.key: subject
    for subject in (
        RELAY,
        UVICORN_SQLITE,
        UVICORN_PG_REDIS,
        sheetsync("uvicorn", "SQLite", has_redis=True),
        sheetsync("uvicorn", "PostgreSQL", has_redis=False),
        sheetsync("daphne", "SQLite", has_redis=False),
        sheetsync("daphne", "PostgreSQL", has_redis=True),
    )
}
