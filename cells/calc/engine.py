"""What a formula engine is to a sheet: cells go in, values come out. No library is named here."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NotRequired, Protocol, TypedDict

import msgspec

from cells.domain.literals import parse_boolean, parse_day, parse_number, text_of

# What one cell may show, in characters: Excel's limit.
# https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
MAX_TEXT = 32_767


class Formula(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """A formula in A1 text, with its "="."""

    text: str


class Failure(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """What stands in for a formula that must not be calculated: its cells depend on an error."""

    error: str
    reason: str


class ErrorValue(TypedDict):
    """An error as it is stored and sent: {"error": "#DIV/0!"}, with a reason where there is one."""

    error: str
    reason: NotRequired[str]


Position = tuple[int, int]  # row and column, zero-based
Content = Formula | Failure | float | bool | str | None  # None is an empty cell
Value = int | float | bool | str | ErrorValue


class Engine(Protocol):
    """One sheet's formulas. Not safe for threads; everything is synchronous.

    An engine may take all the time and memory that there is, or end its process. sandbox.py gives
    it a process of its own, and calculator.py finds the formula that did it.
    """

    def load(self, cells: Mapping[Position, Content]) -> None:
        """Replace the whole sheet."""

    def set(self, cells: Mapping[Position, Content]) -> None:
        """Change some cells; what depends on them is recalculated by `evaluate`."""

    def evaluate(self, now: datetime) -> dict[Position, Value]:
        """Calculate what has changed, and return the values of formulas that are new or differ.

        `now`, with its time zone, is what NOW() and TODAY() say. A formula that was set since the
        last evaluation is among the answers whatever its value. A Failure counts as a formula.
        """

    def walk(self, cells: Mapping[Position, Content], now: datetime) -> Iterator[Position]:
        """Load the sheet and calculate its formulas one by one, each after what it needs.

        A formula's position comes out before work on it begins, perhaps more than once; so if the
        engine does not come back, the last one did it. After the last one, `evaluate` is quick.
        Slower than `load` and `evaluate`. What OFFSET and INDIRECT point to is not known
        beforehand: formulas with them come last.
        """

    @property
    def volatile(self) -> bool:
        """Whether a formula may change by itself: NOW, TODAY, RAND, OFFSET, INDIRECT and others."""


def content_of(input_text: str) -> Content:
    """Return what a typed text is: nothing, a formula, a number, true or false, or a text.

    A date or a time is its serial number, in days since 30 December 1899. A lone "=" is a text,
    and so is what stands behind an apostrophe.
    """
    if not input_text:
        return None
    if input_text.startswith("=") and len(input_text) > 1:
        return Formula(input_text)
    number = parse_number(input_text)
    if number is None:
        number = parse_day(input_text)
    if number is not None:
        return number
    boolean = parse_boolean(input_text)
    return text_of(input_text) if boolean is None else boolean
