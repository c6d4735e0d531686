"""Composing: the next revisions of a sheet become messages, in the addresses of their moment."""

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from cells.domain.addresses import format_address
from cells.domain.axes import AxisName
from cells.domain.errors import SheetSyncError
from cells.domain.layout import CellId, Layout
from cells.domain.literals import parse_value, text_of
from cells.domain.operations import (
    Delete,
    Insert,
    Move,
    PutBack,
    Restore,
    SetCells,
    Several,
    Step,
    load_operation,
    step_of,
)
from cells.domain.references import Axes, is_formula, moved_with_row, to_shown
from cells.domain.reordering import ReorderCells
from cells.domain.runs import ids_of
from cells.domain.values import SetValues
from cells.models import Revision
from cells.services.past import read_axes_at, read_inputs_at
from cells.services.publications import Due
from cells.services.read import one_state
from cells.streams.outgoing import Edit, Line, Outgoing, edit_messages, notice

# What one request carries. Pub/Sub takes 10 MB, but an answer is waited for before the next one,
# and what a crash repeats is a request. https://cloud.google.com/pubsub/quotas#resource_limits
MAX_MESSAGES = 1_000
MAX_REQUEST_BYTES = 4_000_000
REVISIONS_AT_ONCE = 50  # of the log: an operation may have 300 kB, and not all may be wanted

MAX_HEADER_CHARACTERS = 1_000  # beyond, it is no header, and every edit would repeat it

_FIELDS = (
    *("number", "operation_id", "author_kind", "author_name", "committed_at"),
    "operation",
)


class CannotComposeError(Exception):
    """The next revision cannot be published; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The revisions from the cursor on up to `through`, as requests to send one after another."""

    due: Due
    through: int
    requests: list[list[Outgoing]]


@dataclass(slots=True)
class _Standing:
    """A sheet as revision `number` left it, as far as addresses and headers are concerned."""

    number: int
    layout: Layout
    top: int | None
    headers: dict[int, str]

    def copy(self) -> "_Standing":
        layout = Layout(dict(self.layout.axes), self.layout.sizes)
        return _Standing(self.number, layout, self.top, dict(self.headers))


class Composer:
    """Composes for any number of publications, and knows where each of them stands.

    That saves reading the past anew while the cursor is where the last stretch began or ended.
    """

    def __init__(self, installation: str) -> None:
        self._installation = installation
        self._standings: dict[int, tuple[_Standing, _Standing]] = {}

    def compose(self, due: Due) -> Stretch:
        """Return the next stretch. Raises CannotComposeError, or django.db.Error."""
        if due.head < due.published:
            raise CannotComposeError(
                f"The sheet is at revision {due.head:,}, and {due.published:,} has been published: "
                "an older state of the database was brought back. Delete this publication and "
                "make another one."
            )
        try:
            return self._compose(due)
        except SheetSyncError as error:
            raise CannotComposeError(
                f"What follows revision {due.published:,} cannot be read: {error}. If a newer "
                "release has written it, start the publisher of that release."
            ) from error

    def _compose(self, due: Due) -> Stretch:
        known = self._standings.pop(due.id, ())  # not known again before all went well
        requests = _Requests()
        with one_state() as cursor, closing(self._lines(due)) as lines:
            standing = next((one for one in known if one.number == due.published), None)
            if standing is None:
                standing = _standing_at(cursor, due.sheet_id, due.published)
            began = standing.copy()
            for line, operation in lines:
                for message in _messages(cursor, due.sheet_id, standing, line, operation):
                    requests.add(message)
                if requests.is_one_full:
                    break
        if standing.number == due.published:
            raise _missing(due.published + 1)
        self._standings[due.id] = began, standing
        return Stretch(due, standing.number, requests.requests)

    def _lines(self, due: Due) -> Generator[tuple[Line, dict[str, Any]]]:
        log = Revision.objects.filter(sheet_id=due.sheet_id, number__gt=due.published)
        found = log.order_by("number").values_list(*_FIELDS)[:MAX_MESSAGES]
        expected = due.published + 1
        for number, *fields, operation in found.iterator(chunk_size=REVISIONS_AT_ONCE):
            if number != expected:
                raise _missing(expected)
            yield Line(self._installation, due.slug, number, *fields), operation
            expected += 1


class _Requests:
    """Messages in order, in portions of a request each."""

    def __init__(self) -> None:
        self.requests: list[list[Outgoing]] = [[]]
        self._size_bytes = 0

    def add(self, message: Outgoing) -> None:
        last = self.requests[-1]
        self._size_bytes += message.size_bytes
        if last and (len(last) == MAX_MESSAGES or self._size_bytes > MAX_REQUEST_BYTES):
            last = []
            self.requests.append(last)
            self._size_bytes = message.size_bytes
        last.append(message)

    @property
    def is_one_full(self) -> bool:
        return len(self.requests) > 1 or len(self.requests[0]) == MAX_MESSAGES


