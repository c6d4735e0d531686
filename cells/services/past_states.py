"""A sheet as its readers saw it at an earlier revision, whole.

Worked out from the log: back from the head, by what each line replaced. Held in memory is what
was touched since, and no more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from django.db.backends.utils import CursorWrapper

from cells.domain.axes import Axis, AxisName
from cells.domain.deltas import Delta
from cells.domain.errors import NoSuchSheet, Outdated, Pruned
from cells.domain.layout import CellId, Layout
from cells.domain.operations import Step, load_operation, step_of
from cells.domain.references import is_formula
from cells.domain.reordering import ReorderCells
from cells.domain.rewinding import Rewinding
from cells.domain.styles import Style, canonical
from cells.models import LogReach, Revision
from cells.services import sql
from cells.services.past import LoggedStep, json_text, kind_of, steps_back
from cells.services.read import TouchedCell, deltas_of, filled_cells
from cells.services.transactions import Cursor

KEYS_PER_READ = 10_000
LINES_FOR_VALUES = 2_000  # of the log before a revision, for what formulas came to by then

Check = Callable[[int, int], None]
"""Asked with how many cells and characters are held by now; raises to give up."""


@dataclass(slots=True)
class PastState:
    """A sheet at `revision`, in a state of the database in which it is at `head`.

    `inputs` and `styles` are those of cells that have been touched since, as they were; all
    others are as they are. `values` likewise, as JSON text: of formulas that were calculated
    since, None where the log does not tell.
    """

    revision: int
    head: int
    layout: Layout
    inputs: dict[CellId, str]
    styles: dict[CellId, Style]
    values: dict[CellId, str | None] = field(default_factory=dict)


def read_head(cursor: CursorWrapper, sheet_id: int) -> tuple[int, Layout]:
    """Return a sheet's head and its layout. Raises NoSuchSheet."""
    cursor.execute(
        "SELECT head, rows, columns, row_sizes, column_sizes, frozen_rows, frozen_columns "
        "FROM cells_sheet WHERE id = %s AND deleted_at IS NULL",
        [sheet_id],
    )
    found = cursor.fetchone()
    if found is None:
        raise NoSuchSheet("the sheet has been deleted")
    head, *texts, frozen_rows, frozen_columns = found
    rows, columns, row_sizes, column_sizes = map(msgspec.json.decode, texts)
    axes = {AxisName.ROWS: Axis.from_runs(rows), AxisName.COLUMNS: Axis.from_runs(columns)}
    sizes = {AxisName.ROWS: row_sizes, AxisName.COLUMNS: column_sizes}
    return head, Layout(axes, sizes, (frozen_rows, frozen_columns))


def reach_of(sheet_id: int, head: int) -> int:
    """Return the oldest revision whose state the log can tell.

    Of what was pruned some lines stay, for who wrote a cell last; no state can be told by them.
    """
    reach = LogReach.objects.filter(sheet_id=sheet_id).values_list("pruned", flat=True).first()
    log = Revision.objects.filter(sheet_id=sheet_id, number__gt=reach or 0).order_by("number")
    oldest = log.values_list("number", flat=True).first()
    return head if oldest is None else oldest - 1


def check_reach(sheet_id: int, number: int, head: int) -> None:
    """Raise Outdated for a revision that is still to come, Pruned for one that is not kept."""
    if number > head:
        raise Outdated(f"the sheet is at revision {head:,}; there is no revision {number:,} yet")
    reach = reach_of(sheet_id, head)
    if number < reach:
        raise Pruned(
            f"the log does not reach back to revision {number:,} any more, only to {reach:,}; "
            "choose a later one, or a version with a name"
        )


def read_state(
    cursor: CursorWrapper,
    sheet_id: int,
    number: int,
    *,
    is_checked: bool = True,
    check: Check | None = None,
) -> PastState:
    """Return what a sheet was at a revision; `cursor` sees one state (read.one_state).

    Raises NoSuchSheet, Outdated for what is beyond the head, Pruned, and for what a newer release
    has logged what load_operation raises. Without `is_checked` the log is known to reach so far.
    `check` is asked after each step.
    """
    head, layout = read_head(cursor, sheet_id)
    if is_checked:
        check_reach(sheet_id, number, head)
    with closing(steps_back(sheet_id, number, head)) as steps:
        present = PastState(number, head, layout, {}, {})
        return rewound_state(cursor, sheet_id, present, steps, check=check)


def rewound_state(
    cursor: Cursor,
    sheet_id: int,
    present: PastState,
    steps: Iterable[LoggedStep],
    *,
    check: Check | None = None,
) -> PastState:
    """Return `present` with some steps taken back; what only moved is looked up as it is now.

    `check` is asked after each step.
    """
    rewinding = Rewinding(present.layout.copy())
    for _, step, before in steps:
        rewinding.take_back(step, before)
        if check is not None:
            check(max(len(rewinding.inputs), len(rewinding.styles)), rewinding.characters)
    elsewhere = {place for place in rewinding.inputs.values() if isinstance(place, tuple)}
    elsewhere |= {place for place in rewinding.styles.values() if isinstance(place, tuple)}
    contents = read_contents(cursor, sheet_id, elsewhere)
    return PastState(
        present.revision,
        present.head,
        rewinding.layout,
        _found(rewinding.inputs, {key: text for key, (text, _) in contents.items()}),
        _found(rewinding.styles, {key: style for key, (_, style) in contents.items()}),
    )


