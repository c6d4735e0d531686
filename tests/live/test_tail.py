"""The log heals what no hint announced: commits of other processes, and lost or odd hints."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells import protocol
from cells.domain.operations import AppendRows, Intended, SetCells, parse_operation
from cells.domain.tombstones import told_apart
from cells.live import presence as presence_module
from cells.live.attendance import Register
from cells.live.client import Client
from cells.live.healing import Healer
from cells.live.hub import Hub
from cells.live.hubs import get_hubs
from cells.live.outbox import Outbox
from cells.live.packing import Packer
from cells.live.planning import Planning
from cells.live.presence import Presence
from cells.live.tail import Tail
from cells.live.threads import DatabaseThreads
from cells.models import AuthorKind, LinkRole, Sheet
from cells.protocol import ClientPresence
from cells.services import snapshots
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import SECONDS, LiveServer, database, state_of
from tests.servers.replica import Replica

STREAM = Author(AuthorKind.STREAM, "prices")


def commit_elsewhere(count: int) -> None:
    """Commit as a process would that this one hears nothing of."""
    for number in range(count):
        operation = AppendRows(((str(number),),))
        commit([Submission("prices", uuid.uuid4(), operation, STREAM)])


async def test_commits_of_another_process_show_without_a_hint(live: LiveServer) -> None:
    tab = await live.tab()
    await sync_to_async(commit_elsewhere)(3)
    await tab.until(lambda: tab.replica.revision == 3)
    assert tab.replica.filled() == {(0, 0): "0", (1, 0): "1", (2, 0): "2"}
    assert tab.replica.authors[0, 0] == "stream"
    await tab.put(9, 9, "own")
    await sync_to_async(commit_elsewhere)(1)
    await tab.until(lambda: tab.replica.revision == 5)
    assert tab.replica.filled() == (await state_of())[1]


async def test_own_edits_and_others_meet_in_one_order(live: LiveServer) -> None:
    tab = await live.tab()
    elsewhere = asyncio.create_task(sync_to_async(commit_elsewhere, thread_sensitive=False)(30))
    for number in range(30):
        await tab.put(number, 5, "own")
    await elsewhere
    await tab.until(lambda: tab.replica.revision == 60)
    assert tab.replica.filled() == (await state_of())[1]
    await sync_to_async(connections.close_all, thread_sensitive=False)()


class Sheets:
    """What the tail looks after, without hubs."""

    def __init__(self) -> None:
        self.opened: dict[int, int] = {}
        self.told: dict[int, int] = {}

    def heads(self) -> dict[int, int]:
        return dict(self.opened)

    def notice_heads(self, asked: dict[int, int], heads: dict[int, int]) -> None:
        self.told |= heads


async def test_a_sheet_that_is_opened_while_the_tail_looks_is_not_overlooked(
    transactional_db: None,
) -> None:
    prices = await database(lambda: create_sheet(None, "Prices", slug="prices"))
    other = await database(lambda: create_sheet(None, "Other", slug="other"))
    sheets = Sheets()
    tail = Tail(sheets, is_alone=True)
    sheets.opened = {other.pk: 0}
    await tail.look()
    # The look at `other` alone sees this commit, too, without asking about `prices`.
    await sync_to_async(commit_elsewhere)(1)
    await tail.look()
    sheets.opened = {other.pk: 0, prices.pk: 0}
    await tail.look()
    assert sheets.told[prices.pk] == 1
    await tail.close()
    await sync_to_async(connections.close_all)()


class Tab:
    """A socket on a hub without a server: keeps the replica, opens again after a gap."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.replica = Replica()
        self.gaps = 0
        self.outbox = Outbox(self.receive)
        author = Author(AuthorKind.GUEST, "Guest", None, str(uuid.uuid4()))
        self.client = Client(
            author.origin, author.origin, "Guest", "#fff", "editor", author, self.outbox
        )

    async def open(self) -> None:
        await self.hub.open(self.client, 0)

    async def receive(self, message: Any) -> None:
        frame = json.loads(message["text"])
        if frame["type"] == "sheet.opened":
            self.replica.open(frame)
        elif frame["type"] == "cells.changed" and not self.replica.apply(frame):
            self.gaps += 1

    async def submit(self, operation: Intended) -> None:
        waiting = self.hub.submit(self.client, uuid.uuid4(), operation)
        if waiting is not None:
            await waiting


class LossyGroup:
    """A channel layer that loses, repeats and delays what hubs tell each other."""

    def __init__(self, fates: list[int]) -> None:
        self.hubs: list[Hub] = []
        self._fates = fates
        self._late: list[Callable[[], None]] = []
        self._sent = 0

    def teller(self, sender: int) -> Callable[[int, Any], None]:
        def tell(_sheet_id: int, message: Any) -> None:
            for place, hub in enumerate(self.hubs):
                if place == sender:
                    continue
                fate = self._fates[self._sent % len(self._fates)]
                self._sent += 1
                if fate == 0:  # lost
                    continue
                if fate == 1:  # late, behind what comes after it
                    self._late.append(lambda hub=hub: hub.hear(message))  # type: ignore[misc]
                    continue
                for _ in range(fate - 1):  # once, twice or three times
                    hub.hear(message)

        return tell

    def deliver_late(self) -> None:
        late, self._late = self._late, []
        for deliver in reversed(late):
            deliver()


