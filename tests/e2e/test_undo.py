"""Undo and redo in a real browser, on a real server: one's own steps, and nobody else's."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage

pytestmark = pytest.mark.xdist_group("undo")  # they share a server and a browser

Open = Callable[..., GridPage]


def expect_steps(grid: GridPage, *, undo: bool, redo: bool) -> None:
    workbench = grid.page.locator("#workbench")
    expect(workbench).to_have_attribute("data-can-undo", str(undo).lower())
    expect(workbench).to_have_attribute("data-can-redo", str(redo).lower())


def test_values_come_back_and_go_again(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    expect_steps(alice, undo=False, redo=False)
    alice.go_to("B2")
    alice.type("first")
    alice.go_to("B2")
    alice.type("second")
    expect_steps(alice, undo=True, redo=False)
    alice.press("Control+z")
    bob.expect_cell("B2", "first")
    alice.press("Control+z")
    bob.expect_cell("B2", "")
    expect_steps(alice, undo=False, redo=True)
    alice.press("Control+y")
    bob.expect_cell("B2", "first")
    alice.press("Control+Shift+z")
    bob.expect_cell("B2", "second")
    alice.expect_cell("B2", "second")
    expect_steps(alice, undo=True, redo=False)
    assert alice.page.locator(".notice").count() == 0


def test_where_there_is_nothing_that_is_said(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    bob.type("bob's")
    alice.expect_cell("A1", "bob's")
    notices = alice.page.locator(".notice")
    alice.press("Control+z", "Control+z")
    expect(notices).to_have_text(["There is nothing of yours to undo."])
    alice.press("Control+y")
    expect(notices.last).to_have_text("There is nothing to redo.")
    alice.expect_cell("A1", "bob's")
    assert alice.revision == 1


def test_while_a_cell_is_edited_its_text_is_undone(open_own: Open) -> None:
    grid = open_own()
    grid.type("kept")
    grid.press("F2")
    grid.page.keyboard.type("gone")
    grid.press("Control+z", "Escape")
    grid.expect_saved()
    grid.expect_cell("A1", "kept")
    assert grid.revision == 1


def test_what_others_have_changed_is_left_alone_and_counted(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.copy_from_elsewhere("1\t2\n3\t4\n5\t6")
    alice.press("Control+v")
    bob.expect_cells("A1", [["1", "2"], ["3", "4"], ["5", "6"]])
    bob.copy_from_elsewhere("bob's\nbob's")
    bob.go_to("B1")
    bob.press("Control+v")
    bob.go_to("A3")
    bob.type("bob's")
    alice.expect_cells("A1", [["1", "bob's"], ["3", "bob's"], ["bob's", "6"]])
    alice.press("Control+z")
    notices = alice.page.locator(".notice")
    expect(notices).to_have_text(["3 cells were left alone, for somebody has changed them since."])
    for grid in (alice, bob):
        grid.expect_cells("A1", [["", "bob's"], ["", "bob's"], ["bob's", ""]])
    alice.press("Control+y")
    bob.expect_cells("A1", [["1", "bob's"], ["3", "bob's"], ["bob's", "6"]])


def test_structure_comes_back_with_its_cells(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.copy_from_elsewhere("a\tb\nc\td\ne\tf")
    alice.press("Control+v")
    start = [["a", "b"], ["c", "d"], ["e", "f"]]
    bob.expect_cells("A1", start)
    alice.go_to("A2")
    alice.choose("Delete row 2")
    bob.expect_cells("A1", [["a", "b"], ["e", "f"]])
    alice.choose("Insert row above")
    bob.expect_cells("A1", [["a", "b"], ["", ""], ["e", "f"]])
    alice.go_to("A1")
    alice.choose("Move column A right")
    bob.expect_cells("A1", [["b", "a"], ["", ""], ["f", "e"]])
    alice.press("Control+z")
    bob.expect_cells("A1", [["a", "b"], ["", ""], ["e", "f"]])
    alice.press("Control+z")
    bob.expect_cells("A1", [["a", "b"], ["e", "f"]])
    alice.press("Control+z")
    for grid in (alice, bob):
        grid.expect_cells("A1", start)
    alice.press("Control+y")
    bob.expect_cells("A1", [["a", "b"], ["e", "f"]])


def test_a_paste_beyond_the_edge_is_one_step(open_own: Open) -> None:
    grid = open_own()
    host = grid.page.locator("#grid")
    grid.go_to("Z1000")
    grid.copy_from_elsewhere("1\t2\n3\t4")
    grid.press("Control+v")
    expect(host).to_have_attribute("aria-rowcount", "1002")  # with the row of names
    grid.expect_saved()
    grid.press("Control+z")
    expect(host).to_have_attribute("aria-rowcount", "1001")
    grid.expect_saved()
    grid.expect_cell("Z1000", "")
    expect_steps(grid, undo=False, redo=True)
    grid.press("Control+y")
    expect(host).to_have_attribute("aria-rowcount", "1002")
    grid.expect_saved()
    grid.go_to("AA1001")
    expect(grid.page.locator("#formula")).to_have_value("4")


def test_steps_outlive_a_reload(open_own: Open) -> None:
    grid = open_own()
    for text in ("one", "two", "three"):
        grid.type(text)
    grid.press("Control+z")
    grid.expect_cells("A1", [["one"], ["two"], [""]])
    grid.expect_saved()
    grid.page.reload()
    grid.page.locator("#workbench[data-loaded=true]").wait_for()
    expect_steps(grid, undo=True, redo=True)
    grid.press("Control+y")
    grid.expect_cells("A1", [["one"], ["two"], ["three"]])
    grid.press("Control+z", "Control+z", "Control+z")
    grid.expect_cells("A1", [[""], [""], [""]])
    expect_steps(grid, undo=False, redo=True)
    other = open_own()
    expect_steps(other, undo=False, redo=False)


def test_what_is_undone_without_a_line_is_undone_when_there_is_one(
    open_own: Open, own_server: OwnServer
) -> None:
    alice, bob = open_own(), open_own()
    alice.type("before")
    bob.expect_cell("A1", "before")
    alice.expect_saved()
    own_server.web.stop()
    alice.go_to("A1")
    alice.type("without a line")
    alice.expect_cell("A1", "without a line")
    alice.press("Control+z")
    alice.expect_cell("A1", "before")
    alice.page.locator("#workbench[data-unsaved='2']").wait_for()
    own_server.web.start()
    alice.expect_saved()
    alice.expect_cell("A1", "before")
    assert alice.revision == 3
    bob.page.locator("#workbench[data-revision='3']").wait_for()
    bob.expect_cell("A1", "before")
