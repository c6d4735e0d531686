import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.literals import parse_boolean, parse_day, parse_number

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "literals.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: repr(case["text"]))
def test_every_reader_takes_what_is_its_own_and_nothing_else(case: dict[str, Any]) -> None:
    text = case["text"]

    assert parse_number(text) == case.get("number")
    assert parse_day(text) == case.get("day")
    assert parse_boolean(text) == case.get("boolean")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(number: float) -> None:
    assert parse_number(repr(number)) == number


@given(st.text(max_size=60))
def test_no_text_is_two_things(text: str) -> None:
    found = [parse_number(text), parse_day(text), parse_boolean(text)]

    assert sum(one is not None for one in found) <= 1
