import uuid

import pytest

from cells.live import pace as pace_module
from cells.live.pace import MAX_SECONDS, Pace
from cells.live.turns import MAX_SHARE
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
            pace.note_fan_out(now, 0.006)
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


def test_one_cheap_telling_does_not_end_gathering_for_long() -> None:
    pace, now, waits = Pace(0.0), 0.0, []
    for number in range(600):
        now += 1 / 200
        pace.note_arrival()
        waits.append(pace.delay(now, 1) > 0)
        pace.note_fan_out(now, 20e-6 if number == 300 else 0.005)
    assert all(waits[200:300])
    assert all(waits[450:])


@pytest.fixture
def always_gathering(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have every batch that is not enough yet wait for 30 s; returns what waited each time."""
    asked: list[int] = []

    def delay(self: Pace, now: float, waiting: int) -> float:
        asked.append(waiting)
        return 30.0 if waiting < pace_module.ENOUGH else 0.0

    monkeypatch.setattr(Pace, "delay", delay)
    return asked


async def test_gathered_edits_go_together_as_soon_as_there_are_enough(
    live: LiveServer, always_gathering: list[int]
) -> None:
    alice, bob = await live.tab(), await live.tab()
    for number in range(pace_module.ENOUGH):
        await alice.send(
            {
                "type": "operation.submit",
                "operation_id": str(uuid.uuid4()),
                "operation": {"kind": "set_cells", "cells": [[number % 10, 0, str(number)]]},
            }
        )
    await bob.until(lambda: bob.replica.revision == MAX_SHARE)
    told = [frame for frame in bob.frames if frame["type"] == "cells.changed"]
    assert [frame["through"] for frame in told] == [0, MAX_SHARE]
    assert bob.replica.filled() == {
        (number % 10, 0): str(number) for number in range(MAX_SHARE - 10, MAX_SHARE)
    }
    # The others wait again, and a process that ends does not wait for them.
    first, *others = always_gathering
    assert first <= pace_module.ENOUGH  # all of them, where the process was long in looking
    assert others == [pace_module.ENOUGH - MAX_SHARE]


async def test_a_paste_is_not_gathered(live: LiveServer, always_gathering: list[int]) -> None:
    alice, bob = await live.tab(), await live.tab()
    cells = [[row, 0, "x" * 1_000] for row in range(100)]
    await alice.send(
        {
            "type": "operation.submit",
            "operation_id": str(uuid.uuid4()),
            "operation": {"kind": "set_cells", "cells": cells},
        }
    )
    await bob.until(lambda: bob.replica.revision == 1)
    assert always_gathering == [1]
