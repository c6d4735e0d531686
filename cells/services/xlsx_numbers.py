"""What a typed text and a style are in an XLSX file: a kind, a number, and its number format.

Number formats are Excel's codes, ECMA-376 part 1, 18.8.30 and 18.8.31.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cells.domain.literals import TEXT_MARK, parse_boolean, parse_day, parse_number, text_of

USUAL_DECIMALS = 2  # as the grid shows thousands and percent
FIRST_SAFE_DAY = 61  # 1 March 1900: before it Excel counts a 29 February that there never was
LAST_DAY = 2_958_465  # 31 December 9999
MAX_DIGITS = 15  # what a number keeps; more would be lost, and are an identifier anyway
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_WITHOUT_DECIMALS = ("JPY", "KRW", "VND", "CLP", "ISK", "HUF")
# By these codes programs write what their reader's country does, as the grid does.
_MOMENTS = {"date": "m/d/yy", "time": "h:mm", "datetime": "m/d/yy h:mm"}
_SHAPE = re.compile(r"[+-]?([$€£¥]?) ?(\d[\d,]*)?(?:\.(\d*))?([eE][+-]?\d+)? ?([%€]?)")


class Written(NamedTuple):
    """A cell's value for a file, and the number format that it needs ("": none).

    `is_marked`: it was typed with the apostrophe that makes it a text.
    """

    value: str | float | bool
    number_format: str
    is_marked: bool = False


def written_input(text: str, style: Mapping[str, Any]) -> Written:
    """Return what a typed text is in a file: a number, a truth, or the text itself.

    Dates are numbers with a format. What would lose digits stays a text; leading zeros become
    a format.
    """
    if text[:1] == TEXT_MARK:
        return Written(text_of(text), "", is_marked=True)
    number = parse_number(text)
    if number is not None:
        return _number(text, number, style)
    day = parse_day(text)
    if day is not None and (0 <= day < 1 or FIRST_SAFE_DAY <= day <= LAST_DAY):
        return Written(day, styled_format(style, is_moment=True) or _moment_format(text))
    truth = parse_boolean(text)
    return Written(text if truth is None else truth, "")


def styled_format(style: Mapping[str, Any], *, is_moment: bool = False) -> str:
    """Return the number format that a style asks for; "" for none."""
    look, decimals = style.get("format"), style.get("decimals")
    if look in _MOMENTS:
        return _MOMENTS[look]
    if look is None and (decimals is None or is_moment):
        return ""
    if look == "currency":
        code = style.get("currency", "")
        usual = 0 if code in _WITHOUT_DECIMALS else USUAL_DECIMALS
        return f"{_currency(code)}#,##0{_fraction(usual if decimals is None else decimals)}"
    if look == "percent":
        return f"0{_fraction(USUAL_DECIMALS if decimals is None else decimals)}%"
    if look == "thousands":
        return f"#,##0{_fraction(USUAL_DECIMALS if decimals is None else decimals)}"
    return "" if decimals is None else f"0{_fraction(decimals)}"


def _number(text: str, number: float, style: Mapping[str, Any]) -> Written:
    shape = _SHAPE.fullmatch(text.strip())
    sign, whole, fraction, exponent, after = shape.groups() if shape else ("", "", None, None, "")
    digits = (whole or "").replace(",", "")
    if len((digits + (fraction or "")).lstrip("0")) > MAX_DIGITS and exponent is None:
        return Written(text, "")
    styled = styled_format(style)
    if styled:
        return Written(number, styled)
    decimals = len(fraction or "")
    if after == "%":
        return Written(number, f"0{_fraction(decimals)}%")
    if sign or after:
        return Written(number, f"[${sign or after}]#,##0{_fraction(decimals)}")
    if "," in (whole or ""):
        return Written(number, f"#,##0{_fraction(decimals)}")
    if exponent is None and len(digits) > 1 and digits[0] == "0":
        return Written(number, "0" * len(digits) + _fraction(decimals))
    if exponent is None and (fraction or "").endswith("0"):
        return Written(number, f"0{_fraction(decimals)}")
    return Written(number, "")


def _moment_format(text: str) -> str:
    """Return the format that shows a date or time as it was typed."""
    has_date, clock = "-" in text, text.count(":")
    time = ("", "hh:mm", "hh:mm:ss")[clock]
    return "yyyy-mm-dd" + (f" {time}" if time else "") if has_date else time


def _currency(code: str) -> str:
    return f"[${_SIGNS[code]}]" if code in _SIGNS else f"[${code}] " if code else ""


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""
