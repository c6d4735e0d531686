"""Error values: their names in Excel, and a sentence on what is wrong where one can be given."""

import re
from collections.abc import Callable

from cells.calc.engine import MAX_TEXT, ErrorValue
from cells.calc.formula_text import functions_in, without_quoted

# The kinds of formualizer, and what a sheet shows. The first seven and CALC, SPILL are Excel's.
# https://support.microsoft.com/office/error-type-function-10958677-7c8d-44f7-ae77-b9a9ee6eefaa
NAMES = {
    "Null": "#NULL!",
    "Div": "#DIV/0!",
    "Value": "#VALUE!",
    "Ref": "#REF!",
    "Name": "#NAME?",
    "Num": "#NUM!",
    "Na": "#N/A",
    "Spill": "#SPILL!",
    "Calc": "#CALC!",
    "Circ": "#CIRC!",
    "Error": "#ERROR!",
    "NImpl": "#ERROR!",
    "Cancelled": "#LIMIT!",  # no formula makes it, so it can stand for what was stopped
}
KINDS = {"#ERROR!": "Error", "#LIMIT!": "Cancelled", "#CIRC!": "Circ", "#REF!": "Ref"}

CIRCLE = "It depends on itself, directly or through other cells."
TOO_LONG: ErrorValue = {
    "error": "#VALUE!",
    "reason": f"Its text has more than {MAX_TEXT:,} characters.",
}
# What the parser says, by what it says it with; other sentences get the last resort below.
_PARSER = (
    ("Unmatched opening", "A parenthesis or bracket is opened and not closed."),
    ("No matching opener", "A parenthesis or bracket is closed that was not opened."),
    ("while parsing string", "A quotation mark is missing: a text is not closed."),
    ("too deep", "It is nested too deeply. Spread it over several cells."),
    ("height limit", "It has too many parts in a row. Spread it over several cells."),
    ("Sep, subtype: Row", "Arguments are separated by commas, not by semicolons."),
    ("end of tokens", "It ends where more is expected."),
)
_POSITION = re.compile(r"position (\d+)")
_ENGINE_ERROR = re.compile(r"#[A-Z]+(?:/[0A])?[!?]?")
# A name on its own: no function, no address, no sheet.
_NAME = re.compile(r"(?<![\w.$!\]])(?!(?:TRUE|FALSE)\b)([A-Za-z_]\w*)\b(?![(.!\w:])", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}", re.IGNORECASE)


def unreadable(message: str) -> str:
    """Return why a formula cannot be read, from what the parser said."""
    for said, sentence in _PARSER:
        if said in message:
            return sentence
    position = _POSITION.search(message)
    return "It cannot be read" + (f" at character {position[1]}." if position else ".")


def refused(message: str) -> tuple[str, str]:
    """Return the error and the reason of a formula that can be read and was not taken."""
    found = _ENGINE_ERROR.search(message)
    error = found[0] if found and found[0] in NAMES.values() else "#ERROR!"
    return error, CIRCLE if error == "#CIRC!" else f"It was not accepted: {message[:200]}"


def error_value(kind: str, formula: str, is_function: Callable[[str], bool]) -> ErrorValue:
    """Return the error value of a formula whose result is of this kind."""
    error = NAMES.get(kind, "#ERROR!")
    reason = _reason(kind, formula, is_function)
    return {"error": error, "reason": reason} if reason else {"error": error}


def _reason(kind: str, formula: str, is_function: Callable[[str], bool]) -> str | None:
    match kind:
        case "Circ":
            return CIRCLE
        case "Cancelled":
            return "A cell that it needs took too much time or memory."
        case "Error":
            return "A cell that it needs cannot be calculated."
        case "NImpl":
            return "It, or a cell that it needs, asks for what is not supported here."
        case "Ref" if "!" in without_quoted(formula).replace("#REF!", ""):
            return "A sheet has no others to refer to."
        case "Name":
            return _unknown_name(formula, is_function)
        case _:
            return None


def _unknown_name(formula: str, is_function: Callable[[str], bool]) -> str | None:
    bare = without_quoted(formula)
    for name in sorted(functions_in(bare)):
        if not is_function(name):
            return f"There is no function {name[:40]}."
    for name in _NAME.findall(bare):
        if _ADDRESS.fullmatch(name) is None:
            return f"{name[:40]!r} is no address, and names for cells are not supported."
    return None
