"""Two people and a stream on one sheet: who is where, what changed, and what was lost."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for

pytestmark = pytest.mark.xdist_group("together")  # they share a server and a browser

Open = Callable[..., GridPage]

_STREAM = """
from uuid import uuid4
from cells.domain.operations import SetCells
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
operation = SetCells((({row}, {column}, {text!r}),))
commit([Submission({slug!r}, uuid4(), operation, Author(AuthorKind.STREAM, "prices"))])
"""

# What happens to a text on its way: nothing is sent until the page is told to.
_HOLD = """() => {
  const send = WebSocket.prototype.send;
  const held = [];
  WebSocket.prototype.send = function (...frames) { held.push([this, frames]); };
  window.letGo = () => {
    WebSocket.prototype.send = send;
    for (const [socket, frames] of held) send.apply(socket, frames);
  };
}"""


def tinted(grid: GridPage) -> Locator:
    return grid.page.locator(".cell[data-tint]:not([data-tint=stream]):not([hidden])")


def name_of_the_other(page: Page) -> str:
    badge = page.locator("#people button.badge")
    expect(badge).to_have_count(1)
    return badge.get_attribute("aria-label") or ""


def test_what_others_change_is_tinted_in_their_colour_for_a_moment(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    color = alice.page.locator("#people .badge").evaluate(
        "(badge) => badge.style.getPropertyValue('--color')"
    )
    alice.page.evaluate(  # how long a mark stays must not decide whether the test sees it
        """() => {
          window.seen = [];
          const grid = document.querySelector("#grid");
          new MutationObserver((records) => {
            for (const { target } of records) {
              if (!target.dataset.tint) continue;
              window.seen.push([target.textContent, target.style.getPropertyValue("--tint")]);
            }
          }).observe(grid, {attributeFilter: ["data-tint"], subtree: true});
        }"""
    )
    bob.go_to("B2")
    bob.type("hers")
    alice.expect_cell("B2", "hers")
    wait_for(alice.page, "window.seen.length > 0")
    assert alice.page.evaluate("window.seen") == [["hers", color]]
    expect(tinted(alice)).to_have_count(0)
    expect(tinted(bob)).to_have_count(0)


def test_one_s_own_edits_and_a_first_load_are_not_tinted(open_own: Open) -> None:
    alice = open_own()
    alice.type("before")
    alice.expect_saved()
    bob = open_own()
    bob.expect_cell("A1", "before")
    for grid in (alice, bob):
        assert grid.page.locator(".cell[data-tint]").count() == 0


def test_a_stream_has_a_mark_of_its_own(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    grid = open_own()
    own_server.shell(_STREAM.format(slug=own_sheet, row=1, column=1, text="19.99"))
    grid.expect_cell("B2", "19.99")
    expect(grid.page.locator(".badge-stream")).to_have_attribute("aria-label", re.compile("stream"))
    expect(grid.page.locator("#polite")).to_have_text("a stream changed B2 to 19.99")


def test_who_types_is_seen_to_type(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    name = name_of_the_other(alice.page)
    label = alice.page.locator(".frame-cursor:not([hidden]) .cursor-name")
    bob.go_to("C3")
    expect(label).to_have_text(name)
    bob.page.keyboard.type("half")
    expect(label).to_have_text(f"{name} is typing…")
    bob.press("Escape")
    expect(label).to_have_text(name)


def test_a_person_can_be_gone_to(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    name = name_of_the_other(alice.page)
    bob.go_to("T400")
    expect(alice.page.locator(".frame-cursor")).to_be_hidden()  # it is told where bob is now
    alice.page.get_by_role("button", name=name).click()
    alice.page.get_by_role("menuitem", name=f"Go to {name}").click()
    assert alice.selected == "T400"
    assert alice.page.evaluate("document.activeElement.id") == "grid"


def follow(alice: GridPage) -> str:
    """Follow the only other person, by keyboard alone."""
    name = name_of_the_other(alice.page)
    alice.page.locator("#people button.badge").focus()
    alice.press("Enter", "ArrowDown", "ArrowDown", "Enter")
    expect(alice.page.locator(".follow-name")).to_have_text(f"Following {name}")
    return name


def in_view(grid: GridPage, address: str) -> bool:
    return grid.cell(address) is not None


def test_the_view_follows_a_person_until_one_moves_oneself(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    bob.go_to("B2")
    alice.go_to("A1")
    frame = alice.page.locator(".follow")
    for ending in ("Escape", "ArrowDown", "Stop", "wheel"):
        follow(alice)
        expect(frame).to_be_visible()
        before = alice.selected
        bob.go_to("T400")
        alice.expect_cell("T400", "")
        bob.go_to("B2")
        alice.expect_cell("B2", "")
        assert alice.selected == before  # the selection stays
        if ending == "Stop":
            alice.page.get_by_role("button", name="Stop").click()
        elif ending == "wheel":
            alice.page.mouse.move(600, 400)
            alice.page.mouse.wheel(0, 100)
        else:
            alice.press(ending)
        expect(frame).to_be_hidden()
    follow(alice)
    bob.page.context.close()
    expect(frame).to_be_hidden()


def test_a_replaced_text_is_offered_beside_the_cell(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    name = name_of_the_other(alice.page)
    alice.stop_time()
    alice.go_to("B2")
    alice.type("mine")
    bob.expect_cell("B2", "mine")
    bob.go_to("B2")
    bob.type("his")
    card = alice.page.locator(".offer")
    expect(card).to_contain_text(f"{name} replaced your text")
    expect(card.locator("pre")).to_have_text("mine")
    expect(alice.page.locator("#assertive")).to_contain_text(f"{name} replaced your text, in B2")
    alice.press("Control+F6")  # to the card, and to its first button
    alice.press("Tab")
    alice.press("Enter")  # Put back
    expect(card).to_have_count(0)
    alice.press("Enter")
    bob.expect_cell("B2", "mine")


def test_a_text_on_its_way_that_came_too_late_is_not_called_lost(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.page.evaluate(_HOLD)
    alice.go_to("B2")
    alice.type("mine")
    bob.go_to("B2")
    bob.type("his")
    bob.expect_saved()
    wait_for(alice.page, "document.querySelector('#workbench').dataset.revision === '1'")
    alice.page.evaluate("window.letGo()")
    bob.expect_cell("B2", "mine")  # ours was the last: nothing of it is lost
    alice.expect_saved()
    expect(alice.page.locator(".offer")).to_have_count(0)


def test_an_offer_follows_its_cell_and_points_to_it(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.stop_time()
    alice.go_to("B20")
    alice.type("mine")
    bob.expect_cell("B20", "mine")
    bob.go_to("B20")
    bob.type("his")
    card = alice.page.locator(".offer")
    expect(card).to_have_attribute("data-side", "right")
    alice.go_to("M900")
    there = card.get_by_role("button", name="in B20 · Go there")
    expect(there).to_be_visible()
    bob.go_to("A1")
    bob.choose("Insert row above")
    card.get_by_role("button", name="in B21 · Go there").click()
    assert alice.selected == "B21"
    expect(there).to_be_hidden()
    card.get_by_role("button", name="Copy").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    assert alice.clipboard() == "mine"
    bob.go_to("A21")
    bob.choose("Delete row 21")
    expect(card).to_have_count(0)
    expect(alice.page.locator(".notice pre")).to_have_text("mine")  # it has no cell any more


def test_a_refused_edit_says_so_beside_its_cell(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    alice = open_own()
    alice.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (text) {
            const frame = JSON.parse(text);
            if (frame.type === "operation.submit") frame.operation.cells[0][2] = "x".repeat(40000);
            return send.call(this, JSON.stringify(frame));
          };
        }"""
    )
    alice.go_to("C3")
    alice.type("precious")
    card = alice.page.locator(".offer")
    expect(card).to_contain_text("Not saved")
    expect(card.locator("pre")).to_have_text("precious")
    alice.expect_cell("C3", "")
    card.get_by_role("button", name="Put back").click()
    expect(alice.page.locator(".editor-input")).to_have_value("precious")
    alice.press("Escape")
    expect(card).to_have_count(0)


