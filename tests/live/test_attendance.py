"""Who is on which sheet, as the home page shows it: from memory, and from Redis over processes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client as Browser
from pytest_django import Settings
from redis import Redis

from cells.live import attendance as attendance_module
from cells.live.attendance import MAX_NAMED, Attendance, Register, read_attendance
from cells.live.client import Client
from cells.models import AuthorKind, LinkRole, Role, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.sharing import grant
from tests.live.conftest import SECONDS, LiveServer, database
from tests.servers.databases import Databases
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer

Written = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.xdist_group("redis")  # one of them stops it for a while


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance_module, "_here", {})
    monkeypatch.setattr(attendance_module, "_reader", attendance_module._Reader())


def client(person: str, name: str = "", color: str = "#ee4f4f") -> Client:
    author = Author(AuthorKind.USER, name or person, 1)
    outbox: Any = None
    return Client(person, person, name or person, color, Role.EDITOR, author, outbox)


def names(found: Attendance) -> list[str]:
    return [person.name for person in found.people]


@pytest.fixture
def with_redis(redis_server: RedisServer, settings: Settings) -> Iterator[Redis]:
    settings.REDIS_URLS = [redis_server.url]
    settings.CHANNEL_LAYERS = {"default": {**django_settings.CHANNEL_LAYERS["default"]}}
    settings.CHANNEL_LAYERS["default"]["CONFIG"] = {"prefix": f"test.{time.monotonic()}."}
    with Redis.from_url(redis_server.url) as redis:
        yield redis


async def read(*sheet_ids: int) -> dict[int, Attendance]:
    return await asyncio.to_thread(read_attendance, sheet_ids)


@pytest.fixture
async def written(with_redis: Redis) -> AsyncIterator[Written]:
    """Write people down for a process, as its register does."""
    made: dict[str, Register] = {}

    async def write(process: str, sheet_id: int, *people: str) -> None:
        register = made.setdefault(process, Register(process))
        register.changed(sheet_id, [client(person) for person in people])
        await register.write()

    yield write
    for register in made.values():
        await register.stop()


# -- in memory ------------------------------------------------------------------------------------


async def test_the_home_page_shows_who_is_on_a_sheet_until_they_leave(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendance_module, "TELL_SECONDS", 0.02)
    sheet = await database(lambda: Sheet.objects.get(slug="prices"))
    alice = await database(lambda: User.objects.create_user("alice"))
    await database(lambda: grant(sheet, alice, Role.EDITOR))
    one, two = await live.tab(user=alice), await live.tab(user=alice)
    guest = await live.tab()

    async def seen(count: int) -> Attendance | None:
        async with asyncio.timeout(SECONDS):
            while (found := read_attendance([sheet.pk]).get(sheet.pk)) is None or (
                found.count != count
            ):
                if found is None and count == 0:
                    return None
                await asyncio.sleep(0.01)
            return found

    both = await seen(2)  # two tabs of one person are one
    assert both is not None
    assert "alice" in names(both)
    page = await database(lambda: signed_in(alice).get("/").content.decode())
    assert 'aria-label="2 people are here now: ' in page
    assert f'data-color="{both.people[0].color}"' in page
    await guest.socket.close()
    await one.socket.close()
    assert names(await seen(1) or both) == ["alice"]
    await two.socket.close()
    assert await seen(0) is None


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("count", "badges"),
    [
        (1, ["A0"]),
        (3, ["A0", "A1", "A2"]),
        (4, ["A0", "A1", "A2", "A3"]),
        (5, ["A0", "A1", "A2", "+2"]),
        (1_000, ["A9", "A9", "A9", "+997"]),
    ],
)
def test_a_crowd_is_some_badges_and_a_number(count: int, badges: list[str]) -> None:
    sheet = create_sheet(None, "Demo", slug="demo", link_role=LinkRole.VIEWER)
    people = [client(f"p{number}", f"anna {number}") for number in reversed(range(count))]
    found = attendance_module.attendance_of(people)
    assert found is not None
    assert len(found.people) <= MAX_NAMED
    attendance_module._remember({sheet.pk: found})
    (line,) = Browser().get("/").context["sheets"]
    more = [f"+{line.more}"] if line.more else []
    assert [person.initials for person in line.shown] + more == badges


@pytest.mark.django_db
def test_none_sees_who_is_on_a_sheet_that_is_not_theirs() -> None:
    alice, bob = User.objects.create_user("alice"), User.objects.create_user("bob")
    sheet = create_sheet(alice, "Private")
    attendance_module._remember({sheet.pk: attendance_module.attendance_of([client("Carolina")])})
    assert b"Carolina" in signed_in(alice).get("/").content
    assert b"Carolina" not in signed_in(bob).get("/").content
    assert b"Carolina" not in Browser().get("/").content


def test_a_name_is_escaped_and_may_be_anything() -> None:
    for name, initials in (
        ("", ""),
        (" ", ""),
        ("é", "É"),
        ("Guest Red Kite", "GK"),
        ("李 明", "李明"),
    ):
        assert attendance_module.Attendee("", name, "").initials == initials


# -- in Redis -------------------------------------------------------------------------------------


async def test_people_of_all_processes_are_put_together(written: Written) -> None:
    await written("one", 1, "alice", "bob")
    await written("two", 1, "bob", "carol")
    await written("two", 2, "dave")
    found = await read(1, 2, 3)
    assert {id_: (some.count, names(some)) for id_, some in found.items()} == {
        1: (3, ["alice", "bob", "carol"]),
        2: (1, ["dave"]),
    }
    await written("two", 1, "carol")
    assert names((await read(1))[1]) == ["alice", "bob", "carol"]  # bob is still on the other one


async def test_the_last_to_leave_leaves_nothing_behind(with_redis: Redis, written: Written) -> None:
    await written("one", 1, "alice")
    prefix = django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
    assert with_redis.keys(f"{prefix}*") == [f"{prefix}here.1".encode()]
    await written("one", 1)
    assert await read(1) == {}
    assert with_redis.keys(f"{prefix}*") == []


async def test_a_process_that_fell_silent_counts_no_more(
    with_redis: Redis, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendance_module, "KEEP_SECONDS", -1)
    await written("crashed", 1, "alice")
    monkeypatch.setattr(attendance_module, "KEEP_SECONDS", 16)
    await written("alive", 1, "bob")
    assert names((await read(1))[1]) == ["bob"]
    prefix = django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
    assert with_redis.hlen(f"{prefix}here.1") == 1
    assert 0 < with_redis.ttl(f"{prefix}here.1") <= 16


async def test_no_session_is_written_down(with_redis: Redis, written: Written) -> None:
    await written("one", 1, "guest the-key-of-a-session")
    prefix = django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
    stored = with_redis.hgetall(f"{prefix}here.1")
    assert b"guest the-key-of-a-session" in str(stored).encode()  # the name, as it is given here
    (person,) = (await read(1))[1].people
    assert "session" not in person.key


async def test_a_page_asks_redis_once_for_all_sheets(with_redis: Redis, written: Written) -> None:
    await written("one", 1, "alice")
    await read(1)  # connects
    before = with_redis.info("commandstats")
    await read(*range(25))
    after = with_redis.info("commandstats")
    calls = {
        name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"]
        for name in ("cmdstat_hvals", "cmdstat_time")
    }
    assert calls == {"cmdstat_hvals": 25, "cmdstat_time": 1}


async def test_with_redis_gone_a_page_shows_nobody_and_hangs_for_no_one(
    written: Written, redis_server: RedisServer
) -> None:
    await written("one", 1, "alice")
    assert await read(1)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        assert await read(1) == {}
        asked = time.monotonic()
        for _ in range(100):  # READ_SECONDS each would be 30 s
            assert await read(1) == {}
        assert time.monotonic() - asked < 100 * attendance_module.READ_SECONDS
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    redis_server.stop()
    await written("one", 1, "alice")  # raises nothing
    attendance_module._reader._rests_until = 0.0
    assert await read(1) == {}
    redis_server.start()
    attendance_module._reader._rests_until = 0.0
    await written("one", 1, "alice")
    assert names((await read(1))[1]) == ["alice"]


async def test_pages_of_one_process_show_who_is_on_another(
    new_database: Databases, web_server: Callable[..., WebServer], redis_server: RedisServer
) -> None:
    with Redis.from_url(redis_server.url) as redis:
        redis.flushdb()  # those of other tests would be here for a while yet
    environment = {"DATABASE_URL": new_database("sqlite", "demo"), "REDIS_URL": redis_server.url}
    here, there = web_server(environment), web_server(environment)

    def page() -> str:
        connection = HTTPConnection(here.host, timeout=SECONDS)
        connection.request("GET", "/")
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200
        connection.close()
        return text

    async def until(is_so: Callable[[str], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not is_so(await asyncio.to_thread(page)):  # noqa: ASYNC110 - of other processes
                await asyncio.sleep(0.5)

    assert "here now" not in page()
    alice = RetryingClient(there.websocket_url, "demo")
    await alice.until_open()
    bob = RetryingClient(here.websocket_url, "demo")
    await bob.until_open()
    await until(lambda text: "2 people are here now" in text)
    there.process.kill()  # without a farewell
    await alice.leave()
    await until(lambda text: "1 person is here now" in text)
    await bob.leave()
    await until(lambda text: "here now" not in text)
