"""One writing transaction on the database's own driver: what Django's layers cost, a lone edit
would pay nine times over."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, Protocol

import psycopg
from django.db import DatabaseError, connection, transaction
from psycopg.pq import TransactionStatus


class Cursor(Protocol):
    """What the hot statements need of a cursor, Django's or the driver's; %s marks a parameter."""

    def execute(self, sql: str, params: Sequence[Any] = ..., /) -> Any: ...

    def executemany(self, sql: str, params: Sequence[Sequence[Any]], /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


@contextmanager
def writing() -> Iterator[Cursor]:
    """Open a transaction that writes; commit it at the end, or undo it when something is raised.

    Raises what Django raises for the driver's errors. Within a transaction of Django's, or while
    its statements are captured, it is Django's cursor and savepoint.
    """
    if connection.in_atomic_block or connection.force_debug_cursor:
        with transaction.atomic(), connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    with connection.wrap_database_errors:
        begin, native, sending = _open()
        try:
            with sending:
                native.execute(begin)
                yield native
                native.execute("COMMIT")
        except BaseException:
            _undo(native)
            raise


def _open() -> tuple[str, Cursor, AbstractContextManager[object]]:
    """Return the statement that begins, a cursor, and what its statements are sent within."""
    if connection.vendor == "postgresql":
        native = connection.connection
        # Django's own cursor writes parameters into the text; this one sends them beside it. In a
        # pipeline only what is read is waited for: some three waits a commit, not seven.
        return "BEGIN", psycopg.Cursor(native), native.pipeline()
    return "BEGIN IMMEDIATE", _SqliteCursor(connection.connection.cursor()), nullcontext()


def _undo(cursor: Cursor) -> None:
    """Roll back; a connection that cannot is of no more use, and the database rolls back itself."""
    if not _is_open():  # a lock that was not to be had, say: the connection is as good as before
        return
    try:
        with connection.wrap_database_errors:
            cursor.execute("ROLLBACK")
    except DatabaseError:
        connection.close()


def _is_open() -> bool:
    native = connection.connection
    if connection.vendor == "postgresql":
        return bool(native.info.transaction_status != TransactionStatus.IDLE)
    return bool(native.in_transaction)


class _SqliteCursor:
    """The driver's cursor, below Django's; it marks a parameter with a question mark."""

    def __init__(self, native: Any) -> None:
        self._execute = native.execute
        self._executemany = native.executemany
        self.fetchall = native.fetchall

    def execute(self, sql: str, params: Sequence[Any] = (), /) -> Any:
        return self._execute(_with_question_marks(sql), params)

    def executemany(self, sql: str, params: Sequence[Sequence[Any]], /) -> Any:
        return self._executemany(_with_question_marks(sql), params)


@cache
def _with_question_marks(sql: str) -> str:
    return sql.replace("%s", "?")
