"""How many filled cells a sheet may have, asked under its lock: the setting CELLS_PER_SHEET."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from cells.domain.errors import LimitExceeded
from cells.domain.layout import CellId
from cells.domain.operations import CellInput, Operation, SetCells, Several, step_of
from cells.models import Sheet
from cells.services import sql
from cells.services.drafts import Draft
from cells.services.transactions import Cursor


@dataclass(slots=True)
class _Count:
    """How many cells are filled, and of those that were read, which."""

    filled: int
    is_filled: dict[CellId, bool]


class Fullness:
    """The filled cells of a batch's sheets, so far as it comes near the limit.

    Far from it nothing is read; close to it a statement for an operation that brings other cells.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._limit: int = settings.CELLS_PER_SHEET
        self._at_most: dict[int, int] = {}  # by sheet id
        self._counts: dict[int, _Count] = {}  # of sheets that are nearly full

    def require(self, draft: Draft, operation: Operation) -> None:
        """Raise LimitExceeded for an operation that would fill more cells than a sheet may have.

        One that fills no more than it clears is never too much.
        """
        if not self._limit:
            return
        cells = operation.cells if isinstance(operation, SetCells) else _cells_of(operation)
        sheet_id = draft.row.id
        at_most = self._at_most.get(sheet_id, draft.filled) + len(cells)
        if at_most <= self._limit and sheet_id not in self._counts:
            self._at_most[sheet_id] = at_most
            return
        if not any(text for _, _, text in cells):
            return
        count = self._count(draft, cells)
        becoming = {(row, column): bool(text) for row, column, text in cells}
        added = sum(filled - count.is_filled[key] for key, filled in becoming.items())
        if added > 0 and count.filled + added > self._limit:
            raise _too_full(count.filled + added, self._limit)

    def note(self, sheet_id: int, cells: Iterable[CellInput]) -> None:
        """Remember what an operation of this batch has set."""
        count = self._counts.get(sheet_id)
        if count is not None:
            _take(count, cells)

    def _count(self, draft: Draft, cells: Iterable[CellInput]) -> _Count:
        """Return the exact count, which knows of `cells` whether they are filled."""
        count = self._counts.get(draft.row.id)
        if count is None:
            count = self._counts[draft.row.id] = _Count(draft.filled, {})
            earlier = [cell for line in draft.planned for cell in line.effect.cells]
            self._read(draft, count, [*earlier, *cells])
            _take(count, earlier)
        else:
            self._read(draft, count, cells)
        return count

    def _read(self, draft: Draft, count: _Count, cells: Iterable[CellInput]) -> None:
        keys = {(row, column) for row, column, _ in cells} - count.is_filled.keys()
        if not keys:
            return
        found = sql.read_cells(self._cursor, [(draft.row.id, *key) for key in keys])
        for row, column in keys:
            text, _ = found.get((draft.row.id, row, column), ("", None))
            count.is_filled[row, column] = bool(text)


def require_room(
    sheet: Sheet, texts: int, portions: Iterable[Sequence[tuple[int | None, int | None, str]]]
) -> None:
    """Raise LimitExceeded where these cells would be more than the sheet, as it is, may have.

    They are each one once, by ids, None for what is yet to be born, `texts` of them not empty. For
    what takes several commits, and should not be refused halfway; each commit asks for itself.
    """
    limit: int = settings.CELLS_PER_SHEET
    filled = before = (
        Sheet.objects.filter(pk=sheet.pk).values_list("filled", flat=True).first() or 0
    )
    if not limit or before + texts <= limit:
        return
    with connection.cursor() as cursor:
        for cells in portions:
            keys = [
                (sheet.pk, row, column)
                for row, column, _ in cells
                if row is not None and column is not None
            ]
            found = sql.read_cells(cursor, keys) if keys else {}
            filled += sum(bool(text) for _, _, text in cells)
            filled -= sum(bool(text) for text, _ in found.values())
    if filled > max(limit, before):
        raise _too_full(filled, limit)


def _too_full(filled: int, limit: int) -> LimitExceeded:
    return LimitExceeded(
        f"this sheet would have {filled:,} filled cells, and {limit:,} is the limit; clear some "
        "first (those of deleted rows and columns count, too, for they can come back), or begin "
        "another sheet"
    )


def _take(count: _Count, cells: Iterable[CellInput]) -> None:
    for row, column, text in cells:
        was = count.is_filled.get((row, column))
        if was is not None:
            count.filled += bool(text) - was
            count.is_filled[row, column] = bool(text)


def _cells_of(operation: Operation) -> tuple[CellInput, ...]:
    step = step_of(operation)
    match step:
        case SetCells(cells):
            return cells
        case Several(steps):
            return tuple(cell for one in steps for cell in _cells_of(one))
        case _:
            return ()
