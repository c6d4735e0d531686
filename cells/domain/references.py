"""References of formulas: by place, as people see them, and by identity, as they are stored.

A stored formula is written in A1 notation, too, but its letters and numbers count *ids*: `B3` is
the cell of column id 1 and row id 2, wherever these stand by now. So moving, inserting and
deleting rows rewrites no formula, and in a sheet whose axes were never touched both texts are the
same. Ids beyond what A1 can name stand in brackets: `[16384][1000000]`. The browser's
references.js does the same, and tests/vectors/references.json holds both to it.
"""

import re
from collections.abc import Callable
from itertools import zip_longest
from typing import NamedTuple

from cells.domain.addresses import format_column, parse_column
from cells.domain.axes import MAX_COLUMNS, MAX_ROWS, Axis
from cells.domain.errors import Deleted, InvalidAddress, UnknownId

MISSING = "#REF!"  # what stands for a reference to what is not there


class Axes(NamedTuple):
    """The rows and columns that a formula refers to."""

    rows: Axis
    columns: Axis


def is_formula(text: str) -> bool:
    """Say whether an input is a formula: = and something to calculate."""
    return text[:1] == "=" and len(text) > 1


def to_stored(text: str, axes: Axes) -> str:
    """Return the stored form of a formula that names cells by their place.

    What lies beyond the sheet becomes #REF!; a range ends at the sheet's end. Names of functions
    and columns become upper case, as spreadsheet programs write them.
    """

    def store(found: re.Match[str]) -> str:
        if found["call"]:
            return found[0].upper()
        reference = _reference_in(found)
        return found[0] if reference is None else _stored(reference, axes)

    return _SHOWN.sub(store, text)


def to_shown(text: str, axes: Axes) -> str:
    """Return a stored formula as it reads in the sheet's present order.

    A range that has lost an end reaches to the nearest survivor, and what is born beyond that later
    is not in it; what is gone altogether is #REF!.
    """

    def show(found: re.Match[str]) -> str:
        reference = _reference_in(found)
        if reference is None:
            return found[0]
        placed = _placed(reference, axes)
        return MISSING if placed is None else _written(placed, format_column, _row_text)

    return _STORED.sub(show, text)


def shifted(text: str, axes: Axes, rows: int, columns: int) -> str:
    """Return a stored formula as a copy of it that many rows below and columns to the right.

    References without a $ go along, and become #REF! beyond the sheet's edges.
    """

    def shift(found: re.Match[str]) -> str:
        reference = _reference_in(found)
        if reference is None:
            return found[0]
        placed = _placed(reference, axes)
        if placed is None:
            return MISSING
        moved = _Reference(_moved(placed.rows, rows), _moved(placed.columns, columns))
        return _stored(moved, axes)

    return _STORED.sub(shift, text)


def moved_with_row(text: str, axes: Axes, source: int, row: int) -> str:
    """Return a stored formula as it reads when its row's cells become those of another, by ids."""
    return shifted(text, axes, axes.rows.position_of(row) - axes.rows.position_of(source), 0)


class _End(NamedTuple):
    """One end of a reference along one axis: a place or an id, and whether a $ holds it."""

    at: int
    is_fixed: bool


_Ends = tuple[_End, ...]
"""None for the whole axis, one for a lone cell, two for a range.

One beside two of the other axis is where a range begins that has no end, as in A2:A.
"""


class _Reference(NamedTuple):
    rows: _Ends
    columns: _Ends


def _pattern(column: str, row: str) -> re.Pattern[str]:
    """Return what finds the references of a formula, and what only looks like one."""
    cell = rf"\$?(?:{column})\$?(?:{row})"
    return re.compile(
        r'"[^"]*(?:""[^"]*)*(?:"|$)'  # a text
        r"|'[^']*'(?:'[^']*')*!?[\w$:.]*"  # what another sheet has: 'My data'!A1
        r"|[^\W\d][\w.]*![\w$:.]*"  # likewise: Data!A1
        r"|#[A-Za-z0-9/]+[!?]?"  # an error
        rf"|(?P<reference>(?<![\w.$\[\]])(?:{cell}:{cell}|{cell}:\$?(?:{column})|{cell}:\$?(?:{row})"
        rf"|{cell}|\$?(?:{column}):\$?(?:{column})|\$?(?:{row}):\$?(?:{row}))(?![\w.$(\[!]))"
        r"|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?"  # a number
        r"|(?P<call>[^\W\d][\w.]*\()"  # a function
        r"|[^\W\d][\w.]*(?:\[[^\]]*\]*)?"  # a name, or a table with a column
    )


