"""What hands do in the grid: clipboard, fill, sort, rows and columns; on a real server."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for

pytestmark = pytest.mark.xdist_group("hands")  # they share a server and a browser

OpenOwn = Callable[..., GridPage]

EXCEL = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><style>
<!--table {mso-displayed-decimal-separator:"\\.";}
td {color:black; font-weight:400; white-space:nowrap; mso-number-format:General;}
.xl65 {font-weight:700; background:#FFF2CC; mso-pattern:black none;}
.xl66 {color:red; text-align:center; white-space:normal;}
--></style></head><body><table border=0 cellpadding=0><!--StartFragment--><col width=64>
<tr height=20><td colspan=2 class=xl65 width=128>Fruit  and
  more</td><td class=xl66>two<br style='mso-data-placement:same-cell;'>lines</td></tr>
<tr height=20><td>Apples</td><td align=right>12</td><td></td></tr><!--EndFragment--></table>
</body></html>"""
GOOGLE = """<meta charset='utf-8'><google-sheets-html-origin><style type="text/css"><!--td
{border: 1px solid #cccccc;}--></style><table cellspacing="0" dir="ltr"
data-sheets-root="1"><colgroup><col width="100"/></colgroup><tbody><tr style="height:21px;"><td
style="overflow:hidden;padding:2px 3px;vertical-align:bottom;font-weight:bold;color:#ff0000;">Name
</td><td style="text-align:right;background-color:#d9ead3;font-style:italic;" rowspan="2">
1,234.50</td></tr>
<tr><td style="text-decoration:line-through;">old</td></tr></tbody></table>"""
GOOGLE_CELL = """<meta charset='utf-8'><google-sheets-html-origin><style type="text/css"><!--td
{border: 1px solid #cccccc;}--></style><span style="font-size:10pt;font-family:Arial;
font-weight:bold;background-color:#d9ead3;text-align:center;color:#000" data-sheets-root="1"
data-sheets-value="{&quot;1&quot;:2,&quot;2&quot;:&quot;Total&quot;}">Total</span>"""
LIBRE = """<!DOCTYPE html><html><head><style type="text/css">body,div,table,td {font-family:
"Liberation Sans"; font-size:x-small}</style></head><body><table cellspacing="0" border="0"><tr>
<td height="17" align="left" bgcolor="#FFFF00"><b><font color="#0000FF">Blue</font></b></td>
<td align="right" sdval="3" sdnum="1033;">3</td></tr></table></body></html>"""


def put_on_clipboard(grid: GridPage, html: str, text: str) -> None:
    """Put a table on the clipboard as another program would: nothing is cleaned on the way in."""
    grid.page.evaluate(
        """([html, text]) => {
          const host = document.querySelector("#grid");
          const data = new DataTransfer();
          data.setData("text/html", html);
          data.setData("text/plain", text);
          const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
          host.dispatchEvent(event);
        }""",
        [html, text],
    )


def look(grid: GridPage, address: str) -> dict[str, Any]:
    """Return how a cell looks that is on the screen."""
    column, row = ord(address[0]) - ord("A"), int(address[1:]) - 1
    seen: str = grid.page.evaluate(
        """([row, column]) => {
          const line = [...document.querySelectorAll("#grid .row")]
            .find((one) => !one.hidden && one.getAttribute("aria-rowindex") == row + 2);
          const cell = [...line.querySelectorAll(".cell")]
            .find((one) => !one.hidden && one.getAttribute("aria-colindex") == column + 2);
          const {color, backgroundColor} = cell.style;
          return JSON.stringify({look: cell.dataset.look ?? "", color, backgroundColor});
        }""",
        [row, column],
    )
    found: dict[str, Any] = json.loads(seen)
    return found


def fill_in(grid: GridPage, address: str, text: str) -> None:
    grid.go_to(address)
    grid.copy_from_elsewhere(text)
    grid.press("Control+v")


