"""A sheet's draft: what a batch makes of it in memory, and the delta that tells of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from cells.domain.axes import Axis, AxisName
from cells.domain.deltas import CellState, Delta
from cells.domain.layout import CellId, Effect, Layout
from cells.domain.operations import Operation
from cells.domain.styles import Style, canonical
from cells.services import sql
from cells.services.authors import Author, Source
from cells.services.read import cell_state
from cells.services.transactions import Cursor

MAX_DELTA_CHARACTERS = 1_000_000  # of inputs; more is read again, in frames that sockets can take
MAX_DELTA_CELLS = 20_000  # likewise


class Planned(NamedTuple):
    """A numbered operation of a draft: its id in the database's form, and what it does."""

    number: int
    id_text: str
    author: Author
    source: Source | None
    operation: Operation
    effect: Effect


@dataclass(slots=True)
class Draft:
    """A sheet while its part of the batch is applied in memory."""

    row: sql.SheetRow
    layout: Layout
    head: int
    rows_revision: int
    columns_revision: int
    filled: int
    planned: list[Planned] = field(default_factory=list)
    valued: list[CellState] = field(default_factory=list)  # formulas that got their values

    @property
    def has_new_rows(self) -> bool:
        return self.rows_revision > self.row.head

    @property
    def has_new_columns(self) -> bool:
        return self.columns_revision > self.row.head


def draft_of(row: sql.SheetRow) -> Draft:
    """Begin with a sheet as it is stored."""
    decode = msgspec.json.decode
    layout = Layout(
        {AxisName.ROWS: _read_axis(row.rows), AxisName.COLUMNS: _read_axis(row.columns)},
        {AxisName.ROWS: decode(row.row_sizes), AxisName.COLUMNS: decode(row.column_sizes)},
        (row.frozen_rows, row.frozen_columns),
    )
    return Draft(row, layout, row.head, row.rows_revision, row.columns_revision, row.filled)


@lru_cache(maxsize=256)  # axes change seldom, and one of thousands of runs costs milliseconds
def _read_axis(text: str) -> Axis:
    return Axis.from_runs(msgspec.json.decode(text))


class TouchedCells:
    """The cells that a batch touches, as they were and as it leaves them, by sheet id."""

    def __init__(self, cursor: Cursor, drafts: Iterable[Draft]) -> None:
        """Read them, in two statements at the most."""
        effects = [(draft.row.id, line.effect) for draft in drafts for line in draft.planned]
        keys = {(id_, row, column) for id_, effect in effects for row, column, _ in effect.cells}
        for id_, effect in effects:
            if effect.reordered is not None:
                keys.update((id_, *key) for key in effect.reordered.cells())
        looks = {(id_, *key) for id_, effect in effects for key in effect.restyled} - keys
        self.inputs: dict[int, dict[CellId, str]] = defaultdict(dict)
        self.styles: dict[int, dict[CellId, Style]] = defaultdict(dict)
        # Of cells that get only a style: the inputs, for the delta; None is too long for one.
        self.unset: dict[int, dict[CellId, str | None]] = defaultdict(dict)
        self.values: dict[int, dict[CellId, str]] = defaultdict(dict)  # as JSON text
        if keys:
            for (sheet_id, row, column), (text, style) in sql.read_cells(cursor, keys).items():
                self.inputs[sheet_id][row, column] = text
                if style is not None:
                    self.styles[sheet_id][row, column] = canonical(style)
        if looks:
            found = sql.glance_at_cells(cursor, looks)
            for (sheet_id, row, column), (glance, style, value) in found.items():
                self.unset[sheet_id][row, column] = glance
                if value is not None:
                    self.values[sheet_id][row, column] = value
                if style is not None:
                    self.styles[sheet_id][row, column] = canonical(style)


