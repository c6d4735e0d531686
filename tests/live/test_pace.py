import uuid

import pytest

from cells.live import pace as pace_module
from cells.live.pace import MAX_SECONDS, Pace
from tests.live.conftest import LiveServer


def delays(rate: float, fan_out_seconds: float, seconds: float = 3.0) -> list[float]:
    """Return how long each edit of a steady stream waited, in the last second of some."""
    pace, now, waited = Pace(0.0), 0.0, []
    pending: list[float] = []
    for number in range(int(rate * seconds)):
        due = number / rate
        pace.note_arrival()
        pending.append(due)
        now = max(now, due)
        at = now + pace.delay(now, len(pending))
        if at <= (number + 1) / rate:  # nothing more arrives before the batch goes
            waited += [at - one for one in pending if one > seconds - 1]
            pending.clear()
            now = at + fan_out_seconds
            pace.note_fan_out(at, fan_out_seconds)
    return waited


def test_a_lone_edit_goes_at_once_however_many_sockets_there_are() -> None:
    assert max(delays(rate=2, fan_out_seconds=0.05)) == 0


def test_where_telling_is_cheap_every_edit_goes_at_once() -> None:
    assert max(delays(rate=100, fan_out_seconds=0.000_5)) == pytest.approx(0)


def test_where_telling_each_would_take_the_process_edits_are_gathered() -> None:
    waited = delays(rate=200, fan_out_seconds=0.003)
    assert 0.01 < max(waited) <= MAX_SECONDS


def test_gathering_goes_on_at_a_rate_that_would_not_begin_it() -> None:
    pace, now, gathers = Pace(0.0), 0.0, []
    for rate in (80, 100, 80, 50):
        for _ in range(rate):
            now += 1 / rate
            pace.note_arrival()
            delay = pace.delay(now, 1)
            pace.note_fan_out(now, 0.005)
        gathers.append(delay > 0)
    assert gathers == [False, True, True, False]


def test_nobody_waits_longer_than_is_noticed() -> None:
    assert max(delays(rate=1_000, fan_out_seconds=0.02)) <= MAX_SECONDS + 0.001


def test_what_is_enough_for_a_batch_goes_at_once() -> None:
    pace = Pace(0.0)
    for number in range(1_000):
        pace.note_arrival()
        pace.note_fan_out(number / 1_000, 0.01)
    assert pace.delay(1.0, pace_module.ENOUGH - 1) > 0
    assert pace.delay(1.0, pace_module.ENOUGH) == 0


def test_a_stream_that_ends_is_forgotten() -> None:
    pace = Pace(0.0)
    for number in range(1_000):
        pace.note_arrival()
        pace.note_fan_out(number / 1_000, 0.01)
    assert pace.delay(1.0, 1) > 0
    pace.note_arrival()
    assert pace.delay(60.0, 1) == 0


async def test_gathered_edits_are_each_in_the_log_and_told_together(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "BUSY_SHARE", 0.0)
    monkeypatch.setattr(pace_module, "GATHERED_SHARE", 1e-9)
    alice, bob = await live.tab(), await live.tab()
    for number in range(200):
        await alice.send(
            {
                "type": "operation.submit",
                "operation_id": str(uuid.uuid4()),
                "operation": {"kind": "set_cells", "cells": [[number % 10, 0, str(number)]]},
            }
        )
    await bob.until(lambda: bob.replica.revision == 200)
    told = [frame for frame in bob.frames if frame["type"] == "cells.changed"]
    assert len(told) < 20
    assert bob.replica.filled() == {(row, 0): str(190 + row) for row in range(10)}
