import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.addresses import (
    Range,
    format_address,
    format_column,
    format_range,
    parse_address,
    parse_column,
    parse_range,
)
from cells.domain.axes import MAX_COLUMNS, MAX_ROWS
from cells.domain.errors import InvalidAddress

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "addresses.json").read_text())


def cases(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", VECTORS[name], ids=lambda case: case["description"])


def check(
    case: dict[str, Any], convert: Callable[[], object], expected: str | tuple[str, ...]
) -> None:
    """Compare with the fields of `case` named by `expected`, or with its error."""
    if "error" in case:
        with pytest.raises(InvalidAddress):
            convert()
    elif isinstance(expected, str):
        assert convert() == case[expected]
    else:
        assert convert() == tuple(case[name] for name in expected)


@cases("parse_address")
def test_parse_address_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: parse_address(case["text"]), ("row", "column"))


@cases("format_address")
def test_format_address_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: format_address(case["row"], case["column"]), "text")


@cases("parse_column")
def test_parse_column_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: parse_column(case["text"]), "column")


@cases("format_column")
def test_format_column_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: format_column(case["column"]), "text")


@cases("parse_range")
def test_parse_range_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: parse_range(case["text"]), Range._fields)


@cases("format_range")
def test_format_range_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    check(case, lambda: format_range(Range(*(case[name] for name in Range._fields))), "text")


@given(st.integers(0, MAX_ROWS - 1), st.integers(0, MAX_COLUMNS - 1))
def test_every_address_survives_the_round_trip(row: int, column: int) -> None:
    assert parse_address(format_address(row, column)) == (row, column)
    assert parse_column(format_column(column)) == column


@given(st.text(max_size=12))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    assert format_address(*address) == text.replace("$", "").upper() or text.startswith("$")
