"""The past in the grid: a cell's, and the sheet's, to be looked at, named and restored."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage

pytestmark = pytest.mark.xdist_group("history")  # they share a server and a browser

Open = Callable[..., GridPage]
NAMES = ("Ada", "Ben", "Cleo")

_TO_LOOK_AT = """
from uuid import uuid4
from cells.domain.operations import SetCells
from cells.models import AuthorKind, LinkRole
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
create_sheet(None, "Prices", slug="to-look-at", link_role=LinkRole("editor"))
create_sheet(None, "Prices", slug="for-viewers", link_role=LinkRole("viewer"))
stream = Author(AuthorKind.STREAM, "prices", origin="prices-sub/4711")
cells = tuple((row, column, f"{row}/{column}") for row in range(1000) for column in range(10))
operation = SetCells(cells)
commit([Submission("to-look-at", uuid4(), operation, stream)])
"""


_BY_THREE = """
from uuid import uuid4
from cells.domain.operations import SetCells
from cells.models import AuthorKind, LinkRole
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
create_sheet(None, "Prices", slug="by-three", link_role=LinkRole("editor"))
for name, column in (("Ada", 0), ("Ben", 1), ("Cleo", 2), ("Ada", 3), ("Ben", 0)):
    cells = SetCells(((0, column, name),))
    commit([Submission("by-three", uuid4(), cells, Author(AuthorKind.API, name))])
"""


_TO_PRUNE = """
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from cells.domain.operations import SetCells
from cells.models import AuthorKind, LinkRole, Revision
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
create_sheet(None, "Prices", slug="to-prune", link_role=LinkRole("editor"))
for number, name in enumerate(("Ada", "Ben", "Ben", "Cleo"), 1):
    author = Author(AuthorKind.API, name)
    commit([Submission("to-prune", uuid4(), SetCells(((0, 0, str(number)),)), author)])
log = Revision.objects.filter(sheet__slug="to-prune")
for days, numbers in ((400, [1]), (200, [2, 3])):
    log.filter(number__in=numbers).update(committed_at=timezone.now() - timedelta(days=days))
"""
_PRUNE = """
from django.core.management import call_command
call_command("prune_revisions", sheet="to-prune")
"""


# Of what fingers are for, https://www.w3.org/TR/WCAG22/#target-size-enhanced
_TOO_SMALL = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .filter((one) => one.offsetWidth < 44 || one.offsetHeight < 44)
  .map((one) => `${one.className}: ${one.offsetWidth} x ${one.offsetHeight}`)"""


def versions(grid: GridPage) -> Locator:
    return grid.page.get_by_role("complementary", name="Version history")


