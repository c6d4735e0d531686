"""Several processes on one database: with Redis, without it, and with Redis gone for a while."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from websockets.exceptions import ConnectionClosed

from cells.live.tail import WITH_HINTS_SECONDS
from tests.servers.databases import Databases, Kind
from tests.servers.deployment import Deployment
from tests.servers.process import clean_environment
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer, manage, run_manage
from tests.servers.wire import SheetClient, open_sheet

pytestmark = pytest.mark.xdist_group("redis")  # they share two pairs of processes

SHEETS = [f"sheet-{n}" for n in range(8)]  # enough for the tests of one pair


@dataclass(frozen=True, slots=True)
class Pair:
    """Two web processes on one database and one Redis; each test takes a sheet of its own."""

    deployment: Deployment
    here: WebServer
    there: WebServer
    unused: list[str] = field(default_factory=lambda: [*SHEETS])


Serve = Callable[[Kind], Pair]
Connect = Callable[[WebServer, str], Awaitable[RetryingClient]]


@pytest.fixture(scope="module")
def serve(
    new_database: Databases,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Return the pair on a kind of database, started for the first test that wants it."""
    folder = tmp_path_factory.mktemp("pairs")
    pairs: dict[str, Pair] = {}

    def start(kind: Kind) -> Pair:
        if kind not in pairs:
            url = new_database(kind, *SHEETS)
            environment = {"DATABASE_URL": url, "REDIS_URL": redis_server.url}
            here, there = (
                WebServer(environment, log=folder / f"{kind}-{name}.log", name=f"{kind} {name}")
                for name in ("here", "there")
            )
            pairs[kind] = Pair(Deployment(url), here, there)
        for server in (pairs[kind].here, pairs[kind].there):
            if not server.is_running:
                server.start()
        return pairs[kind]

    yield start
    for pair in pairs.values():
        pair.here.kill()
        pair.there.kill()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect clients that leave when the test ends."""
    async with AsyncExitStack() as stack:

        async def enter(server: WebServer, sheet: str) -> RetryingClient:
            client = RetryingClient(server.websocket_url, sheet)
            return await stack.enter_async_context(client)

        yield enter


async def cross(author: RetryingClient, reader: RetryingClient, count: int) -> float:
    """Send edits from one to the other, each after the last has arrived; return the seconds."""
    began = time.monotonic()
    for _ in range(count):
        text = f"{began}-{len(author.acknowledged)}-{_}"
        await author.put(0, 0, text)
        await reader.until_cell(0, 0, text)
    return time.monotonic() - began


def by_tail(count: int) -> float:
    """Return how long `cross` takes at the least without hints.

    Each edit after the first is made when the tail has just looked, and waits for its next look.
    """
    return (count - 1) * WITH_HINTS_SECONDS


async def until_hinted(author: RetryingClient, reader: RetryingClient) -> None:
    """Wait until edits cross faster than the tail could bring them."""
    deadline = time.monotonic() + 60
    while await cross(author, reader, 5) >= by_tail(5):
        assert time.monotonic() < deadline, "only the tail brings edits"


async def until_equal(deployment: Deployment, *clients: RetryingClient) -> None:
    """Wait until the clients are at the head; then all of them must be equal to the database."""
    slug = clients[0].sheet
    for client in clients:
        await client.until_acknowledged()
    head = deployment.head(slug)
    for client in clients:
        await client.until_revision(head)
    assert [line.number for line in deployment.log(slug)] == list(range(1, head + 1))
    for client in clients:
        assert client.replica.revision == head
        assert client.replica.filled() == deployment.cells(slug)
        assert (client.replica.rows, client.replica.columns) == deployment.axes(slug)


@contextmanager
def stopped(redis_server: RedisServer) -> Iterator[None]:
    redis_server.stop()
    try:
        yield
    finally:
        redis_server.start()


async def test_edits_cross_at_once_with_redis_and_slowly_while_it_is_gone(
    serve: Serve, connect: Connect, redis_server: RedisServer
) -> None:
    pair = serve("postgresql")
    sheet, other = pair.unused.pop(), pair.unused.pop()
    alice, neighbour = await connect(pair.here, sheet), await connect(pair.here, sheet)
    bob = await connect(pair.there, sheet)
    assert await cross(alice, bob, 20) < by_tail(20)

    with stopped(redis_server):
        assert await cross(alice, neighbour, 20) < by_tail(20)
        await cross(alice, bob, 1)
        await cross(bob, alice, 1)
        late = await connect(pair.there, sheet)
        await cross(alice, late, 1)
        await connect(pair.there, other)  # a sheet that nobody has open yet

    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    assert {*alice.close_codes, *neighbour.close_codes, *bob.close_codes} == set()
    await until_equal(pair.deployment, alice, neighbour, bob, late)


async def test_redis_that_hangs_holds_nobody_back(
    serve: Serve, connect: Connect, redis_server: RedisServer
) -> None:
    pair = serve("sqlite")
    sheet, other = pair.unused.pop(), pair.unused.pop()
    alice, neighbour = await connect(pair.here, sheet), await connect(pair.here, sheet)
    bob = await connect(pair.there, sheet)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        assert await cross(alice, neighbour, 20) < by_tail(20)
        await cross(alice, bob, 2)
        await connect(pair.here, other)
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    await until_equal(pair.deployment, alice, neighbour, bob)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_processes_that_edit_one_sheet_at_once_leave_equal_replicas(
    kind: Kind, serve: Serve, connect: Connect
) -> None:
    pair = serve(kind)
    sheet = pair.unused.pop()
    authors = [await connect(server, sheet) for server in 2 * [pair.here, pair.there]]

    async def write(author: RetryingClient, column: int) -> None:
        for number in range(150):
            await author.put(number % 40, number % 3 * column, f"{column} wrote {number}")
            if number % 50 == 25:
                await author.submit({"kind": "insert_rows", "before": number % 40, "count": 2})
                await author.submit({"kind": "move_columns", "columns": [[7, 2]], "before": 0})
                await author.until_acknowledged()

    await asyncio.gather(*(write(author, column) for column, author in enumerate(authors)))
    late = await connect(pair.there, sheet)
    await until_equal(pair.deployment, *authors, late)
    assert pair.deployment.head(sheet) == 4 * (150 + 3 * 2)


async def test_hubs_that_open_and_close_all_the_time_miss_nothing(
    serve: Serve, connect: Connect
) -> None:
    pair = serve("sqlite")
    sheet = pair.unused.pop()
    alice = await connect(pair.here, sheet)

    async def come_and_go(column: int) -> None:
        for number in range(15):
            client = RetryingClient(pair.there.websocket_url, sheet)
            await client.until_open()
            await client.put(number, column, f"visit {number}")
            if number % 3:  # else it leaves with its edit on the way
                await client.until_acknowledged()
            await client.leave()

    for number in range(60):
        await alice.put(number, 0, f"alice {number}")
    await asyncio.gather(*map(come_and_go, (1, 2)))
    await come_and_go(3)  # alone: every visit opens and closes the hub
    bob = await connect(pair.there, sheet)
    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    await until_equal(pair.deployment, alice, bob)
    acknowledged = {(row, column) for row in range(15) for column in (1, 2, 3) if row % 3}
    assert acknowledged <= alice.replica.filled().keys()


async def test_presence_ends_with_a_tab_or_its_process_and_comes_back_with_redis(
    serve: Serve, connect: Connect, redis_server: RedisServer
) -> None:
    pair = serve("sqlite")
    sheet = pair.unused.pop()
    alice, bob = await connect(pair.here, sheet), await connect(pair.there, sheet)
    await alice.until(lambda: bob.client_id in alice.present, "bob seen")
    await bob.until(lambda: alice.client_id in bob.present, "alice seen")
    await bob.leave()  # the last of his process
    # Far sooner than a process that fell silent is forgotten.
    await alice.until(lambda: bob.client_id not in alice.present, "bob gone", seconds=8)

    carol = await connect(pair.there, sheet)
    await alice.until(lambda: carol.client_id in alice.present, "carol seen")
    with stopped(redis_server):
        pair.there.kill()
        await carol.leave()
        pair.there.start()
        dave = await connect(pair.there, sheet)
        await cross(alice, dave, 1)
    await until_hinted(alice, dave)
    await until_hinted(dave, alice)
    await alice.until(lambda: carol.client_id not in alice.present, "carol gone")
    await alice.until(lambda: dave.client_id in alice.present, "dave seen")
    await dave.until(lambda: alice.client_id in dave.present, "alice seen again")
    assert alice.close_codes == []
    await until_equal(pair.deployment, alice, dave)


async def test_two_deployments_may_share_one_redis(
    serve: Serve,
    connect: Connect,
    new_database: Databases,
    web_server: Callable[..., WebServer],
    redis_server: RedisServer,
) -> None:
    pair = serve("sqlite")
    ours = pair.unused[0]
    theirs = Deployment(new_database("sqlite", *SHEETS))  # the same ids
    environment = {
        "DATABASE_URL": theirs.database_url,
        "REDIS_URL": redis_server.url,
        "SECRET_KEY": "the key of another deployment",
    }
    mallory = await connect(web_server(environment), ours)
    alice = await connect(pair.here, pair.unused.pop(0))
    for number in range(20):
        await alice.put(number, 0, "ours")
        await alice.until_acknowledged()
    await mallory.put(5, 5, "theirs")
    await mallory.until_acknowledged()
    assert mallory.replica.filled() == theirs.cells(ours) == {(5, 5): "theirs"}
    assert mallory.present.keys() <= {mallory.client_id}


COMMIT_SLOWLY = """
import time, uuid
from cells.domain.operations import SetAddresses
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
for row in range(5):
    edits = SetAddresses(((row, 0, "committed"),))
    commit([Submission("embedded", uuid.uuid4(), edits, Author(AuthorKind.API, "script"))])
    print(time.time(), flush=True)
    time.sleep(0.3)
