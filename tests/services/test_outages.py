import logging

import pytest

from cells.services.outages import LONGEST_WAIT_SECONDS, Backoff, Outage


def test_outage_is_one_line_however_often_it_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("The database")
    caplog.set_level(logging.WARNING)

    for _ in range(1_000):
        outage.failed("connection refused")

    assert len(caplog.records) == 1
    assert "The database fails for 0 s, trying again: connection refused" in caplog.text


def test_outage_lasts_until_the_service_answers(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("Pub/Sub")
    seen = [outage.seconds]

    outage.failed("gone")
    seen.append(outage.seconds)
    outage.recovered()
    outage.recovered()
    seen.append(outage.seconds)

    assert [seconds is None for seconds in seen] == [True, False, True]
    assert caplog.text.count("Pub/Sub answers again, after 0.0 s") == 1


def test_waits_double_up_to_a_limit_and_start_anew() -> None:
    backoff = Backoff()
    waits = [backoff.next_seconds() for _ in range(10)]

    assert 0.05 <= waits[0] <= 0.1
    assert LONGEST_WAIT_SECONDS / 2 <= waits[-1] <= LONGEST_WAIT_SECONDS
    assert all(wait <= 0.1 * 2**place for place, wait in enumerate(waits))
    backoff.reset()
    assert backoff.next_seconds() <= 0.1
