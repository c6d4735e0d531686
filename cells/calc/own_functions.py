"""The functions that are ours, in place of the engine's: chance and letters."""

import random
from collections.abc import Callable
from math import ceil, floor

import formualizer

_draw = random.SystemRandom()


def register(workbook: formualizer.Workbook) -> None:
    """Put our functions in place of the engine's."""
    # The engine's own are drawn once for all evaluations; a sheet's change with each.
    for name, chance, count in (("RAND", _draw.random, 0), ("RANDBETWEEN", _between, 2)):
        workbook.register_function(
            name,
            chance,
            min_args=count,
            max_args=count,
            volatile=True,
            deterministic=False,
            allow_override_builtin=True,
        )
    # The engine's own leave all letters but A to Z as they are.
    for name, change in (("UPPER", str.upper), ("LOWER", str.lower)):
        workbook.register_function(
            name, _letters(change), min_args=1, max_args=1, allow_override_builtin=True
        )


def _between(bottom: object, top: object) -> object:
    """Return RANDBETWEEN: from the first integer not below `bottom` to the last not above `top`."""
    if not isinstance(bottom, int | float) or not isinstance(top, int | float):
        raise TypeError("RANDBETWEEN takes two numbers")
    lowest, highest = ceil(bottom), floor(top)
    if lowest > highest:
        return formualizer.LiteralValue.error("Num", None)
    return _draw.randint(lowest, highest)


def _letters(change: Callable[[str], str]) -> Callable[[object], object]:
    def changed(value: object) -> object:
        match value:
            case list():
                return [changed(part) for part in value]
            case dict():  # an error stays one
                return formualizer.LiteralValue.error(value["kind"], None)
            case None:
                return ""
            case bool():
                text = "TRUE" if value else "FALSE"
            case float():
                text = f"{value:.15g}"  # the digits that Excel shows
            case _:
                text = str(value)
        # Letter by letter, for Excel makes no SS of ß.
        return "".join(new if len(new := change(letter)) == 1 else letter for letter in text)

    return changed
