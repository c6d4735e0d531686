"""Several processes on one database: with Redis, without it, and with Redis gone for a while."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

from cells.live.tail import WITH_HINTS_SECONDS
from tests.servers.deployment import Deployment
from tests.servers.process import clean_environment
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer, manage

Connect = Callable[..., Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Deployment:
    return make_deployment(new_database(request.param))


@pytest.fixture
def on_sqlite(new_database: Callable[[str], str]) -> Deployment:
    return make_deployment(new_database("sqlite"))


def make_deployment(url: str) -> Deployment:
    deployment = Deployment(url)
    deployment.make_sheet("prices")
    return deployment


@pytest.fixture
def serve(
    redis_server: RedisServer, web_server: Callable[..., WebServer]
) -> Callable[[Deployment], WebServer]:
    """Start one more uvicorn process of a deployment with Redis."""

    def start(deployment: Deployment) -> WebServer:
        return web_server({"DATABASE_URL": deployment.database_url, "REDIS_URL": redis_server.url})

    return start


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect clients that leave when the test ends."""
    async with AsyncExitStack() as stack:

        async def enter(server: WebServer, sheet: str = "prices") -> RetryingClient:
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
    head = deployment.head()
    for client in clients:
        await client.until_acknowledged()
        await client.until_revision(head)
    assert [line.number for line in deployment.log()] == list(range(1, head + 1))
    for client in clients:
        assert client.replica.revision == head
        assert client.replica.filled() == deployment.cells()
        assert (client.replica.rows, client.replica.columns) == deployment.axes()


@contextmanager
def stopped(redis_server: RedisServer) -> Iterator[None]:
    redis_server.stop()
    try:
        yield
    finally:
        redis_server.start()


async def test_edits_cross_at_once_with_redis_and_slowly_while_it_is_gone(
    deployment: Deployment,
    serve: Callable[[Deployment], WebServer],
    connect: Connect,
    redis_server: RedisServer,
) -> None:
    here, there = serve(deployment), serve(deployment)
    alice, neighbour, bob = await connect(here), await connect(here), await connect(there)
    assert await cross(alice, bob, 20) < by_tail(20)

    with stopped(redis_server):
        assert await cross(alice, neighbour, 20) < by_tail(20)
        await cross(alice, bob, 1)
        await cross(bob, alice, 1)
        late = await connect(there)  # where the sheet is open
        await cross(alice, late, 1)

    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    assert {*alice.close_codes, *neighbour.close_codes, *bob.close_codes} == set()
    await until_equal(deployment, alice, neighbour, bob, late)


async def test_a_process_that_starts_without_redis_joins_it_later(
    on_sqlite: Deployment,
    serve: Callable[[Deployment], WebServer],
    connect: Connect,
    redis_server: RedisServer,
) -> None:
    with stopped(redis_server):
        alice, bob = await connect(serve(on_sqlite)), await connect(serve(on_sqlite))
        await cross(alice, bob, 2)
    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    await alice.until(lambda: bob.client_id in alice.present, "bob seen")
    await bob.until(lambda: alice.client_id in bob.present, "alice seen")
    await until_equal(on_sqlite, alice, bob)


async def test_redis_that_hangs_holds_nobody_back(
    on_sqlite: Deployment,
    serve: Callable[[Deployment], WebServer],
    connect: Connect,
    redis_server: RedisServer,
) -> None:
    here, there = serve(on_sqlite), serve(on_sqlite)
    on_sqlite.make_sheet("other")
    alice, neighbour, bob = await connect(here), await connect(here), await connect(there)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        assert await cross(alice, neighbour, 20) < by_tail(20)
        await cross(alice, bob, 2)
        await connect(here, "other")  # a sheet that nobody has open yet
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    await until_equal(on_sqlite, alice, neighbour, bob)


