"""The engine that is used: formualizer. Nothing else imports it."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil, floor, isfinite
from typing import TypeVar

import formualizer

from cells.calc import reasons
from cells.calc.engine import MAX_TEXT, Content, Failure, Formula, Position, Value
from cells.calc.formula_text import (
    DYNAMIC,
    VOLATILE,
    first_of,
    functions_in,
    may_be_array,
    with_known_places,
    without_quoted,
)
from cells.calc.walk_order import Rectangle, after_what_they_need
from cells.domain.axes import MAX_COLUMNS, MAX_ROWS

# A name that no formula can spell, for a reference to a sheet by name is #REF!.
_SHEET = "\0"
# Rows between two formulas that are read with them: a call costs as much as some cells.
_GAP = 8
_LARGEST_INTEGER = 2**53  # beyond, a float's integers have gaps
_T = TypeVar("_T")
_NEVER = object()  # what a formula said that was never calculated
_Run = list[Position]  # neighbours in one column, or in one row


class _Column:
    """The formulas of one column: where they stand, in runs to read, and what they said last."""

    __slots__ = ("runs", "said", "stale")

    def __init__(self) -> None:
        self.said: dict[int, object] = {}  # row -> raw value
        self.runs: list[tuple[formualizer.RangeAddress, list[int]]] = []
        self.stale = True

    def arrange(self, column: int) -> None:
        """Divide the rows into runs again."""
        runs: list[list[int]] = []
        for row in sorted(self.said):
            if runs and row - runs[-1][-1] <= _GAP:
                runs[-1].append(row)
            else:
                runs.append([row])
        self.runs = [
            (
                formualizer.RangeAddress(_SHEET, run[0] + 1, column + 1, run[-1] + 1, column + 1),
                [row - run[0] for row in run],
            )
            for run in runs
        ]
        self.stale = False


class FormualizerEngine:
    """An `Engine` on top of formualizer (https://pypi.org/project/formualizer/)."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._workbook = _new_workbook()
        self._sheet = self._workbook.sheet(_SHEET)
        self._formulas: dict[Position, str] = {}
        self._failures: dict[Position, Failure] = {}
        self._columns: dict[int, _Column] = {}
        self._volatile: set[Position] = set()
        self._dynamic: set[Position] = set()

    @property
    def volatile(self) -> bool:
        """Whether a formula may change by itself."""
        return bool(self._volatile)

    def load(self, cells: Mapping[Position, Content]) -> None:
        """Replace the whole sheet."""
        self._clear()
        self.set(cells)

    def set(self, cells: Mapping[Position, Content]) -> None:
        """Change some cells."""
        values: dict[Position, object] = {}
        formulas: dict[Position, str] = {}
        for position, content in cells.items():
            if isinstance(content, Formula):
                self._note_formula(position, content.text)
                prepared = _prepared(content.text)
                if isinstance(prepared, Failure):
                    values[position] = self._failed(position, prepared)
                else:
                    formulas[position] = prepared
            elif isinstance(content, Failure):
                self._note_formula(position, "")
                values[position] = self._failed(position, content)
            else:
                if position in self._formulas:
                    self._forget_formula(position)
                values[position] = content
        for run in _runs(values):
            self._put_values(run, values)
        for run in _runs(formulas):
            self._put_formulas(run, formulas)

    def evaluate(self, now: datetime) -> dict[Position, Value]:
        """Calculate what has changed, and return the values of formulas that are new or differ."""
        if self._volatile:
            self._set_clock(now)
        self._workbook.evaluate_all()
        if self._dynamic:
            # What OFFSET and INDIRECT point to is a dependency from the second time on; only then
            # does a circle through them show.
            self._workbook.evaluate_all()
        changed: dict[Position, Value] = {}
        for number, column in self._columns.items():
            if column.stale:
                column.arrange(number)
            said = column.said
            for address, offsets in column.runs:
                top = address.start_row - 1
                values = self._sheet.get_values(address)
                for offset in offsets:
                    value = values[offset][0]
                    row = top + offset
                    before = said[row]
                    # 1 and TRUE are equal to Python, and not to a sheet.
                    if value != before or type(value) is not type(before):
                        said[row] = value
                        changed[row, number] = self._value(value, (row, number))
        return changed

    def walk(self, cells: Mapping[Position, Content], now: datetime) -> Iterator[Position]:
        """Load the sheet and calculate its formulas one by one, each after what it needs."""
        formulas: dict[Position, Formula] = {}
        others: dict[Position, Content] = {}
        for position, content in cells.items():
            if isinstance(content, Formula):
                formulas[position] = content
            else:
                others[position] = content
        self.load(others)
        self._set_clock(now)
        needs: dict[Position, list[Rectangle]] = {}
        last: list[Position] = []
        for position, formula in sorted(formulas.items()):
            yield position
            needs[position] = _rectangles(formula.text)
            if functions_in(without_quoted(formula.text)) & DYNAMIC:
                last.append(position)
        held: dict[Position, Content] = {}
        for position in after_what_they_need(needs, last):
            yield position
            self.set({position: formulas[position]})
            self._workbook.evaluate_all()
            if position in self._volatile:
                # It would be calculated again with each formula after it.
                held[position] = formulas[position]
                self._hold(position)
        self.set(held)

    def _hold(self, position: Position) -> None:
        """Put the value of a formula in its place."""
        row, column = position
        value = self._workbook.get_value(_SHEET, row + 1, column + 1)
        if isinstance(value, dict):
            value = formualizer.LiteralValue.error(value["kind"], None)
        self._workbook.set_value(_SHEET, row + 1, column + 1, value)

    def _note_formula(self, position: Position, text: str) -> None:
        row, number = position
        functions = functions_in(without_quoted(text))
        for kind, positions in ((VOLATILE, self._volatile), (DYNAMIC, self._dynamic)):
            if functions & kind:
                positions.add(position)
            else:
                positions.discard(position)
        column = self._columns.setdefault(number, _Column())
        column.stale |= row not in column.said
        column.said[row] = _NEVER
        self._formulas[position] = text
        self._failures.pop(position, None)

    def _forget_formula(self, position: Position) -> None:
        row, number = position
        del self._formulas[position]
        self._failures.pop(position, None)
        self._volatile.discard(position)
        self._dynamic.discard(position)
        column = self._columns[number]
        del column.said[row]
        column.stale = True
        if not column.said:
            del self._columns[number]

    def _failed(self, position: Position, failure: Failure) -> formualizer.LiteralValue:
        """Return what stands in a formula's place, and remember why."""
        self._failures[position] = failure
        return formualizer.LiteralValue.error(reasons.KINDS.get(failure.error, "Error"), None)

    def _put_values(self, run: _Run, values: Mapping[Position, object]) -> None:
        if len(run) == 1:
            row, column = run[0]
            self._workbook.set_value(_SHEET, row + 1, column + 1, values[run[0]])
        else:
            self._workbook.set_values_batch(
                _SHEET, run[0][0] + 1, run[0][1] + 1, _table(run, values)
            )

    def _put_formulas(self, run: _Run, formulas: Mapping[Position, str]) -> None:
        row, column = run[0]
        try:
            if len(run) == 1:
                self._workbook.set_formula(_SHEET, row + 1, column + 1, formulas[run[0]])
            else:
                self._workbook.set_formulas_batch(
                    _SHEET, row + 1, column + 1, _table(run, formulas)
                )
        except RuntimeError as error:  # one of them refers to itself, or is not supported
            if len(run) == 1:
                failed = self._failed(run[0], Failure(*reasons.refused(str(error))))
                self._workbook.set_value(_SHEET, row + 1, column + 1, failed)
                return
            middle = len(run) // 2
            self._put_formulas(run[:middle], formulas)
            self._put_formulas(run[middle:], formulas)

    def _set_clock(self, now: datetime) -> None:
        offset = now.utcoffset()
        if offset is None:
            raise ValueError(f"{now!r} has no time zone")
        self._workbook.set_deterministic_clock(now.astimezone(UTC), int(offset.total_seconds()))

    def _value(self, raw: object, position: Position) -> Value:
        """Return a value of the engine as a sheet shows it."""
        if type(raw) is float:  # nearly all are
            if raw.is_integer() and -_LARGEST_INTEGER < raw < _LARGEST_INTEGER:
                return int(raw)
            return raw if isfinite(raw) else {"error": "#NUM!"}
        match raw:
            case bool() | int():
                return raw
            case str():
                return raw if len(raw) <= MAX_TEXT else reasons.TOO_LONG
            case None:  # what an empty cell is to a formula
                return 0
            case {"kind": str(kind)}:
                failure = self._failures.get(position)
                if failure is not None:
                    return {"error": failure.error, "reason": failure.reason}
                return reasons.error_value(kind, self._formulas[position], _is_function)
            case _:
                return {"error": "#VALUE!", "reason": "Its result is no value of a cell."}


def _new_workbook() -> formualizer.Workbook:
    evaluation = formualizer.EvaluationConfig()
    evaluation.enable_parallel = False  # it gains nothing at a sheet's size, and cores are shared
    workbook = formualizer.Workbook(
        config=formualizer.WorkbookConfig(
            mode=formualizer.WorkbookMode.Ephemeral,
            eval_config=evaluation,
            enable_changelog=False,  # the log of a sheet is in the database
        )
    )
    workbook.add_sheet(_SHEET)
    workbook.set_temporal_egress("serial")
    # Its own are drawn once for all evaluations; a sheet's change with each.
    draw = random.SystemRandom()
    for name, function, count in (("RAND", draw.random, 0), ("RANDBETWEEN", _between(draw), 2)):
        workbook.register_function(
            name,
            function,
            min_args=count,
            max_args=count,
            volatile=True,
            deterministic=False,
            allow_override_builtin=True,
        )
    return workbook


def _between(draw: random.Random) -> Callable[[object, object], object]:
    """Return RANDBETWEEN: the smallest integer from the first number, up to the second."""

    def between(bottom: object, top: object) -> object:
        if not isinstance(bottom, int | float) or not isinstance(top, int | float):
            raise TypeError("RANDBETWEEN takes two numbers")
        lowest, highest = ceil(bottom), floor(top)
        if lowest > highest:
            return formualizer.LiteralValue.error("Num", None)
        return draw.randint(lowest, highest)

    return between


@lru_cache(maxsize=1_000)
def _is_function(name: str) -> bool:
    """Return whether the engine has a function of this name."""
    workbook = _new_workbook()
    try:
        workbook.set_formula(_SHEET, 1, 1, f"={name}()")
        value = workbook.evaluate_cell(_SHEET, 1, 1)
    except (RuntimeError, formualizer.ExcelEvaluationError):
        return True
    return not (isinstance(value, dict) and value.get("kind") == "Name")


def _prepared(text: str) -> str | Failure:
    """Return a formula as the engine gets it, or why it cannot."""
    try:
        formualizer.parse(text)
    except (formualizer.ParserError, formualizer.TokenizerError) as error:
        return Failure("#ERROR!", reasons.unreadable(str(error)))
    text = with_known_places(text)
    return first_of(text) if may_be_array(without_quoted(text)) else text


def _runs(cells: Iterable[Position]) -> list[_Run]:
    """Divide cells into runs of neighbours, in columns or in rows, whichever are fewer.

    One call for a run is faster than one for each cell. Above all, the engine marks what depends
    on a cell each time one is set: a chain of 10,000 formulas that are set one by one, the last
    one first, takes seconds, and no time in a run.
    """
    downward: list[_Run] = []
    for position in sorted(cells, key=lambda position: (position[1], position[0])):
        row, column = position
        if downward and downward[-1][-1] == (row - 1, column):
            downward[-1].append(position)
        else:
            downward.append([position])
    if len(downward) == 1:
        return downward
    across: list[_Run] = []
    for position in sorted(cells):
        row, column = position
        if across and across[-1][-1] == (row, column - 1):
            across[-1].append(position)
        else:
            across.append([position])
    return across if len(across) < len(downward) else downward


def _table(run: _Run, contents: Mapping[Position, _T]) -> list[list[_T]]:
    """Return what a run holds, as rows of columns."""
    if run[0][0] == run[-1][0]:
        return [[contents[position] for position in run]]
    return [[contents[position]] for position in run]


def _rectangles(formula: str) -> list[Rectangle]:
    """Return where a formula looks, as far as its text says; none for what cannot be read."""
    found: list[Rectangle] = []
    try:
        references = formualizer.parse(formula).walk_refs()
    except (formualizer.ParserError, formualizer.TokenizerError):
        return found
    for reference in references:
        match reference:
            case formualizer.CellRef(sheet=None, row=row, col=column):
                found.append((row - 1, column - 1, row - 1, column - 1))
            case formualizer.RangeRef(sheet=None, start=start, end=end):
                found.append(
                    (
                        start.row - 1 if start else 0,
                        start.col - 1 if start else 0,
                        end.row - 1 if end else MAX_ROWS - 1,
                        end.col - 1 if end else MAX_COLUMNS - 1,
                    )
                )
            case _:  # a name, a table, another sheet: nothing here
                pass
    return found
