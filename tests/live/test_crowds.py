"""Crowds: many who come at once, and many on one sheet."""

import asyncio
import threading

import pytest
from django.db import OperationalError

from cells.live import door as door_module
from cells.live import presence as presence_module
from cells.live.door import AT_ONCE, Crowded, Door
from cells.live.presence import Presence
from cells.live.threads import DatabaseThreads
from cells.protocol import ClientPresence
from tests.live.conftest import LiveServer


def somebody(number: int) -> ClientPresence:
    return ClientPresence(f"client {number}", "Guest Heron", "#ee4f4f", (number, 0))


async def test_the_door_lets_in_a_few_at_a_time_in_order() -> None:
    readers = DatabaseThreads("read", AT_ONCE + 2)
    door = Door(readers)
    is_released = threading.Event()
    begun: list[int] = []

    def enter(number: int) -> int:
        begun.append(number)
        is_released.wait(5)
        return number

    entering = [asyncio.create_task(door.run(enter, number)) for number in range(20)]
    inside = await readers.run(lambda: 1)  # somebody inside finds a thread
    assert (inside, len(begun)) == (1, AT_ONCE)
    is_released.set()
    assert await asyncio.gather(*entering) == list(range(20))
    assert begun[AT_ONCE:] == sorted(begun[AT_ONCE:])
    await asyncio.to_thread(readers.close)


async def test_who_waits_too_long_at_the_door_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PATIENCE_SECONDS", 0.01)
    readers = DatabaseThreads("read", AT_ONCE)
    door = Door(readers)
    is_released = threading.Event()
    inside = [asyncio.create_task(door.run(is_released.wait, 5)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await door.run(lambda: None)
    is_released.set()
    await asyncio.gather(*inside)
    await door.run(lambda: None)  # the place is free again
    await asyncio.to_thread(readers.close)


async def test_a_crowd_before_the_door_is_told_to_come_back(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(*_: object) -> None:
        raise Crowded("too many")

    with monkeypatch.context() as patched:
        patched.setattr(Door, "run", run)
        tab = await live.connect()
        assert await tab.until_closed() == 1013
    await live.tab()


async def test_a_handshake_while_the_database_is_away_is_told_to_come_back(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr("cells.services.visitors.visitor_of", away)
        tab = await live.connect()
        assert await tab.until_closed() == 1013
    await live.tab()


def test_a_crowd_is_told_of_a_few_at_a_time_and_of_all_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence_module, "MAX_TOLD", 10)
    presence = Presence("here")
    for number in range(35):
        presence.put(somebody(number))
    told: list[str] = []
    while presence.has_changes:
        changed, gone = presence.take_changes()
        assert len(changed) <= 10
        assert not gone
        told += [client.client_id for client in changed]
    assert told == [f"client {number}" for number in range(35)]


def test_who_comes_into_a_crowd_is_told_of_those_who_moved_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence_module, "MAX_TOLD", 10)
    presence = Presence("here")
    for number in range(10):
        presence.put(somebody(number))
    assert len(presence.newest()) == 10
    for number in range(10, 35):
        presence.put(somebody(number))
    moved = ClientPresence("client 0", "Guest Heron", "#ee4f4f", (7, 7))
    presence.put(moved)
    newest = presence.newest()
    assert len(newest) == 10
    assert newest[-1] == moved


def test_who_came_and_left_between_two_steps_is_told_of_as_gone() -> None:
    presence = Presence("here")
    presence.put(somebody(1))
    presence.remove("client 1")
    assert presence.take_changes() == ([], ["client 1"])
    assert not presence.has_changes
