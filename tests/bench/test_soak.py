import pytest

from bench import soak


def test_growth_is_the_slope_of_an_hour() -> None:
    assert soak.slope_per_hour([0, 1800, 3600], [5, 6, 7]) == pytest.approx(2)
    assert soak.slope_per_hour([600], [5]) == 0


def test_table_leaves_the_warm_up_out() -> None:
    samples = [
        [at, "web 1", 2 * rss, rss, 30, 10, 2, 7, at / 10]
        for at, rss in ((0, 50e6), (600, 80e6), (2100, 80e6), (3600, 80e6))
    ]
    text = soak.table({"seconds": 3600, "samples": samples})
    assert (
        "| web 1 | 80.0 → 80.0 | +0.00 | 160.0 → 160.0 | +0.00 | 30 | 10 | 2 | 7 | 10.0% |" in text
    )