"""


async def test_commits_of_another_process_show_at_once_in_the_embedded_mode(
    new_database: Databases, web_server: Callable[..., WebServer], connect: Connect
) -> None:
    deployment = Deployment(new_database("sqlite", "embedded"))
    environment = {"DATABASE_URL": deployment.database_url}
    alice = await connect(web_server(environment, "runserver"), "embedded")
    script = await asyncio.create_subprocess_exec(
        *manage("shell", "-v", "0", "-c", COMMIT_SLOWLY),
        env=clean_environment(environment),
        stdout=asyncio.subprocess.PIPE,
    )
    arrivals = []
    for row in range(5):
        await alice.until_cell(row, 0, "committed")
        arrivals.append(time.time())
    output, _ = await script.communicate()
    commits = [float(line) for line in output.split()]
    latencies = [arrival - commit for commit, arrival in zip(commits, arrivals, strict=True)]
    assert min(latencies) < 0.5, latencies  # the least: a busy machine may delay some
    await until_equal(deployment, alice)


# -- access ---------------------------------------------------------------------------------------

_SHARE_WITH_TEAM = """
from django.contrib.auth.models import Group, User
from cells.models import LinkRole, Role, Sheet
from cells.services.sharing import grant_group, set_link_role
create = User.objects.create_user
ann, ben = [create(name, password="a long pass phrase") for name in ("ann", "ben")]
team, sheet = Group.objects.create(id=1, name="team"), Sheet.objects.get(slug="SHEET")
ben.groups.add(team)
Sheet.objects.filter(pk=sheet.pk).update(owner=ann, link_role=LinkRole.NONE)
grant_group(sheet, team, Role.EDITOR)
"""
MOST_SECONDS = 2.0  # until what ended is ended everywhere


class Browser:
    """A browser as far as its cookies go: signs in, and posts forms."""

    def __init__(self, server: WebServer, name: str) -> None:
        self._server, self._cookies = server, CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))
        self._opener.open(f"{server.url}/accounts/login/").close()
        self.post("/accounts/login/", username=name, password="a long pass phrase")

    @property
    def header(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)}

    def post(self, path: str, **fields: str) -> None:
        token = next(cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken")
        form = urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        headers = {"Referer": self._server.url}
        self._opener.open(Request(f"{self._server.url}{path}", form, headers)).close()


def close_code(client: SheetClient) -> int | None:
    """Read on until the socket is closed; within MOST_SECONDS."""
    until = time.monotonic() + MOST_SECONDS
    try:
        while True:
            client.socket.recv(timeout=max(0, until - time.monotonic()))
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_unshared_group_and_a_sign_out_reach_the_other_process_without_redis(
    serve: Serve, redis_server: RedisServer, kind: Kind
) -> None:
    pair = serve(kind)
    sheet = pair.unused.pop()
    environment = {"DATABASE_URL": pair.deployment.database_url}
    share = _SHARE_WITH_TEAM.replace("SHEET", sheet)
    run_manage(environment, "shell", "-v", "0", "-c", share)
    ann, ben = Browser(pair.here, "ann"), Browser(pair.here, "ben")
    with (
        stopped(redis_server),
        open_sheet(pair.there.websocket_url, sheet, headers=ann.header) as hers,
        open_sheet(pair.there.websocket_url, sheet, headers=ben.header) as his,
    ):
        his.set_cell(his.key(0, 0), "from the team")
        ann.post(f"/sheets/{sheet}/share/groups/1/remove/")
        assert close_code(his) == 4403
        ann.post("/accounts/logout/")
        assert close_code(hers) == 4401