def test_looks_travel_with_a_copy_and_an_undo_takes_both_back(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "1234.5\ttwo\n3\t4")
    alice.expect_saved()
    alice.go_to("A1:B1")
    alice.press("Control+b", "Control+Shift+Digit4", "Control+c")
    alice.go_to("C3")
    alice.press("Control+v")
    bob.expect_cells("C3", [["$1,234.50", "two"]])
    assert "bold" in look(bob, "C3")["look"]
    alice.press("Control+z")
    bob.expect_cells("C3", [["", ""]])
    assert look(bob, "C3")["look"] == ""
    alice.expect_cells("A1", [["$1,234.50", "two"]])


def test_what_is_cut_takes_its_looks_along(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "a\tb")
    alice.go_to("A1:B1")
    alice.press("Control+b", "Control+x")
    alice.go_to("B1")
    alice.press("Control+v")
    bob.expect_cells("A1", [["", "a", "b"]])
    alice.expect_saved()
    assert [look(bob, address)["look"] for address in ("A1", "B1", "C1")] == ["", "bold", "bold"]
    alice.press("Control+z")
    bob.expect_cells("A1", [["a", "b", ""]])
    assert [look(bob, address)["look"] for address in ("A1", "B1", "C1")] == ["bold", "bold", ""]


def test_values_only_leave_the_looks_as_they_are(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "1234.5")
    grid.press("Control+b", "Control+c")
    grid.go_to("B2")
    grid.press("Control+i", "Control+Shift+v")
    grid.expect_cell("B2", "1234.5")
    assert look(grid, "B2")["look"] == "italic"
    grid.press("Control+v")
    wait_for(
        grid.page, "document.querySelector('#grid .cell[data-look=bold][aria-colindex=\"3\"]')"
    )


def test_one_cell_is_pasted_into_a_range_with_its_looks(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "x")
    grid.press("Control+b", "Control+c")
    grid.go_to("B2:C3")
    grid.press("Control+v")
    grid.expect_cells("B2", [["x", "x"], ["x", "x"]])
    assert look(grid, "C3")["look"] == "bold"
    assert grid.selected == "B2:C3"


def test_tables_of_excel_google_sheets_and_libreoffice_are_read(open_own: OpenOwn) -> None:
    grid = open_own()
    put_on_clipboard(grid, EXCEL, "not this")
    grid.expect_cells("A1", [["Fruit and more", "", "two\nlines"], ["Apples", "12", ""]])
    assert look(grid, "B1") == look(grid, "A1")
    assert "bold" in look(grid, "A1")["look"]
    assert look(grid, "A1")["backgroundColor"] == "rgb(255, 242, 204)"
    assert {"wrap", "center"} <= set(look(grid, "C1")["look"].split())
    assert look(grid, "C1")["color"] == "rgb(255, 0, 0)"
    assert look(grid, "A2") == {"look": "", "color": "", "backgroundColor": ""}
    grid.go_to("A4")
    put_on_clipboard(grid, GOOGLE, "not this")
    grid.expect_cells("A4", [["Name", "1,234.50"], ["old", ""]])
    assert "bold" in look(grid, "A4")["look"]
    assert "italic" in look(grid, "B5")["look"]
    assert look(grid, "A5")["look"] == "strike"
    grid.go_to("A7")
    put_on_clipboard(grid, LIBRE, "not this")
    grid.expect_cells("A7", [["Blue", "3"]])
    assert "bold" in look(grid, "A7")["look"]
    assert look(grid, "A7")["color"] == "rgb(0, 0, 255)"
    assert look(grid, "A7")["backgroundColor"] == "rgb(255, 255, 0)"


def test_a_single_cell_of_google_sheets_brings_its_looks(open_own: OpenOwn) -> None:
    grid = open_own()
    put_on_clipboard(grid, GOOGLE_CELL, "Total")
    grid.expect_cell("A1", "Total")
    seen = look(grid, "A1")
    assert "bold" in seen["look"]
    assert seen["backgroundColor"] == "rgb(217, 234, 211)"


def test_html_without_a_table_is_pasted_as_its_text(open_own: OpenOwn) -> None:
    grid = open_own()
    put_on_clipboard(grid, "<p>one <b>two</b><img src=x onerror=alert(1)></p>", "one\ttwo")
    grid.expect_cells("A1", [["one", "two"]])