def read_contents(
    cursor: Cursor, sheet_id: int, keys: Iterable[CellId]
) -> dict[CellId, tuple[str, Style]]:
    """Return the input and the style of those cells that exist, as they are now."""
    contents: dict[CellId, tuple[str, Style]] = {}
    for some in _portions(sorted(keys)):
        found = sql.read_cells(cursor, [(sheet_id, *key) for key in some])
        for (_, row, column), (text, style) in found.items():
            contents[row, column] = text, canonical(style) if style else ""
    return contents


def read_past_deltas(cursor: CursorWrapper, sheet_id: int, state: PastState) -> Iterator[Delta]:
    """Yield what gives an empty replica the sheet as it was; `cursor` sees one state."""
    state.values = _values_at(cursor, sheet_id, state)
    shape = shape_delta(state.layout)
    yield from deltas_of(state.revision, _past_cells(sheet_id, state), shape)


def shape_delta(layout: Layout) -> Delta:
    """Return a delta that tells of a layout alone; of no revision yet."""
    axes, sizes = layout.axes, layout.sizes
    return Delta(
        0,
        0,
        [],
        rows=axes[AxisName.ROWS].to_runs(),
        columns=axes[AxisName.COLUMNS].to_runs(),
        row_sizes=sizes[AxisName.ROWS],
        column_sizes=sizes[AxisName.COLUMNS],
        frozen=layout.frozen,
    )


def _past_cells(sheet_id: int, state: PastState) -> Iterator[list[TouchedCell]]:
    """Yield the cells that were not empty: those of now, as far as they were so, and the others."""
    rest = dict.fromkeys(state.inputs) | dict.fromkeys(state.styles)
    for cells in filled_cells(sheet_id):
        some: list[TouchedCell] = []
        for row, column, text, style, value, *_ in cells:
            key = (row, column)
            if key in rest:
                rest.pop(key)
                text = state.inputs.get(key, text)
                style = state.styles.get(key, style or "") or None
            if key in state.values:
                value = state.values[key]
            if text or style:
                some.append((row, column, text, style, value, None, None))
        yield some
    for keys in _portions(rest):
        rows: list[TouchedCell] = [
            (*key, text, style or None, state.values.get(key), None, None)
            for key in keys
            for text, style in [(state.inputs.get(key, ""), state.styles.get(key, ""))]
            if text or style
        ]
        yield rows


def _values_at(cursor: CursorWrapper, sheet_id: int, state: PastState) -> dict[CellId, str | None]:
    """Return what those cells had come to whose values may be others now; None is not known.

    A calculation tells of its values when it is logged. So what was calculated since had the
    value of the calculation before, if nobody has touched the formula in between.
    """
    values: dict[CellId, str | None] = dict.fromkeys(state.inputs)
    cursor.execute(
        'SELECT "row", "column", input FROM cells_cell WHERE sheet_id = %s AND value_revision > %s',
        [sheet_id, state.revision],
    )
    calculated = {(row, column): text for row, column, text in cursor.fetchall()}
    values |= dict.fromkeys(calculated)
    wanted = {key for key in values if is_formula(state.inputs.get(key, calculated.get(key, "")))}
    if not wanted:
        return values
    cursor.execute(
        f"SELECT {kind_of()}, CASE WHEN {kind_of()} IN ('set_values', 'undo', 'redo', 'restore', "  # noqa: S608
        f"'reorder_cells') THEN {json_text('operation')} END, {json_text('before')} "
        "FROM cells_revision WHERE sheet_id = %s AND number <= %s "
        "ORDER BY number DESC LIMIT %s",
        [sheet_id, state.revision, LINES_FOR_VALUES],
    )
    decode = msgspec.json.decode
    while wanted and (lines := cursor.fetchmany(50)):
        for kind, raw, before in lines:
            if kind == "set_values":
                for row, column, value in decode(raw)["cells"]:
                    if (row, column) in wanted:
                        wanted.discard((row, column))
                        values[row, column] = msgspec.json.encode(value).decode()
                continue
            step = None if raw is None else step_of(load_operation(decode(raw)))
            if isinstance(step, ReorderCells):
                wanted.difference_update(step.cells())
            for row, column, text, *_ in decode(before).get("cells", ()):
                if text is not None:
                    wanted.discard((row, column))
    return values


def read_touched(sheet_id: int, since: int, through: int) -> dict[CellId, int]:
    """Return the cells that the lines of the log behind `since` up to `through` have touched.

    Each with the last of these lines, and the newest first.
    """
    touched: dict[CellId, int] = {}
    with closing(steps_back(sheet_id, since, through)) as steps:
        for number, step, before in steps:
            for key in touched_by(step, before):
                touched.setdefault(key, number)
    return touched


def touched_by(step: Step | None, before: Mapping[str, Any]) -> set[CellId]:
    """Return the cells that a line of the log has changed; those of a sort it may have."""
    if isinstance(step, ReorderCells):
        return set(step.cells())
    return {(past[0], past[1]) for past in before.get("cells", ())}


def _portions(keys: Iterable[CellId]) -> Iterator[list[CellId]]:
    rest = iter(keys)
    while some := list(islice(rest, KEYS_PER_READ)):
        yield some


def _found(past: Mapping[CellId, str | CellId], there: Mapping[CellId, str]) -> dict[CellId, str]:
    found = {}
    for key, what in past.items():
        found[key] = there.get(what, "") if isinstance(what, tuple) else what
    return found
