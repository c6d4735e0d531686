"""Migrations beside edits, on PostgreSQL: a migration gives way, and comes through later."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import clean_environment, wait_until
from tests.servers.sheetsync import manage, run_manage

BEFORE = "0010"  # the next migration locks groups, and then sheets


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """Return the database of an older version."""
    url = postgresql.new_database()
    run_manage({"DATABASE_URL": url}, "migrate", "cells", BEFORE, "--verbosity=0")
    return url


@contextmanager
def migrating(url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            manage("migrate_online", "--verbosity=0"),
            env=clean_environment({"DATABASE_URL": url}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until_it_waits(postgresql: PostgresqlServer, url: str) -> None:
    waiting = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE datname = current_database() AND NOT granted"
    )
    wait_until(lambda: postgresql.rows(url, waiting), "a migration that waits for a lock")


def test_it_gives_way_to_an_edit_that_it_would_deadlock_with(
    postgresql: PostgresqlServer, url: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with psycopg.connect(url) as edit:
        edit.execute("UPDATE cells_sheet SET head = head")
        with migrating(url, log) as process:
            wait_until_it_waits(postgresql, url)
            # Which the migration has locked by now: one of the two has to go.
            edit.execute("UPDATE auth_group SET name = name")
            wait_until(lambda: "trying again" in log.read_text(), "a second try")
            edit.commit()
            assert process.wait(60) == 0, log.read_text()
    run_manage({"DATABASE_URL": url}, "migrate", "--check")


def test_what_is_wrong_in_itself_is_said_and_not_tried_again(
    postgresql: PostgresqlServer, url: str, tmp_path: Path
) -> None:
    with psycopg.connect(url) as other:
        other.execute("CREATE TABLE cells_signintries (id integer)")
    with migrating(url, tmp_path / "log") as process:
        assert process.wait(60) == 1
    said = (tmp_path / "log").read_text()
    assert "trying again" not in said
    assert "Mend this, and run it again" in said
    assert 'relation "cells_signintries" already exists' in said
