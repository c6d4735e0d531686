"""The JSON of messages: decoded, or refused with a reason; its values as a person types them."""

import re
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from cells.domain.errors import InvalidText, LimitExceeded, Malformed
from cells.domain.operations import check_text

DecodedT = TypeVar("DecodedT")

MAX_NUMBER_DIGITS = 309  # what the largest IEEE 754 double has; longer ones are ids: send text

# JSON escapes for one half of a surrogate pair without the other (RFC 8259, section 8.2).
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class Literal(float):
    """A JSON number with a fraction or an exponent, and its text: a float alone loses digits."""

    text: str

    def __new__(cls, text: str) -> "Literal":
        number = super().__new__(cls, text)
        number.text = text
        return number


def decode_json(decoder: "msgspec.json.Decoder[DecodedT]", data: bytes) -> DecodedT:
    """Return what `decoder` makes of JSON in UTF-8.

    Raises Malformed or InvalidText for what is none, msgspec.ValidationError for JSON of another
    type than the decoder's.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(
            f"the data is not UTF-8: byte 0x{data[error.start]:02x} at {error.start:,}; "
            "encode the JSON as UTF-8"
        ) from error
    try:
        return decoder.decode(text)
    except RecursionError as error:
        raise Malformed("the JSON is nested too deeply; a message needs five levels") from error
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        if _LONE_SURROGATE.search(text):
            raise InvalidText(
                "a JSON escape is half of a surrogate pair; send whole characters"
            ) from error
        if re.search(r"\b(NaN|Infinity)\b", text):
            raise Malformed(
                f"{error}; JSON has no NaN or Infinity: send null or a string"
            ) from error
        raise Malformed(f"{error}; the data must be one JSON object in UTF-8") from error


def format_value(value: object) -> str:
    """Return what a person would have typed for a JSON value: 1e3 is 1000, null clears.

    Raises Malformed for an object or a list, InvalidText or LimitExceeded for what a cell
    cannot hold.
    """
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case Literal():
            return _format_number(value.text)
        case str():
            check_text(value)
            return value
        case int():
            return _format_number(str(value))
        case _:
            raise Malformed(
                "a value must be a string, a number, true, false or null; "
                "put an object or a list into a string"
            )


def _format_number(literal: str) -> str:
    try:
        number = Decimal(literal)
    except InvalidOperation:  # an exponent beyond even Decimal
        number = Decimal("Infinity")
    if not number.is_finite() or number.adjusted() >= MAX_NUMBER_DIGITS:
        raise LimitExceeded(
            f"a number has at most {MAX_NUMBER_DIGITS} digits before the point; send it as a string"
        )
    if number.is_zero():
        return "0"
    sign, digits, _ = number.as_tuple()
    stripped = "".join(map(str, digits)).rstrip("0")
    adjusted = number.adjusted()
    if -7 < adjusted < 21:  # where ECMAScript's Number::toString stops writing all digits, too
        text = f"{number:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        fraction = f".{stripped[1:]}" if len(stripped) > 1 else ""
        text = f"{'-' if sign else ''}{stripped[0]}{fraction}E{adjusted:+d}"
    check_text(text)
    return text
