"""A large sheet in a real browser: unpacked from its snapshot, behind the server of `make run`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.databases import Databases
from tests.servers.process import free_port
from tests.servers.sheetsync import WebServer, run_manage, runserver

_FILL = """
from uuid import uuid4
from cells import protocol
from cells.domain.operations import SetCells
from cells.models import AuthorKind, LinkRole
from cells.services import snapshots
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
sheet = create_sheet(None, "Large", slug="large", link_role=LinkRole("editor"))
def write(cells):
    commit([Submission("large", uuid4(), SetCells(tuple(cells)), Author(AuthorKind.API, "fill"))])
for column in range(26):
    write((row, column, f"{row} {column}") for row in range(1000))
snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=lambda: True)
write([(0, 0, "since"), (1, 0, "")])
"""


@pytest.fixture
def server(new_database: Databases, tmp_path: Path) -> Iterator[WebServer]:
    environment = {"DATABASE_URL": new_database("sqlite")}
    run_manage(environment, "shell", "-v", "0", "-c", _FILL)
    port = free_port()
    server = WebServer(environment, log=tmp_path / "w.log", command=runserver(port), port=port)
    server.start()
    yield server
    server.kill()


def open_page(server: WebServer, page: Page) -> set[type]:
    """Open the sheet; return of which types the messages were that came."""
    types: set[type] = set()
    note = lambda payload: types.add(type(payload))  # noqa: E731 - Playwright wants one parameter
    page.on("websocket", lambda socket: socket.on("framereceived", note))
    page.goto(f"{server.url}/sheets/large/")
    expect(page.locator("#workbench")).to_have_attribute("data-revision", "27")
    return types


def show(page: Page, address: str, text: str) -> None:
    page.locator("#name-box").fill(address)
    page.locator("#name-box").press("Enter")
    expect(page.locator("#formula")).to_have_value(text)


@pytest.mark.parametrize("can_unpack", [True, False])
def test_a_large_sheet_is_whole_and_live(
    browser: Browser, server: WebServer, can_unpack: bool
) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    if not can_unpack:
        page.add_init_script("delete window.DecompressionStream")
    types = open_page(server, page)
    assert types == ({str, bytes} if can_unpack else {str})
    show(page, "A1", "since")
    show(page, "A2", "")
    show(page, "Z1000", "999 25")
    expect(page.locator("#status")).to_have_text("Saved")
    page.locator("#grid").press("x")
    page.keyboard.press("Enter")
    expect(page.locator("#workbench")).to_have_attribute("data-revision", "28")
    assert errors == []
    page.close()


_HOLD_BACK = """
const Native = window.DecompressionStream;
const letGo = new Promise((resolve) => (window.letGo = resolve));
window.DecompressionStream = class {
  constructor(format) {
    const { readable, writable } = new Native(format);
    const transform = async (piece, controller) => {
      await letGo;
      controller.enqueue(piece);
    };
    this.writable = writable;
    this.readable = readable.pipeThrough(new TransformStream({ transform }));
  }
};
"""


def test_rows_in_view_are_there_before_the_sheet_is(browser: Browser, server: WebServer) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(_HOLD_BACK)
    page.goto(f"{server.url}/sheets/large/")
    cells = page.locator("#grid .cell")
    expect(cells.filter(has_text="since")).to_be_visible()
    show(page, "Z1000", "999 25")
    expect(cells.get_by_text("999 25", exact=True)).to_be_visible()
    expect(page.locator("#grid .row.is-coming:visible")).to_have_count(0)
    expect(page.locator("#workbench")).not_to_have_attribute("data-loaded", "true")
    page.evaluate("window.letGo()")
    expect(page.locator("#workbench")).to_have_attribute("data-loaded", "true")
    expect(page.locator("#workbench")).to_have_attribute("data-revision", "27")
    show(page, "M500", "499 12")
    show(page, "A2", "")
    assert errors == []
    page.close()
