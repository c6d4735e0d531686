"""Defusing: texts that a spreadsheet program would run as formulas when it opens a CSV file.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from cells.domain.literals import parse_number

# Full-width signs, too: programs for Chinese and Japanese take them for the narrow ones.
_SIGNS = frozenset("=+-@\t\r\n\0＝＋－＠")
# What import takes away again. A text with = stays defused, or it would be a formula here.
_HARMLESS_HERE = _SIGNS - {"="}


def defused(text: str) -> str:
    """Return a text that no program runs: with an apostrophe in front, where it needs one.

    A number stays one: -5, +3, -1e5. What white space hides is looked at as well.
    """
    if not text or (text[0].isalnum() and text[0].isascii()):
        return text
    if text[0] in _SIGNS or text.lstrip()[:1] in _SIGNS:
        return text if parse_number(text) is not None else f"'{text}"
    return text


def fused(text: str) -> str:
    """Return what `defused` was given, as far as that is no formula."""
    if text[:1] != "'":
        return text
    bare = text[1:]
    if bare.lstrip()[:1] == "=":
        return text
    is_defused = bare[:1] in _HARMLESS_HERE or bare.lstrip()[:1] in _HARMLESS_HERE
    return bare if is_defused and bare else text
