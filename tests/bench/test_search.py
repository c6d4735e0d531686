import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import search


@given(
    limit=st.integers(1, 100_000),
    guess=st.integers(1, 200_000),
    step=st.sampled_from([1.2, 1.5, 2]),
)
def test_what_is_found_holds_and_is_within_the_precision(
    limit: int, guess: int, step: float
) -> None:
    tried: list[int] = []

    def holds(rate: int) -> bool:
        tried.append(rate)
        return rate <= limit

    found = search.bracket(holds, guess, at_most=200_000, step=step)
    assert found in tried
    assert found <= limit <= max(found + 1, found * search.PRECISION)
    assert len(set(tried)) == len(tried) <= 30


def test_a_good_guess_needs_few_tries() -> None:
    tried: list[int] = []

    def holds(rate: int) -> bool:
        tried.append(rate)
        return rate <= 1_040

    assert search.bracket(holds, 1_000, at_most=200_000, step=1.25) == 1_000
    assert len(tried) == 3


def test_what_never_holds_is_0() -> None:
    assert search.bracket(lambda rate: False, 100, at_most=1_000) == 0


def test_no_more_than_the_most_is_tried() -> None:
    tried: list[int] = []
    assert search.bracket(lambda rate: not tried.append(rate), 10, at_most=50) == 50  # type: ignore[func-returns-value]
    assert max(tried) == 50


@pytest.mark.parametrize(("limit", "found"), [(1_000, 1_000), (950, 925), (700, 582), (1, 0)])
def test_an_unconfirmed_rate_steps_down(limit: int, found: int) -> None:
    assert search.confirm(lambda rate: rate <= limit, 1_000) == found
