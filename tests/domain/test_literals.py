import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.literals import (
    input_of,
    inputs_alike,
    parse_boolean,
    parse_day,
    parse_number,
    parse_value,
    text_of,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "literals.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: repr(case["text"]))
def test_every_reader_takes_what_is_its_own_and_nothing_else(case: dict[str, Any]) -> None:
    text = case["text"]

    assert parse_number(text) == case.get("number")
    assert parse_day(text) == case.get("day")
    assert parse_boolean(text) == case.get("boolean")


@pytest.mark.parametrize("case", VECTORS["texts"], ids=lambda case: repr(case["input"]))
def test_a_text_is_typed_so_that_it_stays_one(case: dict[str, Any]) -> None:
    assert input_of(case["text"]) == case["input"]
    assert text_of(case["input"]) == case["text"]
    assert parse_value(case["input"]) == (case["text"] or None)


@given(st.text(alphabet="'=0159.%-: ae", max_size=8))
def test_every_text_can_be_typed(text: str) -> None:
    assert text_of(input_of(text)) == text


@pytest.mark.parametrize(
    ("given_input", "alike"),
    [
        ("007", ("007", "'007")),
        ("'007", ("007", "'007")),
        ("=A1", ("=A1",)),
        ("'=A1", ("'=A1",)),
        ("''a", ("''a",)),
        ("'", ("'",)),
        ("", ("",)),
    ],
)
def test_inputs_are_alike_that_say_the_same(given_input: str, alike: tuple[str, ...]) -> None:
    assert inputs_alike(given_input) == alike


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(number: float) -> None:
    assert parse_number(repr(number)) == number


@given(st.text(max_size=60))
def test_no_text_is_two_things(text: str) -> None:
    found = [parse_number(text), parse_day(text), parse_boolean(text)]

    assert sum(one is not None for one in found) <= 1
