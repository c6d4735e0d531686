"""Protected areas: cells from corner to corner by identity, and which operations touch them."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from cells.domain.addresses import Range, format_column, format_range, parse_range
from cells.domain.axes import MAX_IDS, Axis, AxisName
from cells.domain.errors import InvalidAddress, ProtectedEnd
from cells.domain.layout import Layout
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Move,
    Operation,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    Restored,
    RestyleEach,
    SetCells,
    SetStyles,
    Several,
    Undone,
    step_of,
)
from cells.domain.references import MISSING
from cells.domain.reordering import ReorderCells
from cells.domain.runs import Runs, cut_range, join_runs
from cells.domain.values import SetValues

Ends = tuple[int, int]
"""The ids of the first and the last row or column."""

_WHOLE = re.compile(r"\$?([A-Za-z]{1,3}|[0-9]{1,7}):\$?([A-Za-z]{1,3}|[0-9]{1,7})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Area:
    """What stands between two rows and two columns, by id, these among them; None is all of them.

    Like the ends of a reference, a deleted one keeps its place; what is inserted between two ends
    belongs to the area. Unlike those it never goes elsewhere alone: see follow().
    """

    rows: Ends | None
    columns: Ends | None

    @property
    def is_sheet(self) -> bool:
        """Whether this is the whole sheet."""
        return self.rows is None and self.columns is None

    def ends(self, axis: AxisName) -> Ends | None:
        """Return where this begins and ends on an axis."""
        return self.rows if axis is AxisName.ROWS else self.columns


def parse_area(text: str, layout: Layout) -> Area:
    """Read B2:C5, B2, B:C, 2:5, or nothing for the whole sheet, as it stands on `layout`.

    Like a reference it ends at the sheet's end. Raises InvalidAddress.
    """
    text = text.strip()
    if not text:
        return Area(None, None)
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        found = parse_range(text)
        return Area(
            _ends(layout.axes[AxisName.ROWS], found.top, found.bottom, text),
            _ends(layout.axes[AxisName.COLUMNS], found.left, found.right, text),
        )
    one, other = whole.groups()
    if one.isdigit() != other.isdigit():
        raise InvalidAddress(f"{text[:40]!r} is not a range; write B2:C5, B:C or 2:5")
    if one.isdigit():
        found = parse_range(f"A{one}:A{other}")
        return Area(_ends(layout.axes[AxisName.ROWS], found.top, found.bottom, text), None)
    found = parse_range(f"{one}1:{other}1")
    return Area(None, _ends(layout.axes[AxisName.COLUMNS], found.left, found.right, text))


def format_area(area: Area, layout: Layout) -> str:
    """Return an area as it reads now; "" is the whole sheet, #REF! one of which nothing is left."""
    rows, columns = spans_of(area, layout)
    if not rows or not columns:
        return MISSING
    if area.rows and area.columns:
        return format_range(Range(rows[0], columns[0], rows[-1], columns[-1]))
    if area.rows:
        return f"{rows[0] + 1}:{rows[-1] + 1}"
    if area.columns:
        return f"{format_column(columns[0])}:{format_column(columns[-1])}"
    return ""


def spans_of(area: Area, layout: Layout) -> tuple[range, range]:
    """Return the positions that an area has now, of rows and of columns; also beyond the end."""
    rows, columns = (_span_of(layout.axes[name], area.ends(name)) for name in AxisName)
    return rows, columns


def moved_by(operation: Operation) -> dict[AxisName, list[tuple[int, int]]]:
    """Return the runs of ids that an operation moves elsewhere, by axis."""
    moved: dict[AxisName, list[tuple[int, int]]] = {}
    match step_of(operation):
        case Move(axis, runs, _):
            moved[axis] = list(runs)
        case PutBack(axis, pieces):
            moved[axis] = [(first, count) for first, count, _ in pieces]
        case Several(steps):
            for step in steps:
                for name, some in moved_by(step).items():
                    moved.setdefault(name, []).extend(some)
    return moved


def follow(
    area: Area,
    before: Layout,
    after: Layout,
    moved: Mapping[AxisName, Runs],
) -> Area:
    """Return the area of the same cells, once an operation has moved these runs.

    Its ends are other ones where these were moved among the rest. Raises ProtectedEnd where an end
    went elsewhere without the rest: whatever stands between the two would then be protected, or
    what stood there would not be any more.
    """
    rows, columns = (
        _followed(ends, before.axes[name], after.axes[name], moved[name])
        if (ends := area.ends(name)) is not None and name in moved
        else ends
        for name in AxisName
    )
    return Area(rows, columns)


