"""The hot statements, set-based, for SQLite and PostgreSQL alike.

A batch of any size costs each function one statement; given.py says how its rows travel.
Everything that is not hot uses the ORM.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from cells.domain.values import SetValues
from cells.services.given import given_rows, insert_rows
from cells.services.granted import membership
from cells.services.transactions import Cursor

CellKey = tuple[int, int, int]
"""Sheet id, row id, column id."""

StyledCell = tuple[int, int, int, str, str | None, int]
"""Sheet id, row id, column id, input, style as JSON text or None, revision."""

MAX_GLANCE_CHARACTERS = 250  # 10,000 restyled cells of this length are a frame of 2.5 MB


class SheetRow(NamedTuple):
    """What commit needs of a sheet, its JSON columns still text.

    `has_groups`: whether it is shared with groups; `has_protections`: whether some of it is
    protected; for looking them up costs.
    """

    id: int
    slug: str
    head: int
    rows: str
    columns: str
    row_sizes: str
    column_sizes: str
    rows_revision: int
    columns_revision: int
    filled: int
    frozen_rows: int
    frozen_columns: int
    owner_id: int | None
    link_role: str
    has_groups: bool
    has_protections: bool


class RevisionRow(NamedTuple):
    """One line of the log, ready to be written.

    `operation` and `before` are JSON text, moments are as adapt_moment returns them.
    """

    sheet_id: int
    number: int
    operation_id: str
    author_kind: str
    author_name: str
    user_id: int | None
    origin: str
    operation: str
    before: str
    committed_at: str


Provenance = tuple[int | None, str, str | None]
"""Of a stream's line: its feed, when it was published and when it happened; see RevisionRow."""


class SheetShape(NamedTuple):
    """A sheet's axes and sizes as JSON text, when they changed last, and what is frozen."""

    id: int
    rows: str
    columns: str
    row_sizes: str
    column_sizes: str
    rows_revision: int
    columns_revision: int
    frozen_rows: int
    frozen_columns: int


def lock_sheets(cursor: Cursor, slugs: Iterable[str]) -> list[SheetRow]:
    """Lock the sheets in id order, the same for every writer so that none waits in a circle.

    A deleted sheet counts as none: nothing is written into it until it is brought back. On SQLite
    the immediate transaction is the lock.
    """
    given, params = given_rows("slug text", [(slug,) for slug in slugs])
    if connection.vendor == "postgresql":
        # Ahead of what is read: a statement that waits for a lock sees other tables as they were
        # when it began to, and what has been protected meanwhile is in one. Nobody waits for this
        # one's answer; see transactions.
        cursor.execute(
            f"SELECT sheet.id FROM cells_sheet AS sheet JOIN {given} ON sheet.slug = given.slug "  # noqa: S608
            "ORDER BY sheet.id FOR NO KEY UPDATE OF sheet",
            params,
        )
    cursor.execute(
        # S608 throughout: only names and types written in this module become part of the text.
        f"SELECT {_columns('sheet', SheetRow._fields[:-2])}, "  # noqa: S608
        "EXISTS (SELECT 1 FROM cells_sheetgroupaccess AS access WHERE access.sheet_id = sheet.id), "
        "EXISTS (SELECT 1 FROM cells_protection AS guard WHERE guard.sheet_id = sheet.id) "
        "FROM cells_sheet AS sheet "
        f"JOIN {given} ON sheet.slug = given.slug WHERE sheet.deleted_at IS NULL "
        "ORDER BY sheet.id",
        params,
    )
    return [SheetRow(*row) for row in cursor.fetchall()]


