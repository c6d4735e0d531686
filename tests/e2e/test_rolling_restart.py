"""A deploy while people type: each web process is ended in turn, and nobody sees it."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from playwright.sync_api import Browser, expect

from tests.e2e.grid_page import GridPage
from tests.servers.balancer import Balancer
from tests.servers.deployment import Deployment
from tests.servers.process import wait_until
from tests.servers.redis import RedisServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer

CLIENTS = 6  # besides the browser
MOVE_SECONDS = 5.0  # bench/draining.py measures it; far below what a person would call an outage

# What the status line and the notices said, however shortly.
REMEMBER = """
addEventListener("DOMContentLoaded", () => {
  window.said = new Set();
  window.told = [];
  const watch = (id, note) => {
    const element = document.getElementById(id);
    new MutationObserver(() => note(element.textContent)).observe(element, {childList: true});
  };
  watch("status", (text) => window.said.add(text));
  watch("notices", (text) => window.told.push(text));
});
"""


class Crowd:
    """Clients who go on editing, each in a column of its own, in a thread beside the browser's."""

    def __init__(self, websocket_url: str) -> None:
        self.clients: list[RetryingClient] = []
        self.texts: list[str] = []
        self.is_over = threading.Event()
        self._websocket_url = websocket_url

    def run(self) -> None:
        asyncio.run(self._run())

    def acknowledged(self) -> int:
        return sum(len(client.acknowledged) for client in self.clients)

    def has_acknowledged(self, wanted: int) -> bool:
        return self.acknowledged() >= wanted

    async def _run(self) -> None:
        self.clients = [RetryingClient(self._websocket_url) for _ in range(CLIENTS)]
        await asyncio.gather(*(self._type(n, client) for n, client in enumerate(self.clients, 1)))
        for client in self.clients:
            await client.until_acknowledged()
            await client.leave()

    async def _type(self, column: int, client: RetryingClient) -> None:
        await client.until_open()
        number = 0
        while not self.is_over.is_set():
            self.texts.append(f"{column}: {number}")
            await client.put(number % 500, column, self.texts[-1])
            number += 1
            await asyncio.sleep(0.02)
            if not client.is_open:
                await client.until_open(MOVE_SECONDS)


def restart(server: WebServer) -> None:
    server.stop()
    server.start()


def test_a_rolling_restart_loses_nothing_and_is_seen_by_nobody(
    browser: Browser,
    new_database: Callable[[str], str],
    redis_server: RedisServer,
    web_server: Callable[..., WebServer],
) -> None:
    deployment = Deployment(new_database("postgresql"))
    deployment.make_sheets("prices")
    environment = {"DATABASE_URL": deployment.database_url, "REDIS_URL": redis_server.url}
    servers = [web_server(environment), web_server(environment)]
    with (
        Balancer([server.port for server in servers]) as balancer,
        ThreadPoolExecutor(2) as background,
    ):
        crowd = Crowd(balancer.websocket_url)
        editing = background.submit(crowd.run)
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        context.add_init_script(REMEMBER)
        page = GridPage(context.new_page(), f"{balancer.url}/sheets/prices/").open()
        page.expect_saved()
        typed: list[str] = []

        def type_until(is_over: Callable[[], bool]) -> None:
            """Go on typing down column A, at least once."""
            while True:
                if len(typed) % 20 == 0:
                    page.go_to("A1")
                typed.append(f"me {len(typed)}")
                page.type(typed[-1])
                if is_over():
                    return

        try:
            for server in servers:
                goal = crowd.acknowledged() + 50
                type_until(partial(crowd.has_acknowledged, goal))
                restarting = background.submit(restart, server)
                type_until(restarting.done)
                restarting.result()
            page.expect_saved()
        finally:
            crowd.is_over.set()
        editing.result()
        # Everyone was on one of the two, and both were ended.
        codes = [client.close_codes for client in crowd.clients]
        assert all(1012 in of_one for of_one in codes), codes
        assert not any(client.rejected for client in crowd.clients)
        wanted = Counter([*typed, *crowd.texts])
        log = deployment.log()
        assert Counter(text for line in log for text in line.texts) == wanted
        assert [line.number for line in log] == list(range(1, len(log) + 1))
        wait_until(lambda: page.revision == len(log), "the page at the head")
        expect(page.page.locator("#status")).to_have_text("Saved")
        assert page.page.evaluate("window.told") == []
        assert page.errors == []
        said = page.page.evaluate("[...window.said]")
        assert {*said} <= {"Connecting…", "Loading…", "Saving…", "Saved", "Reconnecting…"}, said
        context.close()
