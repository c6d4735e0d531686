"""Inputs: what a cell is given, as JSON."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

JsonInput: TypeAlias = str | int | float | bool | None
Input: TypeAlias = JsonInput | Decimal | date | datetime
"""What a person could type: "=A1*2" is a formula, a number a number; None clears the cell."""


def json_of(value: Input) -> JsonInput:
    """Return an input as JSON; dates and decimals as they are typed."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def json_fields(values: Mapping[str, Input]) -> dict[str, JsonInput]:
    """Return inputs by header, or by address, as JSON."""
    return {name: json_of(value) for name, value in values.items()}
