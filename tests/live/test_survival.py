"""What must go on in a process for as long as it lives, whatever breaks once."""

import asyncio
import gc
import uuid
from typing import Any

import pytest

from cells.domain.operations import SetCells
from cells.live import hub as hub_module
from cells.live import tail as tail_module
from cells.live.frames import Frame
from cells.live.hub import Hub
from cells.live.hubs import Hubs, get_hubs
from cells.live.tail import Tail
from cells.models import AuthorKind, Cell, Revision, Sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import LiveServer, database, state_of


def commit_elsewhere() -> None:
    operation = SetCells(((0, 0, "x"),))
    author = Author(AuthorKind.STREAM, "prices")
    commit([Submission("prices", uuid.uuid4(), operation, author)])


async def test_the_tail_survives_a_defect(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tail_module, "OUTAGE_SECONDS", 0.01)
    broken = [ValueError("a defect")]

    look = Tail.look

    async def break_once(tail: Tail) -> None:
        if broken:
            raise broken.pop()
        await look(tail)

    monkeypatch.setattr(Tail, "look", break_once)
    tab = await live.tab()
    await database(commit_elsewhere)
    await tab.until(lambda: tab.replica.filled() == {(0, 0): "x"})
    assert not broken
    assert "a defect" in caplog.text


async def test_heartbeats_survive_a_defect(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.1)
    beat = Hub.beat
    broken = [ValueError("a defect")]

    def break_once(hub: Any) -> None:
        if broken:
            raise broken.pop()
        beat(hub)

    monkeypatch.setattr(Hub, "beat", break_once)
    tab = await live.tab()
    await tab.next("sheet.heartbeat")
    assert not broken
    assert "a defect" in caplog.text


def go_back_to(head: int) -> None:
    """Make the database what it was at an earlier revision, as a restored backup would."""
    Revision.objects.filter(number__gt=head).delete()
    Cell.objects.filter(revision__gt=head).delete()
    Sheet.objects.update(head=head)


async def test_a_database_that_went_back_is_shown_as_it_is(live: LiveServer) -> None:
    tab = await live.tab()
    for number in range(3):
        await tab.put(number, 0, str(number))
    await database(lambda: go_back_to(1))
    assert await tab.until_closed() == 1012
    alice, bob = await live.tab(), await live.tab()
    assert bob.replica.filled() == {(0, 0): "0"}
    await alice.put(0, 1, "again")
    await bob.until(lambda: bob.replica.filled() == {(0, 0): "0", (0, 1): "again"})
    assert bob.replica.revision == 2


async def test_an_edit_tells_of_a_log_that_went_back_before_it_has_grown_again(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await live.tab()
    for number in range(3):
        await tab.put(number, 0, str(number))
    monkeypatch.setattr(Hubs, "notice_heads", lambda *_: None)  # the tail has yet to look
    await database(lambda: go_back_to(1))
    edit = {"kind": "set_cells", "cells": [[5, 5, "the next"]]}
    await tab.send(
        {"type": "operation.submit", "operation_id": str(uuid.uuid4()), "operation": edit}
    )
    assert await tab.until_closed() == 1012
    again = await live.connect()
    again.replica.cells, again.replica.revision = tab.replica.cells, tab.replica.revision
    await again.open(revision=tab.replica.revision)
    assert again.replica.filled() == (await state_of())[1] == {(0, 0): "0", (5, 5): "the next"}


async def test_a_sheet_that_nobody_has_open_any_more_keeps_no_frames(live: LiveServer) -> None:
    gc.collect()
    gc.disable()  # it is not for the search for garbage to find them
    try:
        alice, bob = await live.tab(), await live.tab()
        for number in range(50):
            await alice.put(number, 0, str(number))
        await bob.until(lambda: bob.replica.revision == 50)
        kept = frames_kept()
        for tab in (alice, bob):
            await tab.socket.close()
        for _ in range(500):
            # The last job of a thread may still hold one; the sheet's past is gone.
            if not get_hubs().heads() and frames_kept() < 5:
                break
            await asyncio.sleep(0.01)
        assert kept > 50 > 5 > frames_kept()
    finally:
        gc.enable()


def frames_kept() -> int:
    # By its type: isinstance would have lazy objects of others unfold.
    return sum(type(found) is Frame for found in gc.get_objects())
