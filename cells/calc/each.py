"""EACH: what a function of the engine says of each value of an array."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import formualizer

from cells.calc.lifting import ranges_of
from cells.domain.addresses import format_column

_SHEET = "S"
_MAX_VALUES = 1_000_000  # more than a column has; what is more is no sheet's
_MAX_KEPT = 16  # workbooks whose formulas are ready for the next values

_Table = list[list[object]]


class Each:
    """Answers `_EACH_("LEN", array)`, with the engine's own LEN.

    A workbook holds the values of one call, a column for each argument and a row for each set of
    arguments, and the formula beside each row. It is kept, for the next evaluation changes values.
    """

    def __init__(self, new_workbook: Callable[[str], formualizer.Workbook]) -> None:
        self._new_workbook = new_workbook
        self._kept: OrderedDict[object, formualizer.Workbook] = OrderedDict()

    def __call__(self, name: object, *arguments: object) -> object:
        """Return a table of results, as large as the largest of what are single values."""
        ranges = ranges_of(str(name))
        tables = [_table(argument) for argument in arguments]
        single = [index for index in range(len(tables)) if index not in ranges]
        height = max(len(tables[index]) for index in single)
        width = max(len(tables[index][0]) for index in single)
        if height * width > _MAX_VALUES:
            return formualizer.LiteralValue.error("Num", None)
        workbook = self._workbook(str(name), tables, single, height * width)
        for column, index in enumerate(single):
            table = tables[index]
            values = [
                [_literal(_at(table, row, place))]
                for row in range(height)
                for place in range(width)
            ]
            workbook.set_values_batch(_SHEET, 1, column + 2, values)
        left = len(single) + 2
        for index in sorted(ranges):
            if index < len(tables):
                table = tables[index]
                workbook.set_values_batch(
                    _SHEET, 1, left, [[_literal(value) for value in row] for row in table]
                )
                left += len(table[0])
        workbook.evaluate_all()
        address = formualizer.RangeAddress(_SHEET, 1, 1, height * width, 1)
        results = [_literal(row[0]) for row in workbook.sheet(_SHEET).get_values(address)]
        return [results[start : start + width] for start in range(0, height * width, width)]

    def _workbook(
        self, name: str, tables: list[_Table], single: list[int], count: int
    ) -> formualizer.Workbook:
        """Return a workbook with a formula for each row, and its values still those of before."""
        sizes = tuple(
            None if index in single else (len(table), len(table[0]))
            for index, table in enumerate(tables)
        )
        key = (name, sizes, count)
        workbook = self._kept.pop(key, None)
        if workbook is None:
            workbook = self._new_workbook(_SHEET)
            formulas = [
                [f"={name}({','.join(_places(sizes, row))})"] for row in range(1, count + 1)
            ]
            workbook.set_formulas_batch(_SHEET, 1, 1, formulas)
            while len(self._kept) >= _MAX_KEPT:
                self._kept.popitem(last=False)
        self._kept[key] = workbook
        return workbook


def _places(sizes: tuple[tuple[int, int] | None, ...], row: int) -> Iterable[str]:
    """Yield where the arguments of one row stand."""
    column, left = 1, 1 + sum(size is None for size in sizes)
    for size in sizes:
        if size is None:
            yield f"{format_column(column)}{row}"
            column += 1
        else:
            height, width = size
            yield f"${format_column(left)}$1:${format_column(left + width - 1)}${height}"
            left += width


def _table(argument: object) -> _Table:
    if isinstance(argument, list) and argument and argument[0]:
        return argument
    return [[None if isinstance(argument, list) else argument]]


def _at(table: _Table, row: int, column: int) -> object:
    """Return a value of a table that is repeated where it has one row or one column."""
    values = table[0] if len(table) == 1 else table[row] if row < len(table) else None
    if values is None:
        return _MISSING
    if len(values) == 1:
        return values[0]
    return values[column] if column < len(values) else _MISSING


def _literal(value: object) -> object:
    """Return a value as the engine takes it: an error that came out goes in again."""
    if isinstance(value, dict):
        return formualizer.LiteralValue.error(value["kind"], None)
    return value


_MISSING = {"kind": "Na"}  # where tables of two sizes meet, as in Excel