def test_what_was_is_looked_at_named_restored_and_that_undone(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    page = alice.page
    badge = page.locator("#people button.badge")
    expect(badge).to_have_count(1)
    bob_is = (badge.get_attribute("aria-label") or "").split(",")[0]
    alice.go_to("A1")
    alice.type("2.10", "Tab")
    alice.type("kept")
    bob.expect_cells("A1", [["2.10", "kept"]])
    bob.go_to("A1")
    bob.type("2.30")
    alice.expect_cell("A1", "2.30")

    alice.go_to("A1")
    alice.choose("Show edit history")
    card = page.get_by_role("dialog", name="Edit history of A1")
    changes = card.get_by_role("listitem")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_contain_text(bob_is)
    expect(changes.nth(0)).to_contain_text("before: 2.10 → after: 2.30")
    expect(changes.nth(1)).to_contain_text("before: empty → after: 2.10")
    changes.nth(0).get_by_role("button", name="Show the sheet before this change").click()
    alice.expect_cells("A1", [["2.10", "kept"]])
    page.get_by_role("button", name="Back to now").click()
    alice.expect_cells("A1", [["2.30", "kept"]])
    versions(alice).get_by_role("button", name="Close").click()
    alice.choose("Show edit history")
    card.get_by_label("Changes by").select_option("Streams")
    expect(card).to_contain_text("No such changes.")
    alice.press("Escape")
    expect(card).to_have_count(0)
    expect(page.locator("#grid")).to_be_focused()

    alice.press("Control+Alt+Shift+H")
    panel = versions(alice)
    expect(panel.get_by_role("button", name="Now", exact=True)).to_be_focused()
    alice.press("ArrowDown", "ArrowRight")
    steps = panel.get_by_role("list", name="Edits of this version").get_by_role("button")
    expect(steps).to_have_count(4)  # three edits, and what was before them
    expect(steps.nth(0)).to_contain_text(bob_is)
    alice.press("ArrowDown", "ArrowDown", "Enter")
    alice.expect_cells("A1", [["2.10", "kept"]])
    alice.press("ArrowDown", "ArrowDown", "Enter")
    alice.expect_cells("A1", [["", ""]])
    expect(page.get_by_role("group", name="The sheet as it was before the edit of")).to_be_visible()
    alice.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowLeft")
    expect(steps).to_have_count(0)
    alice.press("Enter")
    then = page.get_by_role("group", name="The sheet as it was")
    expect(then).to_be_visible()
    changed = page.get_by_role("gridcell", name="2.30")
    expect(changed).to_have_attribute("data-mark", "changed")
    expect(changed).to_have_attribute("aria-description", re.compile(f"Changed in .*{bob_is}"))
    panel.get_by_label("Name of this version").fill("Agreed")
    alice.press("Enter")
    expect(then).to_contain_text("“Agreed”")

    bob.go_to("A1")
    bob.type("9.99")
    bob.expect_saved()
    page.locator("#grid").focus()
    alice.type("never", "Enter")
    expect(page.get_by_text("This is how the sheet was: go back to now")).to_be_visible()
    alice.expect_cells("A1", [["2.30", "kept"]])
    alice.press("Escape")
    expect(then).to_be_hidden()
    alice.expect_cells("A1", [["9.99", "kept"]])

    panel.get_by_role("button", name=re.compile("^Agreed")).click()
    alice.expect_cell("A1", "2.30")
    page.context.set_offline(True)
    expect(then).to_contain_text("To restore needs a connection")
    expect(then.get_by_role("button", name="Restore this version")).to_be_hidden()
    page.context.set_offline(False)
    panel.get_by_role("button", name="Restore this version").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    for grid in (alice, bob):
        grid.expect_cells("A1", [["2.30", "kept"]])
    page.locator(".notice", has_text="Restored").get_by_role("button", name="Undo").click()
    for grid in (alice, bob):
        grid.expect_cells("A1", [["9.99", "kept"]])


def test_each_author_of_a_version_has_a_colour_and_is_named(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    own_server.shell(_BY_THREE)
    page = own_context().new_page()
    grid = GridPage(page, f"{own_server.url}/sheets/by-three/").open()
    page.get_by_role("button", name="Version history").click()
    panel = versions(grid)
    panel.get_by_role("button", name="Ada").click()
    legend = panel.get_by_role("list", name="Who changed the marked cells").get_by_role("listitem")
    expect(legend).to_have_text(["Ben", "Ada", "Cleo"])
    ground = "of => getComputedStyle(of).backgroundColor"
    colors = {one: legend.filter(has_text=one).locator("span").evaluate(ground) for one in NAMES}
    assert len(set(colors.values())) == 3
    edge = "of => getComputedStyle(of).outlineColor"
    edges: dict[str, set[str]] = {name: set() for name in NAMES}
    for column, name in enumerate(("Ben", "Ben", "Cleo", "Ada")):
        cell = page.locator(f"#grid .cell[aria-colindex='{column + 2}'][data-mark=changed]")
        expect(cell).to_have_attribute("title", f"Changed in this version by {name}")
        expect(cell).to_have_attribute("aria-description", f"Changed in this version by {name}")
        edges[name].add(cell.evaluate(edge))
    assert [len(edges[name]) for name in NAMES] == [1, 1, 1]
    assert len(set.union(*edges.values())) == 3
    page.get_by_role("button", name="Back to now").click()
    expect(legend).to_have_count(0)
    expect(page.locator("#grid .cell[title]:not([title=''])")).to_have_count(0)


def test_on_a_phone_the_past_has_room_and_all_that_belongs_to_it_can_be_tapped(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    own_server.shell(_BY_THREE.replace("by-three", "on-a-phone"))
    context = own_context(viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True)
    page = context.new_page()
    grid = GridPage(page, f"{own_server.url}/sheets/on-a-phone/").open()
    grid.choose("Version history")
    panel = versions(grid)
    panel.get_by_role("button", name="Ada").tap()
    panel.get_by_role("button", name="Edits of this version").tap()
    expect(panel.get_by_role("list", name="Edits of this version")).to_be_visible()
    room = page.locator("#grid").bounding_box()
    assert room is not None
    assert room["height"] >= 220  # between what is said of the past and the panel
    assert page.evaluate(_TOO_SMALL, ".versions button, .then-bar button") == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert panel.evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    panel.get_by_role("button", name="Before these edits").tap()  # the last one of the list
    grid.expect_cell("A1", "")
    page.get_by_role("button", name="Back to now").tap()
    panel.get_by_role("button", name="Close").tap()
    grid.choose("Show edit history")
    card = page.get_by_role("dialog", name="Edit history of A1")
    expect(card.get_by_role("listitem")).to_have_count(2)
    assert page.evaluate(_TOO_SMALL, ".cell-history button") == []
    card.get_by_role("button", name="Show the sheet before this change").first.tap()
    grid.expect_cell("A1", "Ada")


def test_an_open_panel_says_that_its_older_versions_have_been_pruned(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    own_server.shell(_TO_PRUNE)
    page = own_context().new_page()
    grid = GridPage(page, f"{own_server.url}/sheets/to-prune/").open()
    page.get_by_role("button", name="Version history").click()
    panel = versions(grid)
    panel.get_by_role("button", name="Edits of this version").nth(1).click()
    steps = panel.get_by_role("list", name="Edits of this version")
    expect(steps.get_by_role("button")).to_have_count(3)  # of Ben's, and what was before them
    panel.get_by_role("button", name="Ada").click()
    grid.expect_cell("A1", "1")
    assert "revisions 1 to 3" in own_server.shell(_PRUNE)

    steps.get_by_role("button").nth(1).click()
    expect(panel.get_by_role("status")).to_contain_text("This version is no longer kept")
    then = page.get_by_role("group", name="The sheet as it was")
    expect(then).to_contain_text("This version is no longer kept, and cannot be restored")
    expect(page.get_by_role("button", name="Restore this version")).to_have_count(0)
    expect(panel.get_by_role("button", name="Ada")).to_have_count(0)
    expect(panel).to_contain_text("Older versions are no longer kept, but for those with a name.")
    expect(steps).to_contain_text("Older edits are no longer kept.")
    expect(steps.get_by_role("button")).to_have_count(1)
    steps.get_by_role("button").click()  # the log still tells where it begins
    grid.expect_cell("A1", "3")
    expect(then.get_by_role("button", name="Restore this version")).to_be_visible()


def test_a_large_past_is_shown_and_who_may_only_look_has_no_way_to_it(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    own_server.shell(_TO_LOOK_AT)
    context = own_context()
    carol = GridPage(context.new_page(), f"{own_server.url}/sheets/to-look-at/").open()
    page = carol.page
    carol.go_to("C3")
    carol.choose("Show edit history")
    card = page.get_by_role("dialog", name="Edit history of C3")
    expect(card.get_by_role("listitem")).to_contain_text("Stream prices-sub, message 4711")
    card.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Version history").click()
    panel = versions(carol)
    panel.get_by_role("button", name="prices").click()
    then = page.get_by_role("group", name="The sheet as it was")
    expect(then).to_be_visible()
    expect(panel.get_by_role("status")).to_have_text("10,000 cells were changed in this version.")
    carol.go_to("J1000")
    carol.expect_cell("J1000", "999/9")
    then.get_by_role("button", name="Back to now").click()
    context.set_offline(True)
    panel.get_by_role("button", name="prices").click()
    expect(panel.get_by_role("status")).to_contain_text("The history needs a connection")
    expect(then).to_be_hidden()
    assert carol.errors == []
    context.set_offline(False)

    viewer = GridPage(context.new_page(), f"{own_server.url}/sheets/for-viewers/").open()
    page = viewer.page
    expect(page.locator("#history-button")).to_be_hidden()
    viewer.press("Control+Alt+Shift+H")
    viewer.press("Shift+F10")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name="Copy")).to_be_visible()
    expect(menu.get_by_role("menuitem", name=re.compile("history"))).to_have_count(0)
    viewer.press("Escape")
    viewer.press("Control+/")
    shortcuts = page.get_by_role("dialog")
    expect(shortcuts).to_contain_text("This help")
    expect(shortcuts).not_to_contain_text("Version history")
    expect(versions(viewer)).to_be_hidden()
    assert viewer.errors == []
