"""How the rows of a batch travel to the database: in one statement, however many they are.

As one JSON text to SQLite, as one array a column to PostgreSQL.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from django.db import connection

from cells.services.transactions import Cursor

_NUMBERS = frozenset(("bigint", "int"))
_POSTGRESQL_TYPES = {"json": "text"}  # arrays of text, cast when they are read


def given_rows(columns: str, rows: Iterable[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return the SQL of a row source named `given`, and its parameters.

    `columns` is "name type, name type …" with PostgreSQL's types.
    """
    if connection.vendor == "postgresql":
        types = [column.split()[1] for column in columns.split(", ")]
        values = list(zip(*rows, strict=True)) or [()] * len(types)
        return _postgresql_source(columns), list(map(_array_text, types, values))
    return _sqlite_source(columns), [msgspec.json.encode(list(rows)).decode()]


def _array_text(type_: str, values: Sequence[Any]) -> str:
    """Return the text of an array for PostgreSQL, which psycopg would make item by item.

    https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO
    """
    if type_ in _NUMBERS:
        return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"
    if None in values:
        return "{" + ",".join(["NULL" if v is None else f'"{_escaped(v)}"' for v in values]) + "}"
    quoted = [_escaped(v) if "\\" in v or '"' in v else v for v in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@cache
def _postgresql_source(columns: str) -> str:
    named = [column.split() for column in columns.split(", ")]
    names = ", ".join(name for name, _ in named)
    arrays = ", ".join(f"%s::{_POSTGRESQL_TYPES.get(type_, type_)}[]" for _, type_ in named)
    source = f"unnest({arrays}) AS given({names})"
    casts = ", ".join(
        f"{name}::jsonb AS {name}" if type_ == "json" else name for name, type_ in named
    )
    return source if casts == names else f"(SELECT {casts} FROM {source}) AS given"  # noqa: S608


@cache
def _sqlite_source(columns: str) -> str:
    fields = ", ".join(
        f"json_extract(value, '$[{place}]') AS {column.split()[0]}"
        for place, column in enumerate(columns.split(", "))
    )
    return f"(SELECT {fields} FROM json_each(%s)) AS given"  # noqa: S608


def insert_rows(
    cursor: Cursor, into: str, columns: str, rows: Sequence[Sequence[Any]], on_conflict: str = ""
) -> None:
    """Insert rows into "table (names)"; `columns` as for given_rows.

    To SQLite they are bound one by one: there is no wire, and JSON would cost more.
    """
    if connection.vendor == "sqlite":
        places = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {into} VALUES ({places}) {on_conflict}", rows)  # noqa: S608
        return
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    given, params = given_rows(columns, rows)
    cursor.execute(f"INSERT INTO {into} SELECT {names} FROM {given} {on_conflict}", params)  # noqa: S608
