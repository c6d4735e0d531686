"""Defusing: texts that a spreadsheet program would run as formulas when it opens a CSV file.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import unicodedata

from cells.domain.literals import parse_number

# Full-width signs, too: programs for Chinese and Japanese take them for the narrow ones.
_SIGNS = frozenset("=+-@\t\r\n\0＝＋－＠")
# What import takes away again. A text with = stays defused, or it would be a formula here.
_HARMLESS_HERE = _SIGNS - {"="}


def defused(text: str) -> str:
    """Return a text that no program runs: with an apostrophe in front, where it needs one.

    A number stays one: -5, +3, -1e5. What is behind white space, or characters that nobody sees,
    is looked at as well.
    """
    if not text or (text[0].isalnum() and text[0].isascii()):
        return text
    if text[0] in _SIGNS or _first_seen(text) in _SIGNS:
        return text if parse_number(text) is not None else f"'{text}"
    return text


def is_defused(text: str) -> bool:
    """Say whether a text is what `defused` makes of another."""
    return text[:1] == "'" and defused(text[1:]) == text


def fused(text: str) -> str:
    """Return what `defused` was given, as far as that is no formula."""
    if text[:1] != "'":
        return text
    bare = text[1:]
    first = _first_seen(bare)
    if first == "=":
        return text
    is_defused = bare[:1] in _HARMLESS_HERE or first in _HARMLESS_HERE
    return bare if is_defused and bare else text


def _first_seen(text: str) -> str:
    """Return the first character that is neither white space nor a format or control character.

    Programs drop a zero-width space or a byte order mark, and run what is behind it.
    """
    for letter in text:
        if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc"):
            return letter
    return ""
