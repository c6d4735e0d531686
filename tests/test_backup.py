"""Backup and restore, by the very commands of docs/operating.md: what was saved is there again.

Clients that have seen more than the restored log has come to its state, and lose nothing that
they have not been acknowledged.
"""

import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from tests.servers.databases import Databases
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT
from tests.servers.replica import Replica
from tests.servers.sheetsync import WebServer
from tests.servers.wire import open_sheet

pytestmark = pytest.mark.xdist_group("compose")  # of a name that the composition has, too

SAVED, LOST, AFTERWARDS = 6, 4, 8  # edits before the backup, before the restore, and behind it
AN_HOUR_MS = 3_600_000.0  # as long as the restore may have taken


class Database(Protocol):
    """A database that can be saved, and brought back while nothing runs on it."""

    @property
    def url(self) -> str: ...

    def save(self) -> None: ...

    def restore(self) -> None: ...


def documented(*beginnings: str) -> list[str]:
    """Return the lines of docs/operating.md's commands that begin so, in order."""
    text = (ROOT / "docs" / "operating.md").read_text()
    section = text[text.index("## Backup and restore") : text.index("## A new version")]
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE))
    found = [line for line in lines.splitlines() if line.startswith(beginnings)]
    assert found, beginnings
    return found


@dataclass(frozen=True, slots=True)
class Postgresql:
    server: PostgresqlServer
    folder: Path

    IN_DB = "docker compose exec -T db "

    @property
    def url(self) -> str:
        return self.server.url("sheetsync")

    def save(self) -> None:
        self._run(*documented(f"{self.IN_DB}pg_dump"))

    def restore(self) -> None:
        begin = tuple(f"{self.IN_DB}{program}" for program in ("createdb", "pg_restore", "psql"))
        self._run(*documented(*begin))

    def _run(self, *lines: str) -> None:
        commands = [line.removeprefix(self.IN_DB) for line in lines]
        run("\n".join(commands), self.folder, self.server.client_environment)


@dataclass(frozen=True, slots=True)
class Sqlite:
    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'db.sqlite3'}"

    def save(self) -> None:
        (line,) = documented(".venv/bin/python")
        run(line.replace(".venv/bin/python", sys.executable), self.folder)

    def restore(self) -> None:
        run("\n".join(documented("rm ", "cp ")), self.folder)


def run(script: str, folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


@pytest.fixture(params=["postgresql", "sqlite"])
def database(
    request: pytest.FixtureRequest, new_database: Databases, tmp_path: Path
) -> Iterator[Database]:
    if request.param == "sqlite":
        made = new_database("sqlite", "prices").removeprefix("sqlite:///")
        Path(made).rename(tmp_path / "db.sqlite3")
        yield Sqlite(tmp_path)
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    template = new_database("postgresql", "prices").rpartition("/")[2]
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE sheetsync TEMPLATE {template}".encode())
    yield Postgresql(server, tmp_path)
    for name in ("sheetsync", "sheetsync_lost", "sheetsync_restored"):
        server.drop_database(server.url(name))


def test_clients_that_were_ahead_come_to_the_restored_state_and_lose_no_unsent_edit(
    database: Database, web_server: Callable[..., WebServer]
) -> None:
    environment = {"DATABASE_URL": database.url, "EMBEDDED_CALCULATION": "0"}
    web = web_server(environment)
    with open_sheet(web.websocket_url, "prices") as alice:
        saved_ids = [str(uuid.uuid4()) for _ in range(SAVED)]
        for number, operation_id in enumerate(saved_ids):
            alice.submit(cell(number, 0, f"saved {number}"), operation_id)
        database.save()
        for number in range(LOST):
            alice.set_cell((number, 1), f"lost {number}")
        alice.set_cell((0, 0), "lost, too")
        ahead, away = alice.replica, copy_of(alice.replica)
    web.stop()

    database.restore()
    web.start()
    deployment = Deployment(database.url)
    assert [line.operation_id for line in deployment.log()] == saved_ids
    unsent = str(uuid.uuid4())
    with open_sheet(web.websocket_url, "prices", replica=ahead, held_ms=AN_HOUR_MS) as alice:
        assert ahead.filled() == deployment.cells()
        # What it sends again was saved, or was never answered.
        assert alice.submit(cell(0, 0, "saved 0"), saved_ids[0]) == 1
        assert alice.submit(cell(9, 9, "unsent"), unsent) == SAVED + 1
        for number in range(AFTERWARDS):
            alice.set_cell((number, 2), f"after {number}")

    # Who comes when the log has grown beyond what they had seen of the one that is gone.
    assert away.revision < deployment.head()
    with open_sheet(web.websocket_url, "prices", replica=away, held_ms=AN_HOUR_MS):
        assert away.filled() == ahead.filled() == deployment.cells()
    log = deployment.log()
    assert [line.number for line in log] == list(range(1, SAVED + 1 + AFTERWARDS + 1))
    assert [line.operation_id for line in log][: SAVED + 1] == [*saved_ids, unsent]
    assert len({line.operation_id for line in log}) == len(log)


def cell(row: int, column: int, text: str) -> dict[str, object]:
    return {"kind": "set_cells", "cells": [[row, column, text]]}


def copy_of(replica: Replica) -> Replica:
    """Return what another client holds that has seen the same."""
    other = Replica()
    other.revision, other.cells = replica.revision, dict(replica.cells)
    return other
