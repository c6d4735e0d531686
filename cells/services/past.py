"""The past of a sheet: its axes and some of its inputs as they were at an earlier revision.

Found by walking the log between then and now, so that it is cheap near the head and costs a
reading of the log far from it.
"""

from collections.abc import Collection, Generator, Iterator
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import NoSuchSheet
from cells.domain.layout import CellId
from cells.domain.operations import SetCells, Step, load_operation, step_of
from cells.domain.rewinding import Axes, Traces, rewound
from cells.models import Revision
from cells.services import sql
from cells.services.transactions import Cursor

REVISIONS_AT_ONCE = 200  # an operation may have 300 kB
LINES_AT_ONCE = 50  # likewise, and a restore has more


def read_axes_at(cursor: CursorWrapper, sheet_id: int, number: int) -> Axes:
    """Return the axes of a sheet at revision `number`; `cursor` sees one state (read.one_state).

    Raises NoSuchSheet, and for what a newer release has logged what load_operation raises.
    """
    cursor.execute(
        "SELECT rows, columns, rows_revision, columns_revision FROM cells_sheet WHERE id = %s",
        [sheet_id],
    )
    found = cursor.fetchone()
    if found is None:
        raise NoSuchSheet("the sheet has been deleted")
    rows, columns, *changed = found
    axes = {
        AxisName.ROWS: Axis.from_runs(msgspec.json.decode(rows)),
        AxisName.COLUMNS: Axis.from_runs(msgspec.json.decode(columns)),
    }
    if max(changed) <= number:
        return axes
    for step, before in _steps(sheet_id, number, "-number"):
        axes = rewound(axes, step, before)
    return axes


def read_inputs_at(
    cursor: CursorWrapper, sheet_id: int, number: int, keys: Collection[CellId]
) -> dict[CellId, str]:
    """Return the inputs of cells at revision `number`, empty ones too; else like read_axes_at."""
    traces = Traces(keys)
    for step, before in _steps(sheet_id, number, "number"):
        if not traces.places:
            break
        traces.follow(step, before)
    found = sql.read_cells(cursor, [(sheet_id, *place) for place in traces.places])
    inputs = dict.fromkeys(keys, "") | traces.inputs
    for (_, *place), (text, _) in found.items():
        inputs[traces.places[place[0], place[1]]] = text
    return inputs


class LoggedStep(NamedTuple):
    """A line of the log on the way back: its number, and what take_back of a Rewinding needs."""

    number: int
    step: Step | None
    before: dict[str, Any]


def steps_back(sheet_id: int, after: int, through: int) -> Generator[LoggedStep]:
    """Yield the lines of the log from `through` down to the one behind `after`, without values.

    Some at a time are held. Within read.one_state, which PostgreSQL's cursors need.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_steps_sql(), [sheet_id, after, through])
        while lines := cursor.fetchmany(LINES_AT_ONCE):
            yield from map(_logged_step, lines)


def all_steps_back(cursor: Cursor, sheet_id: int, after: int, through: int) -> list[LoggedStep]:
    """Do what steps_back does, at once: for few lines, within a transaction of the driver's."""
    cursor.execute(_steps_sql(), [sheet_id, after, through])
    return list(map(_logged_step, cursor.fetchall()))


def kind_of(column: str = "operation") -> str:
    """Return the SQL of the kind that an operation of the log has."""
    if connection.vendor == "postgresql":
        return f"{column} ->> 'kind'"
    return f"json_extract({column}, '$.kind')"


def json_text(column: str) -> str:
    """Return the SQL of a JSON column's text."""
    return f"{column}::text" if connection.vendor == "postgresql" else column


def _steps_sql() -> str:
    # What only changes cells in place is told by what it replaced; the rest of its line, which may
    # be long, is not read.
    operation, before = json_text("operation"), json_text("before")
    return (
        f"SELECT number, CASE WHEN {kind_of()} IN ('set_cells', 'set_styles', 'restyle_each') "  # noqa: S608
        f"THEN NULL ELSE {operation} END, {before} FROM cells_revision "
        f"WHERE sheet_id = %s AND number > %s AND number <= %s AND {kind_of()} <> 'set_values' "
        "ORDER BY number DESC"
    )


_GROWING = SetCells(())


def _logged_step(line: tuple[int, str | None, str]) -> LoggedStep:
    number, raw, text = line
    before = msgspec.json.decode(text)
    if raw is not None:
        return LoggedStep(number, step_of(load_operation(msgspec.json.decode(raw))), before)
    has_grown = AxisName.ROWS in before or AxisName.COLUMNS in before
    return LoggedStep(number, _GROWING if has_grown else None, before)


def _steps(sheet_id: int, after: int, order: str) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Yield the steps of the log after a revision, each with what it replaced."""
    log = Revision.objects.filter(sheet_id=sheet_id, number__gt=after).order_by(order)
    found = log.values_list("operation", "before").iterator(chunk_size=REVISIONS_AT_ONCE)
    for raw, before in found:
        step = step_of(load_operation(raw))
        if step is not None:
            yield step, before
