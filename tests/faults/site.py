"""A deployment of real processes behind proxies, and how each fault is done to it and undone."""

import contextlib
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests.faults.disk import Means, SmallDisk
from tests.faults.proxy import Proxy
from tests.faults.publisher import Topic
from tests.faults.schedule import LISTENERS, WEB_SERVERS, Fault, Kind, Mode
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import (
    ServerFailedError,
    ServerProcess,
    free_port,
    running,
)
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Listener, WebServer, run_manage, runserver, uvicorn

POSTGRESQL_MEGABYTES = 192  # twice what a new one and some databases take
SQLITE_MEGABYTES = 48
DELAY_SECONDS = 0.15
START_SECONDS = 60.0
START_AGAIN_SECONDS = 0.5
SLOW_STOP_SECONDS = 6.0  # worth a note; a listener promises 5
STOP_SECONDS = 20.0  # a graceful end may wait for a database that another fault holds up

PREPARE = """
from django.core.management import call_command
from cells.models import LinkRole
from cells.services.access import create_sheet
call_command("migrate", verbosity=0)
for slug in {slugs!r}:
    create_sheet(None, slug, slug=slug, link_role=LinkRole.EDITOR)
"""


class CrashablePostgresql(PostgresqlServer):
    """PostgreSQL on a small disk, which can be killed and frozen with all its processes."""

    def __init__(self, disk: SmallDisk) -> None:
        super().__init__(
            disk.folder,
            # Small log files, few of them: so that a full disk is one for the log as well.
            options=["min_wal_size=2MB", "max_wal_size=16MB", "restart_after_crash=on"],
            # Beside the disk: what it says of a full one is worth most.
            log=disk.folder.with_suffix(".log"),
        )
        self.disk = disk
        disk.is_for(self.pids, self.user)

    def pids(self) -> list[int]:
        """Return the processes: each backend is in a session of its own."""
        return [self.pid, *children(self.pid)] if self.is_running else []

    def kill(self) -> None:
        """End all of it at once, as a machine does that goes."""
        pids = self.pids()
        super().kill()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def bring_back(self) -> None:
        """Start it if it is not there: after a kill, or after a full disk ended it."""
        if self.is_running and self.is_ready():
            return
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.kill()
            with contextlib.suppress(ServerFailedError):  # the last backend still holds its memory
                self.start()
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL does not come back\n{self.log_tail()}")
            time.sleep(0.2)


class Services:
    """What may serve several sites one after the other; each is started when it is first used."""

    def __init__(
        self, folder: Path, emulator_host: Callable[[], str], disk: Means | None = None
    ) -> None:
        self.folder = folder
        self.disk = disk
        self.emulator_host = emulator_host
        self._postgresql: CrashablePostgresql | None = None
        self._redis: RedisServer | None = None
        self._ending = ExitStack()

    @property
    def postgresql(self) -> CrashablePostgresql:
        if self._postgresql is None:
            # Every account may enter: PostgreSQL does not run as root.
            self.folder.chmod(0o755)
            disk = SmallDisk(self.folder / "postgresql", POSTGRESQL_MEGABYTES, self.disk)
            self._ending.callback(disk.close)
            self._postgresql = CrashablePostgresql(disk)
            self._postgresql.initialize(wal_megabytes=1)
            self._postgresql.start()
            self._ending.callback(self._postgresql.kill)
        return self._postgresql

    @property
    def redis(self) -> RedisServer:
        if self._redis is None:
            self._redis = RedisServer(self.folder)
            self._redis.start()
            self._ending.callback(self._redis.kill)
        return self._redis

    def close(self) -> None:
        self._ending.close()


