"""The pages around the grid: the list with who is live, sharing, and no network at all."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for
from tests.e2e.people import sign_in
from tests.servers.process import wait_until

pytestmark = pytest.mark.xdist_group("pages")  # they share a server and a browser

Open = Callable[..., GridPage]
NewContext = Callable[..., BrowserContext]

_PEOPLE = """
from django.contrib.auth.models import User
from cells.models import LinkRole
from cells.services.access import create_sheet
alice, bob = [
    User.objects.create_user(name, password="correct horse") for name in ("alice", "bob")
]
for number in range({sheets}):
    title = f"hers-{{number}}"
    create_sheet(alice, title, slug=title, link_role=LinkRole("editor"))
"""
SHEETS = 13  # of alice's: one for each test that wants one


@pytest.fixture(scope="module")
def people(own_server: OwnServer) -> OwnServer:
    """The server with alice, who owns sheets, and bob."""
    own_server.shell(_PEOPLE.format(sheets=SHEETS))
    return own_server


@pytest.fixture(scope="module")
def unused() -> Iterator[int]:
    return iter(range(SHEETS))


@pytest.fixture
def alice(people: OwnServer, own_context: NewContext) -> Page:
    """A page on which alice is signed in, with the list before her."""
    page = own_context().new_page()
    page.set_default_timeout(60_000)
    sign_in(page, people, "alice")
    return page


@pytest.fixture
def hers(people: OwnServer, unused: Iterator[int]) -> str:
    """The title, and the slug, of a sheet of alice's that only this test has."""
    return f"hers-{next(unused)}"


def line_of(page: Page, title: str) -> Locator:
    return page.locator(".sheet-item", has=page.get_by_role("link", name=title, exact=True))


def open_dialog(page: Page, title: str) -> Locator:
    line_of(page, title).get_by_role("button", name=f"What to do with {title}").click()
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog).to_be_visible()
    return dialog


# -- the list -------------------------------------------------------------------------------------


def wait_on_list(page: Page, is_so: Callable[[], bool], what: str) -> None:
    """Wait until a list shows it that looks every ten seconds: these fly by on its clock."""

    def shows() -> bool:
        with page.expect_response(page.url):
            page.clock.fast_forward(10_000)
        return is_so()

    wait_until(shows, what)


def test_the_list_shows_who_comes_to_a_sheet_and_who_leaves(
    alice: Page, hers: str, people: OwnServer, own_context: NewContext
) -> None:
    alice.clock.install()
    alice.reload()
    line = line_of(alice, hers)
    expect(line).to_be_visible()
    expect(line.locator(".live-person")).to_have_count(0)
    alice.fill("#search", "half a word")

    bob = own_context().new_page()
    sign_in(bob, people, "bob")
    bob.goto(f"{people.url}/sheets/{hers}/")
    bob.locator("#workbench[data-loaded=true]").wait_for()
    him = line.get_by_role("img", name="1 person is here now: bob")
    wait_on_list(alice, him.is_visible, "bob on the list")
    badge = line.locator(".live-person")
    expect(badge).to_have_text("B")
    expect(alice.locator("#search")).to_have_value("half a word")  # nothing else was replaced

    guest = own_context().new_page()
    guest.goto(f"{people.url}/sheets/{hers}/")
    guest.locator("#workbench[data-loaded=true]").wait_for()
    both = line.get_by_role("img", name=re.compile("^2 people are here now: bob, Guest"))
    wait_on_list(alice, both.is_visible, "both on the list")
    looks = "(badge) => getComputedStyle(badge).backgroundColor"
    assert badge.first.evaluate(looks) == guest.locator("#people button.badge").evaluate(looks)

    bob.close()
    guest.close()
    wait_on_list(alice, lambda: badge.count() == 0, "nobody on the list")


def test_a_sheet_is_renamed_where_it_is_listed(alice: Page, hers: str) -> None:
    alice.reload()
    dialog = open_dialog(alice, hers)
    title = dialog.get_by_label("Title")
    expect(title).to_be_focused()
    title.fill(f"{hers} anew")
    title.press("Enter")
    expect(alice.get_by_role("status")).to_contain_text(f"Renamed to “{hers} anew”.")
    expect(line_of(alice, f"{hers} anew")).to_be_visible()


def test_a_dialog_closes_by_itself_and_changes_nothing(alice: Page, hers: str) -> None:
    alice.reload()
    dialog = open_dialog(alice, hers)
    dialog.get_by_label("Title").fill("not this")
    alice.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    dialog = open_dialog(alice, hers)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    dialog = open_dialog(alice, hers)
    alice.mouse.click(5, 300)
    expect(dialog).to_be_hidden()
    alice.reload()
    expect(line_of(alice, hers)).to_be_visible()


def test_a_copy_is_made_and_opened(alice: Page, hers: str) -> None:
    alice.reload()
    open_dialog(alice, hers).get_by_role("button", name="Duplicate").click()
    alice.locator("#workbench[data-loaded=true]").wait_for()
    expect(alice.locator("#title")).to_have_text(f"Copy of {hers}")


