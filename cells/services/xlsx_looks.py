"""What an XLSX file's looks and number formats are here: the inverse of services/xlsx_numbers."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from cells.domain.styles import ALIGNMENTS, MAX_DECIMALS, parse_style

_RGB = re.compile(r"(?:[0-9A-F]{2})?([0-9A-F]{6})", re.IGNORECASE)
_SECTION = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!\$)[^\]]*\]')  # what shows and counts for nothing
_CURRENCY = re.compile(r'\[\$([^\]-]*)[^\]]*\]|"?([$€£¥])"?|"([A-Z]{3})"')
_CODES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
_ISO_CODE = re.compile(r"[A-Z]{3}")
_ZEROS = re.compile(r"0{2,}")
_TYPED_MOMENT = re.compile(r"(?:yyyy-mm-dd)?(?: ?hh:mm(?::ss)?)?", re.IGNORECASE)
_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - a file's moments have no zone


class Look:
    """One of a file's looks; it writes values as somebody would have typed them."""

    def __init__(
        self, base: dict[str, Any], number_format: str, *, is_marked: bool = False
    ) -> None:
        self.is_marked = is_marked  # texts of this look were typed with an apostrophe
        self._base = base
        self._format = number_format
        self._keys = _format_keys(number_format)
        self.style = _text({**base, **self._keys})
        # Nothing else is seen of an empty cell, and files have thousands of them.
        self.style_of_blank = _text({key: value for key, value in base.items() if key in ("fill",)})

    def number(self, value: float) -> tuple[str, str]:
        """Return a number as it is typed, and its style."""
        text = repr(value)
        if text.endswith(".0"):
            text = text[:-2]
        if _ZEROS.fullmatch(self._format) and text.isdecimal():
            return text.zfill(len(self._format)), _text(self._base)
        return text, self.style

    def moment(self, value: date | time | timedelta) -> tuple[str, str]:
        """Return a date, a time or both as they are typed, and their style."""
        text, kind = _typed(value)
        if _TYPED_MOMENT.fullmatch(self._format):
            return text, _text(self._base)
        return text, _text({**self._base, "format": kind})


def look_of(cell: Any) -> Look:
    """Return the look of a cell of openpyxl's."""
    font, fill, alignment = cell.font, cell.fill, cell.alignment
    base: dict[str, Any] = {}
    for key, is_so in (("bold", font.b), ("italic", font.i), ("strike", font.strike)):
        if is_so:
            base[key] = True
    if (color := _rgb(font.color)) and color != "#000000":
        base["color"] = color
    if fill.fill_type == "solid" and (color := _rgb(fill.fgColor)):
        base["fill"] = color
    if alignment.horizontal in ALIGNMENTS:
        base["align"] = alignment.horizontal
    if alignment.wrap_text:
        base["wrap"] = True
    is_marked = bool(cell.style_array.quotePrefix)
    return Look(base, str(cell.number_format or "General"), is_marked=is_marked)


def _rgb(color: Any) -> str:
    """Return a colour that stands in the file itself; a theme's is none, for the theme is not."""
    if color is None or color.type != "rgb" or not isinstance(color.rgb, str):
        return ""
    found = _RGB.fullmatch(color.rgb)
    return f"#{found[1].lower()}" if found else ""


def _format_keys(number_format: str) -> dict[str, Any]:
    """Return what a number format is in a style's keys; nothing for what a style cannot say."""
    first = number_format.split(";")[0]
    if first.lower() in ("general", "@", ""):
        return {}
    moment = _moment_kind(first)
    if moment:
        return {"format": moment}
    bare = _SECTION.sub("", first)
    fraction = re.search(r"\.([0#?]+)", bare)
    decimals = min(len(fraction[1]) if fraction else 0, MAX_DECIMALS)
    if "%" in bare:
        return {"format": "percent", "decimals": decimals}
    currency = _CURRENCY.search(first)
    if currency:
        sign = next((part for part in currency.groups() if part), "").strip()
        code = _CODES.get(sign, sign if _ISO_CODE.fullmatch(sign) else "")
        known = {"currency": code} if code else {}
        return {"format": "currency" if code else "thousands", "decimals": decimals, **known}
    if "," in bare:
        return {"format": "thousands", "decimals": decimals}
    return {"decimals": decimals} if re.search(r"[0#]", bare) and "E" not in bare else {}


def _moment_kind(number_format: str) -> str:
    bare = _SECTION.sub("", number_format).lower()
    has_date = re.search(r"[yd]|mmm", bare) is not None
    has_time = re.search(r"[hs]|am/pm", bare) is not None
    if has_date and has_time:
        return "datetime"
    return "date" if has_date else "time" if has_time else ""


def _typed(value: date | time | timedelta) -> tuple[str, str]:
    """Return a moment as it is typed, and which kind it is."""
    match value:
        case datetime():
            if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
                return f"{value:%Y-%m-%d}", "date"
            return f"{value:%Y-%m-%d} {_clock(value.time())}", "datetime"
        case date():
            return f"{value:%Y-%m-%d}", "date"
        case time():
            return _clock(value), "time"
        case _:
            days = value / timedelta(days=1)
            if 0 <= days < 1:
                return _clock((_DAY_0 + value).time()), "time"
            return repr(days), "time"  # more hours than a day has


def _clock(value: time) -> str:
    if value.microsecond:
        return f"{value:%H:%M:%S.%f}"
    return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"


def _text(keys: dict[str, Any]) -> str:
    return parse_style(keys) if keys else ""
