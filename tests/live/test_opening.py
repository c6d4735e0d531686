"""The first load: from the table or a snapshot, for clients that know of snapshots or not."""

import asyncio
import time
import uuid
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from cells import protocol
from cells.domain.axes import AxisName
from cells.domain.operations import Delete, Operation, SetCells
from cells.live import opening as opening_module
from cells.live import packing as packing_module
from cells.live.direct import DirectSocket
from cells.live.hubs import get_hubs
from cells.models import AuthorKind, LinkRole, Revision, Role, Sheet, Snapshot
from cells.services import read, snapshots
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import SECONDS, LiveServer, Tab, database, state_of

STREAM = Author(AuthorKind.STREAM, "prices")


def do(*operations: Operation) -> None:
    for operation in operations:
        commit([Submission("prices", uuid.uuid4(), operation, STREAM)])


def fill(rows: int, text: str = "x") -> SetCells:
    return SetCells(tuple((row, 0, f"{text}{row}") for row in range(rows)))


def pack() -> None:
    sheet_id = Sheet.objects.get(slug="prices").pk
    assert snapshots.pack(sheet_id, protocol.encode_delta, is_wanted=lambda: True)


def stored() -> int | None:
    return Snapshot.objects.values_list("revision", flat=True).first()


async def until_stored(revision: int) -> None:
    async with asyncio.timeout(SECONDS):
        while await database(stored) != revision:  # noqa: ASYNC110 - a thread stores it
            await asyncio.sleep(0.01)