def test_the_menu_copies_and_pastes_looks_too(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "x")
    grid.press("Control+b")
    grid.choose("Copy")
    grid.go_to("B1")
    grid.press("Shift+F10")
    grid.page.get_by_role("menuitem", name="Paste", exact=False).first.click()
    grid.expect_cell("B1", "x")
    assert look(grid, "B1")["look"] == "bold"
    grid.go_to("C1")
    grid.choose("Paste values only")
    grid.expect_cell("C1", "x")
    assert look(grid, "C1")["look"] == ""


def next_frame(grid: GridPage) -> None:
    """Wait until what was just done is painted."""
    grid.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def drag_handle(grid: GridPage, *, right: float = 0, down: float = 0) -> None:
    """Drag the fill handle by so many pixels of the screen."""
    next_frame(grid)
    box = grid.page.locator(".fill-handle:not([hidden])").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = grid.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right / 2 + 3, y + down / 2 + 3)
    mouse.move(x + right, y + down)
    mouse.up()


def test_the_handle_goes_on_with_series_in_one_step(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "1\t2026-01-30\tItem 1\n3\t2026-01-31\tItem 2")
    alice.go_to("A1:C2")
    drag_handle(alice, down=45)
    bob.expect_cells("A3", [["5", "2026-02-01", "Item 3"], ["7", "2026-02-02", "Item 4"]])
    bob.expect_cell("A5", "")
    assert alice.selected == "A1:C4"
    alice.press("Control+z")
    bob.expect_cells("A3", [["", "", ""], ["", "", ""]])
    bob.expect_cell("A2", "3")
    alice.go_to("A1:A2")
    drag_handle(alice, right=200)
    bob.expect_cells("A1", [["1", "1", "1"], ["3", "3", "3"]])


def test_the_handle_follows_the_zoom_and_escape_gives_up(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "B2", "Item 1")
    for _ in range(2):
        grid.page.get_by_role("button", name="Larger").click()
    zoom = grid.page.evaluate(
        "Number(getComputedStyle(document.querySelector('#grid')).getPropertyValue('--zoom'))"
    )
    assert zoom > 1
    grid.go_to("B2")
    drag_handle(grid, down=3 * 25 * zoom)
    grid.expect_cells("B2", [["Item 1"], ["Item 2"], ["Item 3"], ["Item 4"], [""]])
    next_frame(grid)
    box = grid.page.locator(".fill-handle:not([hidden])").bounding_box()
    assert box is not None
    grid.page.mouse.move(box["x"] + 4, box["y"] + 4)
    grid.page.mouse.down()
    grid.page.mouse.move(box["x"] + 4, box["y"] + 80)
    grid.page.locator(".frame-fill:not([hidden])").wait_for()
    grid.press("Escape")
    grid.page.locator(".frame-fill").wait_for(state="hidden")
    grid.page.mouse.up()
    grid.expect_cell("B6", "")


def test_keys_fill_down_and_right(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "A1", "Item 1\t2")
    grid.go_to("A1:B3")
    grid.press("Control+d")
    grid.expect_cells("A1", [["Item 1", "2"], ["Item 1", "2"], ["Item 1", "2"]])
    grid.go_to("B3:D3")
    grid.press("Control+r")
    grid.expect_cells("B3", [["2", "2", "2"]])
    grid.press("Control+z", "Control+z")
    grid.expect_cells("A2", [["", "", "", ""], ["", "", "", ""]])


def test_a_range_is_sorted_by_menu_in_one_step(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "pear\t3\napple\t20\nfig\t")
    alice.go_to("B1")
    alice.choose("Sort by column B, Z to A")
    bob.expect_cells("A1", [["apple", "20"], ["pear", "3"], ["fig", ""]])
    alice.go_to("A1:B3")
    alice.choose("Sort by column A, A to Z")
    bob.expect_cells("A1", [["apple", "20"], ["fig", ""], ["pear", "3"]])
    alice.press("Control+z", "Control+z")
    bob.expect_cells("A1", [["pear", "3"], ["apple", "20"], ["fig", ""]])


