"""Limits: who keeps within them never notices, who does not is closed with 4429."""

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from cells.live import limits
from cells.live.limits import BURST_FRAMES, FRAMES_PER_SECOND, Allowance
from tests.live.conftest import LiveServer


def test_a_burst_passes_and_one_more_does_not() -> None:
    allowance = Allowance(0.0)
    assert all(allowance.spend(1, 30, 0.0) for _ in range(int(BURST_FRAMES)))
    assert not allowance.spend(1, 30, 0.0)


@given(st.lists(st.floats(1 / FRAMES_PER_SECOND, 3_600), max_size=2_000))
def test_who_keeps_to_the_rate_may_go_on_for_ever(pauses: list[float]) -> None:
    now = 0.0
    allowance = Allowance(now)
    for pause in pauses:
        now += pause
        assert allowance.spend(1, 200, now)


def test_an_idle_hour_saves_up_no_more_than_a_burst() -> None:
    allowance = Allowance(0.0)
    passed = sum(allowance.spend(1, 30, 3_600.0) for _ in range(10_000))
    assert passed == BURST_FRAMES


def test_a_long_frame_counts_as_several() -> None:
    allowance = Allowance(0.0)
    passed = sum(allowance.spend(1, 100 * 1024, 0.0) for _ in range(100))
    assert passed == BURST_FRAMES // 101


def presence(number: int) -> dict[str, object]:
    return {"type": "presence.update", "cell": [number % 1000, 0]}


def submission(operation: object) -> dict[str, object]:
    return {"type": "operation.submit", "operation_id": str(uuid.uuid4()), "operation": operation}


@pytest.fixture
def short_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BURST_FRAMES", 30.0)
    monkeypatch.setattr(limits, "FRAMES_PER_SECOND", 0.0)


@pytest.mark.usefixtures("short_burst")
async def test_too_many_cursor_movements_close_the_socket_with_4429(live: LiveServer) -> None:
    flooder, neighbour = await live.tab(), await live.tab()
    with contextlib.suppress(ConnectionClosed):
        for number in range(10_000):
            await flooder.send(presence(number))
    assert await flooder.until_closed() == 4429
    await neighbour.put(0, 0, "still here")


@pytest.mark.usefixtures("short_burst")
async def test_opening_again_and_again_closes_the_socket_with_4429(live: LiveServer) -> None:
    tab = await live.tab()
    await tab.send({"type": "sheet.open", "protocol": 1, "client_id": tab.client_id})
    assert await tab.until_closed() == 4429


@pytest.mark.usefixtures("short_burst")
async def test_too_many_refused_edits_close_the_socket_with_4429(live: LiveServer) -> None:
    tab = await live.tab()
    for _ in range(31):
        await tab.send(submission({"kind": "no such kind"}))
    assert await tab.until_closed() == 4429


@pytest.mark.usefixtures("short_burst")
async def test_edits_are_never_too_many(live: LiveServer) -> None:
    tab = await live.tab()
    for number in range(1_000):
        await tab.send(submission({"kind": "set_cells", "cells": [[number, 0, str(number)]]}))
    await tab.until(lambda: tab.replica.revision == 1_000)
    assert tab.close_code is None