def _followed(ends: Ends, before: Axis, after: Axis, moved: Runs) -> Ends:
    members = before.runs_between(*ends)
    living = before.chosen(members, is_alive=True)
    if not living:
        return ends
    chosen = join_runs(moved)
    pieces = [piece for run in members for piece in cut_range(*run, chosen)]
    if not any(piece.is_chosen for piece in pieces):
        return ends
    outer = (living[0][0], sum(living[-1]) - 1)
    stays = [(first, count) for first, count, is_chosen in pieces if not is_chosen]
    # What was moved into the midst, or was born there, belongs to it; what only stood beside, not.
    own = join_runs([*members, *moved, (before.next_id, MAX_IDS)])
    # Rows out of its midst may go; those at its ends may not.
    for wanted in (members, living, [*stays, (outer[0], 1), (outer[1], 1)]):
        found = after.followers_of(wanted)
        new = (found[0][0], found[-1][0] + found[-1][1] - 1)
        between = after.chosen(after.runs_between(*new), is_alive=True)
        if all(piece.is_chosen for run in between for piece in cut_range(*run, own)):
            return new
    raise ProtectedEnd("an end of a protected range would be moved away from the rest of it")


def _span_of(axis: Axis, ends: Ends | None) -> range:
    if ends is None:
        return range(MAX_IDS)
    span = axis.span_between(*ends)
    return range(0) if span is None else range(span.first, span.last + 1)


class Fence:
    """An area as it stands on a layout, and which operations on it touch what it protects."""

    def __init__(self, area: Area, layout: Layout) -> None:
        self._area, self._layout = area, layout
        self._axes = dict(layout.axes)
        self._strips = {name: _Strip(axis, area.ends(name)) for name, axis in self._axes.items()}

    @property
    def is_true(self) -> bool:
        """Whether the layout has the very axes still that this was made for."""
        return all(self._layout.axes[name] is axis for name, axis in self._axes.items())

    def is_touched(self, operation: Operation) -> bool:
        """Say whether an operation, about to be applied, changes what is protected.

        That is the inputs, looks and places of its cells, and which rows and columns it has.
        Values are the calculator's to write.
        """
        if isinstance(operation, SetValues):
            return False
        if isinstance(operation, Undone | Restored):
            return operation.step is not None and self.is_touched(operation.step)
        if self._area.is_sheet:
            return True
        if isinstance(operation, Several):
            # Until one touches the area, none changes which ids are in it.
            return any(map(self.is_touched, operation.steps))
        rows, columns = self._strips[AxisName.ROWS], self._strips[AxisName.COLUMNS]
        match operation:
            case SetCells(cells, styles=styles):
                return self._holds_any([(row, column) for row, column, _ in (*cells, *styles)])
            case RestyleEach(styles):
                return self._holds_any([(row, column) for row, column, _ in styles])
            case SetStyles(row_runs, column_runs) | ReorderCells(row_runs, column_runs):
                return rows.meets(row_runs) and columns.meets(column_runs)
            case Insert(axis, before):
                return self._strips[axis].is_split_at(before)
            case Move(axis, runs, before):
                return self._strips[axis].meets(runs) or self._strips[axis].is_split_at(before)
            case Delete(axis, runs) | Restore(axis, runs):
                return self._strips[axis].meets(runs)
            case PutBack(axis, pieces):
                strip = self._strips[axis]
                is_met = strip.meets([piece[:2] for piece in pieces])
                return is_met or any(strip.is_split_at(before) for _, _, before in pieces)
            case Resize() | ResizeBack() | Freeze():
                return False
            case _:
                assert_never(operation)

    def _holds_any(self, keys: Sequence[tuple[int, int]]) -> bool:
        rows, columns = self._strips[AxisName.ROWS], self._strips[AxisName.COLUMNS]
        if len(keys) == 1:
            return rows.holds(keys[0][0]) and columns.holds(keys[0][1])
        # Rows and columns are few where cells are many.
        held = {row for row in {row for row, _ in keys} if rows.holds(row)}
        if not held:
            return False
        across = {column for column in {column for _, column in keys} if columns.holds(column)}
        return bool(across) and any(row in held and column in across for row, column in keys)


class _Strip:
    """What an area has of one axis, as ranges of ids: all of it without ends."""

    def __init__(self, axis: Axis, ends: Ends | None) -> None:
        self._is_all = ends is None
        runs = [] if ends is None else axis.runs_between(*ends)
        joined = join_runs(runs)
        self._firsts = [first for first, _ in joined]
        self._stops = [stop for _, stop in joined]
        self._front = runs[0][0] if runs else None

    def holds(self, id_: int) -> bool:
        if self._is_all:
            return True
        place = bisect_right(self._firsts, id_) - 1
        return place >= 0 and id_ < self._stops[place]

    def meets(self, runs: Runs) -> bool:
        return self._is_all or any(self._meets_run(first, count) for first, count in runs)

    def _meets_run(self, first: int, count: int) -> bool:
        place = bisect_right(self._stops, first)  # of the first range that ends behind it
        return place < len(self._firsts) and self._firsts[place] < first + count

    def is_split_at(self, before: int | None) -> bool:
        """Say whether what is put in front of `before` comes to stand within."""
        if self._is_all or before is None:
            return False
        return before != self._front and self.holds(before)


def _ends(axis: Axis, first: int, last: int, text: str) -> Ends:
    if first >= len(axis):
        raise InvalidAddress(f"{text[:40]} is beyond the end of the sheet")
    return axis.id_at(first), axis.id_at(min(last, len(axis) - 1))
