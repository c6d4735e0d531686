"""The past of a sheet: its axes and some of its inputs as they were at an earlier revision.

Found by walking the log between then and now, so that it is cheap near the head and costs a
reading of the log far from it.
"""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from django.db.backends.utils import CursorWrapper

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import NoSuchSheet
from cells.domain.layout import CellId
from cells.domain.operations import Step, Undone, load_operation
from cells.domain.rewinding import Axes, Traces, rewound
from cells.models import Revision
from cells.services import sql

REVISIONS_AT_ONCE = 200  # an operation may have 300 kB


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


def _steps(sheet_id: int, after: int, order: str) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Yield the steps of the log after a revision, each with what it replaced."""
    log = Revision.objects.filter(sheet_id=sheet_id, number__gt=after).order_by(order)
    found = log.values_list("operation", "before").iterator(chunk_size=REVISIONS_AT_ONCE)
    for raw, before in found:
        operation = load_operation(raw)
        step = operation.step if isinstance(operation, Undone) else operation
        if step is not None:
            yield step, before
