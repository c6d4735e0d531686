"""Characters that XML cannot write, as a workbook has them: ECMA-376 part 1, 22.9.2.19, ST_Xstring.

Such a character is `_xHHHH_`, and the underscore of a text that reads so is one, too: `_x005F_`.
"""

import re

_CONTROLS = "\x00-\x08\x0b-\x1f\ufffe\uffff"  # a carriage return too: XML makes a line feed of it
_CONTROL = re.compile(f"[{_CONTROLS}]")
# Whatever comes behind the digits as an underscore, the begin of the next escape included.
_LOOKS_ESCAPED = re.compile(f"_(?=x[0-9A-Fa-f]{{4}}[_{_CONTROLS}])")
# Not NUL and not half a pair, which no cell holds: these stay as they are written.
_ESCAPED = re.compile(r"_x(?!0000|[Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")


def escaped(text: str) -> str:
    """Return a text as a file has it."""
    if "_x" in text:
        text = _LOOKS_ESCAPED.sub("_x005F_", text)
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """Return the text that a file's string stands for."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def is_plain(text: str) -> bool:
    """Say whether XML holds a text as it is; of a formula's nothing else is agreed upon."""
    return _CONTROL.search(text.replace("\r", "\n")) is None
