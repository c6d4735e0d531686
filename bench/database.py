"""Databases of the deployments measured, durable, and the child that works on one."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, clean_environment
from tests.servers.sheetsync import run_manage

ROWS, COLUMNS = 1_000, 26  # of a new sheet, and of what the load generator writes to


class Database:
    """One migrated database; `ask` lets `bench.worker` do something in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._worker: subprocess.Popen[str] | None = None
        self._spare: list[str] = []

    def new_sheet(self) -> str:
        """Return the slug of an empty sheet."""
        if not self._spare:
            self._spare = [uuid.uuid4().hex[:12] for _ in range(20)]
            self.make_sheets(self._spare)
        return self._spare.pop()

    def make_sheets(
        self, slugs: Sequence[str], *, rows: int = ROWS, columns: int = COLUMNS
    ) -> None:
        """Make empty sheets that every guest may edit."""
        self.ask("make_sheets", slugs=slugs, rows=rows, columns=columns)

    def start(self) -> None:
        """Start the worker, so that it is on this thread's core."""
        environment = {
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "sheetsync.settings",
            "LOG_LEVEL": "WARNING",
            "DEBUG": "0",
            "SECRET_KEY": "bench",
        }
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            cwd=ROOT,
            env=clean_environment(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Call a function of `bench.worker` and return its answer."""
        if self._worker is None:
            self.start()
        assert self._worker is not None
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps({"do": do} | arguments) + "\n")
        self._worker.stdin.flush()
        if not (answer := self._worker.stdout.readline()):
            raise RuntimeError(f"the worker on {self.url} ended while it was to {do}")
        return json.loads(answer)

    def size_bytes(self) -> int:
        """Return what the database takes on disk."""
        if self.url.startswith("sqlite"):
            return sum(file.stat().st_size for file in self._files())
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            assert row is not None
            return int(row[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def head(self, slug: str) -> int:
        """Return the number of the sheet's newest revision."""
        return int(self.ask("head", slug=slug))

    def close(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
        if self.url.startswith("sqlite"):
            for file in self._files():
                file.unlink()
        else:
            server, _, name = self.url.rpartition("/")
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            with suppress(psycopg.OperationalError), _administering(server) as connection:
                connection.execute(drop)

    def _files(self) -> list[Path]:
        file = Path(self.url.removeprefix("sqlite:///"))
        return list(file.parent.glob(f"{file.name}*"))


class Templates:
    """Makes migrated databases by copying one, which takes milliseconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sqlite: Path | None = None
        self._postgresql: str | None = None

    def new_sqlite(self) -> Database:
        if self._sqlite is None:
            self._sqlite = self._folder / "template.sqlite3"
            run_manage({"DATABASE_URL": f"sqlite:///{self._sqlite}"}, "migrate", "--verbosity=0")
        file = self._folder / f"{uuid.uuid4().hex[:12]}.sqlite3"
        shutil.copy(self._sqlite, file)
        return Database(f"sqlite:///{file}")

    def new_postgresql(self, server: PostgresqlServer) -> Database:
        if self._postgresql is None:
            self._postgresql = server.new_database()
            run_manage({"DATABASE_URL": self._postgresql}, "migrate", "--verbosity=0")
        name = f"bench_{uuid.uuid4().hex[:12]}"
        template = self._postgresql.rpartition("/")[2]
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with _administering(server.url().rpartition("/")[0]) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return Database(server.url(name))


@contextmanager
def _administering(server_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        yield connection
