"""Styles: how one cell looks and how its number is written; a closed set of keys, as JSON text.

Between the edges a style is its canonical text: it is stored and sent far more often than it is
changed, and "" stands for none.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from cells.domain.errors import Malformed

Style: TypeAlias = str
"""The JSON text of an object with at least one key, or "" for no style."""

MAX_DECIMALS = 10
MAX_CACHED_CHARACTERS = 400  # all keys at once are 170; padded ones must not fill the memory
ALIGNMENTS = ("left", "center", "right")
FORMATS = ("plain", "thousands", "currency", "percent", "date", "time", "datetime")

_COLOR = re.compile(r"#[0-9a-f]{6}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")  # ISO 4217


def _is_true(value: object) -> bool:
    return value is True


def _is_color(value: object) -> bool:
    return isinstance(value, str) and _COLOR.match(value) is not None


def _is_decimals(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_DECIMALS


# What each key may hold, in the order of the canonical form.
_KEYS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "bold": (_is_true, "true"),
    "italic": (_is_true, "true"),
    "strike": (_is_true, "true"),
    "color": (_is_color, '"#rrggbb" in lower case'),
    "fill": (_is_color, '"#rrggbb" in lower case'),
    "align": (lambda value: value in ALIGNMENTS, f"one of {', '.join(ALIGNMENTS)}"),
    "wrap": (_is_true, "true"),
    "format": (lambda value: value in FORMATS, f"one of {', '.join(FORMATS)}"),
    "decimals": (_is_decimals, f"a whole number from 0 to {MAX_DECIMALS}"),
    "currency": (
        lambda value: isinstance(value, str) and _CURRENCY.match(value) is not None,
        "the three capital letters of a currency",
    ),
}


@dataclass(frozen=True, slots=True)
class StyleChange:
    """What is to become of styles: `keys` are set, or removed where they are None.

    With `is_whole` everything else goes: the new style is exactly what the keys say.
    """

    keys: tuple[tuple[str, Any], ...]
    is_whole: bool = False

    def apply(self, style: Style) -> Style:
        """Return the style that this makes of another, which may be in any form that JSON has."""
        return _changed(style, self)


def parse_style(raw: object) -> Style:
    """Read the whole style of a cell from JSON that anybody may have sent. Raises Malformed."""
    if raw == "":
        return ""
    return _text(dict(_parsed(raw, may_remove=False)))


def read_style(text: str) -> Style:
    """Read the whole style of a cell from JSON text: parse_style, for thousands of cells at once.

    Raises Malformed.
    """
    return _read(text) if len(text) <= MAX_CACHED_CHARACTERS else _read.__wrapped__(text)


@lru_cache(maxsize=4096)
def canonical(text: str) -> Style:
    """Return the canonical text of a style that the database has in its own form.

    Keys that only a later release knows are kept.
    """
    return _text(json.loads(text))


@lru_cache(maxsize=4096)
def style_to_json(style: Style) -> dict[str, Any] | str:
    """Return a style as JSON; it is shared, and not to be changed."""
    found: dict[str, Any] | str = json.loads(style) if style else ""
    return found


def style_from_json(raw: Mapping[str, Any] | str) -> Style:
    """Return a style that the log has as JSON; what a later release wrote is kept."""
    return _text(raw) if isinstance(raw, Mapping) else ""


def parse_change(raw: object) -> StyleChange:
    """Read a change of styles; null removes a key, "" the whole style. Raises Malformed."""
    if raw == "":
        return StyleChange((), is_whole=True)
    keys = _parsed(raw, may_remove=True)
    if not keys:
        raise Malformed('style must name a key; to remove all of them, send ""')
    return StyleChange(keys)


def change_to_json(change: StyleChange) -> Any:
    """Return the JSON form that parse_change reads."""
    return dict(change.keys) if not change.is_whole else ""


def _parsed(raw: object, *, may_remove: bool) -> tuple[tuple[str, Any], ...]:
    if not isinstance(raw, dict):
        raise Malformed('a style must be an object, or "" for none')
    for key, value in raw.items():
        if key not in _KEYS:
            raise Malformed(f"a style has no key {str(key)[:40]!r}; known: {', '.join(_KEYS)}")
        is_right, wanted = _KEYS[key]
        if not (is_right(value) or (may_remove and value is None)):
            raise Malformed(f"the style's {key} must be {wanted}")
    return tuple((key, raw[key]) for key in _KEYS if key in raw)


@lru_cache(maxsize=4096)
def _read(text: str) -> Style:
    try:
        return parse_style(json.loads(text))
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, say
        raise Malformed(f"a style cannot be read: {error}") from error


@lru_cache(maxsize=4096)
def _changed(style: Style, change: StyleChange) -> Style:
    new = {} if change.is_whole or not style else json.loads(style)
    for key, value in change.keys:
        if value is None:
            new.pop(key, None)
        else:
            new[key] = value
    return _text(new)


def _text(style: Mapping[str, Any]) -> Style:
    if not style:
        return ""
    known = {key: style[key] for key in _KEYS if key in style}
    others = {key: style[key] for key in sorted(style.keys() - known.keys())}
    return json.dumps({**known, **others}, separators=(",", ":"))
