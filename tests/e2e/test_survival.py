"""What is typed survives: servers that die, tabs that close, pages that are reloaded."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from cells.services.read import CLOCKS_APART
from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage
from tests.servers.process import wait_until
from tests.servers.wire import open_sheet

pytestmark = pytest.mark.xdist_group("survival")  # they share a server and a browser

OpenPerson = Callable[..., GridPage]


@pytest.fixture
def person(own_context: Callable[..., BrowserContext]) -> Callable[[], BrowserContext]:
    """Make browsers of different people, with the offline page's worker, as people have it."""
    return lambda: own_context(service_workers="allow")


@pytest.fixture
def open_person(
    open_own: Callable[..., GridPage], person: Callable[[], BrowserContext]
) -> OpenPerson:
    """Open the test's sheet as another person each time, or in a browser that is given."""
    return lambda context=None: open_own(context or person())


def test_edits_made_without_a_server_survive_a_reload(
    open_person: OpenPerson, own_server: OwnServer
) -> None:
    grid = open_person()
    own_server.web.kill()
    try:
        grid.expect_status("Reconnecting…")
        grid.type("first")
        grid.type("second")
        grid.expect_status("Offline: 2 edits waiting")
        grid.expect_cells("A1", [["first"], ["second"]])
        grid.page.goto("about:blank")
    finally:
        own_server.web.start()
    grid.open()
    grid.expect_cells("A1", [["first"], ["second"]])
    grid.expect_saved()
    assert grid.revision == 2


def test_a_part_of_the_page_that_did_not_come_is_asked_for_again(
    own_context: Callable[..., BrowserContext], own_server: OwnServer, own_sheet: str
) -> None:
    page = own_context().new_page()
    page.route("**/ui/equipment*.js", lambda route: route.abort())
    grid = GridPage(page, f"{own_server.url}/sheets/{own_sheet}/")
    page.goto(grid.url)
    notice = page.locator(".notice")
    expect(notice).to_have_text("A part of this page could not be loaded. It is tried again.")
    grid.type("typed")  # what is there works
    grid.go_to("A1")
    grid.press("Delete")  # and this is done as soon as it can be
    grid.expect_cell("A1", "typed")
    page.unroute("**/ui/equipment*.js")
    page.locator("#workbench[data-loaded=true]").wait_for()
    grid.expect_cell("A1", "")
    grid.expect_saved()


def test_edits_of_a_closed_tab_are_sent_by_the_next(
    open_person: OpenPerson, person: Callable[[], BrowserContext], own_server: OwnServer
) -> None:
    context = person()
    closed, living = open_person(context), open_person(context)
    own_server.web.kill()
    try:
        closed.expect_status("Reconnecting…")
        closed.type("left behind")
        closed.expect_status("Offline: 1 edit waiting")
        living.expect_status("Reconnecting…")
        closed.page.close()
    finally:
        own_server.web.start()
    living.expect_cell("A1", "left behind")
    living.expect_saved()
    assert living.revision == 1


def test_no_edit_is_lost_or_doubled_while_the_server_dies_and_returns(
    open_person: OpenPerson, own_server: OwnServer
) -> None:
    grid = open_person()
    for number in range(60):
        if number == 20:
            own_server.web.kill()
        if number == 40:
            own_server.web.start()
        grid.type(str(number))
    grid.expect_saved()
    grid.press("Control+Home")
    grid.expect_cells("A1", [[str(number)] for number in range(20)])
    assert grid.revision == 60


def test_what_is_being_typed_when_the_page_goes_is_kept(open_person: OpenPerson) -> None:
    grid = open_person()
    grid.page.keyboard.type("half a thought")
    grid.page.reload()
    grid.expect_cell("A1", "half a thought")
    grid.expect_saved()


def test_a_duplicated_tab_is_a_client_of_its_own(open_person: OpenPerson) -> None:
    grid = open_person()
    with grid.page.context.expect_page() as opened:  # a copy, its sessionStorage too
        grid.page.evaluate("window.open(location.href)")
    copy = GridPage(opened.value, grid.url)
    copy.page.locator("#workbench[data-loaded=true]").wait_for()
    for page, text in ((grid, "from the first"), (copy, "from the copy")):
        page.page.bring_to_front()
        expect(page.page.locator(".badge")).to_have_count(1)
        page.go_to("A1")
        page.type(text)
        page.expect_saved()
    copy.page.locator("#workbench[data-revision='2']").wait_for()


def test_a_page_that_was_away_while_a_backup_was_restored_comes_to_its_state(
    open_person: OpenPerson, own_server: OwnServer, own_sheet: str, tmp_path: Path
) -> None:
    """The restored log is longer than the one that the page knew when the page comes back."""
    database = Path(own_server.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    grid = open_person()
    grid.type("saved")
    grid.expect_saved()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(tmp_path / "backup")])
    for text in ("lost", "lost, too"):
        grid.type(text)
    grid.expect_saved()
    lost_at = time.monotonic()
    own_server.web.kill()
    try:
        grid.expect_status("Reconnecting…")
        grid.page.context.set_offline(True)
        grid.type("unsent")
        grid.expect_status("Offline: 1 edit waiting")
        for ending in ("-wal", "-shm"):
            Path(f"{database}{ending}").unlink(missing_ok=True)
        shutil.copyfile(tmp_path / "backup", database)
        # No database is restored sooner; within it another process's clock is believed.
        wait_until(lambda: time.monotonic() - lost_at > 2 * CLOCKS_APART.total_seconds(), "the end")
    finally:
        own_server.web.start()
    with open_sheet(own_server.web.websocket_url, own_sheet) as bob:
        assert [bob.set_cell(bob.key(row, 2), f"bob {row}") for row in range(4)] == [2, 3, 4, 5]
    grid.page.context.set_offline(False)
    grid.expect_saved()
    grid.expect_cells("A1", [["saved"], [""], [""], ["unsent"]])
    grid.expect_cells("C1", [[f"bob {row}"] for row in range(4)])
    assert grid.revision == 6