async def test_two_processes_that_edit_one_sheet_at_once_leave_equal_replicas(
    deployment: Deployment, serve: Callable[[Deployment], WebServer], connect: Connect
) -> None:
    here, there = serve(deployment), serve(deployment)
    authors = [await connect(server) for server in (here, there, here, there)]

    async def write(author: RetryingClient, column: int) -> None:
        for number in range(150):
            await author.put(number % 40, number % 3 * column, f"{column} wrote {number}")
            if number % 50 == 25:
                await author.submit({"kind": "insert_rows", "before": number % 40, "count": 2})
                await author.submit({"kind": "move_columns", "columns": [[7, 2]], "before": 0})
                await author.until_acknowledged()

    await asyncio.gather(*(write(author, column) for column, author in enumerate(authors)))
    await asyncio.gather(*(author.until_acknowledged() for author in authors))
    late = await connect(there)
    await until_equal(deployment, *authors, late)
    assert deployment.head() == 4 * (150 + 3 * 2)


async def test_hubs_that_open_and_close_all_the_time_miss_nothing(
    on_sqlite: Deployment, serve: Callable[[Deployment], WebServer], connect: Connect
) -> None:
    here, there = serve(on_sqlite), serve(on_sqlite)
    alice = await connect(here)

    async def come_and_go(column: int) -> None:
        for number in range(15):
            client = RetryingClient(there.websocket_url)
            await client.until_open()
            await client.put(number, column, f"visit {number}")
            if number % 3:  # else it leaves with its edit on the way
                await client.until_acknowledged()
            await client.leave()

    for number in range(60):
        await alice.put(number, 0, f"alice {number}")
    await asyncio.gather(*map(come_and_go, (1, 2)))
    await come_and_go(3)  # alone: every visit opens and closes the hub
    bob = await connect(there)
    await until_hinted(alice, bob)
    await until_hinted(bob, alice)
    await until_equal(on_sqlite, alice, bob)
    acknowledged = {(row, column) for row in range(15) for column in (1, 2, 3) if row % 3}
    assert acknowledged <= alice.replica.filled().keys()


async def test_two_deployments_may_share_one_redis(
    new_database: Callable[[str], str],
    web_server: Callable[..., WebServer],
    connect: Connect,
    redis_server: RedisServer,
) -> None:
    ours, theirs = (make_deployment(new_database("sqlite")) for _ in range(2))
    alice, mallory = [
        await connect(
            web_server(
                {
                    "DATABASE_URL": deployment.database_url,
                    "REDIS_URL": redis_server.url,
                    "SECRET_KEY": f"the key of {deployment.database_url}",
                }
            )
        )
        for deployment in (ours, theirs)
    ]
    for number in range(20):
        await alice.put(number, 0, "ours")
        await alice.until_acknowledged()
    await mallory.put(5, 5, "theirs")
    await mallory.until_acknowledged()
    assert mallory.replica.filled() == theirs.cells() == {(5, 5): "theirs"}
    assert mallory.present.keys() <= {mallory.client_id}


async def test_presence_crosses_processes_and_ends_with_a_tab_or_its_process(
    on_sqlite: Deployment, serve: Callable[[Deployment], WebServer], connect: Connect
) -> None:
    here, there = serve(on_sqlite), serve(on_sqlite)
    alice, bob = await connect(here), await connect(there)
    await alice.until(lambda: bob.client_id in alice.present, "bob seen")
    await bob.until(lambda: alice.client_id in bob.present, "alice seen")
    await bob.leave()  # the last of his process
    # Far sooner than a process that fell silent is forgotten.
    await alice.until(lambda: bob.client_id not in alice.present, "bob gone", seconds=8)

    carol = await connect(there)
    await alice.until(lambda: carol.client_id in alice.present, "carol seen")
    there.kill()
    await alice.until(lambda: carol.client_id not in alice.present, "carol gone")
    assert alice.close_codes == []


COMMIT_SLOWLY = """
import time, uuid
from cells.domain.operations import SetAddresses
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
for row in range(5):
    edits = SetAddresses(((row, 0, "committed"),))
    commit([Submission("prices", uuid.uuid4(), edits, Author(AuthorKind.API, "script"))])
    print(time.time(), flush=True)
    time.sleep(0.3)
"""


async def test_commits_of_another_process_show_at_once_in_the_embedded_mode(
    on_sqlite: Deployment, web_server: Callable[..., WebServer], connect: Connect
) -> None:
    environment = {"DATABASE_URL": on_sqlite.database_url}
    alice = await connect(web_server(environment, "runserver"))
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
    await until_equal(on_sqlite, alice)
