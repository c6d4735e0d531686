"""A cell set in the admin is seen at once by open browsers, in each running mode."""

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers.databases import Databases
from tests.servers.process import free_port
from tests.servers.sheetsync import WebServer, run_manage
from tests.servers.wire import open_sheet

SOON_SECONDS = (
    1.0  # without Redis the tail looks every 50 ms; with it every 2 s, so hints must work
)


class AdminBrowser:
    """Somebody with cookies who fills in forms."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def get(self, path: str) -> str:
        with self._cookies.open(self._url + path, timeout=30) as response:
            return str(response.read().decode())

    def post(self, page: str, path: str, **fields: str) -> str:
        """Fill in the form that `page` shows, and send it to `path`."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page))
        assert token is not None
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        with self._cookies.open(self._url + path, data, timeout=30) as response:
            return str(response.read().decode())


@pytest.fixture
def start(
    request: pytest.FixtureRequest,
    web_server: Callable[..., WebServer],
    new_database: Databases,
) -> Callable[[str], tuple[WebServer, AdminBrowser]]:
    """Start SheetSync with its demo sheet, and sign in as its administrator."""

    def start_(mode: str) -> tuple[WebServer, AdminBrowser]:
        environment: dict[str, Any] = {"DATABASE_URL": new_database("sqlite")}
        if mode == "deployed":
            redis = request.getfixturevalue("redis_server")
            environment = {"DATABASE_URL": new_database("postgresql"), "REDIS_URL": redis.url}
        printed = run_manage(environment, "prepare_demo", "--port", str(free_port()))
        password = printed.partition("password ")[2].split()[0]
        kind = {"embedded": "runserver", "deployed": "uvicorn"}[mode]
        workers = {"embedded": 1, "deployed": 2}[mode]
        server = web_server(environment, kind, workers=workers)
        browser = AdminBrowser(server.url)
        login = "/admin/login/"
        browser.post(login, login, username="admin", password=password, next="/admin/")
        return server, browser

    return start_


@pytest.mark.parametrize("mode", ["embedded", "deployed"])
def test_open_browsers_see_at_once_what_the_admin_sets(
    start: Callable[[str], tuple[WebServer, AdminBrowser]], mode: str
) -> None:
    server, browser = start(mode)
    page = re.search(r"/admin/cells/sheet/\d+/change/", browser.get("/admin/cells/sheet/?q=demo"))
    assert page is not None
    set_cell = page[0].replace("change", "set-cell")
    with (
        open_sheet(server.websocket_url, "demo") as one,
        open_sheet(server.websocket_url, "demo") as other,
    ):
        bid = one.key(1, 2)
        for text in ("1.1111", "1.2222", "1.3333", "1.4444", "1.5555"):
            answer = browser.post(
                page[0], set_cell, address="C2", input=text, operation_id=str(uuid.uuid4())
            )
            answered = time.monotonic()
            assert "Set C2 in revision" in answer
            assert f"<td>{text}</td>" in answer
            one.wait_for_cell(bid, text, SOON_SECONDS)
            other.wait_for_cell(bid, text, SOON_SECONDS)
            assert time.monotonic() - answered < SOON_SECONDS
        assert one.replica.authors[bid] == "admin"