steps = st.lists(
    st.tuples(
        st.integers(0, 1),  # which process
        st.sampled_from(["set", "set", "set", "insert", "delete", "move", "late", "rest", "pack"]),
        st.integers(0, 11),
        st.integers(0, 11),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=steps, fates=st.lists(st.integers(0, 4), min_size=1, max_size=7))
def test_whatever_becomes_of_hints_every_replica_equals_the_head(
    steps: list[tuple[int, str, int, int]], fates: list[int]
) -> None:
    asyncio.run(converge(steps, fates))


async def converge(steps: list[tuple[int, str, int, int]], fates: list[int]) -> None:
    threads = DatabaseThreads("test", 2)
    slug = f"sheet-{uuid.uuid4().hex}"
    sheet = await threads.run(create_sheet, None, "Sheet", slug=slug, link_role=LinkRole.EDITOR)
    await threads.run(shrink, sheet)
    group = LossyGroup(fates)
    packer = Packer(threads)
    for place in range(2):
        tell = group.teller(place)
        register = Register(str(place))
        group.hubs.append(
            Hub(
                sheet.pk,
                slug,
                str(place),
                threads,
                threads,
                Healer(threads),
                Planning(),
                packer,
                register,
                tell,
            )
        )
    for hub in group.hubs:
        await hub.start()
    tabs = [Tab(group.hubs[place % 2]) for place in range(4)]
    for tab in tabs[:3]:
        await tab.open()
    for number, (process, action, first, second) in enumerate(steps):
        tab = tabs[process]
        match action:
            case "set":
                await tab.submit(SetCells(((first, second, str(number)),)))
            case "insert" | "delete" | "move":
                await tab.submit(structure(action, first, second))
            case "late":
                group.deliver_late()
            case "rest":
                await asyncio.sleep(0.02)
            case "pack":
                await threads.run(
                    snapshots.pack, sheet.pk, protocol.encode_delta, is_wanted=lambda: True
                )
    await tabs[3].open()  # one comes in the middle of it all
    for hub in group.hubs:
        await hub._committer.finish()
    group.deliver_late()
    heads = await threads.run(lambda: Sheet.objects.get(pk=sheet.pk).head)
    for hub in group.hubs:
        hub.notice(heads)  # what the tail does every now and then
        async with asyncio.timeout(SECONDS):
            while hub.head < heads:  # noqa: ASYNC110 - the hub has no event for a test alone
                await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    expected = await threads.run(lambda: read(sheet.pk))
    for tab in tabs:
        assert tab.gaps == 0
        found = (tab.replica.revision, tab.replica.rows, tab.replica.columns, tab.replica.filled())
        assert found == expected
    for tab in tabs:
        await tab.outbox.stop()
        tab.hub.leave(tab.client)
    for hub in group.hubs:
        await hub.stop()
    await asyncio.to_thread(threads.close)


def shrink(sheet: Sheet) -> None:
    """Make the grid so small that steps meet: some hit rows that others deleted."""
    Sheet.objects.filter(pk=sheet.pk).update(rows=[[0, 8]], columns=[[0, 8]])


def structure(action: str, first: int, second: int) -> Intended:
    axis = "rows" if first % 2 else "columns"
    match action:
        case "insert":
            return parse_operation({"kind": f"insert_{axis}", "before": first % 8, "count": 2})
        case "delete":
            return parse_operation({"kind": f"delete_{axis}", axis: [[first, 1]]})
        case _:
            return parse_operation({"kind": f"move_{axis}", axis: [[first, 2]], "before": second})


def read(
    sheet_id: int,
) -> tuple[int, list[list[int]], list[list[int]], dict[tuple[int, int], str]]:
    sheet = Sheet.objects.get(pk=sheet_id)
    cells = sheet.cells.exclude(input="").values_list("row", "column", "input")
    (rows, _), (columns, _) = told_apart(sheet.rows), told_apart(sheet.columns)
    return sheet.head, rows, columns, {(row, col): text for row, col, text in cells}


async def test_presence_of_a_silent_process_is_forgotten(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await live.tab()
    hub = await get_hubs().join(
        await database(lambda: Sheet.objects.get(slug="prices").pk), "prices"
    )
    elsewhere = ClientPresence(str(uuid.uuid4()), "Guest Elsewhere", "#3c88ec")
    other = Presence("another process")
    other.put(elsewhere)
    hub.hear(other.full_hint())
    await tab.until(lambda: elsewhere.client_id in str(tab.frames))
    monkeypatch.setattr(presence_module, "FORGET_SECONDS", 0.0)
    await tab.until(
        lambda: any(elsewhere.client_id in frame.get("gone", []) for frame in tab.frames)
    )
    await get_hubs().leave(hub, None)
