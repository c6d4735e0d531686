"""Values: what formulas come to, as JSON, and the operation that stores them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_VALUES_PER_OPERATION = 2_500  # screens show the first ones while the rest is stored

Value: TypeAlias = int | float | bool | str | Mapping[str, object]
"""A number, a text, a truth, or {"error": "#DIV/0!"}, perhaps with a "reason"."""


@dataclass(frozen=True, slots=True)
class SetValues:
    """Give formulas their values, those that nobody has touched after revision `through`.

    The calculator's, and nobody else's. `cells` are row id, column id, and the value.
    """

    through: int
    cells: tuple[tuple[int, int, Value], ...]


def value_text(value: Any) -> str:
    """Return a value as a program's text shows it: without a number format."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case {"error": error}:
            return str(error)
        case _:
            return str(value)


def values_to_json(operation: SetValues) -> dict[str, Any]:
    """Return the JSON form of the log."""
    return {"kind": "set_values", "through": operation.through, "cells": operation.cells}


def load_values(raw: Mapping[str, Any]) -> SetValues:
    """Read what values_to_json wrote."""
    return SetValues(raw["through"], tuple((row, col, value) for row, col, value in raw["cells"]))
