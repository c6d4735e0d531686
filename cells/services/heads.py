"""Heads: how far the logs of sheets reach, asked often and for many sheets at once."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

import msgspec
from django.db import OperationalError, connection


def read_heads(sheet_ids: Collection[int]) -> dict[int, int]:
    """Return the newest revision of each sheet that there still is, and that is not deleted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT id, head FROM cells_sheet WHERE id = ANY(%s) AND deleted_at IS NULL",
                [list(sheet_ids)],
            )
        else:
            cursor.execute(
                "SELECT id, head FROM cells_sheet "
                "WHERE id IN (SELECT value FROM json_each(%s)) AND deleted_at IS NULL",
                [msgspec.json.encode(list(sheet_ids)).decode()],
            )
        return dict(cursor.fetchall())


class SqliteHeads:
    """Heads read without a thread, on a connection that never waits for a lock.

    In WAL mode a reader waits for nobody, and `PRAGMA data_version` says from shared memory
    whether any other connection has committed (https://sqlite.org/pragma.html): some
    microseconds, where a thread costs hundreds. Of one thread, that of the event loop.
    """

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._asked: frozenset[int] = frozenset()

    def read_if_changed(self, sheet_ids: Collection[int]) -> dict[int, int] | None:
        """Return the heads, or None when nothing was committed since these were asked for.

        None too while the database is locked whole, as a recovery locks it: ask again. Raises
        OperationalError when it cannot be read.
        """
        try:
            native = self._connect()
            (version,) = native.execute("PRAGMA data_version").fetchone()
            if version == self._version and self._asked.issuperset(sheet_ids):
                return None
            heads = dict(
                native.execute(
                    "SELECT id, head FROM cells_sheet "
                    "WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL",
                    [msgspec.json.encode(list(sheet_ids)).decode()],
                ).fetchall()
            )
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return None
            self.close()
            raise OperationalError(str(error)) from error
        # Only now: a look that fails, or that did not ask about a sheet, must not count as one.
        self._version, self._asked = version, frozenset(sheet_ids)
        return heads

    def close(self) -> None:
        """Close the connection; the next look opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._version = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            path = Path(connection.settings_dict["NAME"]).resolve()
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None
            )
        return self._connection
