"""Addressed operations become identity operations, under the sheet's lock.

One Resolver serves one batch. It asks the database once for all that the batch's operations
need, and remembers what earlier operations of the batch changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from cells.domain.axes import MAX_IDS, Axis, AxisName
from cells.domain.errors import UnknownHeader
from cells.domain.layout import Layout
from cells.domain.literals import inputs_alike, text_of
from cells.domain.operations import (
    AddressedOperation,
    AppendRecord,
    AppendRecords,
    AppendRows,
    CellInput,
    SetAddresses,
    SetCells,
    UpsertRow,
    check_cell_count,
    check_text,
)
from cells.domain.references import Axes, is_formula, to_stored
from cells.services import sql
from cells.services.transactions import Cursor

BY_HEADER = (UpsertRow, AppendRecord, AppendRecords)  # what needs row 1 to be read


class _Headers(NamedTuple):
    """Column ids by header name, true as long as the sheet has these very axes."""

    axes: tuple[Axis, Axis]
    columns: dict[str, int]


class Resolver:
    """What addresses, headers and "the last used row" mean for the sheets of one batch."""

    def __init__(self, cursor: Cursor, layouts: dict[int, Layout]) -> None:
        self._cursor = cursor
        self._layouts = layouts
        self._asked: set[int] = set()  # the sheets of which what is in them is asked
        self._recent: dict[sql.CellKey, str] = {}
        # Row ids by (sheet id, column id, input): a superset, checked against _recent.
        self._rows_with: dict[tuple[int, int, str], set[int]] = defaultdict(set)
        self._searched: set[tuple[int, int, str]] = set()
        self._last_used: dict[int, int | None] = {}
        self._header_cells: dict[tuple[int, int], dict[int, str]] = {}
        self._headers: dict[int, _Headers] = {}

    def prepare(self, wanted: Sequence[tuple[int, AddressedOperation]]) -> None:
        """Read what `wanted`, as (sheet id, operation), needs: three statements at the most."""
        upserts = [(sheet_id, op) for sheet_id, op in wanted if isinstance(op, UpsertRow)]
        self._asked = {id_ for id_, op in wanted if not isinstance(op, SetAddresses)}
        if self._asked:
            self._read_last_used(self._asked)
        by_header = {id_ for id_, op in wanted if isinstance(op, BY_HEADER)}
        if by_header:
            self._read_headers(by_header)
        if upserts:
            self._find_keys(upserts)

    @property
    def is_asked(self) -> bool:
        """Whether something will be looked for in a sheet, and so what is set has to be noted."""
        return bool(self._asked)

    def resolve(self, sheet_id: int, operation: AddressedOperation) -> SetCells:
        """Return what `operation` means on the sheet as it is now.

        Raises UnknownHeader, Malformed for no cells at all, LimitExceeded for too many.
        """
        match operation:
            case SetAddresses(edits):
                found = self._place(sheet_id, edits)
            case AppendRows(rows):
                found = self._append(sheet_id, rows)
            case AppendRecord(values):
                found = self._append_records(sheet_id, [values])
            case AppendRecords(records):
                found = self._append_records(sheet_id, records)
            case UpsertRow(key, values):
                found = self._upsert(sheet_id, key, values)
        if any(text[:1] == "=" for _, _, text in found.cells):
            return self._by_identity(sheet_id, found)
        return found

    def note(self, sheet_id: int, cells: Iterable[CellInput]) -> None:
        """Remember cells that an operation of this batch has set."""
        if sheet_id not in self._asked:
            return  # nobody will ask, and a paste of 10,000 cells takes 40 ms to remember
        rows_used = set()
        for row, column, text in cells:
            self._recent[sheet_id, row, column] = text
            if text:
                rows_used.add(row)
                self._rows_with[sheet_id, column, text].add(row)
            if (sheet_id, row) in self._header_cells:
                self._header_cells[sheet_id, row][column] = text
                self._headers.pop(sheet_id, None)
        if sheet_id in self._last_used and rows_used:
            # A row that was cleared in this very batch still counts as used: append leaves a
            # gap then, as spreadsheet programs do until they forget their used range.
            last = self._last_used[sheet_id]
            candidates = rows_used if last is None else rows_used | {last}
            self._last_used[sheet_id] = self._lowest(sheet_id, candidates)

    def _by_identity(self, sheet_id: int, operation: SetCells) -> SetCells:
        """Return the edit with formulas that refer to ids, on the grid as it will be."""
        rows, columns = (self._layouts[sheet_id].axes[name] for name in AxisName)
        if operation.new_rows:
            rows = rows.insert(None, operation.new_rows, MAX_IDS)
        if operation.new_columns:
            columns = columns.insert(None, operation.new_columns, MAX_IDS)
        axes = Axes(rows, columns)
        cells = tuple(
            (row, column, to_stored(text, axes) if is_formula(text) else text)
            for row, column, text in operation.cells
        )
        for _, _, text in cells:
            check_text(text)  # ids may be longer than places
        return replace(operation, cells=cells)

    def _place(self, sheet_id: int, edits: Iterable[CellInput]) -> SetCells:
        """Turn positions into ids; what is beyond an axis gets the ids that it grows by."""
        axes = self._layouts[sheet_id].axes
        rows, columns = axes[AxisName.ROWS], axes[AxisName.COLUMNS]
        cells, last_row, last_column = [], -1, -1
        for row, column, text in edits:
            last_row, last_column = max(row, last_row), max(column, last_column)
            row_id = rows.id_at(row) if row < len(rows) else rows.next_id + row - len(rows)
            column_id = (
                columns.id_at(column)
                if column < len(columns)
                else columns.next_id + column - len(columns)
            )
            cells.append((row_id, column_id, text))
        check_cell_count(len(cells))
        return SetCells(
            tuple(cells),
            new_rows=max(0, last_row + 1 - len(rows)),
            new_columns=max(0, last_column + 1 - len(columns)),
        )

    def _append(self, sheet_id: int, rows: Iterable[Sequence[str]]) -> SetCells:
        start = self._next_position(sheet_id)
        return self._place(
            sheet_id,
            [
                (start + row, column, text)
                for row, inputs in enumerate(rows)
                for column, text in enumerate(inputs)
            ],
        )

    def _upsert(
        self,
        sheet_id: int,
        key: Iterable[tuple[str, str]],
        values: Iterable[tuple[str, str]],
    ) -> SetCells:
        columns = self._columns_by_header(sheet_id)
        key_cells = [(self._column(columns, header), text) for header, text in key]
        set_cells = [(self._column(columns, header), text) for header, text in values]
        row = self._row_with(sheet_id, key_cells)
        if row is not None:
            # Nothing to set makes sure that the row is there: the key, once more, is that edit.
            cells = set_cells or key_cells
            return SetCells(tuple((row, column, text) for column, text in cells))
        return self._below(sheet_id, [{**dict(key_cells), **dict(set_cells)}])

    def _append_records(
        self, sheet_id: int, records: Iterable[Iterable[tuple[str, str]]]
    ) -> SetCells:
        columns = self._columns_by_header(sheet_id)
        return self._below(
            sheet_id,
            [{self._column(columns, header): text for header, text in one} for one in records],
        )

    def _below(self, sheet_id: int, rows: Iterable[dict[int, str]]) -> SetCells:
        """Return the edit that writes texts, by column id, into rows below the last used one."""
        start = self._next_position(sheet_id)
        axis = self._layouts[sheet_id].axes[AxisName.COLUMNS]
        return self._place(
            sheet_id,
            [
                (start + row, axis.position_of(column), text)
                for row, texts in enumerate(rows)
                for column, text in texts.items()
            ],
        )

    def _row_with(self, sheet_id: int, key_cells: Sequence[tuple[int, str]]) -> int | None:
        """Return the topmost living row, but for row 1, whose cells hold the whole key."""
        keys = {
            (sheet_id, column, like) for column, text in key_cells for like in inputs_alike(text)
        }
        if not keys <= self._searched:  # the headers were set in this very batch
            self._find_rows(keys)
        matches: set[int] | None = None
        for column, text in key_cells:
            rows = {
                row
                for like in inputs_alike(text)
                for row in self._rows_with[sheet_id, column, like]
                if self._recent.get((sheet_id, row, column), like) == like
            }
            matches = rows if matches is None else matches & rows
        axis = self._layouts[sheet_id].axes[AxisName.ROWS]
        positions = {row: axis.position_of(row) for row in matches or () if axis.is_alive(row)}
        below = [row for row, position in positions.items() if position > 0]
        return min(below, key=positions.__getitem__, default=None)

    def _columns_by_header(self, sheet_id: int) -> dict[str, int]:
        axes = self._layouts[sheet_id].axes
        rows, columns = axes[AxisName.ROWS], axes[AxisName.COLUMNS]
        known = self._headers.get(sheet_id)
        if known is not None and known.axes[0] is rows and known.axes[1] is columns:
            return known.columns
        if not len(rows):
            return {}
        row = rows.id_at(0)
        if (sheet_id, row) not in self._header_cells:  # another row was moved to the top
            self._read_headers({sheet_id})
        cells = self._header_cells[sheet_id, row]
        living = [
            column for column, text in cells.items() if text_of(text) and columns.is_alive(column)
        ]
        # From right to left, so that of two columns of one name the leftmost wins.
        living.sort(key=columns.position_of, reverse=True)
        by_header = {text_of(cells[column]): column for column in living}
        self._headers[sheet_id] = _Headers((rows, columns), by_header)
        return by_header

    def _column(self, columns: dict[str, int], header: str) -> int:
        if header not in columns:
            known = ", ".join(list(columns)[::-1][:10]) or "none"
            raise UnknownHeader(
                f"row 1 has no header {header[:60]!r}; add it there, or use one of: {known}"
            )
        return columns[header]

    def _next_position(self, sheet_id: int) -> int:
        """Return the position right below the last used row, which may have been deleted."""
        last = self._last_used[sheet_id]
        if last is None:
            return 0
        axis = self._layouts[sheet_id].axes[AxisName.ROWS]
        return axis.living_before(last) + (1 if axis.is_alive(last) else 0)

    def _lowest(self, sheet_id: int, rows: Iterable[int]) -> int:
        return max(rows, key=self._layouts[sheet_id].axes[AxisName.ROWS].living_before)

    def _read_last_used(self, sheet_ids: Iterable[int]) -> None:
        runs = [
            (sheet_id, place, run.first, run.first + run.length - 1)
            for sheet_id in sheet_ids
            for place, run in enumerate(self._layouts[sheet_id].axes[AxisName.ROWS].runs)
            if run.is_alive
        ]
        last: dict[int, tuple[int, int]] = {}
        for sheet_id, place, row in sql.find_last_used(self._cursor, runs):
            last[sheet_id] = max(last.get(sheet_id, (-1, -1)), (place, row))
        for sheet_id in sheet_ids:
            self._last_used[sheet_id] = last[sheet_id][1] if sheet_id in last else None

    def _read_headers(self, sheet_ids: Iterable[int]) -> None:
        tops = {
            (sheet_id, axis.id_at(0))
            for sheet_id in sheet_ids
            if len(axis := self._layouts[sheet_id].axes[AxisName.ROWS])
        }
        for top in tops:
            self._header_cells[top] = {}
        for sheet_id, row, column, text in sql.read_rows(self._cursor, tops):
            self._header_cells[sheet_id, row][column] = text
        for (sheet_id, row, column), text in self._recent.items():
            if (sheet_id, row) in tops:
                self._header_cells[sheet_id, row][column] = text

    def _find_keys(self, upserts: Iterable[tuple[int, UpsertRow]]) -> None:
        wanted = set()
        for sheet_id, operation in upserts:
            columns = self._columns_by_header(sheet_id)
            wanted |= {
                (sheet_id, columns[header], like)
                for header, text in operation.key
                if header in columns
                for like in inputs_alike(text)
            }
        self._find_rows(wanted)

    def _find_rows(self, wanted: set[tuple[int, int, str]]) -> None:
        self._searched |= wanted
        for sheet_id, column, text, row in sql.find_rows(self._cursor, wanted):
            self._rows_with[sheet_id, column, text].add(row)
