"""How cells look: styles, number formats, frozen rows and columns, and the sums at the foot."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for
from tests.e2e.test_accessibility import violations

pytestmark = pytest.mark.xdist_group("looks")  # they share a server and a browser

Open = Callable[..., GridPage]

_PRICES = "Item\tPrice\tShare\tDay\nSensor\t1234.5\t0.125\t2026-11-25\nGateway\t20\t0.5\t2026-12-01"

_SCROLL = "(scroller, [x, y]) => { scroller.scrollLeft = x; scroller.scrollTop = y; }"


def cell(grid: GridPage, text: str) -> Locator:
    seen = ".pane:not([hidden]) .row:not([hidden]) .cell:not([hidden])"
    return grid.page.locator(seen, has_text=text)


def tool(grid: GridPage, name: str) -> Locator:
    return grid.page.get_by_role("toolbar").get_by_role("button", name=name, exact=True)


def scroll(grid: GridPage, x: int, y: int) -> None:
    grid.page.locator(".scroller").evaluate(_SCROLL, [x, y])


def fill_prices(grid: GridPage) -> None:
    grid.go_to("A1")
    grid.copy_from_elsewhere(_PRICES)
    grid.press("Control+v")
    grid.expect_cell("A3", "Gateway")


def freeze(grid: GridPage, place: str, *items: str) -> None:
    grid.go_to(place)
    for item in items:
        tool(grid, "Freeze").click()
        grid.page.get_by_role("menuitem", name=item).click()


def test_what_one_makes_bold_is_bold_for_the_other(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    fill_prices(alice)
    alice.go_to("A1:D1")
    alice.press("Control+b")
    expect(cell(alice, "Price")).to_have_css("font-weight", "700")
    expect(cell(bob, "Price")).to_have_css("font-weight", "700")
    expect(cell(bob, "Sensor")).to_have_css("font-weight", "400")
    expect(tool(alice, "Bold")).to_have_attribute("aria-pressed", "true")
    bob.go_to("B1")
    expect(tool(bob, "Bold")).to_have_attribute("aria-pressed", "true")
    bob.press("ArrowDown")
    expect(tool(bob, "Bold")).to_have_attribute("aria-pressed", "false")
    alice.press("Control+z")  # one step for all four
    expect(cell(bob, "Price")).to_have_css("font-weight", "400")
    expect(cell(bob, "Item")).to_have_css("font-weight", "400")
    alice.press("Control+y")
    expect(cell(bob, "Item")).to_have_css("font-weight", "700")
    alice.expect_saved()


def test_every_mark_has_its_key(open_own: Open) -> None:
    grid = open_own()
    grid.type("looks")
    grid.go_to("A1")
    looks = cell(grid, "looks")
    for key, css, value in [
        ("Control+i", "font-style", "italic"),
        ("Control+Shift+X", "text-decoration-line", "line-through"),
        ("Control+Shift+E", "text-align", "center"),
        ("Control+Shift+R", "text-align", "right"),
    ]:
        grid.press(key)
        expect(looks).to_have_css(css, value)
    grid.press("Alt+Shift+5")
    expect(looks).to_have_css("text-decoration-line", "none")
    grid.press("Control+\\")
    expect(looks).to_have_css("font-style", "normal")
    expect(looks).not_to_have_attribute("data-look", "italic right")
    grid.expect_cell("A1", "looks")


def test_numbers_are_shown_as_their_format_says_and_stay_what_was_typed(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    fill_prices(alice)
    alice.go_to("B2:B3")
    alice.press("Control+Shift+4")
    bob.expect_cells("B1", [["Price"], ["$1,234.50"], ["$20.00"]])
    tool(alice, "Fewer decimals").click()
    bob.expect_cells("B2", [["$1,234.5"], ["$20.0"]])
    alice.go_to("C2:C3")
    alice.press("Control+Shift+5")
    alice.expect_cells("C2", [["12.50%"], ["50.00%"]])
    alice.go_to("D2:D3")
    alice.press("Control+Shift+3")
    bob.expect_cells("D2", [["Nov 25, 2026"], ["Dec 1, 2026"]])
    alice.go_to("B2")
    expect(alice.page.locator("#formula")).to_have_value("1234.5")
    tool(alice, "Number format: Currency").click()
    alice.page.get_by_role("menuitemradio", name="Euro").click()
    bob.expect_cells("B2", [["€1,234.50"], ["$20.0"]])
    alice.type("no number")
    bob.expect_cell("B2", "no number")
    alice.go_to("B2")
    tool(alice, "Clear formatting").click()
    alice.type("0.5")
    bob.expect_cell("B2", "0.5")


def test_a_colour_is_chosen_by_keyboard_alone(open_own: Open) -> None:
    grid = open_own()
    grid.type("red on blue")
    grid.go_to("A1")
    focused = grid.page.locator(":focus")
    tool(grid, "Undo").focus()
    for _ in range(7):
        grid.press("ArrowRight")
    expect(focused).to_have_attribute("aria-label", "Bold")
    grid.press("Enter")
    expect(cell(grid, "red on blue")).to_have_css("font-weight", "700")
    grid.press("ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    expect(grid.page.get_by_role("dialog", name="Text colour")).to_be_visible()
    expect(focused).to_have_attribute("aria-label", "pink")
    grid.press("ArrowRight")
    expect(focused).to_have_attribute("aria-label", "red")
    grid.press("Enter")
    expect(cell(grid, "red on blue")).to_have_css("color", "rgb(252, 71, 52)")
    expect(focused).to_have_id("grid")
    tool(grid, "Fill colour").focus()
    grid.press("Enter", "End", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    expect(focused).to_have_attribute("aria-label", "dark purple 2")
    grid.press("ArrowLeft", "ArrowLeft", "Enter")
    expect(cell(grid, "red on blue")).to_have_css("background-color", "rgb(0, 59, 122)")
    tool(grid, "Fill colour").focus()
    grid.press("Enter")  # opens on the colour that the cell has
    expect(focused).to_have_attribute("aria-label", "dark blue 2")
    grid.press("Escape")
    expect(focused).to_have_attribute("aria-label", "Fill colour")
    grid.press("Enter", "Shift+Tab", "Enter")
    expect(cell(grid, "red on blue")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    grid.expect_saved()


def test_text_on_a_fill_is_black_or_white_whichever_can_be_read(open_own: Open) -> None:
    grid = open_own()
    grid.type("dark ground")
    grid.type("light ground")
    for place, color in [("A1", "#003b7a"), ("A2", "#fed0b1")]:
        grid.go_to(place)
        tool(grid, "Fill colour").click()
        grid.page.locator(f".swatch[data-color='{color}']").click()
    for scheme in ("light", "dark"):
        grid.page.emulate_media(color_scheme=scheme)
        expect(cell(grid, "dark ground")).to_have_css("color", "rgb(255, 255, 255)")
        expect(cell(grid, "light ground")).to_have_css("color", "rgb(20, 24, 26)")


def test_black_text_can_be_read_on_the_dark_page(open_own: Open) -> None:
    grid = open_own()
    grid.type("black")
    grid.go_to("A1")
    tool(grid, "Text colour").click()
    grid.page.locator(".swatch[data-color='#000000']").click()
    expect(cell(grid, "black")).to_have_css("color", "rgb(0, 0, 0)")
    grid.page.emulate_media(color_scheme="dark")
    expect(cell(grid, "black")).not_to_have_css("color", "rgb(0, 0, 0)")
    grid.page.emulate_media(color_scheme="light")
    expect(cell(grid, "black")).to_have_css("color", "rgb(0, 0, 0)")


def test_a_row_grows_with_what_is_wrapped_in_it(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.type("a text that is far too long for the width of its column")
    alice.go_to("A1")
    tool(alice, "Wrap text").click()
    lines = "(cell) => cell.scrollHeight <= cell.clientHeight && cell.clientHeight > 60"
    handle = cell(bob, "far too long").element_handle()
    wait_for(bob.page, lines, arg=handle)
    wait_for(alice.page, lines, arg=cell(alice, "far too long").element_handle())
    alice.press("Control+z")  # both, in one step
    wait_for(bob.page, "(cell) => cell.clientHeight < 30", arg=handle)
    alice.expect_saved()


def test_a_double_click_fits_a_row_to_its_lines(open_own: Open) -> None:
    grid = open_own()
    grid.page.keyboard.type("one")
    grid.press("Alt+Enter")
    grid.page.keyboard.type("two")
    grid.press("Alt+Enter")
    grid.type("three")
    header = grid.page.locator(".row-header:not([hidden])").first
    box = header.bounding_box()
    assert box
    grid.page.mouse.dblclick(box["x"] + 10, box["y"] + box["height"] - 1)
    expect(header).to_have_css("height", "59px")


def test_frozen_rows_and_columns_stay_while_the_rest_scrolls(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    fill_prices(alice)
    freeze(alice, "A1", "Freeze up to row 1", "Freeze up to column A")
    for grid in (alice, bob):
        expect(
            grid.page.locator(".pane-corner:not([hidden]) .cell", has_text="Item")
        ).to_be_visible()
        scroll(grid, 300, 1_000)
        grid.expect_cells("A1", [["Item"]])
        grid.expect_cell("A42", "")
        expect(cell(grid, "Sensor")).to_have_count(0)
    alice.go_to("D50")
    alice.type("far down")
    body = bob.page.locator(".body").bounding_box()
    assert body
    bob.page.mouse.click(body["x"] + 20, body["y"] + 10)  # on what is frozen
    assert bob.selected == "A1"
    bob.page.mouse.click(body["x"] + 20, body["y"] + 40)  # beside it, below
    assert bob.selected.startswith("A")
    assert int(bob.selected[1:]) > 30
    bob.press("Control+Home", "ArrowDown", "ArrowRight")
    assert bob.selected == "B2"
    frame = bob.page.locator(".frame-active").bounding_box()
    assert frame
    assert frame["x"] >= body["x"] + 110  # beside what is frozen, not under it
    assert frame["y"] >= body["y"] + 23
    freeze(bob, "A1", "Unfreeze rows", "Unfreeze columns")
    expect(alice.page.locator(".pane-corner")).to_be_hidden()
    scroll(alice, 300, 1_000)
    expect(cell(alice, "Item")).to_have_count(0)


# Scrolls in the moment before the page hears of what is frozen: no event has told it so.
_SCROLL_MEANWHILE = """() => {
  const { socket } = window.firstWords;
  const hear = socket.onmessage;
  socket.onmessage = (message) => {
    const scroller = document.querySelector(".scroller");
    if (String(message.data).includes('"frozen"')) scroller.scrollTop = 2_000;
    hear(message);
  };
}"""


def test_who_scrolls_while_rows_are_frozen_is_not_thrown_back(open_own: Open) -> None:
    grid = open_own()
    grid.page.evaluate(_SCROLL_MEANWHILE)
    freeze(grid, "A1", "Freeze up to row 1")
    grid.expect_cell("A90", "")


def test_what_is_frozen_while_another_freezing_is_on_its_way_leaves_it_be(open_own: Open) -> None:
    grid, other = open_own(), open_own()
    grid.page.context.set_offline(True)
    freeze(grid, "B3", "Freeze up to row 3", "Freeze up to column B")
    grid.page.context.set_offline(False)
    for seen in (grid, other):
        expect(seen.page.locator(".pane-top")).to_be_visible()
        expect(seen.page.locator(".pane-left")).to_be_visible()


def test_a_drag_out_of_the_scrolled_part_scrolls_back_under_what_is_frozen(open_own: Open) -> None:
    grid = open_own()
    freeze(grid, "B3", "Freeze up to row 3", "Freeze up to column B")
    scroll(grid, 0, 2_000)
    grid.expect_cell("C90", "")
    body = grid.page.locator(".body").bounding_box()
    assert body
    grid.page.mouse.move(body["x"] + 400, body["y"] + 300)
    grid.page.mouse.down()
    start = grid.selected
    grid.page.mouse.move(body["x"] + 400, body["y"] + 70)
    grid.page.mouse.move(body["x"] + 400, body["y"] + 20)  # on row 1
    wait_for(grid.page, "document.querySelector('.scroller').scrollTop === 0")
    wait_for(grid.page, "/^D1:/.test(document.querySelector('#name-box').value)")
    grid.page.mouse.up()
    assert grid.selected == f"D1:{start}"


def test_a_narrow_window_freezes_no_more_than_leaves_room(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    wide = open_own()
    freeze(wide, "F1", "Freeze up to column F")
    narrow = open_own(own_context(viewport={"width": 390, "height": 700}))
    box = narrow.page.locator(".pane-left").bounding_box()
    assert box
    assert 100 < box["width"] < 250
    narrow.go_to("K1")
    narrow.type("seen")
    expect(cell(narrow, "seen")).to_be_in_viewport(ratio=0.9)


def test_the_foot_sums_up_what_is_selected(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    fill_prices(alice)
    sums = alice.page.locator(".sums")
    alice.go_to("B2")
    expect(sums).to_be_empty()
    alice.go_to("A1:D3")
    expect(sums).to_have_text("Sum1,255.125Average313.78125Min0.125Max1,234.5Count12")
    alice.go_to("B2:B3")
    expect(sums).to_have_text("Sum1,254.5Average627.25Min20Max1,234.5Count2")
    bob.go_to("B3")
    bob.type("30.5")
    expect(sums).to_contain_text("Sum1,265")
    alice.press("Control+Shift+4")
    expect(sums).to_contain_text("Sum$1,265.00")
    alice.go_to("D2:D3")
    expect(sums).to_have_text("Count2")
    alice.press("Control+a")
    expect(sums).to_contain_text("Count12")


def test_who_may_only_look_has_no_toolbar(
    own_server: OwnServer, own_sheet: str, open_own: Open
) -> None:
    own_server.shell(
        f"from cells.models import Sheet; "
        f"Sheet.objects.filter(slug={own_sheet!r}).update(link_role='viewer')"
    )
    grid = open_own()
    expect(grid.page.locator("#toolbar")).to_be_hidden()
    grid.press("Control+b")
    grid.expect_status("View only")


def test_axe_finds_nothing_with_palette_menu_and_frozen_panes_open(open_own: Open) -> None:
    grid = open_own()
    fill_prices(grid)
    freeze(grid, "A1", "Freeze up to row 1", "Freeze up to column A")
    grid.go_to("B2:B3")
    expect(grid.page.locator(".sums")).to_contain_text("Sum")
    assert violations(grid.page) == []
    tool(grid, "Fill colour").click()
    assert violations(grid.page) == []
    grid.press("Escape")
    tool(grid, "Number format: Automatic").click()
    assert violations(grid.page) == []
