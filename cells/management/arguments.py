"""What several commands take as an argument."""

import re
from argparse import ArgumentTypeError


def days(text: str) -> int:
    """Return a number of days, written as 180 or 180d."""
    found = re.fullmatch(r"([0-9]{1,5})d?", text, re.ASCII)
    if found is None:
        raise ArgumentTypeError("a number of days, such as 180d")
    return int(found[1])
