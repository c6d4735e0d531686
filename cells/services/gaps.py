"""What readers of several sheets lack, read together: what a batch of a stream leaves."""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from cells.domain.deltas import Delta
from cells.services.given import given_rows
from cells.services.read import changes_of
from cells.services.sql import style_text, value_text_of

MAX_CELLS, MAX_CHARACTERS = 250, 250  # of a gap, and of each of its cells; more is read alone
# A statement with more of either looks so dear to PostgreSQL that it compiles it, for 20 ms.
SHEETS_PER_STATEMENT = 50


def read_small_gaps(wanted: Mapping[int, int]) -> dict[int, Delta]:
    """Return what leads to the head of each sheet, by its id, from the revision that is known.

    Left out is what takes more than a glance, to be read by read_deltas: many cells or long ones,
    changed axes, and sheets that are gone. Of PostgreSQL alone: SQLite knows no LATERAL, and has
    no wire on which it would save anything.
    """
    sheet_ids = list(wanted)
    deltas: dict[int, Delta] = {}
    for start in range(0, len(sheet_ids), SHEETS_PER_STATEMENT):
        some = {id_: wanted[id_] for id_ in sheet_ids[start : start + SHEETS_PER_STATEMENT]}
        for (sheet_id, head), lines in groupby(_read(some), itemgetter(0, 1)):
            cells = [line[2:] for line in lines if line[2] is not None]
            if len(cells) <= MAX_CELLS and all(text is not None for _, _, text, *_ in cells):
                deltas[sheet_id] = Delta(wanted[sheet_id], head, changes_of(cells))
    return deltas


def _read(wanted: Mapping[int, int]) -> list[Any]:
    """Return (sheet id, head, a touched cell's columns), or None for those of a sheet of none."""
    given, params = given_rows("sheet_id bigint, after bigint", wanted.items())
    value, style = value_text_of("cell"), style_text("cell")
    what = (
        f'cell."row", cell."column", CASE WHEN LENGTH(cell.input) <= {MAX_CHARACTERS} '
        f"AND LENGTH(COALESCE({value}, '')) <= {MAX_CHARACTERS} THEN cell.input END AS input, "
        f"{style} AS style, LEFT({value}, {MAX_CHARACTERS + 1}) AS value"
    )
    of_sheet, at_most = "WHERE cell.sheet_id = given.sheet_id", f"LIMIT {MAX_CELLS + 1}"
    # The limits also keep the planner to the indexes, whatever it thinks of the tables: it cannot
    # know how few cells have been touched since.
    touched = (
        f"SELECT {what}, cell.revision AS number FROM cells_cell AS cell "  # noqa: S608
        f"{of_sheet} AND cell.revision > given.after ORDER BY cell.revision {at_most}"
    )
    calculated = (
        f"SELECT {what}, NULL FROM cells_cell AS cell "  # noqa: S608
        f"{of_sheet} AND cell.value_revision > given.after AND cell.revision <= given.after "
        f"ORDER BY cell.value_revision {at_most}"
    )
    log = (
        "SELECT author_kind, origin FROM cells_revision AS log "
        "WHERE log.sheet_id = given.sheet_id AND log.number = cell.number LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT sheet.id, sheet.head, cell."row", cell."column", cell.input, cell.style, '  # noqa: S608
            f"cell.value, log.author_kind, log.origin FROM {given} "
            "JOIN cells_sheet AS sheet ON sheet.id = given.sheet_id "
            "AND sheet.rows_revision <= given.after AND sheet.columns_revision <= given.after "
            f"LEFT JOIN LATERAL (({touched}) UNION ALL ({calculated})) AS cell ON TRUE "
            f"LEFT JOIN LATERAL ({log}) AS log ON TRUE ORDER BY sheet.id",
            params,
        )
        return list(cursor.fetchall())
