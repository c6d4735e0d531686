"""A1 text to zero-based positions and back.

The notation is that of spreadsheet programs: columns A to XFD in bijective base 26, rows from 1,
optional `$` marks, which carry no position and are ignored here.
"""

import re
from typing import NamedTuple

from cells.domain.axes import MAX_COLUMNS, MAX_ROWS
from cells.domain.errors import InvalidAddress

_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})", re.ASCII)


class Address(NamedTuple):
    """Where a cell stands now: zero-based positions."""

    row: int
    column: int


class Range(NamedTuple):
    """A rectangle of positions; all four ends are inside it."""

    top: int
    left: int
    bottom: int
    right: int


def parse_column(text: str) -> int:
    """Return the zero-based position of the column named `text`: A is 0, XFD is 16,383.

    Raises InvalidAddress.
    """
    position = 0
    for letter in text.removeprefix("$").upper():
        if not "A" <= letter <= "Z" or position > MAX_COLUMNS:
            raise _invalid(text)
        position = position * 26 + ord(letter) - 64
    if not 1 <= position <= MAX_COLUMNS:
        raise _invalid(text)
    return position - 1


def parse_columns(text: str) -> frozenset[int]:
    """Return the positions of columns that are named with commas between them; none for "".

    Raises InvalidAddress.
    """
    names = (name.strip() for name in text.split(","))
    return frozenset(parse_column(name) for name in names if name)


def format_column(position: int) -> str:
    """Return the letters of the column at a zero-based position: 26 is AA.

    Raises InvalidAddress beyond the limits, as do the other two.
    """
    if not 0 <= position < MAX_COLUMNS:
        raise InvalidAddress(f"column {position} is not from 0 to {MAX_COLUMNS - 1:,}")
    letters = ""
    rest = position + 1
    while rest > 0:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def parse_address(text: str) -> Address:
    """Return the zero-based positions that an A1 address means. Raises InvalidAddress."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise _invalid(text)
    row = int(match[2])
    if not 1 <= row <= MAX_ROWS:
        raise _invalid(text)
    return Address(row - 1, parse_column(match[1]))


def format_address(row: int, column: int) -> str:
    """Return the A1 address of two zero-based positions."""
    if not 0 <= row < MAX_ROWS:
        raise InvalidAddress(f"row {row} is not from 0 to {MAX_ROWS - 1:,}")
    return f"{format_column(column)}{row + 1}"


def parse_range(text: str) -> Range:
    """Return the rectangle that `A1:C9`, `C9:A1` or a lone `A1` means. Raises InvalidAddress."""
    first_text, colon, last_text = text.partition(":")
    first = parse_address(first_text)
    last = parse_address(last_text) if colon else first
    return Range(
        min(first.row, last.row),
        min(first.column, last.column),
        max(first.row, last.row),
        max(first.column, last.column),
    )


def format_range(range_: Range) -> str:
    """Return the A1 text of a rectangle; one cell gives a lone address."""
    first = format_address(range_.top, range_.left)
    last = format_address(range_.bottom, range_.right)
    return first if first == last else f"{first}:{last}"


def _invalid(text: str) -> InvalidAddress:
    return InvalidAddress(
        f"{text[:40]!r} is not a cell address: write one like B2, from A1 to "
        f"{format_address(MAX_ROWS - 1, MAX_COLUMNS - 1)}."
    )