class Site:
    """The processes of one mode. Sheets are made at the start; each run takes one of its own."""

    def __init__(
        self,
        mode: Mode,
        services: Services,
        sheets: Sequence[str],
        *,
        mutant: str | None = None,
        web_servers: int | None = None,
        listeners: int | None = None,
        database_url: str | None = None,
    ) -> None:
        """Describe a site; `mutant` names a defect that its web servers are to have.

        A database that is given has the sheets already.
        """
        self.mode = mode
        self.sheets = list(sheets)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{mode}-", dir=services.folder))
        self.notes: list[str] = []
        self.processes: dict[str, ServerProcess] = {}
        self._services = services
        self._mutant = mutant
        few = 1 if mode is Mode.SQLITE else 2
        names = WEB_SERVERS[: few if web_servers is None else web_servers]
        self._names = (*names, *LISTENERS[: few if listeners is None else listeners])
        self._given_database_url = database_url
        self._ending = ExitStack()
        self._frozen: dict[str, list[int]] = {}
        # From the beginning of a process's fault until it answers again, however long that takes.
        self._hurt: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def start(self) -> "Site":
        """Start everything and return when it answers."""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End everything that this site started."""
        self.thaw_all()
        self._ending.close()

    def _start(self) -> None:
        if self.mode is Mode.SQLITE:
            self.disk = SmallDisk(self.folder / "disk", SQLITE_MEGABYTES, self._services.disk)
            self._ending.callback(self.disk.close)
            self.disk.is_for(lambda: [pid for p in self._ours() for pid in pids_of(p)])
            self.database_url = f"sqlite:///{self.disk.folder / 'sheets.sqlite3'}"
        else:
            self.processes["postgresql"] = self._services.postgresql
            self.disk = self._services.postgresql.disk
            self.database_url = self._services.postgresql.new_database()
            self._ending.callback(self._drop_database)
        if self.mode is Mode.REDIS:
            self.processes["redis"] = self._services.redis
        if self._given_database_url is not None:
            self.database_url = self._given_database_url
        else:
            prepare(self.database_url, self.sheets)
        self.topic = Topic(self._services.emulator_host(), f"faults-{uuid.uuid4().hex[:12]}")
        self.topic.create()
        self.proxy = self._ending.enter_context(Proxy())
        self.processes |= {name: self._make(name) for name in self._names}
        for server in self._ours():
            self._ending.callback(server.kill)
        start_together(list(self._ours()))

    def _drop_database(self) -> None:
        """Make room for the next site's: a hundred rounds' sheets do not fit on the small disk."""
        with contextlib.suppress(psycopg.OperationalError):
            self._services.postgresql.drop_database(self.database_url)

    @property
    def web_urls(self) -> list[str]:
        """Where clients go: the web servers' links."""
        return [
            f"ws://127.0.0.1:{self.proxy.links[f'{name}/clients'].port}"
            for name in self._names
            if name in WEB_SERVERS
        ]

    @property
    def has_listeners(self) -> bool:
        return any(name in LISTENERS for name in self._names)

    def _ours(self) -> Iterator[ServerProcess]:
        for name, process in self.processes.items():
            if name in (*WEB_SERVERS, *LISTENERS):
                yield process

    def _make(self, name: str) -> ServerProcess:
        log = self.folder / f"{name}.log"
        if name in WEB_SERVERS:
            port = free_port()
            self.proxy.link(f"{name}/clients", port)
            command = runserver(port) if self.mode is Mode.SQLITE else uvicorn(port)
            if self._mutant is not None:
                command = [sys.executable, "-m", "tests.faults.mutants", self._mutant, *command[1:]]
            return WebServer(
                self._environment(name), log=log, port=port, command=command, name=name
            )
        port = int(self.topic.host.rpartition(":")[2])
        link = self.proxy.link(f"{name}/pubsub", port)
        hears = self.topic.environment(f"127.0.0.1:{link.port}")
        listener = Listener(self._environment(name) | hears, log=log)
        listener.name = name
        return listener

    def _environment(self, name: str) -> dict[str, str]:
        """Return a process's settings, with a link of its own to each service."""
        if self.mode is Mode.SQLITE:
            return {"DATABASE_URL": self.database_url}
        link = self.proxy.link(f"{name}/postgresql", self._services.postgresql.port)
        _, _, database = self.database_url.rpartition("/")
        environment = {
            "DEBUG": "0",
            "SECRET_KEY": "for tests of faults alone",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": f"postgres://sheetsync@127.0.0.1:{link.port}/{database}",
        }
        if self.mode is Mode.REDIS:
            redis = self.proxy.link(f"{name}/redis", self._services.redis.port)
            environment["REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
        return environment

    # -- faults ----------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Do it, as soon as its target is up. Faults of clients are not for the site."""
        if (victim := self._victim(fault)) is not None:
            self._hurt[victim].acquire()
        match fault.kind:
            case Kind.KILL:
                self.processes[fault.target].kill()
            case Kind.RESTART:
                self._stop(fault.target)
            case Kind.FREEZE:
                self._freeze(fault.target)
            case Kind.CUT:
                self.proxy.links[fault.target].cut()
            case Kind.DELAY:
                self.proxy.links[fault.target].delay(DELAY_SECONDS)
            case Kind.STALL:
                self.proxy.links[fault.target].stall()
            case Kind.REFUSE:
                self.proxy.links[fault.target].refuse()
            case Kind.LOSE_ANSWERS:
                self.proxy.links[fault.target].lose_answers()
            case Kind.DISK_FULL:
                if self.mode is Mode.SQLITE:
                    forget_log_file(self.database_url)
                self.disk.fill()

    def end(self, fault: Fault) -> None:
        """Undo it; returns when what was down answers again."""
        try:
            self._end(fault)
        finally:
            if (victim := self._victim(fault)) is not None:
                self._hurt[victim].release()

    def _victim(self, fault: Fault) -> str | None:
        """Return the process that a fault takes down, if any."""
        if fault.kind is Kind.DISK_FULL:
            return "disk" if self.mode is Mode.SQLITE else "postgresql"
        return fault.target if fault.target in self.processes else None

    def _end(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL | Kind.RESTART:
                self._start_again(fault.target)
            case Kind.FREEZE:
                self._thaw(fault.target)
            case Kind.DELAY:
                self.proxy.links[fault.target].delay(0)
            case Kind.STALL:
                self.proxy.links[fault.target].resume()
            case Kind.REFUSE:
                self.proxy.links[fault.target].accept()
            case Kind.LOSE_ANSWERS:
                self.proxy.links[fault.target].cut()
                self.proxy.links[fault.target].resume()
            case Kind.DISK_FULL:
                self.disk.free()
                if isinstance(server := self.processes.get("postgresql"), CrashablePostgresql):
                    server.bring_back()

    def _start_again(self, name: str) -> None:
        process = self.processes[name]
        if isinstance(process, CrashablePostgresql):
            process.bring_back()
        else:
            self._supervise(process)
        if self.disk.is_full and self.mode is Mode.SQLITE:
            self.disk.admit(pids_of(process))

    def _supervise(self, process: ServerProcess) -> None:
        """Start a process until it stays, as docker-compose does: one that meets a full disk, or
        no Pub/Sub, when it starts says so and ends.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                process.start(START_SECONDS)
                return
            except ServerFailedError:
                if time.monotonic() > deadline:
                    raise
                self.notes.append(f"{process.name} could not start, and is started again")
                time.sleep(START_AGAIN_SECONDS)

    def _stop(self, name: str) -> None:
        began = time.monotonic()
        try:
            code = self.processes[name].stop(STOP_SECONDS)
        except ServerFailedError:
            self.notes.append(f"{name} did not end within {STOP_SECONDS:g} s of SIGTERM")
        else:
            seconds = time.monotonic() - began
            # 0, or what uvicorn does when it has ended: it dies of the signal that it was sent.
            if code not in (0, -signal.SIGTERM) or seconds > SLOW_STOP_SECONDS:
                self.notes.append(f"{name} ended {seconds:.1f} s after SIGTERM with {code}")

    def _freeze(self, name: str) -> None:
        self._frozen[name] = pids_of(self.processes[name])
        _signal(self._frozen[name], signal.SIGSTOP)

    def _thaw(self, name: str) -> None:
        _signal(self._frozen.pop(name, []), signal.SIGCONT)

    def thaw_all(self) -> None:
        """Let go on whatever is frozen, so that it can be ended."""
        for name in list(self._frozen):
            self._thaw(name)


def prepare(database_url: str, sheets: Sequence[str]) -> None:
    """Migrate a database and make sheets that every guest may edit."""
    code = PREPARE.format(slugs=list(sheets))
    run_manage({"DATABASE_URL": database_url}, "shell", "-v", "0", "-c", code)


def forget_log_file(database_url: str) -> None:
    """Let SQLite's write-ahead log begin anew: in a large one there would be room for a while."""
    file = database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, timeout=1)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def start_together(servers: Sequence[ServerProcess]) -> None:
    """Start several servers side by side."""
    with ThreadPoolExecutor(len(servers)) as pool:
        for done in [pool.submit(server.start) for server in servers]:
            done.result()


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still run (Linux)."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, file.read_text().split())
    return found


def pids_of(process: ServerProcess) -> list[int]:
    """Return a server's processes, itself first; none if it is down."""
    if process not in running or not process.is_running:
        return []
    return [process.pid, *children(process.pid)]


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
