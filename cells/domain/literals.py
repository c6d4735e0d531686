"""What an input means: a number, a day, true, false, a text; the browser's literals.js agrees.

An input that begins with an apostrophe is the text behind it, whatever that looks like.
"""

import re
from datetime import date

MAX_CHARACTERS = 40  # of anything but text
TEXT_MARK = "'"

_NUMBER = re.compile(
    r"([+-]?)[$€£¥]? ?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))? ?([%€]?)",
    re.ASCII,
)
_DATE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?Z?)?", re.ASCII
)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
# What trim() of ECMAScript takes away, which strip() does not quite.
# https://tc39.es/ecma262/#sec-white-space
_SPACES = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DAY_0 = date(1899, 12, 30).toordinal()  # of spreadsheets


def text_of(input_text: str) -> str:
    """Return what an input says as a text: without the apostrophe that makes it one."""
    return input_text.removeprefix(TEXT_MARK)


def input_of(text: str) -> str:
    """Return what is typed for a text: with an apostrophe where it would be read otherwise."""
    is_read_otherwise = (
        text[:1] == TEXT_MARK
        or (text[:1] == "=" and len(text) > 1)
        or parse_number(text) is not None
        or parse_day(text) is not None
        or parse_boolean(text) is not None
    )
    return f"{TEXT_MARK}{text}" if is_read_otherwise else text


def inputs_alike(input_text: str) -> tuple[str, ...]:
    """Return the inputs that say what this one does: `00123` and `'00123`.

    A formula is alike to itself alone, and so is a text that would be one without its apostrophe.
    """
    text = text_of(input_text)
    if not text or input_text[:1] == "=":
        return (input_text,)
    marked = f"{TEXT_MARK}{text}"
    return (marked,) if text[:1] in (TEXT_MARK, "=") else (text, marked)


def parse_number(text: str) -> float | None:
    """Return the number that a text is, None for others: "$1,000.50" is 1000.5, "12%" 0.12."""
    if len(text) > MAX_CHARACTERS or (found := _NUMBER.fullmatch(text.strip(_SPACES))) is None:
        return None
    sign, digits, exponent, after = found.groups()
    # By its digits, for 0.07 is not 7 / 100 in floating point everywhere.
    power = int(exponent or 0) - (2 if after == "%" else 0)
    number = float(f"{sign}{digits.replace(',', '')}e{power}")
    return number if abs(number) != float("inf") else None


def parse_day(text: str) -> float | None:
    """Return the days since 30 December 1899 that a date, a time or both name, else None."""
    if len(text) > MAX_CHARACTERS:
        return None
    trimmed = text.strip(_SPACES)
    days = 0
    if (found := _DATE.fullmatch(trimmed)) is not None:
        year, month, day, *time = found.groups()
        try:
            days = date(int(year), int(month), int(day)).toordinal() - _DAY_0
        except ValueError:  # a day that no calendar has
            return None
    elif (found := _TIME.fullmatch(trimmed)) is not None:
        time = list(found.groups())
    else:
        return None
    hours, minutes, seconds = (int(part or 0) for part in time[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    fraction = float(f"0.{time[3] or 0}")
    return days + (hours * 3_600 + minutes * 60 + seconds + fraction) / 86_400


def parse_boolean(text: str) -> bool | None:
    """Return what TRUE or FALSE means in any case, None for other texts."""
    return _BOOLEANS.get(text.strip(_SPACES).lower()) if len(text) <= MAX_CHARACTERS else None


def parse_value(text: str) -> float | int | bool | str | None:
    """Return what a program takes for an input: a number, true or false; dates remain text."""
    if not text:
        return None
    if (number := parse_number(text)) is not None:
        # JSON of other makers writes 19, too, not 19.0.
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    truth = parse_boolean(text)
    return text_of(text) if truth is None else truth
