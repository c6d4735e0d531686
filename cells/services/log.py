"""A sheet's log for people: a page of it at a time, each line as a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cells.domain.addresses import format_address, format_column, parse_address
from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, SheetSyncError, UnknownId
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
    load_operation,
)
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.reordering import ReorderCells
from cells.domain.runs import Runs
from cells.domain.values import SetValues
from cells.models import Revision, Sheet

LINES_PER_PAGE = 20  # an operation may be 300 kB; a page of the largest is still read at once
CELLS_NAMED = 3
TEXT_NAMED = 60  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """One committed operation: who, from where, what, when."""

    number: int
    who: str
    kind: str
    origin: str
    what: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, newest first; `older` and `newer` are what to ask for next, None at the ends."""

    lines: list[Line]
    older: int | None
    newer: int | None


class Describer:
    """Says in words what operations did, in the addresses that the sheet has now."""

    def __init__(self, sheet: Sheet) -> None:
        self._axes = {
            AxisName.ROWS: Axis.from_runs(sheet.rows),
            AxisName.COLUMNS: Axis.from_runs(sheet.columns),
        }

    def address(self, row: int, column: int) -> str:
        """Return the A1 address of two ids, or words for what has none any more."""
        try:
            return format_address(
                self._axes[AxisName.ROWS].position_of(row),
                self._axes[AxisName.COLUMNS].position_of(column),
            )
        except Deleted:
            return "a deleted cell"
        except UnknownId:
            return "an unknown cell"

    def ids_at(self, address: str) -> tuple[int, int]:
        """Return the row and column id that an A1 address means now.

        Raises InvalidAddress, and UnknownId beyond the sheet's edge.
        """
        row, column = parse_address(address)
        return self._axes[AxisName.ROWS].id_at(row), self._axes[AxisName.COLUMNS].id_at(column)

    def describe(self, raw: dict[str, Any]) -> str:
        """Return a sentence without subject: `set B2 to “42”`."""
        try:
            operation = load_operation(raw)
        except SheetSyncError:
            # Written by a later release, before a step back: better its name than no page.
            return str(raw.get("kind", "an unknown operation")).replace("_", " ")
        return self._sentence(operation)

    def _sentence(self, operation: Operation) -> str:
        match operation:
            case SetCells():
                return self._set_cells(operation)
            case SetStyles(rows, columns):
                count = _total(rows) * _total(columns)
                which = self.address(rows[0][0], columns[0][0])
                if count > 1:
                    which = f"{count:,} cells from {which} on"
                return f"changed the looks of {which}"
            case RestyleEach(styles):
                which = self.address(*styles[0][:2])
                if len(styles) > 1:
                    which = f"{len(styles):,} cells from {which} on"
                return f"gave {which} the former looks"
            case ReorderCells(rows, columns, order):
                which = self.address(rows[0][0], columns[0][0])
                return f"sorted {_count(AxisName.ROWS, len(order))} from {which} on"
            case SetValues(cells=cells):
                which = self.address(*cells[0][:2])
                return f"calculated {which}" + (
                    f" and {len(cells) - 1:,} more" if len(cells) > 1 else ""
                )
            case Freeze(frozen_rows, frozen_columns):
                if not frozen_rows and not frozen_columns:
                    return "let all rows and columns scroll"
                rows_, columns_ = AxisName.ROWS, AxisName.COLUMNS
                return f"froze {_count(rows_, frozen_rows)} and {_count(columns_, frozen_columns)}"
            case Restore(axis, runs):
                return f"brought {_count(axis, _total(runs))} back"
            case PutBack(axis, pieces):
                return f"moved {_count(axis, sum(n for _, n, _ in pieces))} back"
            case ResizeBack(axis, sizes):
                return f"gave {_count(axis, sum(n for _, n, _ in sizes))} the former size"
            case Undone(is_redo=is_redo, step=step):
                verb = "did again" if is_redo else "took back"
                return f"{verb} an edit: " + (
                    "others have changed it since" if step is None else self._sentence(step)
                )
            case Restored(revision, range_, step):
                what = "the sheet" if range_ is None else "a range"
                changed = "nothing had changed" if step is None else self._sentence(step)
                return f"restored {what} as of revision {revision:,}: {changed}"
            case Several(()):
                return "changed nothing"
            case Several(steps):
                return "; ".join(map(self._sentence, steps))
            case Insert(axis, before, count):
                return f"inserted {_count(axis, count)} {self._before(axis, before)}"
            case Delete(axis, runs):
                return f"deleted {_count(axis, _total(runs))}"
            case Move(axis, runs, before):
                return f"moved {_count(axis, _total(runs))} {self._before(axis, before)}"
            case Resize(axis, runs, size):
                alone = runs[0][0] if _total(runs) == 1 else None
                which = _count(axis, _total(runs)) if alone is None else self._name(axis, alone)
                if size is None:
                    side = "height" if axis is AxisName.ROWS else "width"
                    return f"gave {which} the default {side}"
                return f"made {which} {size} pixels {'high' if axis is AxisName.ROWS else 'wide'}"

    def _set_cells(self, operation: SetCells) -> str:
        # The last one counts where an operation names a cell twice.
        texts = {(row, column): text for row, column, text in operation.cells}
        if len(texts) > 1 and not any(texts.values()):
            parts = [f"cleared {len(texts):,} cells from {self.address(*next(iter(texts)))} on"]
        else:
            parts = [
                f"set {self.address(*key)} to {_quoted(self._shown(text))}"
                if text
                else f"cleared {self.address(*key)}"
                for key, text in list(texts.items())[:CELLS_NAMED]
            ]
            if len(texts) > CELLS_NAMED:
                parts.append(f"{len(texts) - CELLS_NAMED:,} more")
        if operation.new_rows:
            parts.append(f"added {_count(AxisName.ROWS, operation.new_rows)}")
        if operation.new_columns:
            parts.append(f"added {_count(AxisName.COLUMNS, operation.new_columns)}")
        return ", ".join(parts)

    def _shown(self, text: str) -> str:
        if not is_formula(text):
            return text
        return to_shown(text, Axes(self._axes[AxisName.ROWS], self._axes[AxisName.COLUMNS]))

    def _before(self, axis: AxisName, before: int | None) -> str:
        return "at the end" if before is None else f"before {self._name(axis, before)}"

    def _name(self, axis: AxisName, id_: int) -> str:
        one = axis.value.removesuffix("s")
        try:
            position = self._axes[axis].position_of(id_)
        except (Deleted, UnknownId):
            return f"a deleted {one}"
        return f"{one} {position + 1 if axis is AxisName.ROWS else format_column(position)}"


