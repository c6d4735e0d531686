"""Transactions on the driver: an error undoes all of it, is Django's, and costs no connection."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection

from cells.models import Sheet
from cells.services.transactions import writing

pytestmark = pytest.mark.django_db(transaction=True)

RENAME = "UPDATE cells_sheet SET title = 'New'"
SAME_SLUG = (
    "INSERT INTO cells_sheet (slug, title, link_role, head, rows, columns, row_sizes, "
    "column_sizes, rows_revision, columns_revision, filled, created_at) "
    "SELECT slug, title, link_role, head, rows, columns, row_sizes, column_sizes, "
    "rows_revision, columns_revision, filled, created_at FROM cells_sheet"
)
NO_SUCH_OWNER = "UPDATE cells_sheet SET owner_id = 4711"  # found at COMMIT: the key is deferred


def title() -> str:
    return Sheet.objects.get(slug="prices").title


@pytest.mark.parametrize("wrong", [SAME_SLUG, NO_SUCH_OWNER])
def test_what_cannot_be_written_undoes_the_whole(sheet: Sheet, wrong: str) -> None:
    title()
    before = connection.connection
    with pytest.raises(IntegrityError):
        write([RENAME, wrong, RENAME])
    assert title() == sheet.title
    write([RENAME])
    assert title() == "New"
    assert connection.connection is before


def test_an_error_of_ours_undoes_the_whole(sheet: Sheet) -> None:
    with pytest.raises(ZeroDivisionError):
        write([RENAME, RENAME], then=lambda: 1 // 0)
    assert title() == sheet.title


def test_a_lock_that_is_not_to_be_had_costs_no_connection(sheet: Sheet) -> None:
    title()
    before = connection.connection
    with another_connection() as other:
        if connection.vendor == "postgresql":
            other.execute("SELECT id FROM cells_sheet FOR UPDATE")
            connection.cursor().execute("SET lock_timeout = 50")
        else:
            other.execute("BEGIN IMMEDIATE")
            before.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(OperationalError):
            write([RENAME])
    assert title() == sheet.title
    assert connection.connection is before
    connection.close()  # with its time-out


@pytest.mark.only_on("postgresql")  # nothing is between SQLite and its file
def test_a_connection_that_dies_within_is_given_up_and_nothing_is_written(sheet: Sheet) -> None:
    with pytest.raises(DatabaseError):
        write([RENAME, RENAME], then=kill_my_connection)
    assert connection.connection is None
    assert title() == sheet.title


def write(statements: Iterable[str], then: Callable[[], object] = lambda: None) -> None:
    """Carry out statements in one transaction, and something else after the first."""
    with writing() as cursor:
        for number, statement in enumerate(statements):
            cursor.execute(statement)
            if number == 0:
                then()


def kill_my_connection() -> None:
    with another_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


@contextmanager
def another_connection() -> Iterator[Any]:
    if connection.vendor == "postgresql":
        parameters = connection.get_connection_params()
        chosen = {key: parameters[key] for key in ("host", "port", "user", "dbname")}
        with closing(psycopg.connect(**chosen)) as other:
            yield other
    else:
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as native:
            yield native