def kinds(tab: Tab) -> list[str]:
    return [frame["type"] for frame in tab.frames]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few cells be many."""
    monkeypatch.setattr(read, "CELLS_PER_DELTA", 10)
    monkeypatch.setattr(opening_module, "BYTES_PER_MESSAGE", 50)
    monkeypatch.setattr(opening_module, "WORTH_PACKING_BYTES", 400)


@pytest.mark.parametrize("is_direct", [True, False])
async def test_a_client_that_takes_it_gets_the_snapshot_and_what_came_since(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch, is_direct: bool
) -> None:
    if not is_direct:
        monkeypatch.setattr(DirectSocket, "under", lambda send: None)
    await database(lambda: do(fill(25)))
    await database(pack)
    await database(
        lambda: do(SetCells(((0, 0, ""), (1, 0, "since"))), Delete(AxisName.ROWS, ((9, 1),)))
    )
    tab = await live.connect()
    opened = await tab.open(packed="gzip")
    assert (opened["head"], opened["filled"]) == (3, 24)
    assert kinds(tab)[:6] == ["sheet.opened", "cells.packed", *["cells.changed"] * 4]
    announced = tab.frames[1]
    assert {**announced, "bytes": 0} == {
        "type": "cells.packed",
        "after": 0,
        "through": 1,
        "encoding": "gzip",
        "cells": 25,
        "bytes": 0,
    }
    assert [(frame["after"], frame["through"], frame.get("more")) for frame in tab.frames[2:6]] == [
        (0, 1, True),
        (0, 1, True),
        (0, 1, None),
        (1, 3, None),
    ]
    assert (tab.replica.revision, tab.replica.filled()) == await state_of()
    assert tab.replica.rows == [[0, 9], [9, -1], [10, 990]]
    await tab.put(0, 5, "live")
    await tab.until(lambda: tab.replica.revision == 4)


async def test_a_client_that_knows_nothing_of_it_gets_frames_out_of_the_snapshot(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database(lambda: do(fill(25)))
    await database(pack)
    await database(lambda: do(SetCells(((0, 0, ""), (1, 0, "since")))))
    calls: list[bool] = []
    read_deltas = read.read_deltas

    def note(sheet_id: int, after: int, *, is_first_load: bool = False, **told: bool) -> object:
        calls.append(is_first_load)
        return read_deltas(sheet_id, after, is_first_load=is_first_load, **told)

    monkeypatch.setattr(opening_module, "read_deltas", note)
    for packing in (None, "a packing of the future"):
        tab = await live.connect()
        await tab.open(packed=packing)
        assert kinds(tab)[:6] == ["sheet.opened", *["cells.changed"] * 4, "presence.changed"]
        assert (tab.replica.revision, tab.replica.filled()) == await state_of()
    assert calls == [False]


async def test_a_client_that_has_something_gets_only_what_it_lacks(live: LiveServer) -> None:
    await database(lambda: do(fill(25)))
    await database(pack)
    await database(lambda: do(SetCells(((1, 0, "since"),))))
    tab = await live.connect()
    tab.replica.revision = 1
    await tab.open(revision=1, packed="gzip")
    assert tab.replica.filled() == {(1, 0): "since"}
    assert "cells.packed" not in kinds(tab)


async def test_a_large_sheet_is_packed_behind_its_first_opening(live: LiveServer) -> None:
    await database(lambda: do(fill(100)))
    first = await live.connect()
    await first.open(packed="gzip")
    assert "cells.packed" not in kinds(first)
    await until_stored(1)
    get_hubs()._opened.popitem()[1].hub._opening.forget()  # what it keeps for a moment
    second = await live.connect()
    await second.open(packed="gzip")
    assert "cells.packed" in kinds(second)
    assert second.replica.filled() == first.replica.filled()


async def test_a_small_sheet_is_not_packed(live: LiveServer) -> None:
    await database(lambda: do(fill(5)))
    await live.tab()
    await asyncio.sleep(0.2)
    assert await database(stored) is None


async def test_a_snapshot_that_much_came_after_is_replaced_when_it_has_rested(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0  # of the real clock, in seconds
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead)
    monkeypatch.setattr(packing_module, "time", clock)
    await database(lambda: do(fill(50)))
    await live.tab()
    await until_stored(1)
    await database(lambda: do(fill(50, "y")))
    await live.tab()
    await asyncio.sleep(0.1)
    assert await database(stored) == 1
    ahead = 1_000.0  # it may rest for long where packing was slow
    await live.tab()
    await until_stored(2)


async def test_a_damaged_snapshot_is_thrown_away_and_missed_by_nobody(live: LiveServer) -> None:
    await database(lambda: do(fill(5)))
    await database(pack)
    await database(lambda: Snapshot.objects.update(data=b"not gzip"))
    tab = await live.connect()
    await tab.open()
    assert (tab.replica.revision, tab.replica.filled()) == await state_of()
    assert await database(stored) is None


async def test_packing_that_fails_is_tried_again_another_time(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(packing_module, "MIN_REST_SECONDS", 0.0)
    monkeypatch.setattr(packing_module, "REST_FACTOR", 0)
    broken = [ValueError("a defect"), OperationalError("an outage")]

    def break_twice(*arguments: object, **named: object) -> object:
        if broken:
            raise broken.pop()
        return pack_really(*arguments, **named)  # type: ignore[arg-type]

    pack_really = snapshots.pack
    monkeypatch.setattr(snapshots, "pack", break_twice)
    await database(lambda: do(fill(100)))
    for said in ("an outage", "a defect"):
        await live.tab()
        async with asyncio.timeout(SECONDS):
            while said not in caplog.text:  # noqa: ASYNC110 - a thread says it
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    await live.tab()
    await until_stored(1)


async def test_those_who_open_at_the_same_moment_share_one_reading(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database(lambda: do(fill(25)))
    await database(pack)
    loads: list[int] = []
    load = snapshots.load

    def note(sheet_id: int) -> snapshots.PackedSheet | None:
        loads.append(sheet_id)
        return load(sheet_id)

    monkeypatch.setattr(snapshots, "load", note)
    tabs = [await live.connect() for _ in range(10)]
    await asyncio.gather(*(tab.open(packed="gzip") for tab in tabs))
    assert len(loads) == 1
    expected = await state_of()
    assert all((tab.replica.revision, tab.replica.filled()) == expected for tab in tabs)


async def test_what_was_kept_for_the_next_is_forgotten_when_the_log_goes_back(
    live: LiveServer,
) -> None:
    await database(lambda: do(fill(25)))
    await database(pack)
    await database(lambda: do(fill(25, "lost")))
    await database(pack)
    first = await live.connect()
    await first.open(packed="gzip")

    def restore() -> None:
        Revision.objects.filter(number=2).delete()
        sheet = Sheet.objects.get(slug="prices")
        sheet.cells.all().delete()
        Sheet.objects.update(head=0)
        Revision.objects.all().delete()
        do(SetCells(((0, 0, "restored"),)))

    await database(restore)
    assert await first.until_closed() == 1012
    tab = await live.connect()
    await tab.open(packed="gzip")
    assert (tab.replica.revision, tab.replica.filled()) == (1, {(0, 0): "restored"})


async def test_a_sheet_that_is_written_meanwhile_is_opened_whole(live: LiveServer) -> None:
    await database(lambda: do(fill(200)))
    await database(pack)
    author = await live.tab()

    async def write() -> None:
        for number in range(60):
            await author.put(number, number % 3, str(number))

    writing = asyncio.create_task(write())
    tabs: list[Tab] = []
    while not writing.done():
        tab = await live.connect()
        await tab.open(packed="gzip" if len(tabs) % 2 else None)
        tabs.append(tab)
    await writing
    head, cells = await state_of()
    for tab in tabs:
        await tab.until(lambda tab=tab: tab.replica.revision == head)  # type: ignore[misc]
        assert tab.replica.filled() == cells


async def test_a_revision_that_is_held_for_longer_than_it_is_here_is_of_another_log(
    live: LiveServer,
) -> None:
    """A backup was restored, and edited beyond what a client has of the log that is gone."""
    await database(lambda: do(SetCells(((0, 0, "restored"),)), SetCells(((1, 0, "since"),))))
    away = await live.connect()
    away.replica.cells[5, 5], away.replica.revision = "gone with the other log", 1
    opened = await away.open(revision=1, held_ms=3_600_000)
    assert opened["afresh"] is True
    assert away.frames[1]["after"] == 0
    assert away.replica.filled() == {(0, 0): "restored", (1, 0): "since"}

    moments = await live.connect()
    moments.replica.revision = 1
    opened = await moments.open(revision=1, held_ms=0)
    assert "afresh" not in opened
    assert moments.frames[1]["after"] == 1
    assert moments.replica.filled() == {(1, 0): "since"}


@pytest.mark.parametrize("packed", [None, "gzip"])
async def test_who_may_only_look_is_told_nothing_that_was_taken_out_before(
    live: LiveServer, packed: str | None
) -> None:
    """Not what was cleared, nor what is in deleted rows and columns, by whatever question."""

    def prepare() -> tuple[User, User]:
        do(SetCells(((0, 0, "secret"), (0, 1, "seen"), (5, 0, "secret row"), (0, 7, "secret"))))
        do(fill(25, "row "))
        pack()
        bob, carol = map(User.objects.create_user, ("bob", "carol"))
        Sheet.objects.update(link_role=LinkRole.NONE)
        sheet = Sheet.objects.get()
        sheet.access.create(user=bob, role=Role.EDITOR)
        sheet.access.create(user=carol, role=Role.VIEWER)
        return bob, carol

    bob, carol = await database(prepare)
    editor = await live.tab(user=bob)
    await editor.put(5, 0, "secret row")
    await editor.put(0, 0, "secret")
    await editor.put(0, 0, "")
    deleted = str(uuid.uuid4())
    await editor.submit({"kind": "delete_rows", "rows": [[5, 1]]}, deleted)
    await editor.submit({"kind": "delete_columns", "columns": [[7, 1]]})

    viewer = await live.connect(user=carol)
    await viewer.open(packed=packed)
    await viewer.send({"type": "rows.load", "rows": [[0, 8]]})
    assert (await viewer.next("rows.loaded"))["rows"] == [[0, 8]]
    late = await live.connect(user=carol)
    late.replica.revision = 2
    await late.open(revision=2, packed=packed)
    for tab in (viewer, late):
        assert "secret" not in str(tab.frames)
    assert viewer.replica.filled()[0, 1] == "seen"

    await editor.submit({"kind": "undo", "operation_id": deleted})
    _, cells = await state_of()
    for tab in (viewer, late, await live.tab(user=carol)):
        await tab.until(lambda tab=tab: (5, 0) in tab.replica.filled())  # type: ignore[misc]
        assert tab.replica.filled()[5, 0] == cells[5, 0] == "secret row"