def test_a_large_range_is_sorted_by_one_operation(
    open_own: OpenOwn, own_server: OwnServer, own_sheet: str
) -> None:
    alice, bob = open_own(), open_own()
    height, width = 900, 26  # more cells than a paste has in one operation
    alice.copy_from_elsewhere(
        "\n".join("\t".join(f"{height - row}" for _ in range(width)) for row in range(height))
    )
    alice.press("Control+v")
    alice.expect_saved()
    bob.expect_cells("A1", [["900", "900"], ["899", "899"]])
    bob.note_what_is_seen("A1", "A20")
    alice.go_to("A1")
    alice.choose("Sort by column A, A to Z")
    alice.expect_cells("A1", [["1", "1"], ["2", "2"]])
    bob.expect_cells("A1", [["1", "1"], ["2", "2"]])
    alice.expect_saved()
    kinds = own_server.shell(
        "from cells.models import Revision;"
        f"print([r.operation['kind'] for r in Revision.objects.filter(sheet__slug='{own_sheet}')])"
    )
    assert kinds.count("reorder_cells") == 1
    assert kinds.strip().endswith("'reorder_cells']")
    alice.press("Control+z")
    bob.expect_cells("A1", [["900", "900"], ["899", "899"]])
    alice.press("Control+y")
    bob.expect_cells("A1", [["1", "1"], ["2", "2"]])
    assert set(bob.seen()) == {("900", "881"), ("1", "20")}, "half of a sort was to be seen"


def test_rows_and_columns_by_keys(open_own: OpenOwn) -> None:
    alice, bob = open_own(), open_own()
    fill_in(alice, "A1", "a\tx\nb\ty")
    alice.go_to("A2")
    alice.press("Control+Alt+Equal")
    bob.expect_cells("A1", [["a", "x"], ["", ""], ["b", "y"]])
    alice.go_to("A2")
    alice.press("Control+Alt+Minus")
    bob.expect_cells("A1", [["a", "x"], ["b", "y"]])
    alice.go_to("A1")
    alice.press("Alt+Shift+ArrowDown")
    bob.expect_cells("A1", [["b", "y"], ["a", "x"]])
    alice.press("Alt+Shift+ArrowRight")
    bob.expect_cells("A1", [["y", "b"], ["x", "a"]])
    rows = int(alice.page.get_attribute("#grid", "aria-rowcount") or 0)
    alice.choose("Add 1,000 rows at the bottom")
    bob.page.locator(f"#grid[aria-rowcount='{rows + 1000}']").wait_for()


def test_below_the_last_row_as_many_are_added_as_one_says(open_own: OpenOwn) -> None:
    grid = open_own()
    count = grid.page.get_by_label("How many rows")
    expect(count).to_be_hidden()
    grid.page.evaluate("document.querySelector('.scroller').scrollTop = 1e9")
    count.fill("7")
    grid.page.get_by_role("button", name="Add rows at the bottom").click()
    expect(grid.page.locator("#grid")).to_have_attribute("aria-rowcount", "1008")
    grid.page.evaluate("document.querySelector('.scroller').scrollTop = 1e9")
    count.fill("0")
    count.press("Enter")
    expect(count).to_be_focused()  # it is told what is wrong
    count.press("Escape")
    grid.press("Control+Home")
    expect(count).to_be_hidden()
    expect(grid.page.locator("#grid")).to_have_attribute("aria-rowcount", "1008")


def test_all_is_first_the_data_around_then_everything(open_own: OpenOwn) -> None:
    grid = open_own()
    fill_in(grid, "B2", "a\tb\nc\td")
    grid.go_to("C3")
    grid.press("Control+a")
    assert grid.selected == "B2:C3"
    grid.press("Control+a")
    assert grid.selected == "All"
    grid.go_to("H9")
    grid.press("Control+a")
    assert grid.selected == "All"
    grid.go_to("A1")
    grid.press("Alt+PageDown")
    assert grid.selected not in ("A1", "B1")
    assert grid.selected.endswith("1")
    grid.press("Alt+PageUp")
    assert grid.selected == "A1"


def test_what_is_typed_fills_a_range(open_own: OpenOwn) -> None:
    grid = open_own()
    grid.go_to("A1:B2")
    grid.type("x", then="Control+Enter")
    grid.expect_cells("A1", [["x", "x"], ["x", "x"]])
    grid.press("Control+z")
    grid.expect_cells("A1", [["", ""], ["", ""]])
