"""Rows in view first: what a page shows of a large sheet does not wait for the whole."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from cells import protocol
from cells.domain.operations import SetCells, SetStyles
from cells.domain.styles import StyleChange
from cells.live import limits
from cells.live import opening as opening_module
from cells.live.outbox import Outbox
from cells.models import AuthorKind, Sheet
from cells.services import read, snapshots
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import SECONDS, LiveServer, Tab, database, state_of

ROWS, COLUMNS = 40, 3
BOLD = StyleChange((("bold", True),))
API = Author(AuthorKind.API, "fill")


def do(*operations: SetCells | SetStyles) -> None:
    for operation in operations:
        commit([Submission("prices", uuid.uuid4(), operation, API)])


def fill(*, is_packed: bool) -> None:
    do(
        SetCells(
            tuple(
                (row, column, f"{row} {column}") for row in range(ROWS) for column in range(COLUMNS)
            )
        )
    )
    if is_packed:
        sheet_id = Sheet.objects.get(slug="prices").pk
        assert snapshots.pack(sheet_id, protocol.encode_delta, is_wanted=lambda: True)


def cells_of(*rows: int) -> list[list[Any]]:
    return [[row, column, f"{row} {column}"] for row in rows for column in range(COLUMNS)]


def kinds(tab: Tab, count: int) -> list[str]:
    return [frame["type"] for frame in tab.frames[:count]]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few cells be many."""
    monkeypatch.setattr(read, "CELLS_PER_DELTA", 10)
    monkeypatch.setattr(opening_module, "CELLS_PER_DELTA", 10)
    monkeypatch.setattr(opening_module, "BYTES_PER_MESSAGE", 50)


class Dam:
    """Holds up what is large on its way out, as a slow line does."""

    def __init__(self) -> None:
        self.let_through = asyncio.Event()
        self._is_waiting = asyncio.Event()

    async def wait_for_room(self, _: Outbox) -> None:
        self._is_waiting.set()
        await self.let_through.wait()

    async def until_held(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self._is_waiting.wait()


@pytest.fixture
def dam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dam]:
    held = Dam()
    monkeypatch.setattr(Outbox, "wait_for_room", lambda outbox: held.wait_for_room(outbox))
    yield held
    held.let_through.set()


async def loads(tab: Tab, *runs: tuple[int, int]) -> dict[str, Any]:
    seen = len(tab.frames)
    await tab.send({"type": "rows.load", "rows": runs})
    return await tab.next("rows.loaded", seen)


async def until_whole(tab: Tab) -> None:
    head, cells = await state_of()
    await tab.until(lambda: tab.replica.revision == head)
    assert tab.replica.filled() == cells


@pytest.mark.parametrize("is_packed", [True, False])
async def test_the_rows_in_view_come_before_the_whole(live: LiveServer, is_packed: bool) -> None:
    await database(lambda: fill(is_packed=is_packed))
    await database(
        lambda: do(
            SetCells(((20, 1, "since"),)),
            SetStyles(((21, 1),), ((0, 1),), StyleChange((("bold", True),))),
        )
    )
    tab = await live.connect()
    await tab.ask(packed="gzip", view=(20, 2))
    await until_whole(tab)
    first = "cells.packed" if is_packed else "cells.changed"
    assert kinds(tab, 3) == ["sheet.opened", "rows.loaded", first]
    assert tab.frames[1] == {
        "type": "rows.loaded",
        "at": 3,
        "rows": [[20, 2]],
        "cells": [
            [20, 0, "20 0"],
            [20, 1, "since"],
            [20, 2, "20 2"],
            [21, 0, "21 0", {"bold": True}],
            *cells_of(21)[1:],
        ],
    }


async def test_of_a_sheet_that_fits_into_a_frame_the_whole_is_first(live: LiveServer) -> None:
    await database(lambda: do(SetCells(tuple((row, 0, "x") for row in range(10)))))
    tab = await live.connect()
    await tab.ask(view=(0, 50))
    await until_whole(tab)
    assert kinds(tab, 2) == ["sheet.opened", "cells.changed"]


async def test_who_has_the_sheet_gets_no_rows_first(live: LiveServer) -> None:
    await database(lambda: fill(is_packed=True))
    await database(lambda: do(SetCells(((0, 0, "since"),))))
    tab = await live.connect()
    tab.replica.revision = 1
    await tab.ask(revision=1, view=(0, 5))
    await tab.next("presence.changed")
    assert kinds(tab, 2) == ["sheet.opened", "cells.changed"]


