"""The change feed: what is new, waited for without a thread, or sent as events."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone

from cells.api import changes
from cells.domain.axes import AxisName
from cells.domain.operations import Insert, SetAddresses
from cells.domain.values import SetValues
from cells.live.followers import get_followers
from cells.models import ApiToken, AuthorKind, Role, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.sharing import grant, revoke
from cells.services.shelf import delete_sheet
from tests.servers.databases import Databases
from tests.servers.sheetsync import WebServer, run_manage

from .conftest import Program, token_for

pytestmark = pytest.mark.django_db(transaction=True)

CHANGES = "/sheets/plan/changes"
SECONDS = 60.0  # until a test that waits for what does not come has failed


@pytest.fixture
def plan(alice: User) -> Sheet:
    return create_sheet(alice, "Plan", slug="plan")


@pytest_asyncio.fixture
async def _stopped() -> AsyncIterator[None]:
    yield
    await get_followers().stop()
    await sync_to_async(connections.close_all)()


def edit(*cells: tuple[int, int, str]) -> int:
    return done(SetAddresses(cells))


def done(operation: Any) -> int:
    author = Author(AuthorKind.CALCULATOR, "test")
    [outcome] = commit([Submission("plan", uuid4(), operation, author)]).outcomes
    return int(getattr(outcome, "revision", -1))


class Reader:
    """Reads the events of one stream."""

    def __init__(self, response: Any) -> None:
        assert response.status_code == 200
        self._parts = aiter(response)

    async def next(self) -> dict[str, str]:
        """Return the next event, or sign of life."""
        async with asyncio.timeout(SECONDS):
            text = (await anext(self._parts)).decode()
        assert text.endswith("\n\n")
        return dict(line.split(": ", 1) for line in text.strip("\n").split("\n"))

    async def changes(self) -> dict[str, Any]:
        event = await self.next()
        assert event["event"] == "changes"
        found: dict[str, Any] = json.loads(event["data"])
        assert event["id"] == str(found["through"])
        return found

    async def close(self) -> None:
        await self._parts.aclose()


def ask(token: str, query: str = "", **headers: str) -> Any:
    return AsyncClient().get(
        f"/api/v1{CHANGES}{query}", headers={"Authorization": f"Bearer {token}", **headers}
    )


def events(token: str, query: str = "", **headers: str) -> Any:
    return ask(token, query, Accept="text/event-stream", **headers)


async def body_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    async with asyncio.timeout(SECONDS):
        found: dict[str, Any] = json.loads(b"".join([part async for part in response]))
    return found


async def somebody_waits() -> None:
    async with asyncio.timeout(SECONDS):
        while not len(get_followers()):  # noqa: ASYNC110 - nothing is told to whoever watches
            await asyncio.sleep(0.001)


# -- at once --------------------------------------------------------------------------------------


def test_what_has_changed_is_told_at_once(plan: Sheet, program: Program) -> None:
    assert program.get(CHANGES).json()["through"] == 0
    edit((0, 0, "x"), (1, 0, "=A1"))
    edit((0, 1, "y"))
    assert program.get(f"{CHANGES}?after=1").json() == {
        "after": 1,
        "through": 2,
        "moved": False,
        "is_reset": False,
        "cells": [{"address": "B1", "input": "y", "value": "y"}],
    }
    done(SetValues(2, ((1, 0, "x"),)))
    done(Insert(AxisName.ROWS, before=0, count=1))
    told = program.get(f"{CHANGES}?after=2").json()
    assert (told["through"], told["moved"]) == (4, True)
    assert told["cells"] == [{"address": "A3", "input": "=A2", "value": "x"}]
    nothing = program.get(f"{CHANGES}?after=4&wait=0").json()
    assert (nothing["through"], nothing["cells"]) == (4, [])


def test_too_much_and_a_log_that_is_behind_are_a_reset(
    plan: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(*((row, 0, "x") for row in range(3)))
    ahead = program.get(f"{CHANGES}?after=7").json()
    assert (ahead["is_reset"], ahead["through"]) == (True, 1)
    monkeypatch.setattr("cells.services.changes.MAX_CELLS", 2)
    much = program.get(f"{CHANGES}?after=0").json()
    assert (much["is_reset"], much["cells"]) == (True, [])


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", f"?after={2**63}", "?wait=26"])
def test_nonsense_is_refused(plan: Sheet, program: Program, query: str) -> None:
    assert program.get(CHANGES + query).json()["code"] == "malformed"


# -- waited for -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("_stopped")
async def test_a_wait_ends_with_the_edit_that_it_is_for(plan: Sheet, alice: User) -> None:
    token = await sync_to_async(token_for)(alice)
    response = await ask(token, "?after=0")
    waiting = asyncio.create_task(body_of(response))
    await somebody_waits()
    await sync_to_async(edit)((0, 0, "x"))
    told = await waiting
    assert (told["through"], told["cells"][0]["address"]) == (1, "A1")
    assert not len(get_followers())


@pytest.mark.usefixtures("_stopped")
async def test_an_edit_between_asking_and_waiting_is_not_missed(plan: Sheet, alice: User) -> None:
    token = await sync_to_async(token_for)(alice)
    response = await ask(token, "?after=0")
    await sync_to_async(edit)((0, 0, "x"))
    assert (await body_of(response))["through"] == 1


@pytest.mark.usefixtures("_stopped")
async def test_a_wait_without_news_ends_with_nothing(plan: Sheet, alice: User) -> None:
    token = await sync_to_async(token_for)(alice)
    told = await body_of(await ask(token, "?after=0&wait=0.05"))
    assert (told["through"], told["cells"], told["is_reset"]) == (0, [], False)


@pytest.mark.usefixtures("_stopped")
async def test_events_come_one_after_another_and_go_on_where_they_ended(
    plan: Sheet, alice: User
) -> None:
    token = await sync_to_async(token_for)(alice)
    reader = Reader(await events(token))
    assert "retry" in await reader.next()
    for number in (1, 2):
        waiting = asyncio.create_task(reader.changes())
        await sync_to_async(edit)((0, 0, str(number)))
        told = await waiting
        assert (told["after"], told["through"]) == (number - 1, number)
    await reader.close()
    await sync_to_async(edit)((0, 0, "3"))
    again = Reader(await events(token, "?after=0", **{"Last-Event-ID": "2"}))
    await again.next()
    assert (await again.changes())["after"] == 2
    await again.close()


@pytest.mark.usefixtures("_stopped")
@pytest.mark.parametrize(
    ("end", "is_edited"),
    [("role", True), ("token", True), ("sheet", False), ("token", False), ("person", False)],
)
async def test_events_end_when_the_sheet_may_not_be_read_any_more(
    plan: Sheet, end: str, is_edited: bool
) -> None:
    bob = await sync_to_async(User.objects.create_user)("bob")
    await sync_to_async(grant)(plan, bob, Role.VIEWER)
    reader = Reader(await events(await sync_to_async(token_for)(bob)))
    await reader.next()

    def take_away() -> None:
        if end == "sheet":
            delete_sheet(plan)
            return
        if end == "role":
            revoke(plan, bob.pk)
        elif end == "token":
            ApiToken.objects.update(revoked_at=timezone.now())
        else:
            User.objects.filter(pk=bob.pk).update(is_active=False)
        if is_edited:
            edit((0, 0, "secret"))

    waiting = asyncio.create_task(reader.next())
    await somebody_waits()
    await sync_to_async(take_away)()
    async with asyncio.timeout(4):  # 2 s, and what a busy machine adds; a beat comes after 15 s
        event = await waiting
    assert event["event"] == "gone"
    assert "secret" not in event["data"]
    with pytest.raises(StopAsyncIteration):
        await reader.next()


@pytest.mark.usefixtures("_stopped")
async def test_a_drain_ends_all_waits(plan: Sheet, alice: User) -> None:
    token = await sync_to_async(token_for)(alice)
    waiting = asyncio.create_task(body_of(await ask(token, "?after=0")))
    await somebody_waits()
    get_followers().drain()
    assert (await waiting)["through"] == 0


@pytest.mark.usefixtures("_stopped")
async def test_one_program_waits_so_often_at_the_most(
    plan: Sheet, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_WAITING", 1)
    token = await sync_to_async(token_for)(alice)
    reader = Reader(await events(token))
    await reader.next()
    waiting = asyncio.create_task(reader.next())
    await somebody_waits()
    refused = await ask(token, "?after=0")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15")
    get_followers().drain()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert not changes._waiting


@pytest.mark.only_on("sqlite")  # that of a process
def test_sigterm_ends_event_streams_at_once(
    new_database: Databases, web_server: Callable[..., WebServer]
) -> None:
    environment = {"DATABASE_URL": new_database("sqlite", "prices"), "EMBEDDED_CALCULATION": "0"}
    password = {"DJANGO_SUPERUSER_PASSWORD": "a long pass phrase"}
    run_manage(
        {**environment, **password},
        *("createsuperuser", "--noinput", "--username", "alice", "--email", "a@example.com"),
    )
    token = run_manage(environment, "create_token", "alice", "--name", "test").strip()
    server = web_server(environment)
    request = urllib.request.Request(
        f"{server.url}/api/v1/sheets/prices/changes",
        headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as stream:
        assert stream.readline() == b"retry: 2000\n"
        server.process.send_signal(signal.SIGTERM)
        assert stream.read() == b"\n"
    server.wait_for_exit()