def test_a_sheet_is_deleted_and_brought_back_and_open_windows_say_so(
    alice: Page, hers: str, people: OwnServer, own_context: NewContext
) -> None:
    guest = own_context().new_page()
    grid = GridPage(guest, f"{people.url}/sheets/{hers}/").open()
    grid.type("kept")
    grid.expect_saved()
    alice.reload()
    open_dialog(alice, hers).get_by_role("button", name="Delete").click()
    undo = alice.locator(".undo")
    expect(undo).to_contain_text(f"“{hers}” was deleted.")
    expect(line_of(alice, hers)).to_have_count(0)
    grid.expect_status("This sheet no longer exists")
    undo.get_by_role("button", name="Undo").click()
    expect(alice.get_by_role("status")).to_contain_text(f"“{hers}” is back.")
    expect(line_of(alice, hers)).to_be_visible()
    grid.open()
    grid.expect_cell("A1", "kept")


def test_a_deleted_sheet_says_until_when_it_is_kept(
    alice: Page, hers: str, people: OwnServer
) -> None:
    alice.reload()
    open_dialog(alice, hers).get_by_role("button", name="Delete").click()
    expect(alice.locator(".undo")).to_be_visible()
    alice.goto(f"{people.url}/sheets/{hers}/")
    expect(alice.locator("main")).to_contain_text(
        re.compile(r"It is kept until \w+\.? \d+, \d{4} at least\.")
    )
    alice.get_by_role("button", name="Bring it back").click()
    expect(line_of(alice, hers)).to_be_visible()


# -- sharing --------------------------------------------------------------------------------------


def test_the_link_is_copied(alice: Page, hers: str, people: OwnServer) -> None:
    alice.goto(f"{people.url}/sheets/{hers}/share/")
    button = alice.locator("#copy-link")
    expect(button).to_have_text("Copy link")
    button.click()
    expect(button).to_have_text("Copied")
    assert alice.evaluate("navigator.clipboard.readText()") == f"{people.url}/sheets/{hers}/"
    expect(button).to_have_text("Copy link")


def test_without_a_clipboard_the_address_is_marked(
    alice: Page, hers: str, people: OwnServer
) -> None:
    alice.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    alice.goto(f"{people.url}/sheets/{hers}/share/")
    alice.locator("#copy-link").click()
    expect(alice.locator("#copy-link")).to_have_text("Select it and press Ctrl+C")
    assert alice.evaluate("getSelection().toString()") == f"{people.url}/sheets/{hers}/"


def test_roles_are_given_changed_and_taken_away_in_place(
    alice: Page, hers: str, people: OwnServer, own_context: NewContext
) -> None:
    alice.goto(f"{people.url}/sheets/{hers}/share/")
    alice.get_by_label("Anybody with the link").select_option("none")
    alice.locator("section", has_text="Copy link").get_by_role("button", name="Save").click()
    expect(alice.get_by_role("status")).to_contain_text("Changed what the link allows.")
    alice.get_by_label("Username, e-mail address or group").fill("bob")
    alice.get_by_label("Role", exact=True).select_option("editor")
    alice.get_by_role("button", name="Share", exact=True).click()
    expect(alice.get_by_role("status")).to_contain_text("Shared with bob.")

    bob = own_context().new_page()
    sign_in(bob, people, "bob")
    grid = GridPage(bob, f"{people.url}/sheets/{hers}/").open()
    grid.type("by bob")
    grid.expect_saved()

    role = alice.get_by_label("Role of bob")
    expect(role).to_have_value("editor")
    role.select_option("viewer")
    alice.locator(".person", has=role).get_by_role("button", name="Save").click()
    expect(alice.get_by_role("status")).to_contain_text("Changed the role.")
    expect(role).to_have_value("viewer")
    grid.open()
    grid.expect_status("View only")

    alice.get_by_role("button", name="Remove bob").click()
    expect(role).to_have_count(0)
    grid.expect_status("You may no longer open this sheet")


# -- what waits, and no network -------------------------------------------------------------------


def test_the_title_has_a_dot_while_edits_wait(open_own: Open) -> None:
    grid = open_own()
    expect(grid.page).to_have_title("Grid · SheetSync")
    grid.page.evaluate(
        """() => {
          window.send = WebSocket.prototype.send;
          WebSocket.prototype.send = function () { this.close(); };
        }"""
    )
    grid.type("waits")
    expect(grid.page).to_have_title("● Grid · SheetSync")
    grid.page.evaluate("() => { WebSocket.prototype.send = window.send; }")
    expect(grid.page).to_have_title("Grid · SheetSync")
    grid.expect_saved()


