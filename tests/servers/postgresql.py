"""A real PostgreSQL server with a data folder of its own."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.servers.missing import missing_service
from tests.servers.process import ServerFailedError, ServerProcess, free_port

DEBIAN_FOLDER = Path("/usr/lib/postgresql")


class PostgresqlServer(ServerProcess):
    """Stop it and start it again: it comes back on the same port with its data.

    `folder` must be one that any account may enter when this is root: PostgreSQL refuses to run
    as root and is then run as `postgres`. A benchmark wants it durable. `options` are further
    settings, `name=value`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        is_durable: bool = False,
        options: Sequence[str] = (),
        log: Path | None = None,
    ) -> None:
        self.port = free_port()
        self._data = folder / "data"
        self._programs = _programs()
        super().__init__(
            "PostgreSQL",
            [
                *(str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "max_connections=200", "-c", "log_checkpoints=off"),
                # No test's data has to survive a power cut, and a killed server loses nothing.
                *(() if is_durable else ("-c", "fsync=off", "-c", "full_page_writes=off")),
                *(word for option in options for word in ("-c", option)),
            ],
            log=log or folder / "postgresql.log",
            user=_account(),
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait until every client has gone
        )

    def initialize(self, *, wal_megabytes: int = 16) -> None:
        """Make the data folder; once, before the first start. The log is written in such files."""
        self._data.mkdir()
        if self.user:
            shutil.chown(self._data, self.user, self.user)
        made = subprocess.run(
            [
                *(str(self._programs / "initdb"), "-D", str(self._data), "--no-sync"),
                *("--username=sheetsync", "--auth=trust", "--encoding=UTF8", "--no-locale"),
                f"--wal-segsize={wal_megabytes}",
            ],
            cwd="/",
            capture_output=True,
            text=True,
            user=self.user,
            group=self.user,
            extra_groups=() if self.user else None,
        )
        if made.returncode:
            raise ServerFailedError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def url(self, database: str = "postgres") -> str:
        return f"postgres://sheetsync@127.0.0.1:{self.port}/{database}"

    @property
    def client_environment(self) -> dict[str, str]:
        """Return what leads PostgreSQL's own commands here."""
        path = f"{self._programs}:{os.environ['PATH']}"
        return {"PATH": path, "PGHOST": "127.0.0.1", "PGPORT": str(self.port)}

    def is_ready(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=2).close()
            return True
        return False

    def new_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of the one at the URL `template`; return its URL."""
        name = f"sheetsync_{uuid.uuid4().hex[:12]}"
        original = template.rpartition("/")[2] if template else "template1"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(command.format(sql.Identifier(name), sql.Identifier(original)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever still uses it."""
        command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(command.format(sql.Identifier(url.rpartition("/")[2])))

    def rows(self, url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of one query to the database at `url`."""
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()


def _programs() -> Path:
    """Return the folder of initdb and postgres, which Debian keeps away from PATH."""
    on_path = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    debian = sorted(DEBIAN_FOLDER.glob("*/bin"), key=lambda path: -float(path.parent.name))
    for folder in on_path + debian:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    missing_service("PostgreSQL", "apt install postgresql (macOS: brew install postgresql@17).")


def _account() -> str | None:
    """Return the account to run as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    missing_service("An account for PostgreSQL", "as root it needs `adduser --system postgres`.")
