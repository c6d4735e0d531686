"""Functions of one value that are given many: found in a formula's text and sent through EACH.

`=SUM(LEN(B1:B5))` asks for the length of each; the engine takes the first one's, or refuses. So
the call is rewritten to `_EACH_("LEN",B1:B5)`, which each.py answers, one by one, with the same
engine. Arrays behind a name of LET are not seen.
"""

import re
from dataclasses import dataclass, field

EACH = "_EACH_"

# Which arguments are ranges by nature, from 0; all others are single values. Those of COUNTIFS and
# SUMIFS go on in twos.
_RANGES: dict[str, frozenset[int]] = {
    **dict.fromkeys(("COUNTIF", "LARGE", "SMALL"), frozenset((0,))),
    **dict.fromkeys(("MATCH", "XMATCH", "VLOOKUP", "HLOOKUP", "RANK"), frozenset((1,))),
    **dict.fromkeys(("SUMIF", "AVERAGEIF"), frozenset((0, 2))),
    "XLOOKUP": frozenset((1, 2)),
    "COUNTIFS": frozenset(range(0, 64, 2)),
    "SUMIFS": frozenset((0, *range(1, 64, 2))),
}
# fmt: off
_ONE_VALUE = frozenset({
    "ABS", "INT", "SIGN", "SQRT", "ROUND", "ROUNDUP", "ROUNDDOWN", "TRUNC", "MOD", "POWER",
    "EXP", "LN", "LOG", "LOG10", "EVEN", "ODD", "CEILING", "FLOOR", "MROUND", "QUOTIENT",
    "YEAR", "MONTH", "DAY", "WEEKDAY", "WEEKNUM", "HOUR", "MINUTE", "SECOND", "DATE", "EDATE",
    "EOMONTH", "ISNUMBER", "ISTEXT", "ISLOGICAL", "ISODD", "ISEVEN", "NOT", "N", "T", "LEN",
    "CODE", "CHAR", "FIND", "SEARCH", "LEFT", "RIGHT", "MID", "PROPER",
    "TRIM", "SUBSTITUTE", "REPLACE", "REPT", "TEXT", "CONCATENATE", "SWITCH",
})
# Their result has as many values as what they are given.
_AS_MANY = frozenset({
    "IF", "IFERROR", "IFNA", "EXACT", "VALUE", "ISERROR", "ISERR", "ISNA", "ISBLANK", "UPPER",
    "LOWER",
})
_ARRAYS = frozenset({
    "SEQUENCE", "SORT", "SORTBY", "FILTER", "UNIQUE", "TRANSPOSE", "HSTACK", "VSTACK", "TAKE",
    "DROP", "TOCOL", "TOROW", "CHOOSECOLS", "CHOOSEROWS", "FREQUENCY", "TEXTSPLIT", "RANDARRAY",
})
# fmt: on
_STEP = re.compile(r"\"[^\"]*\"|'[^']*'|([A-Za-z_][\w.]*)?\(|[{)},:]")


@dataclass(slots=True)
class _Call:
    name: str  # empty for a parenthesis
    start: int
    opened: int  # where its arguments begin
    argument: int = 0
    many: set[int] = field(default_factory=set)  # which arguments have several values


def lifted(formula: str) -> str:
    """Return the formula with its calls of one value for several sent through EACH."""
    if ":" not in formula and "{" not in formula and "(" not in formula:
        return formula
    calls = [_Call("", 0, 0)]
    renamed: list[tuple[int, int, str]] = []
    in_braces = False
    for step in _STEP.finditer(formula):
        sign = step[0]
        top = calls[-1]
        if sign == "}":
            in_braces = False
        elif in_braces or sign[0] in "\"'":
            continue
        elif sign == "{":
            in_braces = True
            top.many.add(top.argument)
        elif sign == ":":
            top.many.add(top.argument)
        elif sign == ",":
            top.argument += 1
        elif sign == ")":
            if len(calls) == 1:  # one too many: the parser says so
                return formula
            calls.pop()
            if _has_many(top, renamed):
                calls[-1].many.add(calls[-1].argument)
        else:
            calls.append(_Call((step[1] or "").upper(), step.start(), step.end()))
    for start, opened, name in sorted(renamed, reverse=True):
        formula = f'{formula[:start]}{EACH}("{name}",{formula[opened:]}'
    return formula


def ranges_of(name: str) -> frozenset[int]:
    """Return which arguments of a function are ranges by nature."""
    return _RANGES.get(name, frozenset())


def _has_many(call: _Call, renamed: list[tuple[int, int, str]]) -> bool:
    """Return whether a call's result has several values, and note it where it must be renamed."""
    if call.name in _ARRAYS:
        return True
    if call.name in ("", "ROW", "COLUMN") or call.name in _AS_MANY:
        return bool(call.many)
    is_lifted = call.name in _ONE_VALUE or call.name in _RANGES
    if is_lifted and call.many - ranges_of(call.name):
        renamed.append((call.start, call.opened, call.name))
        return True
    return False