def read_log(sheet: Sheet, *, before: int | None = None, after: int | None = None) -> LogPage:
    """Return a page of the log: the newest lines, those before, or those after a revision.

    Keyed by the revision's number, so that page 50,000 costs what the first one does.
    """
    log = Revision.objects.filter(sheet=sheet).defer("before")
    if after is not None:
        found = list(log.filter(number__gt=after).order_by("number")[:LINES_PER_PAGE])[::-1]
    elif before is not None:
        found = list(log.filter(number__lt=before).order_by("-number")[:LINES_PER_PAGE])
    else:
        found = list(log.order_by("-number")[:LINES_PER_PAGE])
    return LogPage(
        lines=_lines(sheet, found),
        # Revisions have no gaps but at the old end, where the log may have been pruned.
        older=found[-1].number
        if found and log.filter(number__lt=found[-1].number).exists()
        else None,
        newer=found[0].number if found and found[0].number < sheet.head else None,
    )


def _lines(sheet: Sheet, revisions: Sequence[Revision]) -> list[Line]:
    describer = Describer(sheet)
    return [
        Line(
            revision.number,
            revision.author_name,
            revision.author_kind,
            revision.origin,
            describer.describe(revision.operation),
            revision.committed_at,
        )
        for revision in revisions
    ]


def _quoted(text: str) -> str:
    return f"“{text[:TEXT_NAMED]}…”" if len(text) > TEXT_NAMED else f"“{text}”"


def _total(runs: Runs) -> int:
    return sum(count for _, count in runs)


def _count(axis: AxisName, count: int) -> str:
    return f"{count:,} {axis.value if count != 1 else axis.value.removesuffix('s')}"