def find_committed(
    cursor: Cursor, operations: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return the revision of each (sheet id, operation id) that the log has already.

    Operation ids are in the database's own form; see uuid_text.
    """
    given, params = given_rows("sheet_id bigint, operation_id uuid", operations)
    cursor.execute(
        "SELECT revision.sheet_id, revision.operation_id, revision.number "  # noqa: S608
        f"FROM {given} JOIN cells_revision AS revision "
        "ON revision.sheet_id = given.sheet_id AND revision.operation_id = given.operation_id",
        params,
    )
    return {(sheet_id, str(id_)): number for sheet_id, id_, number in cursor.fetchall()}


def find_editors(
    cursor: Cursor, pairs: Iterable[tuple[int, int]], *, with_groups: bool
) -> set[tuple[int, int]]:
    """Return those (sheet id, user id) that were given a role that edits; by groups, if asked."""
    given, params = given_rows("sheet_id bigint, user_id bigint", pairs)
    cursor.execute(
        f"SELECT given.sheet_id, given.user_id FROM {given} "  # noqa: S608
        f"{_grouped_editors() if with_groups else _OWN_EDITORS}",
        params,
    )
    return {(sheet_id, user_id) for sheet_id, user_id in cursor.fetchall()}


_EDITS = "access.sheet_id = given.sheet_id AND access.role IN ('editor', 'owner')"
_OWN = f"{_EDITS} AND access.user_id = given.user_id"
_OWN_EDITORS = f"JOIN cells_sheetaccess AS access ON {_OWN}"


@cache
def _grouped_editors() -> str:
    """Return what makes of `given` those who may edit by their own role or by a group's."""
    field = membership()
    if field is None:
        return _OWN_EDITORS
    return (
        f"WHERE EXISTS (SELECT 1 FROM cells_sheetaccess AS access WHERE {_OWN}) "  # noqa: S608
        "OR EXISTS (SELECT 1 FROM cells_sheetgroupaccess AS access "
        f'JOIN "{field.m2m_db_table()}" AS member '
        f'ON member."{field.m2m_reverse_name()}" = access.group_id '
        f'WHERE {_EDITS} AND member."{field.m2m_column_name()}" = given.user_id)'
    )


def read_cells(cursor: Cursor, keys: Iterable[CellKey]) -> dict[CellKey, tuple[str, str | None]]:
    """Return (input, style as JSON text or None) of those cells that exist."""
    _select_cells(cursor, keys, "cell.input")
    return {
        (sheet_id, row, column): (text, style)
        for sheet_id, row, column, text, style in cursor.fetchall()
    }


def glance_at_cells(
    cursor: Cursor, keys: Iterable[CellKey]
) -> dict[CellKey, tuple[str | None, str | None, str | None]]:
    """Return (input, style, value), of which two are JSON text, of those cells that exist.

    Inputs are None where they, or the value, have more than MAX_GLANCE_CHARACTERS.
    """
    value = value_text_of("cell")
    glance = (
        f"CASE WHEN LENGTH(cell.input) <= {MAX_GLANCE_CHARACTERS} "
        f"AND LENGTH(COALESCE({value}, '')) <= {MAX_GLANCE_CHARACTERS} THEN cell.input END"
    )
    _select_cells(cursor, keys, f"{value}, {glance}")
    return {
        (sheet_id, row, column): (text, style, value)
        for sheet_id, row, column, value, text, style in cursor.fetchall()
    }


def _select_cells(cursor: Cursor, keys: Iterable[CellKey], what: str) -> None:
    given, params = given_rows('sheet_id bigint, "row" int, "column" int', keys)
    cursor.execute(
        f'SELECT cell.sheet_id, cell."row", cell."column", {what}, {style_text("cell")} '  # noqa: S608
        f"FROM {given} JOIN cells_cell AS cell ON cell.sheet_id = given.sheet_id "
        'AND cell."row" = given."row" AND cell."column" = given."column"',
        params,
    )


def read_rows(cursor: Cursor, rows: Iterable[tuple[int, int]]) -> list[tuple[int, int, int, str]]:
    """Return (sheet id, row id, column id, input) of the filled cells of (sheet id, row id)s."""
    given, params = given_rows('sheet_id bigint, "row" int', rows)
    cursor.execute(
        'SELECT cell.sheet_id, cell."row", cell."column", cell.input '  # noqa: S608
        f"FROM {given} JOIN cells_cell AS cell ON cell.sheet_id = given.sheet_id "
        'AND cell."row" = given."row" WHERE cell.input <> \'\'',
        params,
    )
    return list(cursor.fetchall())


def find_rows(
    cursor: Cursor, wanted: Iterable[tuple[int, int, str]]
) -> list[tuple[int, int, str, int]]:
    """Return (sheet id, column id, input, row id) of cells that hold a wanted input.

    `wanted` is (sheet id, column id, input); a column may be answered with another one's inputs
    too. Each column named is read once, however many inputs are looked for: joined on all three,
    both databases read the sheet again for each of them.
    """
    wanted = list(wanted)
    columns, column_params = given_rows(
        'sheet_id bigint, "column" int', {(sheet_id, column) for sheet_id, column, _ in wanted}
    )
    inputs, input_params = given_rows("input text", {(text,) for _, _, text in wanted})
    cursor.execute(
        'SELECT cell.sheet_id, cell."column", cell.input, cell."row" '  # noqa: S608
        f"FROM {columns} JOIN cells_cell AS cell ON cell.sheet_id = given.sheet_id "
        f'AND cell."column" = given."column" WHERE cell.input IN (SELECT input FROM {inputs})',
        [*column_params, *input_params],
    )
    return list(cursor.fetchall())


def find_last_used(
    cursor: Cursor, runs: Iterable[tuple[int, int, int, int]]
) -> list[tuple[int, int, int]]:
    """Return (sheet id, place, row id) of the highest used row id in each run that has one.

    `runs` is (sheet id, place of the run on its axis, first row id, last row id). Each run costs
    one step back on an index, however many cells it spans, unless they were cleared.
    """
    given, params = given_rows("sheet_id bigint, place int, low int, high int", runs)
    cursor.execute(
        "SELECT sheet_id, place, used FROM (SELECT given.sheet_id, given.place, ("  # noqa: S608
        'SELECT cell."row" FROM cells_cell AS cell WHERE cell.sheet_id = given.sheet_id '
        "AND cell.\"row\" BETWEEN given.low AND given.high AND cell.input <> '' "
        f'ORDER BY cell."row" DESC LIMIT 1) AS used FROM {given}) AS found '
        "WHERE used IS NOT NULL",
        params,
    )
    return list(cursor.fetchall())


def upsert_cells(cursor: Cursor, cells: Sequence[tuple[int, int, int, str, int]]) -> None:
    """Write (sheet id, row id, column id, input, revision), and leave styles alone.

    Each cell once in a call.
    """
    insert_rows(
        cursor,
        'cells_cell (sheet_id, "row", "column", input, revision)',
        'sheet_id bigint, "row" int, "column" int, input text, revision bigint',
        cells,
        on_conflict("input", "revision") + _NO_VALUE,
    )


def upsert_styled_cells(cursor: Cursor, cells: Sequence[StyledCell]) -> None:
    """Write cells with their styles; each once in a call."""
    _insert_styled(cursor, cells, on_conflict("input", "style", "revision") + _NO_VALUE)


def restyle_cells(cursor: Cursor, cells: Sequence[StyledCell]) -> None:
    """Write the styles of cells, and inputs only of those that were never written."""
    _insert_styled(cursor, cells, on_conflict("style", "revision"))


def _insert_styled(cursor: Cursor, cells: Sequence[StyledCell], conflict: str) -> None:
    insert_rows(
        cursor,
        'cells_cell (sheet_id, "row", "column", input, style, revision)',
        'sheet_id bigint, "row" int, "column" int, input text, style json, revision bigint',
        cells,
        conflict,
    )


# A new input has no value until it is calculated, be it the formula that was there before.
_NO_VALUE = ", value = NULL, value_revision = NULL"


_IS_OLD_FORMULA = "cells_cell.revision <= %s AND SUBSTR(cells_cell.input, 1, 1) = '='"


def write_values(
    cursor: Cursor, sheet_id: int, number: int, values: SetValues
) -> list[tuple[int, int, str, str | None, str]]:
    """Write the values of formulas that nobody has touched after `values.through`.

    Returns (row id, column id, input, style as JSON text, value as JSON text) of each of these.
    """
    encode = msgspec.json.encode
    if connection.vendor == "sqlite":
        # One by one: its planner takes the cells for the shorter side, and each would read all
        # that is given.
        cursor.executemany(
            "UPDATE cells_cell SET value = %s, value_revision = %s WHERE sheet_id = %s "  # noqa: S608
            f'AND "row" = %s AND "column" = %s AND {_IS_OLD_FORMULA}',
            [
                (encode(value).decode(), number, sheet_id, row, column, values.through)
                for row, column, value in values.cells
            ],
        )
    else:
        rows = [(row, column, encode(value).decode()) for row, column, value in values.cells]
        given, params = given_rows('"row" int, "column" int, value json', rows)
        cursor.execute(
            "UPDATE cells_cell SET value = given.value, value_revision = %s "  # noqa: S608
            f"FROM {given} WHERE cells_cell.sheet_id = %s "
            'AND cells_cell."row" = given."row" AND cells_cell."column" = given."column" '
            f"AND {_IS_OLD_FORMULA}",
            [number, *params, sheet_id, values.through],
        )
    cursor.execute(
        f'SELECT "row", "column", input, {style_text("cells_cell")}, '  # noqa: S608
        f"{value_text_of('cells_cell')} FROM cells_cell "
        "WHERE sheet_id = %s AND value_revision = %s",
        [sheet_id, number],
    )
    return cursor.fetchall()


def note_formulas(cursor: Cursor, sheet_ids: Iterable[int], made_at: str) -> None:
    """Remember that sheets have formulas, for those who calculate them."""
    insert_rows(
        cursor,
        "cells_calculation (sheet_id, made_at)",
        "sheet_id bigint, made_at timestamptz",
        [(sheet_id, made_at) for sheet_id in sheet_ids],
        "ON CONFLICT (sheet_id) DO NOTHING",
    )


def on_conflict(*names: str) -> str:
    """Return the SQL by which a cell's row takes these columns of a new one."""
    assignments = ", ".join(f"{name} = excluded.{name}" for name in names)
    return f'ON CONFLICT (sheet_id, "row", "column") DO UPDATE SET {assignments}'


def insert_revisions(
    cursor: Cursor,
    revisions: Sequence[RevisionRow],
    streamed: Sequence[tuple[RevisionRow, Provenance]],
) -> None:
    """Append lines to the log, people's and streams' in a statement each.

    Raises IntegrityError for an operation id that it has already.
    """
    names = ", ".join(RevisionRow._fields)
    types = (
        "sheet_id bigint, number bigint, operation_id uuid, author_kind text, author_name text, "
        "user_id bigint, origin text, operation json, before json, committed_at timestamptz"
    )
    if revisions:
        insert_rows(cursor, f"cells_revision ({names})", types, revisions)
    if streamed:
        insert_rows(
            cursor,
            f"cells_revision ({names}, feed_id, published_at, event_at)",
            f"{types}, feed_id bigint, published_at timestamptz, event_at timestamptz",
            [(*row, *provenance) for row, provenance in streamed],
        )


def update_heads(cursor: Cursor, heads: Iterable[tuple[int, int, int]], updated_at: str) -> None:
    """Write (sheet id, head, number of filled cells) into the sheets.

    `updated_at` is as adapt_moment returns it.
    """
    given, params = given_rows("id bigint, head bigint, filled int", heads)
    cursor.execute(
        "UPDATE cells_sheet SET head = given.head, filled = given.filled, "  # noqa: S608
        f"updated_at = %s FROM {given} WHERE cells_sheet.id = given.id",
        [updated_at, *params],
    )


def update_areas(
    cursor: Cursor,
    areas: Iterable[tuple[int, tuple[int, int] | None, tuple[int, int] | None]],
) -> None:
    """Write (protection id, ends of its rows, ends of its columns) into the protections."""
    nothing = (None, None)
    cursor.executemany(
        "UPDATE cells_protection SET first_row = %s, last_row = %s, first_column = %s, "
        "last_column = %s WHERE id = %s",
        [(*(rows or nothing), *(columns or nothing), id_) for id_, rows, columns in areas],
    )


def update_shapes(cursor: Cursor, shapes: Iterable[SheetShape]) -> None:
    """Write axes and sizes into the sheets; after their heads, which bound the revisions."""
    given, params = given_rows(
        "id bigint, rows json, columns json, row_sizes json, column_sizes json, "
        "rows_revision bigint, columns_revision bigint, frozen_rows int, frozen_columns int",
        shapes,
    )
    assignments = ", ".join(f"{name} = given.{name}" for name in SheetShape._fields[1:])
    cursor.execute(
        f"UPDATE cells_sheet SET {assignments} "  # noqa: S608
        f"FROM {given} WHERE cells_sheet.id = given.id",
        params,
    )


def style_text(table: str) -> str:
    """Return the SQL of a cell's style as JSON text; NULL for none."""
    return f"{table}.style::text" if connection.vendor == "postgresql" else f"{table}.style"


def value_text_of(table: str) -> str:
    """Return the SQL of a cell's value as JSON text; NULL for none."""
    return f"{table}.value::text" if connection.vendor == "postgresql" else f"{table}.value"


def adapt_moment(moment: datetime) -> str:
    """Return the text of a moment that the database takes."""
    return moment_adapter()(moment)


def moment_adapter() -> Callable[[datetime], str]:
    """Return adapt_moment for many: what Django has to look up for each is looked up once."""
    adapt = connection.ops.adapt_datetimefield_value
    return lambda moment: str(adapt(moment))


def uuid_text(vendor: str, uuid: UUID) -> str:
    """Return the text by which a kind of database gives a UUID back: SQLite keeps bare hex."""
    return str(uuid) if vendor == "postgresql" else uuid.hex


def _columns(table: str, names: Iterable[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)