def _messages(
    cursor: CursorWrapper, sheet_id: int, standing: _Standing, line: Line, raw: dict[str, Any]
) -> list[Outgoing]:
    """Carry out a revision on the standing, and return what it becomes."""
    step = step_of(load_operation(raw))
    if isinstance(step, SetValues):
        standing.number = line.number
        edits = _edits(
            standing, {(row, column): {"value": value} for row, column, value in raw["cells"]}
        )
        return edit_messages(line, edits, raw["kind"]) if edits else [notice(line, raw)]
    axes = Axes(*standing.layout.axes.values())
    texts = _texts(cursor, sheet_id, axes, line.number, step)
    _carry_out(cursor, sheet_id, standing, line.number, step, texts)
    if not texts:
        if isinstance(step, Several):  # its parts may be more than a message holds
            raw = {name: what for name, what in raw.items() if name != "step"}
        return [notice(line, raw)]
    axes = Axes(*standing.layout.axes.values())
    return edit_messages(
        line, _edits(standing, {key: _typed(text, axes) for key, text in texts.items()})
    )


def _texts(
    cursor: CursorWrapper, sheet_id: int, axes: Axes, number: int, step: Step | None
) -> dict[CellId, str]:
    """Return the inputs that a step gave to cells."""
    match step:
        case SetCells(cells):
            # The last one counts where an operation names a cell twice.
            return {(row, column): text for row, column, text in cells}
        case ReorderCells(columns=columns):
            moves = step.moves()
            keys = [(row, column) for row, _ in moves for column in ids_of(columns)]
            past = read_inputs_at(cursor, sheet_id, number - 1, keys)
            moved = {
                (row, column): moved_with_row(text, axes, source, row)
                if is_formula(text := past[source, column])
                else text
                for row, source in moves
                for column in ids_of(columns)
            }
            return {key: text for key, text in moved.items() if text != past[key]}
        case Several(parts):
            texts: dict[CellId, str] = {}
            for part in parts:
                texts |= _texts(cursor, sheet_id, axes, number, part)
            return texts
        case _:
            return {}


def _carry_out(
    cursor: CursorWrapper,
    sheet_id: int,
    standing: _Standing,
    number: int,
    step: Step | None,
    texts: dict[CellId, str],
) -> None:
    """Bring the standing from the revision before to `number`."""
    standing.number = number
    match step:
        case Insert() | Delete() | Move() | Restore() | PutBack() | Several():
            standing.layout.apply(step)
        case SetCells() if step.new_rows or step.new_columns:
            standing.layout.apply(step)
    top = _top(standing.layout)
    if top != standing.top or isinstance(step, Restore | Several):
        standing.top = top
        standing.headers = _headers_at(cursor, sheet_id, standing.layout, number)
        return
    for (row, column), text in texts.items():
        if row == top:
            standing.headers[column] = text


def _typed(text: str, axes: Axes) -> dict[str, Any]:
    """Return what an edit says of an input: as people read it, and what programs take for it."""
    if is_formula(text):
        return {"input": to_shown(text, axes)}
    return {"input": text, "value": parse_value(text)}


def _edits(standing: _Standing, contents: Mapping[CellId, Mapping[str, Any]]) -> list[Edit]:
    """Return edits in the addresses of the standing, of those cells that are not deleted."""
    rows, columns = standing.layout.axes[AxisName.ROWS], standing.layout.axes[AxisName.COLUMNS]
    headers = {
        column: name
        for column, text in standing.headers.items()
        if 0 < len(name := text_of(text)) <= MAX_HEADER_CHARACTERS and not is_formula(text)
    }
    return [
        Edit(
            format_address(rows.position_of(row), columns.position_of(column)),
            **content,
            column=headers.get(column),
        )
        for (row, column), content in contents.items()
        if rows.is_alive(row) and columns.is_alive(column)
    ]


def _standing_at(cursor: CursorWrapper, sheet_id: int, number: int) -> _Standing:
    axes = read_axes_at(cursor, sheet_id, number)
    layout = Layout(axes, {AxisName.ROWS: [], AxisName.COLUMNS: []})
    return _Standing(number, layout, _top(layout), _headers_at(cursor, sheet_id, layout, number))


def _top(layout: Layout) -> int | None:
    rows = layout.axes[AxisName.ROWS]
    return rows.id_at(0) if len(rows) else None


def _headers_at(
    cursor: CursorWrapper, sheet_id: int, layout: Layout, number: int
) -> dict[int, str]:
    top = _top(layout)
    if top is None:
        return {}
    columns = layout.axes[AxisName.COLUMNS]
    keys = [(top, column) for column in columns.ids_between(0, len(columns))]
    found = read_inputs_at(cursor, sheet_id, number, keys)
    return {column: text for (_, column), text in found.items() if text}


def _missing(number: int) -> CannotComposeError:
    return CannotComposeError(
        f"The log has no revision {number:,} any more. Delete this publication and make another "
        "one, which begins at the sheet's head."
    )