def test_a_visit_without_a_server_says_what_is_safe_and_goes_on_by_itself(
    people: OwnServer, own_sheet: str, own_context: NewContext
) -> None:
    context = own_context(service_workers="allow")
    page = context.new_page()
    grid = GridPage(page, f"{people.url}/sheets/{own_sheet}/").open()
    grid.type("before")
    grid.expect_saved()
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    wait_for(page, "navigator.serviceWorker.controller !== null")
    assert page.evaluate("caches.keys().then((names) => names.length)") == 1
    assert page.evaluate(
        "caches.keys().then((names) => caches.open(names[0])).then((cache) => cache.keys())"
        ".then((kept) => kept.map(({url}) => new URL(url).pathname))"
    ) == ["/offline/"]

    people.web.kill()
    try:
        grid.type("typed without a server")
        expect(page).to_have_title(re.compile("^●"))
        page.goto(f"{people.url}/sheets/{own_sheet}/")
        expect(page.get_by_role("heading")).to_have_text("SheetSync cannot be reached")
        expect(page.locator("main")).to_contain_text(
            "it is kept in this browser until it has been sent"
        )
        page.goto(f"{people.url}/")
        expect(page.get_by_role("heading")).to_have_text("SheetSync cannot be reached")
        page.goto(f"{people.url}/sheets/{own_sheet}/")
    finally:
        people.web.start()
    page.locator("#workbench[data-loaded=true]").wait_for()
    grid.expect_cells("A1", [["before"], ["typed without a server"]])
    grid.expect_saved()


def test_a_browser_that_is_offline_shows_the_page_too(
    people: OwnServer, own_context: NewContext
) -> None:
    context = own_context(service_workers="allow")
    page = context.new_page()
    page.goto(people.url)
    wait_for(page, "navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    page.goto(people.url)
    expect(page.get_by_role("heading")).to_have_text("SheetSync cannot be reached")
    context.set_offline(False)
    expect(page.get_by_role("heading", name="Sheets", exact=True)).to_be_visible()


def test_an_open_sheet_follows_what_its_person_may_do_and_keeps_what_they_typed(
    alice: Page, people: OwnServer, hers: str, own_context: NewContext
) -> None:
    context = own_context()
    page = context.new_page()
    sign_in(page, people, "bob")
    grid = GridPage(page, f"{people.url}/sheets/{hers}/").open()
    sign_in_again = page.locator(".bar").get_by_role("link", name="Sign in")
    expect(sign_in_again).to_be_hidden()

    def let_the_link(allow: str) -> None:
        alice.goto(f"{people.url}/sheets/{hers}/share/")
        alice.get_by_label("Anybody with the link").select_option(allow)
        alice.locator("[aria-labelledby=by-link]").get_by_role("button", name="Save").click()

    let_the_link("viewer")
    grid.expect_status("View only")
    expect(page.get_by_role("toolbar")).to_be_hidden()
    let_the_link("editor")
    grid.expect_status("Saved")
    grid.type("before")
    grid.expect_saved()

    elsewhere = context.new_page()
    elsewhere.goto(f"{people.url}/")
    elsewhere.get_by_role("button", name="Sign out").click()
    people.sessions.pop("bob")
    grid.expect_status("Signed out: sign in again to go on")
    grid.type("typed when signed out")
    grid.expect_status("Signed out: sign in again to go on · 1 edit not saved")
    sign_in_again.click()
    page.fill("[name=username]", "bob")
    page.fill("[name=password]", "correct horse")
    page.press("[name=password]", "Enter")
    page.wait_for_url(grid.url)
    grid.expect_cells("A1", [["before"], ["typed when signed out"]])
    grid.expect_saved()


# -- protected ranges -----------------------------------------------------------------------------


def test_a_range_is_protected_marked_for_others_and_opened_to_one_of_them(
    alice: Page, hers: str, people: OwnServer, own_context: NewContext
) -> None:
    page = own_context().new_page()
    page.set_default_timeout(60_000)
    sign_in(page, people, "bob")
    bob = GridPage(page, f"{people.url}/sheets/{hers}/").open()
    closed = page.locator(".cell[data-mark~=protected]")
    bob.go_to("B2")
    bob.type("free")
    bob.expect_saved()
    expect(closed).to_have_count(0)

    grid = GridPage(alice, f"{people.url}/sheets/{hers}/").open()
    grid.go_to("B2:C3")
    grid.choose("Protect range…")
    expect(alice.get_by_label("Range", exact=True)).to_have_value("B2:C3")
    alice.get_by_label("What is in it").fill("Limits")
    alice.get_by_role("button", name="Protect", exact=True).click()
    expect(alice.locator(".person")).to_contain_text("B2:C3")

    expect(closed).to_have_count(4)
    expect(closed.first).to_have_accessible_description("Protected: Limits")
    bob.go_to("B2")
    bob.press("x")
    notice = page.locator(".notice", has_text="This is protected (Limits). Ask alice to")
    expect(notice).to_be_visible()
    bob.press("Delete")
    bob.go_to("A1")
    bob.type("beside")
    bob.expect_saved()
    bob.expect_cells("A1", [["beside", ""], ["", "free"]])

    alice.get_by_role("link", name="Change B2:C3").click()
    alice.get_by_label("Who may edit it").fill("bob")
    alice.get_by_role("button", name="Save").click()
    expect(closed).to_have_count(0)
    bob.go_to("B2")
    bob.type("let in")
    bob.expect_saved()
    bob.expect_cell("B2", "let in")