def test_changes_of_others_are_said_at_a_polite_rate(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    name = name_of_the_other(alice.page)
    spoken = alice.page.locator("#polite")
    bob.type("5")
    expect(spoken).to_have_text(f"{name} changed A1 to 5")
    bob.copy_from_elsewhere("1\t2\t3\n4\t5\t6")
    bob.press("Control+v")
    expect(spoken).to_have_text(f"6 cells changed by {name}")
    alice.press("Control+/")
    alice.page.get_by_label("Let screen readers say what others change").uncheck()
    alice.press("Escape")
    expect(alice.page.locator("dialog[open]")).to_have_count(0)
    assert alice.page.evaluate("document.activeElement.id") == "grid"
    alice.page.reload()
    alice.open()
    alice.page.locator("#help-button").click()
    expect(alice.page.get_by_label("Let screen readers say what others change")).not_to_be_checked()


def test_help_names_the_keys(open_own: Open) -> None:
    grid = open_own()
    grid.press("Control+/")
    dialog = grid.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ctrl+Home")
    for _ in range(6):
        grid.press("Tab")
        assert grid.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    grid.press("Control+/")
    expect(dialog).to_have_count(0)


def test_f6_goes_round_the_page(open_own: Open) -> None:
    grid, _ = open_own(), open_own()
    expect(grid.page.locator("#people button.badge")).to_have_count(1)
    visited = set()
    for _ in range(8):
        grid.press("F6")
        region = "document.activeElement.closest('header, .formula-bar, [role=grid]')?.className"
        visited.add(grid.page.evaluate(region))
    assert {"bar", "formula-bar", "grid"} <= {name.split()[0] for name in visited if name}
    grid.page.locator("#grid").focus()
    grid.press("Shift+F6")
    assert grid.page.evaluate("document.activeElement.id") == "name-box"
