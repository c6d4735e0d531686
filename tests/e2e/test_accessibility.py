"""axe-core finds no violation: on every page, light and dark, with what opens being open."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage
from tests.e2e.people import sign_in
from tests.e2e.ticks import Ticks, with_headers
from tests.servers.missing import missing_service

pytestmark = pytest.mark.xdist_group("accessibility")  # they share a server and a browser

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Open = Callable[..., GridPage]

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"

_PEOPLE = """
from django.contrib.auth.models import User
from cells.models import LinkRole, Role
from cells.services.access import create_sheet
from cells.services.shelf import delete_sheet
alice = User.objects.create_user("alice", password="correct horse")
bob = User.objects.create_user("bob", password="correct horse")
shared = create_sheet(alice, "Prices", slug="shared", link_role=LinkRole("viewer"))
shared.access.create(user=bob, role=Role.EDITOR)
create_sheet(alice, "Hers", slug="private", link_role=LinkRole("none"))
deleted = create_sheet(alice, "Deleted", slug="deleted", link_role=LinkRole("viewer"))
delete_sheet(deleted)
"""

ERROR_PAGES = [
    "403.html",
    "403_csrf.html",
    "404.html",
    "500.html",
    "registration/too_many.html",
    "registration/no_sign_up.html",
]

_RENDER = f"""
import json
from django.template.loader import render_to_string
print(json.dumps({{name: render_to_string(name, {{"minutes": 5}}) for name in {ERROR_PAGES}}}))
"""

_VIOLATIONS = """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
  ({id, help, nodes}) => [id, help, ...nodes.slice(0, 5).map(({html, any}) =>
    `${html.slice(0, 160)} ${any[0]?.message ?? ""}`)]
)"""


@pytest.fixture(scope="module")
def people(own_server: OwnServer) -> OwnServer:
    """The server with alice, who owns "shared" and "private", and bob, who edits the first."""
    own_server.shell(_PEOPLE)
    return own_server


@pytest.fixture
def visit(people: OwnServer, own_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """Open a page: `visit("/")`, or signed in: `visit("/", "alice")`."""
    contexts: dict[str, BrowserContext] = {}

    def visit_(path: str, name: str = "") -> Page:
        if name not in contexts:
            contexts[name] = own_context(reduced_motion="reduce")
            if name:
                sign_in(contexts[name].new_page(), people, name)
        page = contexts[name].new_page()
        page.goto(people.url + path)
        return page

    return visit_


def violations(page: Page) -> list[Any]:
    """Return what axe finds on a page as it stands, light and dark."""
    if not AXE.exists():
        missing_service("axe-core", "`make types` installs it from npm")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[Any] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += page.evaluate(_VIOLATIONS)
    return found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", ""),
        ("/", "alice"),
        ("/accounts/login/", ""),
        ("/sheets/shared/share/", "alice"),
        ("/sheets/shared/share/", "bob"),  # who may not
        ("/sheets/shared/protections/?range=A1:B2", "alice"),
        ("/sheets/shared/import/", "bob"),
        ("/import/", "alice"),
        ("/sheets/private/", "bob"),
        ("/sheets/private/", ""),
        ("/sheets/no-such-sheet/", ""),
        ("/accounts/sign-up/", ""),
        ("/sheets/deleted/", "alice"),  # who may bring it back
        ("/sheets/deleted/", ""),
        ("/?deleted=deleted", "alice"),  # with the offer to undo it
        ("/?q=nothing+like+it", "alice"),
    ],
)
def test_a_page_has_no_violation(visit: Callable[..., Page], path: str, name: str) -> None:
    assert violations(visit(path, name)) == []


def test_a_refused_sign_in_has_no_violation(visit: Callable[..., Page]) -> None:
    page = visit("/accounts/login/")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "wrong")
    page.press("[name=password]", "Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []


def test_a_refused_sign_up_has_no_violation(visit: Callable[..., Page]) -> None:
    page = visit("/accounts/sign-up/")
    page.fill("[name=username]", "alice")
    page.fill("[name=password1]", "12345678")
    page.fill("[name=password2]", "12345678")
    page.press("[name=password2]", "Enter")
    expect(page.locator(".errorlist").first).to_be_visible()
    assert violations(page) == []


def test_what_is_said_of_a_change_and_the_dialog_of_a_sheet_have_no_violation(
    visit: Callable[..., Page],
) -> None:
    page = visit("/", "alice")
    page.get_by_role("button", name="What to do with Prices").click()
    dialog = page.get_by_role("dialog", name="Prices")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Title").press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    assert violations(page) == []


def test_the_offline_page_has_no_violation(visit: Callable[..., Page], people: OwnServer) -> None:
    page = visit("/accounts/login/")
    page.route(  # the page's own look for a server; with an answer it leaves at once
        "**/offline/",
        lambda route: route.fallback() if route.request.is_navigation_request() else route.abort(),
    )
    page.goto(f"{people.url}/offline/")
    expect(page.get_by_role("heading")).to_have_text("SheetSync cannot be reached")
    assert violations(page) == []


def test_the_list_with_people_on_a_sheet_has_no_violation(
    visit: Callable[..., Page], people: OwnServer
) -> None:
    reader = visit("/sheets/shared/")
    reader.locator("#workbench[data-loaded=true]").wait_for()
    page = visit("/", "alice")
    expect(page.locator(".live-person").first).to_be_visible()
    assert violations(page) == []


@pytest.fixture(scope="module")
def error_pages(own_server: OwnServer) -> dict[str, str]:
    """What is shown when something is wrong, by the names of the templates."""
    pages: dict[str, str] = json.loads(own_server.shell(_RENDER))
    return pages


@pytest.mark.parametrize("template", ERROR_PAGES)
def test_an_error_page_has_no_violation(
    visit: Callable[..., Page], people: OwnServer, error_pages: dict[str, str], template: str
) -> None:
    html = error_pages[template]
    page = visit("/accounts/login/")
    page.route("**/as-it-is", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{people.url}/as-it-is")
    assert violations(page) == []


def test_a_sheet_has_no_violation_whatever_is_open(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    alice = open_own(own_context(reduced_motion="reduce"))
    bob = open_own()
    page = alice.page
    alice.copy_from_elsewhere("Product\tPrice\nBread\t2.10\nTRUE\tשלום עולם")
    alice.press("Control+v")
    alice.expect_saved()
    bob.go_to("C3:D5")
    expect(page.locator(".frame-area:not([hidden])")).to_have_count(1)
    assert violations(page) == []

    alice.press("Shift+F10")
    expect(page.get_by_role("menu")).to_be_visible()
    assert violations(page) == []
    alice.press("Escape")

    page.locator("#people button.badge").click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert violations(page) == []
    alice.press("ArrowDown", "ArrowDown", "Enter")
    expect(page.locator(".follow-bar")).to_be_visible()
    assert violations(page) == []
    alice.press("Escape")

    alice.go_to("B8")
    alice.type("mine")
    bob.expect_cell("B8", "mine")
    bob.go_to("B8")
    bob.type("his")
    expect(page.locator(".offer")).to_be_visible()
    assert violations(page) == []

    alice.go_to("B8")
    alice.choose("Show edit history")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    assert violations(page) == []
    alice.press("Escape", "Control+Alt+Shift+H")
    expect(page.locator(".version")).to_have_count(2)
    alice.press("ArrowDown", "Enter")
    expect(page.locator(".then-bar")).to_be_visible()
    assert violations(page) == []
    page.locator(".then-bar").get_by_role("button", name="Restore this version").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    alice.press("Escape")
    page.get_by_role("button", name="Version history").click()
    expect(page.locator(".versions")).to_be_hidden()

    alice.press("F2")
    expect(page.locator(".editor")).to_be_visible()
    assert violations(page) == []
    alice.press("Escape", "Control+/")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_a_sheet_with_a_feed_has_no_violation(
    open_own: Open,
    own_context: Callable[..., BrowserContext],
    own_server: OwnServer,
    own_sheet: str,
) -> None:
    ticks = Ticks(own_server, own_sheet)
    ticks.make("propose")
    with_headers(open_own())
    ticks.send(("EUR", "1.09"), ("USD", "1"))
    grid = open_own(own_context(reduced_motion="reduce"))
    page = grid.page
    grid.go_to("B3")
    expect(page.locator(".origin")).to_have_text(f"From {ticks.name}")
    expect(page.locator(".badge-feed[data-state=fine]")).to_be_visible()
    assert violations(page) == []
    for silence in ({"seconds": 7200}, {"seconds": 1, "trouble": "404"}):
        ticks.is_silent(**silence)
        page.reload()
        page.locator("#workbench[data-loaded=true]").wait_for()
        expect(page.locator(".feed-words")).not_to_be_empty()
        grid.go_to("B2")
        expect(page.locator(".offer-proposal")).to_be_visible()
        assert violations(page) == []


def test_the_find_panel_and_a_palette_have_no_violation(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    grid = open_own(own_context(reduced_motion="reduce"))
    page = grid.page
    grid.type("apple")
    grid.go_to("A1")
    grid.press("Control+f")
    page.keyboard.type("app")
    expect(page.locator(".find-count")).to_have_text("1 of 1")
    assert violations(page) == []
    grid.press("Control+h")
    expect(page.get_by_role("button", name="Replace all")).to_be_visible()
    assert violations(page) == []
    grid.press("Escape")
    expect(page.locator(".find")).to_be_hidden()
    page.get_by_role("toolbar").get_by_role("button", name="Fill colour", exact=True).click()
    expect(page.locator(".palette:visible")).to_be_visible()
    assert violations(page) == []


def test_a_sheet_to_look_at_has_no_violation(visit: Callable[..., Page]) -> None:
    page = visit("/sheets/shared/")
    page.locator("#workbench[data-loaded=true]").wait_for()
    assert violations(page) == []
    assert page.locator("#grid").get_attribute("aria-readonly") == "true"


def test_the_grid_says_where_one_is(open_own: Open) -> None:
    grid = open_own()
    grid.go_to("C4")
    grid.type("text")
    grid.press("ArrowUp", "Shift+ArrowRight")
    table = grid.page.locator("#grid")
    expect(table).to_have_attribute("aria-rowcount", "1001")
    expect(table).to_have_attribute("aria-colcount", "27")
    expect(table).to_have_attribute("aria-multiselectable", "true")
    expect(table).to_have_attribute("aria-readonly", "false")
    active = table.evaluate(
        """(grid) => {
          const cell = document.getElementById(grid.getAttribute("aria-activedescendant"));
          const row = cell.closest("[role=row]");
          const header = row.firstElementChild;
          return [cell.role, cell.textContent, cell.ariaSelected, cell.ariaColIndex,
                  row.ariaRowIndex, header.role, header.textContent];
        }"""
    )
    assert active == ["gridcell", "text", "true", "4", "5", "rowheader", "4"]
    headers = grid.page.get_by_role("columnheader", name="C", exact=True)
    expect(headers).to_have_attribute("aria-colindex", "4")
    selected = grid.page.locator(".cell[aria-selected=true]:not([hidden])")
    expect(selected).to_have_count(2)
