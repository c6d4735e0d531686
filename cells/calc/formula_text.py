"""What can be told from a formula's text alone: too long, too deep, volatile, perhaps an array."""

import re

from cells.domain.addresses import parse_range
from cells.domain.errors import InvalidAddress

# Excel's own limits of a formula. https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
MAX_CHARACTERS = 8_192
MAX_NESTING = 64

# Their results change without an edit. https://learn.microsoft.com/office/client-developer/excel/excel-recalculation
VOLATILE = frozenset(
    ["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "OFFSET", "INDIRECT", "CELL", "INFO"]
)
# What they point to is known only once they are calculated.
DYNAMIC = frozenset(("OFFSET", "INDIRECT"))

# fmt: off
# One value comes out, whatever arrays go in.
_AGGREGATES = frozenset(
    {
        "SUM", "SUMPRODUCT", "SUMSQ", "PRODUCT", "AVERAGE", "AVERAGEA", "COUNT", "COUNTA",
        "COUNTBLANK", "MIN", "MAX", "MINA", "MAXA", "MEDIAN", "AND", "OR", "XOR", "ROWS", "COLUMNS",
        "CONCAT", "NPV", "IRR", "STDEV", "STDEV.S", "STDEV.P", "STDEVP", "VAR", "VAR.S", "VAR.P",
        "VARP", "GEOMEAN", "HARMEAN", "AVEDEV", "DEVSQ", "SKEW", "KURT",
    }
)
# One value comes out where one value goes in.
_SCALARS = frozenset(
    {
        "IF", "IFERROR", "IFNA", "NOT", "ROUND", "ROUNDUP", "ROUNDDOWN", "INT", "TRUNC", "MOD",
        "ABS", "SIGN", "SQRT", "POWER", "EXP", "LN", "LOG", "LOG10", "PI", "SIN", "COS", "TAN",
        "RAND", "RANDBETWEEN", "NOW", "TODAY", "DATE", "TIME", "YEAR", "MONTH", "DAY", "HOUR",
        "MINUTE", "SECOND", "WEEKDAY", "EDATE", "EOMONTH", "DAYS", "LEN", "LEFT", "RIGHT", "MID",
        "UPPER", "LOWER", "PROPER", "TRIM", "TEXT", "VALUE", "FIND", "SEARCH", "SUBSTITUTE",
        "REPLACE", "REPT", "EXACT", "CHAR", "CODE", "CONCATENATE", "TRUE", "FALSE", "NA", "ISERROR",
        "ISBLANK", "ISNUMBER", "ISTEXT", "PMT", "PV", "FV", "ROW", "COLUMN",
    }
)
# fmt: on

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_BRACKET = re.compile(r"[(){}]")
_CALL = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*)\(")
_STEP = re.compile(r"((?<![\w.])[A-Za-z_][\w.]*)?([({])|([)}])|([:#])")
_PLACE = re.compile(
    r"\"[^\"]*\"|'[^']*'|\b(ROWS?|COLUMNS?)\("
    r"(?:(\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)|\$?(\d{1,7}):\$?(\d{1,7}))\)",
    re.IGNORECASE | re.ASCII,
)


def without_quoted(formula: str) -> str:
    """Return the formula with its texts and quoted sheet names emptied."""
    return _QUOTED.sub('""', formula)


def refusal_of(formula: str) -> str | None:
    """Return why a formula must not reach an engine, in a sentence; None for most."""
    if len(formula) > MAX_CHARACTERS:
        return f"It has {len(formula):,} characters; {MAX_CHARACTERS:,} are the most."
    depth = 0
    for bracket in _BRACKET.findall(without_quoted(formula)):
        depth += 1 if bracket in "({" else -1
        if depth > MAX_NESTING:
            return f"Its parentheses are nested more than {MAX_NESTING} deep."
    return None


def functions_in(bare: str) -> set[str]:
    """Return the names of the functions that a formula without its quoted parts calls."""
    return {name.upper().removeprefix("_XLFN.") for name in _CALL.findall(bare)}


def may_be_array(bare: str) -> bool:
    """Return False where a formula without its quoted parts has one value for certain."""
    absorbed = 0  # how many brackets, within the outermost call of an aggregate
    for name, opened, closed, array in _STEP.findall(bare):
        if absorbed:
            absorbed += bool(opened) - bool(closed)
        elif array or opened == "{":
            return True
        elif name and name.upper() in _AGGREGATES:
            absorbed = 1
        elif name and name.upper() not in _SCALARS:
            return True
    return False


def first_of(formula: str) -> str:
    """Return a formula for the first cell of an array's result, so that it takes one cell."""
    return f"=INDEX(({formula[1:]}),1,1)"


def with_known_places(formula: str) -> str:
    """Return the formula with ROW(B7), COLUMNS(A1:C9) and the like counted.

    They ask where a cell is, not what it holds. An engine that takes them for a use of the cell
    sees a circle where =ROW(B7) stands in B7; and ours gives but the first row of several.
    """
    return _PLACE.sub(_counted, formula)


def _counted(match: re.Match[str]) -> str:
    asked, cells, first, last = match.groups()
    if asked is None:
        return match[0]
    try:
        place = parse_range(cells or f"A{first}:A{last}")
    except InvalidAddress:
        return match[0]
    height, width = place.bottom - place.top + 1, place.right - place.left + 1
    match asked.upper():
        case "ROWS":
            return str(height)
        case "ROW":
            return str(place.top + 1) if height == 1 else f"SEQUENCE({height},1,{place.top + 1})"
        case "COLUMNS" if cells:
            return str(width)
        case "COLUMN" if cells:
            return str(place.left + 1) if width == 1 else f"SEQUENCE(1,{width},{place.left + 1})"
        case _:  # all columns of some rows
            return match[0]
