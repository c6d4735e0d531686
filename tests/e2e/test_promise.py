"""The promise, end to end: every edit once in the log, and every screen equal to the database."""

import csv
import io
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.grid_page import GridPage
from tests.servers.databases import Databases
from tests.servers.deployment import Deployment
from tests.servers.process import wait_until
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Listener, WebServer
from tests.streams.conftest import Stream, edit, stream  # noqa: F401 - a fixture

STEPS = 250  # in each, both people type an edit and eight come by Pub/Sub
STREAM_EDITS_A_STEP = 8
ROWS_TYPED = 25  # they fit the screen

# A notice goes by itself after some seconds; this remembers what it said.
REMEMBER_NOTICES = """
addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("notices");
  window.told = [];
  new MutationObserver(() => window.told.push(list.textContent)).observe(list, {childList: true});
});
"""


class Person:
    """Somebody who types down a column of their own, and never minds what fails."""

    def __init__(self, browser: Browser, server: WebServer, name: str, column: str) -> None:
        self.context = browser.new_context(viewport={"width": 1400, "height": 900})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
        self.context.add_init_script(REMEMBER_NOTICES)
        self.grid = GridPage(self.context.new_page(), f"{server.url}/sheets/prices/").open()
        self.initial = name[0]  # a key more is a second more: every one is pressed
        self.column = column
        self.typed: list[str] = []

    def type(self) -> None:
        if len(self.typed) % ROWS_TYPED == 0:
            self.grid.go_to(f"{self.column}1")
        self.typed.append(f"{self.initial}{len(self.typed)}")
        self.grid.type(self.typed[-1])

    @property
    def unsaved(self) -> int:
        return int(self.grid.page.get_attribute("#workbench", "data-unsaved") or 0)

    @property
    def told(self) -> list[str]:
        told: list[str] = self.grid.page.evaluate("window.told")
        return told

    def until_equal_to(self, head: int) -> None:
        self.grid.page.locator(f"#workbench[data-revision='{head}']").wait_for(timeout=60_000)
        self.grid.expect_saved()

    def everything(self) -> dict[tuple[int, int], str]:
        """Return all filled cells by position, as the page itself copies them."""
        self.grid.press("Control+Home", "Control+a", "Control+a", "Control+c")
        rows = csv.reader(io.StringIO(self.grid.clipboard()), delimiter="\t")
        return {
            (row, column): text
            for row, texts in enumerate(rows)
            for column, text in enumerate(texts)
            if text
        }


@pytest.fixture
def deployment(new_database: Databases) -> Deployment:
    return Deployment(new_database("postgresql", "prices"))


@pytest.fixture
def people(browser: Browser) -> Iterator[Callable[..., Person]]:
    made: list[Person] = []

    def make(server: WebServer, name: str, column: str) -> Person:
        made.append(Person(browser, server, name, column))
        return made[-1]

    yield make
    for person in made:
        person.context.close()


def test_every_edit_is_in_the_log_once_and_on_every_screen_whatever_fails(
    deployment: Deployment,
    redis_server: RedisServer,
    stream: Stream,  # noqa: F811
    web_server: Callable[..., WebServer],
    listener: Callable[..., Listener],
    people: Callable[..., Person],
) -> None:
    stream.create()  # with the shortest deadline: what a killed listener held comes again soon
    environment = stream.environment | {
        "DATABASE_URL": deployment.database_url,
        "REDIS_URL": redis_server.url,
    }
    first, second = web_server(environment), web_server(environment)
    listening = listener(environment)
    alice, bob = people(first, "alice", "F"), people(second, "bob", "G")
    published: list[str] = []

    def publish(count: int) -> None:
        texts = [f"stream {number}" for number in range(len(published), len(published) + count)]
        bodies = [
            edit(f"{'ABCDF'[number % 5]}{number % 90 + 1}", text, "prices")
            for number, text in enumerate(texts, len(published))
        ]
        stream.publish(*bodies, key="prices")
        published.extend(texts)

    def committed_by_stream() -> int:
        return sum(line.author_kind == "stream" for line in deployment.log())

    def kill_listener() -> None:
        before = committed_by_stream()
        publish(200)
        wait_until(lambda: committed_by_stream() > before, "the first of a burst")
        listening.kill()

    def kill_second() -> None:
        second.process.send_signal(signal.SIGSTOP)
        for _ in range(5):
            bob.type()
        wait_until(lambda: bob.unsaved >= 5, "edits in flight")
        second.kill()

    def insert_rows() -> None:
        alice.grid.go_to("A3:A4")
        alice.grid.choose("Insert 2 rows above")

    background = ThreadPoolExecutor(1)
    starts: list[Future[object]] = []
    events: dict[int, Callable[[], object]] = {
        40: lambda: redis_server.stop(),
        70: insert_rows,
        90: lambda: starts.append(background.submit(redis_server.start)),
        125: kill_listener,
        150: lambda: starts.append(background.submit(listening.start)),
        180: kill_second,
        200: lambda: starts.append(background.submit(second.start)),
    }
    try:
        for step in range(STEPS):
            events.get(step, lambda: None)()
            for person in (alice, bob):
                if len(person.typed) < STEPS:
                    person.type()
            publish(min(STREAM_EDITS_A_STEP, STEPS * STREAM_EDITS_A_STEP - len(published)))
        for start in starts:
            start.result()
    finally:
        background.shutdown()
        if not redis_server.is_running:
            redis_server.start()

    wanted = Counter([*published, *alice.typed, *bob.typed])
    assert len(wanted) == 2_000 + 500
    wait_until(lambda: deployment.head() >= len(wanted) + 1, "all edits in the log", seconds=60)
    head = deployment.head()
    for person in (alice, bob):
        person.until_equal_to(head)
    log = deployment.log()
    assert [line.number for line in log] == list(range(1, head + 1))
    assert len({line.operation_id for line in log}) == head
    assert Counter(text for line in log for text in line.texts) == wanted
    assert [line.operation["kind"] for line in log if not line.texts] == ["insert_rows"]
    in_database = deployment.cells_by_position()
    for person in (alice, bob):
        assert person.everything() == in_database
        assert [told for told in person.told if told.startswith("Not saved")] == []
        assert person.grid.errors == []
        expect(person.grid.page.locator("#status")).to_have_text("Saved")