_SHOWN = _pattern("[A-Za-z]{1,3}", "[1-9][0-9]{0,6}")
_STORED = _pattern(
    r"[A-Za-z]{1,3}|\[C[0-9]{1,10}\]",
    r"[1-9][0-9]{0,6}|\[R[0-9]{1,10}\]",
)
_PART = re.compile(r"(\$?)([A-Za-z]+|\[C[0-9]+\])?(\$?)([0-9]+|\[R[0-9]+\])?")


def _reference_in(found: re.Match[str]) -> _Reference | None:
    """Return the reference that was found; None for anything else, a name such as ZZZ1 too."""
    if not found["reference"]:
        return None
    try:
        return _read(found[0])
    except InvalidAddress:
        return None


def _read(text: str) -> _Reference:
    """Read a reference, of places or of ids. Raises InvalidAddress for columns beyond XFD."""
    rows: list[_End] = []
    columns: list[_End] = []
    for part in text.split(":"):
        found = _PART.fullmatch(part)
        if found is None:
            raise InvalidAddress(f"{text[:40]!r} is not a reference")
        first_mark, column, second_mark, row = found.groups()
        if column:
            number = int(column[2:-1]) if column[0] == "[" else parse_column(column)
            columns.append(_End(number, bool(first_mark)))
        if row:
            number = int(row[2:-1]) if row[0] == "[" else int(row) - 1
            rows.append(_End(number, bool(second_mark if column else first_mark)))
    return _Reference(tuple(rows), tuple(columns))


def _placed(reference: _Reference, axes: Axes) -> _Reference | None:
    """Return where a reference of ids stands now; None where nothing of it is left."""
    is_open = len(reference.rows) + len(reference.columns) == 3
    rows = _places(reference.rows, axes.rows, is_open=is_open)
    columns = _places(reference.columns, axes.columns, is_open=is_open)
    return None if rows is None or columns is None else _Reference(rows, columns)


def _places(ends: _Ends, axis: Axis, *, is_open: bool) -> _Ends | None:
    try:
        match ends:
            case (start,) if is_open:
                at = axis.range_from(start.at)
                return None if at is None else (_End(at, start.is_fixed),)
            case (end,):
                return (_End(axis.position_of(end.at), end.is_fixed),)
            case (start, stop):
                span = axis.range_between(start.at, stop.at)
                if span is None:
                    return None
                if span.is_reversed:
                    start, stop = stop, start
                return _End(span.first, start.is_fixed), _End(span.last, stop.is_fixed)
    except (Deleted, UnknownId):
        return None
    return ends


def _moved(ends: _Ends, offset: int) -> _Ends:
    return tuple(end if end.is_fixed else end._replace(at=end.at + offset) for end in ends)


def _stored(reference: _Reference, axes: Axes) -> str:
    """Return a reference of places as it is stored."""
    rows = _ids(reference.rows, axes.rows)
    columns = _ids(reference.columns, axes.columns)
    if rows is None or columns is None:
        return MISSING
    return _written(_Reference(rows, columns), _column_id_text, _row_id_text)


def _ids(ends: _Ends, axis: Axis) -> _Ends | None:
    """Return the ids at places, the first in front; None for what is beyond the axis."""
    ends = tuple(sorted(ends, key=lambda end: end.at))
    if ends and not (0 <= ends[0].at < len(axis)):
        return None
    return tuple(_End(axis.id_at(min(end.at, len(axis) - 1)), end.is_fixed) for end in ends)


def _written(
    reference: _Reference, column_text: Callable[[int], str], row_text: Callable[[int], str]
) -> str:
    rows = [("$" if end.is_fixed else "") + row_text(end.at) for end in reference.rows]
    columns = [("$" if end.is_fixed else "") + column_text(end.at) for end in reference.columns]
    if rows and columns:
        return ":".join(map("".join, zip_longest(columns, rows, fillvalue="")))
    return ":".join(rows or columns)


def _row_text(place: int) -> str:
    return str(place + 1)


def _row_id_text(id_: int) -> str:
    return str(id_ + 1) if id_ < MAX_ROWS else f"[R{id_}]"


def _column_id_text(id_: int) -> str:
    return format_column(id_) if id_ < MAX_COLUMNS else f"[C{id_}]"