def cells_by_author(
    touched: Mapping[CellId, tuple[int, Author]],
    inputs: Mapping[CellId, str | None],
    styles: Mapping[CellId, Style],
    values: Mapping[CellId, str],
) -> Iterable[tuple[Author, list[CellState]]] | None:
    """Return the cells that a batch has touched; None when they are too much for one frame."""
    if len(touched) > MAX_DELTA_CELLS or None in inputs.values():
        return None
    if sum(map(len, filter(None, inputs.values()))) > MAX_DELTA_CHARACTERS:
        return None
    by_author: dict[int, tuple[Author, list[CellState]]] = {}
    for (row, column), (_, author) in touched.items():
        # An author is one object per socket: compared by it, not by its four fields.
        if (found := by_author.get(id(author))) is None:
            found = by_author[id(author)] = (author, [])
        text = inputs.get((row, column)) or ""
        found[1].append(
            cell_state(row, column, text, styles.get((row, column)), values.get((row, column)))
            if styles or values
            else (row, column, text)
        )
    return by_author.values()


def delta_of(draft: Draft, by_author: Iterable[tuple[Author, list[CellState]]] | None) -> Delta:
    """Return what a draft changes; `by_author` as cells_by_author returns it."""
    axes, sizes = draft.layout.axes, draft.layout.sizes
    has_rows, has_columns = draft.has_new_rows, draft.has_new_columns
    return Delta(
        after=draft.row.head,
        through=draft.head,
        changes=_by_label(by_author or ()),
        rows=axes[AxisName.ROWS].to_runs() if has_rows else None,
        columns=axes[AxisName.COLUMNS].to_runs() if has_columns else None,
        row_sizes=sizes[AxisName.ROWS] if has_rows else None,
        column_sizes=sizes[AxisName.COLUMNS] if has_columns else None,
        frozen=draft.layout.frozen if has_rows else None,
        lacks_cells=by_author is None,
    )


def _by_label(
    by_author: Iterable[tuple[Author, list[CellState]]],
) -> list[tuple[str | None, list[CellState]]]:
    """Return cells by what a delta calls their authors; all streams, say, share a label."""
    changes: dict[str | None, list[CellState]] = {}
    for author, cells in by_author:
        changes.setdefault(author.label, []).extend(cells)
    return list(changes.items())


def revived_of(draft: Draft) -> dict[AxisName, list[tuple[int, int]]]:
    """Return the runs of ids, by axis, that were deleted and that a draft has brought back."""
    found = {}
    for name, text, is_new in (
        (AxisName.ROWS, draft.row.rows, draft.has_new_rows),
        (AxisName.COLUMNS, draft.row.columns, draft.has_new_columns),
    ):
        if is_new:
            before = _read_axis(text)
            dead = [(run.first, run.length) for run in before.runs if not run.is_alive]
            if dead and (living := draft.layout.axes[name].chosen(dead, is_alive=True)):
                found[name] = living
    return found


def shape_of(draft: Draft) -> sql.SheetShape:
    """Return a draft's axes and sizes as they are stored."""
    encode = msgspec.json.encode
    axes, sizes = draft.layout.axes, draft.layout.sizes
    return sql.SheetShape(
        draft.row.id,
        encode(axes[AxisName.ROWS].to_runs()).decode(),
        encode(axes[AxisName.COLUMNS].to_runs()).decode(),
        encode(sizes[AxisName.ROWS]).decode(),
        encode(sizes[AxisName.COLUMNS]).decode(),
        draft.rows_revision,
        draft.columns_revision,
        *draft.layout.frozen,
    )


def followed_by(first: Delta, second: Delta) -> Delta:
    """Return two deltas of a sheet, the second from where the first ends, as one."""
    return replace(
        first,
        through=second.through,
        changes=first.changes + second.changes,  # a receiver takes them in order
        rows=first.rows if second.rows is None else second.rows,
        columns=first.columns if second.columns is None else second.columns,
        row_sizes=first.row_sizes if second.row_sizes is None else second.row_sizes,
        column_sizes=first.column_sizes if second.column_sizes is None else second.column_sizes,
        frozen=first.frozen if second.frozen is None else second.frozen,
        lacks_cells=first.lacks_cells or second.lacks_cells,
    )
