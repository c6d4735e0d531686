"""Find and replace over a whole sheet, in a real browser on a real server."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.grid_page import GridPage, wait_for

pytestmark = pytest.mark.xdist_group("find")  # they share a server and a browser

OpenOwn = Callable[..., GridPage]


def fill_in(grid: GridPage, address: str, text: str) -> None:
    grid.go_to(address)
    grid.copy_from_elsewhere(text)
    grid.press("Control+v")


def expect_count(grid: GridPage, text: str) -> None:
    expect(grid.page.locator(".find-count")).to_have_text(text)


def test_matches_are_counted_marked_and_gone_through(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "apple\tpear\tApple pie\nplum\tapple\tfig")
    fill_in(grid, "A900", "pineapple")
    grid.go_to("A1")
    grid.press("Control+f")
    grid.page.keyboard.type("apple")
    expect_count(grid, "1 of 4")
    wait_for(grid.page, "document.querySelectorAll('#grid .cell.found').length === 3")
    seen = []
    for count in ("2 of 4", "3 of 4", "4 of 4", "1 of 4"):
        grid.press("Enter")
        expect_count(grid, count)
        seen.append(grid.selected)
    assert seen == ["C1", "B2", "A900", "A1"]
    grid.press("Shift+Enter")
    expect_count(grid, "4 of 4")
    grid.expect_cell("A900", "pineapple")
    grid.page.get_by_label("Match case").check()
    grid.press("Control+g")
    expect_count(grid, "1 of 3")
    grid.page.get_by_label("Whole cell").check()
    expect_count(grid, "1 of 2")
    grid.page.get_by_label("Whole cell").uncheck()
    grid.page.get_by_label("Regular expression").check()
    grid.page.get_by_label("Find", exact=True).fill("(")
    expect_count(grid, "Not a regular expression")
    grid.page.get_by_label("Find", exact=True).fill("^p.*")
    expect_count(grid, "1 of 3")
    grid.press("Escape")
    expect(grid.page.locator(".find")).to_be_hidden()
    expect(grid.page.locator("#grid")).to_be_focused()
    wait_for(grid.page, "document.querySelectorAll('#grid .cell.found').length === 0")


def test_all_is_replaced_in_one_step(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "red\tdark red\nblue\tRED")
    alice.press("Control+h")
    alice.page.get_by_label("Find", exact=True).fill("red")
    alice.page.get_by_label("Replace with").fill("$1 green")
    expect_count(alice, "1 of 3")
    alice.page.get_by_role("button", name="Replace all").click()
    bob.expect_cells("A1", [["$1 green", "dark $1 green"], ["blue", "$1 green"]])
    expect(alice.page.locator(".notice").last).to_have_text("Replaced in 3 cells.")
    expect_count(alice, "Nothing found")
    alice.press("Escape", "Control+z")
    bob.expect_cells("A1", [["red", "dark red"], ["blue", "RED"]])


def test_one_after_another_is_replaced(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "red\tdark red\tred")
    grid.go_to("A1")
    grid.press("Control+h")
    grid.page.get_by_label("Find", exact=True).fill("red")
    expect_count(grid, "1 of 3")
    grid.page.get_by_label("Replace with").fill("blue")
    grid.press("Enter")
    grid.expect_cells("A1", [["blue", "dark red", "red"]])
    expect_count(grid, "1 of 2")
    grid.press("Enter")
    grid.expect_cells("A1", [["blue", "dark blue", "red"]])
    assert grid.selected == "C1"


def test_what_others_type_is_found_meanwhile(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "one")
    alice.press("Control+f")
    alice.page.keyboard.type("one")
    expect_count(alice, "1 of 1")
    bob.go_to("B5")
    bob.type("one more")
    expect_count(alice, "1 of 2")
    bob.go_to("A1")
    bob.press("Delete")
    expect_count(alice, "1 match")
