"""The grid in a real browser, on a real server: what a person does and sees."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for

pytestmark = [
    pytest.mark.xdist_group("grid"),  # they share a server and a browser
    pytest.mark.developed,  # what `make run` serves is tried out, too
    pytest.mark.core,
]

OpenOwn = Callable[..., GridPage]


def test_what_one_types_the_other_sees(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    alice.go_to("B2")
    alice.type("from alice")
    bob.expect_cell("B2", "from alice")
    bob.go_to("B3")
    bob.type("from bob")
    alice.expect_cell("B3", "from bob")
    alice.expect_saved()
    bob.expect_saved()
    assert alice.revision == bob.revision == 2


def test_others_are_seen_by_name_where_they_are(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    bob.go_to("C4:D6")
    cursor = alice.page.locator(".frame-cursor:not([hidden])")
    expect(cursor).to_have_count(1)
    expect(cursor.locator(".cursor-name")).to_contain_text("Guest")
    expect(alice.page.locator(".frame-area:not([hidden])")).to_have_count(
        1
    )  # the range: bob has moved
    alice.page.locator("#people .badge").click()
    alice.page.get_by_role("menuitem", name="Go to Guest").click()
    assert alice.selected == "C4"
    bob.page.context.close()
    expect(cursor).to_have_count(0)


def test_keys_lead_where_spreadsheets_lead(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.go_to("B2")
    grid.type("a", "Tab")
    grid.type("b", "Tab")
    grid.type("c", "Enter")
    assert grid.selected == "B3"  # Enter goes back to where the run of Tabs began
    grid.type("d", "Enter")
    grid.expect_cells("B2", [["a", "b", "c"], ["d", "", ""]])
    for keys, place in [
        (["Control+Home"], "A1"),
        (["ArrowDown", "Control+ArrowRight"], "B2"),
        (["Control+ArrowRight"], "D2"),
        (["Control+ArrowRight"], "Z2"),
        (["Home"], "A2"),
        (["End"], "D2"),
        (["Control+ArrowDown"], "D1000"),
        (["Control+End"], "D3"),
        (["Shift+Tab"], "C3"),
        (["Shift+Enter"], "C2"),
        (["Shift+ArrowDown", "Shift+ArrowRight"], "C2:D3"),
        (["Shift+Control+ArrowDown"], "C2:D1000"),
        (["Control+Home", "Control+a"], "A1:D3"),  # first the data around, then everything
        (["Control+a"], "All"),
    ]:
        grid.press(*keys)
        assert grid.selected == place, keys


def test_the_header_is_reached_and_left_by_keyboard(open_own: OpenOwn) -> None:
    grid = open_own()
    focused = "document.activeElement.id || document.activeElement.textContent.trim()"
    grid.press("Control+F6")
    assert grid.page.evaluate("document.activeElement.closest('.foot') !== null")
    grid.press("Control+F6")
    assert grid.page.evaluate("document.activeElement.title") == "All sheets"
    for button in ("history-button", "help-button"):
        grid.press("Tab")
        assert grid.page.evaluate(focused) == button
    grid.press("Tab")
    assert grid.page.evaluate(focused) == "Sign in"
    grid.press("Tab")  # the toolbar is one stop; arrows lead on within it
    assert grid.page.evaluate("document.activeElement.closest('#toolbar') !== null")
    grid.press("Tab")
    assert grid.page.evaluate(focused) == "name-box"
    grid.press("Tab", "Tab")
    assert grid.page.evaluate(focused) == "grid"
    grid.press("Shift+F10")  # what the button beside the formula opens
    expect(grid.page.get_by_role("menuitem", name="Insert row above")).to_be_visible()


def test_escape_restores_and_typing_replaces(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.type("one")
    grid.press("ArrowUp", "F2")
    grid.type(" and a half", "Escape")
    grid.expect_cell("A1", "one")
    grid.press("F2")
    grid.type(" and more")
    grid.expect_cell("A1", "one and more")
    grid.press("ArrowUp")
    grid.type("two")
    grid.expect_cell("A1", "two")
    grid.page.click("#formula")  # the cell that is now active: A2
    grid.page.keyboard.type("by the formula bar")
    grid.press("Enter")
    grid.expect_cell("A2", "by the formula bar")
    grid.expect_saved()


def test_ranges_travel_through_the_clipboard(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.copy_from_elsewhere('1\t"two\nlines"\r\n"a ""quoted""\ttab"\tplain "quotes"\r\n')
    grid.press("Control+v")
    texts = [["1", "two\nlines"], ['a "quoted"\ttab', 'plain "quotes"']]
    grid.expect_cells("A1", texts)
    assert grid.selected == "A1:B2"
    grid.press("Control+c")
    assert grid.clipboard() == '1\t"two\nlines"\n"a ""quoted""\ttab"\tplain "quotes"'
    grid.go_to("D4")
    grid.press("Control+v")
    grid.expect_cells("D4", texts)
    grid.press("Control+x")
    grid.go_to("D8")
    grid.press("Control+v")
    grid.expect_cells("D8", texts)
    grid.expect_cells("D4", [["", ""], ["", ""]])
    grid.expect_saved()
    assert grid.revision == 3  # a cut and its paste are one operation
    revision = grid.revision
    grid.press("Delete")
    grid.expect_cells("D8", [["", ""], ["", ""]])
    grid.expect_saved()
    assert grid.revision == revision + 1  # one range, one operation


def test_a_paste_beyond_the_edge_makes_room(open_own: OpenOwn) -> None:
    grid, other = open_own(), open_own()
    lines = [f"{number}\tb{number}\tc{number}" for number in range(12_000)]
    grid.copy_from_elsewhere("\n".join(lines))
    grid.go_to("Y990")
    grid.press("Control+v")
    grid.expect_saved()
    expect(grid.page.locator("#grid")).to_have_attribute("aria-rowcount", str(989 + 12_000 + 1))
    for page in (grid, other):
        page.go_to("AA12989")
        wait_for(page.page, "document.querySelector('#formula').value === 'c11999'")


def test_a_viewer_looks_and_copies_but_does_not_write(
    own_server: OwnServer, own_sheet: str, open_own: OpenOwn
) -> None:
    own_server.shell(
        f"from cells.models import Sheet; "
        f"Sheet.objects.filter(slug={own_sheet!r}).update(link_role='viewer')"
    )
    grid = open_own()
    grid.expect_status("View only")
    grid.page.keyboard.type("x")
    grid.press("Enter", "Delete", "F2")
    assert grid.page.evaluate("document.activeElement.id") == "grid"
    grid.press("Control+Home")
    grid.expect_cell("A1", "")
    assert grid.page.evaluate("document.querySelector('#formula').readOnly")
    assert grid.page.locator("#menu-button").is_hidden()
    grid.press("Shift+F10")
    expect(grid.page.get_by_role("menuitem", name="Copy")).to_be_visible()
    expect(grid.page.get_by_role("menuitem", name="Insert")).to_have_count(0)
    assert grid.revision == 0


def test_a_double_click_on_a_border_fits_the_column(open_own: OpenOwn) -> None:
    grid = open_own()
    long, short = "a text that is rather longer than its column", "7"
    grid.copy_from_elsewhere(f"{long}\t{short}\t{'endless ' * 60}\n1\t2\t3")
    grid.press("Control+v")
    grid.expect_saved()
    headers = grid.page.locator(".column-headers").bounding_box()
    assert headers is not None
    for border in (3 * 112, 2 * 112, 112, 4 * 112):  # from the right; the empty column last
        x = headers["x"] + border - 1
        if border == 4 * 112:
            x = headers["x"] + sum(_widths(grid, "ABCD")) - 1
        grid.page.mouse.dblclick(x, headers["y"] + 8)
        grid.expect_saved()
    wide, narrow, bounded, usual = _widths(grid, "ABCD")
    assert grid.page.evaluate(
        """(text) => {
          const cell = [...document.querySelectorAll(".cell")].find((c) => c.textContent === text);
          return cell.scrollWidth <= cell.clientWidth && !cell.classList.contains("spill");
        }""",
        long,
    )
    assert 200 < wide < 400
    assert 25 < narrow < 60
    assert (bounded, usual) == (800, 112)


def _widths(grid: GridPage, columns: str) -> list[float]:
    headers = [grid.page.get_by_role("columnheader", name=name, exact=True) for name in columns]
    return [float(header.evaluate("header => header.offsetWidth")) for header in headers]


_LINES = """(text) => {
  const cell = [...document.querySelectorAll(".cell")].find((c) => c.textContent === text);
  const range = document.createRange();
  range.selectNodeContents(cell);
  const { top, bottom } = cell.getBoundingClientRect();
  const lines = [...range.getClientRects()].filter((line) => line.width > 0);
  return lines.map((line) => [line.top - top, line.top - bottom]);
}"""


def test_no_line_of_a_cell_is_cut_in_half(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.copy_from_elsewhere('"first\nsecond\nthird"\tsingle')
    grid.press("Control+v")
    grid.expect_cell("B1", "single")
    [[single, _]] = grid.page.evaluate(_LINES, "single")
    lines = grid.page.evaluate(_LINES, "first\nsecond\nthird")
    assert len(lines) == 3
    assert abs(lines[0][0] - single) <= 0.5  # on the line of its neighbours
    assert lines[1][1] >= 0  # the second begins below the cell


def test_control_enter_fills_the_range(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.go_to("B2:C3")
    grid.type("same", "Control+Enter")
    grid.expect_cells("B2", [["same", "same"], ["same", "same"]])
    grid.expect_saved()
    assert grid.selected == "B2:C3"
    assert grid.revision == 1  # one range, one operation
    grid.go_to("D1")
    grid.page.keyboard.type("one")
    grid.press("Control+Enter")  # a single cell gets a second line
    grid.type("two")
    grid.expect_cell("D1", "one\ntwo")


def test_the_title_has_room_on_a_narrow_screen(open_own: OpenOwn) -> None:
    grid, _, _ = open_own(), open_own(), open_own()
    grid.page.set_viewport_size({"width": 390, "height": 700})
    grid.expect_status("Saved")
    expect(grid.page.locator(".badge")).to_have_count(2)
    title = grid.page.locator("#title")
    title.evaluate("(title) => { title.textContent = 'A title of some length'; }")
    assert title.evaluate("(title) => title.offsetWidth") >= 150
    assert grid.page.evaluate("document.documentElement.scrollWidth") == 390


def test_text_without_a_key_begins_editing(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.type("replaced")
    grid.press("ArrowUp")
    grid.page.keyboard.insert_text("🙂")  # as emoji pickers send it
    grid.type(" smile")
    grid.expect_cell("A1", "🙂 smile")
    grid.type("typed")
    grid.expect_cell("A2", "typed")
    grid.page.keyboard.insert_text("again")
    grid.press("Enter")
    grid.expect_cell("A3", "again")
    grid.expect_saved()
