"""Values that a calculator has found: written where nobody has touched the formula meanwhile."""

from dataclasses import replace

from cells.domain.deltas import CellState
from cells.domain.errors import Outdated
from cells.domain.values import SetValues
from cells.services import sql
from cells.services.read import cell_state
from cells.services.transactions import Cursor


def write(
    cursor: Cursor, sheet_id: int, number: int, values: SetValues
) -> tuple[SetValues, list[CellState]]:
    """Write values under the sheet's lock; return those that were written, and their cells.

    Raises Outdated if that is none.
    """
    found = sql.write_values(cursor, sheet_id, number, values)
    if not found:
        raise Outdated("what these values were calculated from has changed meanwhile")
    written = {(row, column) for row, column, *_ in found}
    kept = tuple(cell for cell in values.cells if cell[:2] in written)
    return replace(values, cells=kept), [cell_state(*cell) for cell in found]