async def opening(live: LiveServer, dam: Dam) -> Tab:
    """Return a tab that has asked for the first rows, the whole being held on its way."""
    await database(lambda: fill(is_packed=True))
    tab = await live.connect()
    await tab.ask(packed="gzip", view=(0, 2))
    await dam.until_held()
    return tab


async def test_other_rows_can_be_had_while_the_whole_is_on_its_way(
    live: LiveServer, dam: Dam
) -> None:
    tab = await opening(live, dam)
    assert await loads(tab, (39, 1), (30, 1)) == {
        "type": "rows.loaded",
        "at": 1,
        "rows": [[30, 1], [39, 1]],
        "cells": cells_of(30, 39),
    }
    await database(lambda: do(SetCells(((30, 0, "newer"),))))
    newer = await loads(tab, (30, 1))
    assert (newer["at"], newer["cells"][0]) == (2, [30, 0, "newer"])
    assert tab.replica.revision == 0
    dam.let_through.set()
    await until_whole(tab)


async def test_edits_are_taken_in_while_the_whole_is_on_its_way(live: LiveServer, dam: Dam) -> None:
    tab = await opening(live, dam)
    answer = await tab.put(0, 0, "mine")
    assert answer["type"] == "operations.committed"
    assert tab.replica.revision == 0
    dam.let_through.set()
    await until_whole(tab)
    assert tab.replica.cells[0, 0] == "mine"


async def test_where_somebody_is_counts_while_the_whole_is_on_its_way(
    live: LiveServer, dam: Dam
) -> None:
    tab = await opening(live, dam)
    await tab.send({"type": "presence.update", "cell": [7, 1]})
    await loads(tab, (0, 1))  # answered in order, so that the presence is known, too
    dam.let_through.set()
    await until_whole(tab)
    other = await live.connect()
    await other.open()
    here = {
        client["client_id"]: client for client in (await other.next("presence.changed"))["clients"]
    }
    assert here[tab.client_id]["cell"] == [7, 1]


async def test_who_opens_again_meanwhile_is_answered_in_turn(live: LiveServer, dam: Dam) -> None:
    tab = await opening(live, dam)
    await tab.ask(view=(0, 2))
    dam.let_through.set()
    await tab.until(lambda: [frame["type"] for frame in tab.frames].count("presence.changed") >= 2)
    seen = [frame["type"] for frame in tab.frames if frame["type"] != "cells.changed"]
    assert seen[:3] == ["sheet.opened", "rows.loaded", "cells.packed"]
    assert seen.count("sheet.opened") == 2
    assert seen.index("presence.changed") < len(seen) - 1 - seen[::-1].index("sheet.opened")
    await until_whole(tab)


async def test_who_leaves_meanwhile_is_missed_by_nobody(live: LiveServer, dam: Dam) -> None:
    tab = await opening(live, dam)
    await tab.socket.close()
    assert await tab.until_closed() == 1000
    other = await live.connect()
    dam.let_through.set()
    await other.open(packed="gzip")
    await until_whole(other)


async def test_rows_of_a_sheet_that_is_not_open_are_refused(live: LiveServer) -> None:
    tab = await live.connect()
    await tab.send({"type": "rows.load", "rows": [[0, 1]]})
    assert (await tab.refusal())["code"] == "malformed"


@pytest.mark.parametrize("rows", [[[0, 0]], [[-1, 1]], [[0, 2**31]], [[0]], "all", None])
async def test_runs_that_are_none_are_refused(live: LiveServer, rows: object) -> None:
    tab = await live.tab()
    await tab.send({"type": "rows.load", "rows": rows})
    assert (await tab.refusal())["code"] == "malformed"
    await tab.put(0, 0, "still open")


async def test_asking_for_rows_again_and_again_closes_the_socket_with_4429(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BURST_FRAMES", 60.0)
    monkeypatch.setattr(limits, "FRAMES_PER_SECOND", 0.0)
    tab = await live.tab()
    for _ in range(8):
        await tab.send({"type": "rows.load", "rows": [[0, 1]]})
    assert await tab.until_closed() == 4429
    assert [frame["type"] for frame in tab.frames].count("rows.loaded") == 7


async def test_without_an_answer_of_the_database_the_client_comes_back_later(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("an outage")

    tab = await live.tab()
    monkeypatch.setattr(opening_module, "read_rows", fail)
    await tab.send({"type": "rows.load", "rows": [[0, 1]]})
    assert await tab.until_closed() == 1013
