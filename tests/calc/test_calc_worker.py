"""`manage.py calc_worker`, as an operator starts it: real processes, servers and signals."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.databases import Databases, Kind
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import wait_until
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Calculator, WebServer
from tests.servers.wire import SheetClient, open_sheet

StartWeb = Callable[..., WebServer]
StartCalculator = Callable[..., Calculator]
both_databases = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def environment_of(new_database: Databases, kind: Kind) -> dict[str, str]:
    return {"DATABASE_URL": new_database(kind, "prices"), "EMBEDDED_CALCULATION": "0"}


def type_in(client: SheetClient, **inputs: str) -> None:
    """Type inputs into cells named by the letter of a column id and the number of a row id."""
    cells = [[int(name[1:]), ord(name[0]) - 65, text] for name, text in inputs.items()]
    client.submit({"kind": "set_cells", "cells": cells})


def wait_for_values(client: SheetClient, **values: Any) -> None:
    wanted = {(int(name[1:]), ord(name[0]) - 65): value for name, value in values.items()}
    client.wait_until(lambda: client.replica.values == wanted, f"the values {values}")


@both_databases
def test_what_is_typed_is_calculated_for_everybody(
    new_database: Databases, web_server: StartWeb, calculator: StartCalculator, kind: Kind
) -> None:
    environment = environment_of(new_database, kind)
    web = web_server(environment)
    worker = calculator(environment)

    with (
        open_sheet(web.websocket_url, "prices") as here,
        open_sheet(web.websocket_url, "prices") as there,
    ):
        type_in(here, A0="2", B0="=A1*3", C0="=B1+1")
        wait_for_values(there, B0=6, C0=7)
        type_in(there, A0="5")
        wait_for_values(here, B0=15, C0=16)
        here.submit({"kind": "insert_rows", "before": 0, "count": 3})
        type_in(here, A1000="1", D0="=SUM(A1001:A1)")  # from the new first row on
        wait_for_values(there, B0=15, C0=16, D0=6)
    with open_sheet(web.websocket_url, "prices") as later:
        wait_for_values(later, B0=15, C0=16, D0=6)
    log = Deployment(environment["DATABASE_URL"]).log()
    assert [line.number for line in log] == list(range(1, len(log) + 1))
    assert worker.stop() == 0


def test_another_worker_takes_over_from_one_that_is_killed(
    new_database: Databases, web_server: StartWeb, calculator: StartCalculator
) -> None:
    environment = environment_of(new_database, "sqlite")
    web = web_server(environment)
    first = calculator(environment)

    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, A0="2", B0="=A1*3")
        wait_for_values(client, B0=6)
        second = calculator(environment)
        engines = children_of(first.pid)
        assert engines
        os.kill(first.pid, signal.SIGKILL)
        type_in(client, A0="3")
        wait_for_values(client, B0=9)  # after the lease
        wait_until(lambda: not any(map(is_alive, engines)), "the end of the killed one's engine")
    assert second.stop() == 0


def test_what_was_typed_while_nobody_calculated_is_made_up_for(
    new_database: Databases, web_server: StartWeb, calculator: StartCalculator
) -> None:
    environment = environment_of(new_database, "sqlite")
    web = web_server(environment)
    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, A0="2", B0="=A1*3")
        assert calculator(environment).is_running
        wait_for_values(client, B0=6)


def test_an_outage_of_the_database_pauses(
    new_database: Databases,
    web_server: StartWeb,
    calculator: StartCalculator,
    postgresql: PostgresqlServer,
) -> None:
    environment = environment_of(new_database, "postgresql")
    web = web_server(environment)
    worker = calculator(environment)
    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, A0="2", B0="=A1*3")
        wait_for_values(client, B0=6)

    postgresql.stop()
    worker.wait_until(lambda: "The database fails" in worker.output(), "a line about it")
    postgresql.start()
    worker.wait_until(lambda: "The database answers again" in worker.output(), "its end")

    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, A0="3")
        wait_for_values(client, B0=9)
    assert worker.stop() == 0


def test_hints_over_redis_wake_it(
    new_database: Databases,
    web_server: StartWeb,
    calculator: StartCalculator,
    redis_server: RedisServer,
) -> None:
    environment = environment_of(new_database, "postgresql") | {"REDIS_URL": redis_server.url}
    web = web_server(environment)
    calculator(environment)
    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, B0="=A1*3")
        wait_for_values(client, B0=0)
        for number in range(20):
            type_in(client, A0=str(number))
            wait_for_values(client, B0=number * 3)
        redis_server.stop()
        redis_server.start()
        type_in(client, A0="50")
        wait_for_values(client, B0=150)


@pytest.mark.parametrize("kind", ["runserver", "uvicorn"])
def test_the_embedded_mode_calculates_by_itself(
    new_database: Databases, web_server: StartWeb, kind: str
) -> None:
    web = web_server({"DATABASE_URL": new_database("sqlite", "prices")}, kind)
    with open_sheet(web.websocket_url, "prices") as client:
        assert children_of(web.pid) == []
        type_in(client, A0="2", B0="=A1*3")
        wait_for_values(client, B0=6)
        (worker,) = children_of(web.pid)
        os.kill(worker, signal.SIGKILL)
        type_in(client, A0="3")
        wait_for_values(client, B0=9)
        (worker,) = children_of(web.pid)
    os.kill(web.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(worker), "the end of its child")


def test_volatile_functions_go_on_while_somebody_watches(
    new_database: Databases, web_server: StartWeb, calculator: StartCalculator
) -> None:
    environment = environment_of(new_database, "sqlite")
    web = web_server(environment)
    calculator(environment)
    with open_sheet(web.websocket_url, "prices") as client:
        type_in(client, A0="=NOW()")
        client.wait_until(lambda: (0, 0) in client.replica.values, "a value")
        first = client.replica.values[0, 0]
        wait_until(lambda: volatile_sheets(environment), "a note that it is volatile")
        # Somebody has it open, which is noted within 20 s, and a minute has gone by.
        long_ago_calculated(environment)
        client.wait_until(lambda: client.replica.values[0, 0] != first, "another one")


def volatile_sheets(environment: Mapping[str, str]) -> int:
    with connected(environment) as database:
        query = "SELECT COUNT(*) FROM cells_calculation WHERE is_volatile"
        return int(database.execute(query).fetchone()[0])


def long_ago_calculated(environment: Mapping[str, str]) -> None:
    with connected(environment) as database:
        database.execute("UPDATE cells_calculation SET calculated_at = '2026-01-01 00:00:00'")


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[sqlite3.Connection]:
    file = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=20)) as database, database:
        yield database


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and _parent_and_state(int(entry.name))[0] == pid:
            found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    return _parent_and_state(pid)[1] not in ("", "Z")


def _parent_and_state(pid: int) -> tuple[int, str]:
    """Return a process's parent and its state by proc(5); ("", 0) for none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, ""
    return int(fields[1]), fields[0]
