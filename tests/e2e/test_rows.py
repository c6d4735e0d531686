"""Rows and columns that come, go and move, also under what somebody does there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.grid_page import GridPage, wait_for

pytestmark = pytest.mark.xdist_group("rows")  # they share a server and a browser

OpenOwn = Callable[..., GridPage]


def test_the_open_editor_stays_with_its_cell(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    alice.go_to("B3")
    alice.page.keyboard.type("half")
    bob.go_to("A1")
    bob.choose("Insert row above")
    wait_for(alice.page, "document.querySelector('#name-box').value === 'B4'")
    alice.type(" and half")
    alice.expect_cells("B3", [[""], ["half and half"]])
    bob.expect_cells("B3", [[""], ["half and half"]])


def test_what_was_typed_into_a_deleted_row_comes_back(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    alice.go_to("B3")
    alice.page.keyboard.type("precious")
    bob.go_to("A3")
    bob.choose("Delete row 3")
    notice = alice.page.get_by_role("alert")
    expect(notice).to_contain_text("has been deleted")
    expect(notice).to_contain_text("precious")
    notice.get_by_role("button", name="Copy text").click()
    assert alice.clipboard() == "precious"


def test_typing_on_after_a_deletion_reaches_no_neighbour(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    bob.copy_from_elsewhere("one\ntwo\nthree\nfour")
    bob.press("Control+v")
    alice.expect_cell("A4", "four")
    alice.go_to("A3")
    alice.page.keyboard.type("par")
    bob.go_to("A3")
    bob.choose("Delete row 3")
    notice = alice.page.get_by_role("alert")
    expect(notice).to_contain_text("par")
    alice.type("tial")
    alice.press("Delete", "Control+v")
    expect(notice.locator("pre")).to_contain_text("partial")
    assert alice.selected == "A3"
    alice.expect_cells("A1", [["one"], ["two"], ["four"], [""]])
    expect(alice.page.locator("#grid")).to_have_class("grid")  # after a pause keys count again
    alice.type("on purpose")
    bob.expect_cells("A1", [["one"], ["two"], ["on purpose"], [""]])


def test_what_a_deletion_took_with_it_is_said(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.copy_from_elsewhere("a\tb\nc\td\ne\tf")
    grid.press("Control+v")
    notices = grid.page.locator(".notice")
    grid.go_to("A2:A3")
    grid.choose("Delete rows 2–3")
    expect(notices.last).to_have_text("Deleted 2 rows with 4 filled cells.")
    grid.expect_saved()  # the rows are gone only when the server has said so
    grid.go_to("B1")
    grid.choose("Delete column B")
    expect(notices.last).to_have_text("Deleted 1 column with 1 filled cell.")
    grid.expect_saved()
    grid.go_to("C3")
    grid.choose("Delete column C")  # empty: nothing is lost, nothing is said
    expect(grid.page.get_by_role("columnheader", name="Y", exact=True)).to_have_count(0)
    expect(notices.last).to_have_text("Deleted 1 column with 1 filled cell.")


def test_a_refusal_speaks_of_no_ids(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    alice.page.evaluate(  # what alice sends comes late, when the row is gone
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (...frames) {
            setTimeout(() => send.apply(this, frames), 2000);
          };
        }"""
    )
    alice.go_to("B3")
    alice.type("too late")
    bob.go_to("A3")
    bob.choose("Delete row 3")
    notice = alice.page.get_by_role("alert")
    expect(notice.locator("p")).to_have_text("Not saved: Somebody deleted this row or column.")
    expect(notice.locator("pre")).to_have_text("too late")


def test_rows_and_columns_move_and_grow(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    alice.copy_from_elsewhere("a\tb\nc\td")
    alice.press("Control+v")
    alice.go_to("A1")
    alice.choose("Move row 1 down")
    bob.expect_cells("A1", [["c", "d"], ["a", "b"]])
    assert alice.selected == "A2"  # the selection goes with its cell
    alice.choose("Move column A right")
    bob.expect_cells("A1", [["d", "c"], ["b", "a"]])
    border = alice.page.locator(".column-headers").bounding_box()
    assert border is not None
    alice.page.mouse.move(border["x"] + 111, border["y"] + 8)
    alice.page.mouse.down()
    alice.page.mouse.move(border["x"] + 211, border["y"] + 8, steps=3)
    alice.page.mouse.up()
    header = bob.page.get_by_role("columnheader", name="A", exact=True)
    expect(header).to_have_css("width", "212px")
