"""Formulas as a person types them: what is written, copied, pointed at and completed."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage, wait_for
from tests.e2e.test_accessibility import violations
from tests.e2e.test_german import english

pytestmark = pytest.mark.xdist_group("formulas")  # they share a server and a browser

Open = Callable[..., GridPage]

EDITOR = ".editor-input"


def hold_values_back(context: BrowserContext) -> None:
    """Let formulas have no values yet: what the server sends of them loses these on its way."""

    def without(message: str | bytes) -> str | bytes:
        frame = json.loads(message)
        for _, cells in frame.get("changes", []):
            for cell in cells:
                del cell[4:]
        return json.dumps(frame)

    def connect(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        server_side.on_message(lambda message: page_side.send(without(message)))

    context.route_web_socket(lambda url: "/ws/" in url, connect)


def write(grid: GridPage, address: str, *texts: str) -> None:
    """Type texts below each other."""
    grid.go_to(address)
    for text in texts:
        grid.type(text)


def stored(server: OwnServer, sheet: str, address: str) -> str:
    """Return what the database has of a cell, by the letters and numbers of its ids."""
    column, row = ord(address[0]) - ord("A"), int(address[1:]) - 1
    return server.shell(
        "from cells.models import Cell; print(Cell.objects.get("
        f"sheet__slug='{sheet}', row={row}, column={column}).input)"
    ).strip()


def bar(grid: GridPage) -> Locator:
    return grid.page.locator("#formula")


def draft(grid: GridPage) -> str:
    """Return what is being typed over a cell."""
    return grid.page.input_value(EDITOR)


def move_row_3_to_the_top(grid: GridPage) -> None:
    """From now on what ids say is not what is seen: row 1 has the id of row 3."""
    grid.go_to("A3")
    grid.press("Shift+Space")
    for row in (2, 1):
        grid.press("Alt+Shift+ArrowUp")
        name = f"document.querySelector('#name-box').value.startsWith('{row}:')"
        wait_for(grid.page, name)


def cell_at(page: Page, row: int, column: int) -> Locator:
    return page.locator(
        f"#grid .pane-main .row[aria-rowindex='{row + 2}'] .cell[aria-colindex='{column + 2}']"
    )


def drag(page: Page, start: Locator, end: Locator) -> None:
    start.hover()
    page.mouse.down()
    end.hover()
    page.mouse.up()


def test_what_is_typed_is_kept_by_identity_and_reads_by_place(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    grid = open_own()
    write(grid, "A1", "1", "2", "3")
    move_row_3_to_the_top(grid)
    grid.go_to("C5")
    grid.type("=sum(a1:b3")
    grid.expect_saved()
    grid.expect_cell("C5", "6")
    assert stored(own_server, own_sheet, "C5") == "=SUM(A3:B2)"
    grid.go_to("C5")
    expect(bar(grid)).to_have_value("=SUM(A1:B3)")
    revision = grid.revision
    grid.press("F2")
    assert draft(grid) == "=SUM(A1:B3)"
    grid.press("Enter")  # nothing was changed, and nothing is written
    grid.expect_saved()
    assert grid.revision == revision
    other = open_own()
    other.go_to("C5")
    expect(bar(other)).to_have_value("=SUM(A1:B3)")


def test_a_formula_that_is_being_typed_follows_its_cells(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    alice, bob = open_own(), open_own()
    alice.go_to("C1")
    alice.page.keyboard.type("=A5+$B$9+")
    bob.go_to("A5")
    bob.press("Shift+Space", "Control+Alt+=")
    wait_for(alice.page, f"document.querySelector('{EDITOR}').value === '=A6+$B$10+'")
    expect(bar(alice)).to_have_value("=A6+$B$10+")
    alice.page.keyboard.type("A5*")
    cell_at(alice.page, 5, 0).click()  # what is clicked is called as it is called now
    assert draft(alice) == "=A6+$B$10+A5*A6"
    alice.press("Enter")
    alice.expect_saved()
    assert stored(own_server, own_sheet, "C1") == "=A5+$B$9+A1001*A5"
    alice.go_to("C1")
    expect(bar(alice)).to_have_value("=A6+$B$10+A5*A6")


def test_what_was_replaced_comes_back_as_it_reads_by_then(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.stop_time()
    alice.go_to("B2")
    alice.type("=A9")
    alice.expect_saved()
    bob.go_to("B2")
    bob.type("his")
    card = alice.page.locator(".offer")
    expect(card.locator(".offer-lost")).to_have_text("=A9")
    bob.go_to("A5")
    bob.press("Shift+Space", "Control+Alt+=")
    bob.expect_saved()
    wait_for(alice.page, "document.querySelectorAll('.offer').length === 1")
    card.get_by_role("button", name="Put back").click()
    assert draft(alice) == "=A10"


def test_a_fill_and_a_copy_refer_to_what_stands_as_far_away(open_own: Open) -> None:
    grid = open_own()
    write(grid, "A1", "1", "2", "3")
    write(grid, "H1", "10")
    write(grid, "B1", "=A1*$H$1")
    grid.go_to("B1:B3")
    grid.press("Control+d")
    grid.go_to("B3")
    expect(bar(grid)).to_have_value("=A3*$H$1")
    grid.go_to("B1")
    grid.page.locator(".fill-handle").hover()
    grid.page.mouse.down()
    cell_at(grid.page, 0, 3).hover()
    grid.page.mouse.up()
    grid.go_to("D1")
    expect(bar(grid)).to_have_value("=C1*$H$1")
    grid.expect_cells("B1", [["10"], ["20"], ["30"]])
    grid.go_to("B1:B2")
    grid.press("Control+c")
    assert grid.clipboard() == "10\n20"
    grid.go_to("E5")
    grid.press("Control+v")
    expect(bar(grid)).to_have_value("=D5*$H$1")
    grid.go_to("F8")
    grid.press("Control+Shift+v")
    grid.expect_cells("F8", [["10"], ["20"]])
    grid.go_to("B2")
    grid.press("Control+x")
    grid.go_to("G9")
    grid.press("Control+v")
    grid.expect_cell("B2", "")
    expect(bar(grid)).to_have_value("=A2*$H$1")


def test_a_copy_goes_to_another_sheet_and_text_from_elsewhere_is_typed(
    open_own: Open, own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    grid = open_own()
    move_row_3_to_the_top(grid)
    grid.go_to("B900")
    grid.type("=A899+$A$1")
    grid.go_to("B900")
    grid.press("Control+c")
    other = GridPage(
        grid.page.context.new_page(), f"{own_server.url}/sheets/own-{next(own_server.unused)}/"
    ).open()
    other.go_to("C2")
    other.press("Control+v")
    expect(bar(other)).to_have_value("=B1+$A$1")
    other.copy_from_elsewhere("=c2\t7")
    other.go_to("D4")
    other.press("Control+v")
    expect(bar(other)).to_have_value("=C2")
    assert other.errors == []


def test_references_have_colours_in_the_text_and_in_the_grid(open_own: Open) -> None:
    grid = open_own()
    page = grid.page
    grid.go_to("D4")
    page.keyboard.type("=SUM(a1:B2,C:C)+A1:B2+$C$3")
    spans = page.locator(".editor-colors [data-color]")
    expect(spans).to_have_text(["a1:B2", "C:C", "A1:B2", "$C$3"])
    assert [span.get_attribute("data-color") for span in spans.all()] == ["0", "1", "0", "2"]
    outlines = page.locator(".frame-outline:not([hidden])")
    expect(outlines).to_have_count(3)
    box, cells = outlines.first.bounding_box(), cell_at(page, 0, 0).bounding_box()
    assert box
    assert cells
    assert abs(box["width"] - 2 * cells["width"]) <= 2
    assert abs(box["height"] - 2 * cells["height"]) <= 2
    ink = page.eval_on_selector(
        ".editor-colors [data-color='1']", "(span) => getComputedStyle(span).color"
    )
    assert ink == page.eval_on_selector(
        ".frame-outline[data-color='1']", "(frame) => getComputedStyle(frame).borderTopColor"
    )
    grid.press("Escape")
    expect(outlines).to_have_count(0)


def test_a_click_a_drag_and_headers_point_at_cells(open_own: Open) -> None:
    grid = open_own()
    page = grid.page
    grid.go_to("E9")
    page.keyboard.type("=")
    cell_at(page, 1, 1).click()
    assert draft(grid) == "=B2"
    cell_at(page, 2, 2).click()  # another one, in its place
    assert draft(grid) == "=C3"
    page.keyboard.type("+SUM(")
    drag(page, cell_at(page, 0, 0), cell_at(page, 3, 1))
    assert draft(grid) == "=C3+SUM(A1:B4"
    page.keyboard.type(",")
    page.locator(".column-header", has_text="D").first.click()
    assert draft(grid) == "=C3+SUM(A1:B4,D:D"
    cell_at(page, 5, 0).click()
    cell_at(page, 7, 1).click(modifiers=["Shift"])
    assert draft(grid) == "=C3+SUM(A1:B4,A6:B8"
    grid.press("Control+z")
    assert draft(grid) != "=C3+SUM(A1:B4,A6:B8"  # the field's own undo goes on working
    grid.press("Control+y")
    grid.press("Enter")
    grid.go_to("E9")
    expect(bar(grid)).to_have_value("=C3+SUM(A1:B4,A6:B8)")
    grid.press("F2")
    cell_at(page, 1, 1).click()  # no reference may come behind the bracket
    assert grid.selected == "B2"


def test_arrow_keys_point_behind_an_operator_alone(open_own: Open) -> None:
    grid = open_own()
    grid.go_to("C3")
    grid.page.keyboard.type("=")
    grid.press("ArrowUp", "ArrowLeft")
    assert draft(grid) == "=B2"
    grid.press("Shift+ArrowUp", "Shift+ArrowLeft")
    assert draft(grid) == "=A1:B2"
    grid.page.keyboard.type("+")
    grid.press("ArrowDown")
    assert draft(grid) == "=A1:B2+C4"
    grid.page.keyboard.type("+1")
    grid.press("ArrowDown")  # no place for a reference: the cell is left, as ever
    assert grid.selected == "C4"
    grid.go_to("C3")
    expect(bar(grid)).to_have_value("=A1:B2+C4+1")
    grid.press("F2", "ArrowLeft", "ArrowLeft")  # in the text
    assert grid.page.eval_on_selector(EDITOR, "(field) => field.selectionStart") == 9


def test_f4_holds_rows_and_columns(open_own: Open) -> None:
    grid = open_own()
    grid.go_to("C3")
    grid.page.keyboard.type("=A1")
    seen = []
    for _ in range(4):
        grid.press("F4")
        seen.append(draft(grid))
    assert seen == ["=$A$1", "=A$1", "=$A1", "=A1"]
    grid.page.keyboard.type("+")
    grid.press("ArrowLeft", "F4", "Enter")
    grid.go_to("C3")
    expect(bar(grid)).to_have_value("=A1+$B$3")
    bar(grid).click()
    bar(grid).evaluate("(field) => field.setSelectionRange(2, 2)")
    grid.press("F4")
    expect(bar(grid)).to_have_value("=$A$1+$B$3")


def test_functions_are_offered_and_their_arguments_said(open_own: Open) -> None:
    grid = open_own()
    page = grid.page
    field = page.locator(EDITOR)
    options = page.get_by_role("option")
    grid.go_to("B2")
    page.keyboard.type("=su")
    assert options.all_text_contents()[:3] == ["SUM", "SUMIF", "SUMIFS"]
    expect(page.get_by_role("option", selected=True)).to_have_text("SUM")
    grid.press("ArrowDown")
    marked = page.get_by_role("option", selected=True)
    expect(marked).to_have_text("SUMIF")
    expect(field).to_have_attribute("aria-activedescendant", marked.get_attribute("id") or "")
    grid.press("Tab")
    assert draft(grid) == "=SUMIF("
    expect(options).to_have_count(0)
    hint = page.locator(".formula-hint")
    expect(hint).to_contain_text("SUMIF(range, criterion, [sum range])")
    expect(hint.locator("b")).to_have_text("range")
    expect(field).to_have_attribute("aria-describedby", "formula-hint")
    page.keyboard.type("A1:A9,")
    expect(hint.locator("b")).to_have_text("criterion")
    page.keyboard.type('">1",roun')
    grid.press("Escape")  # closes the list, and not the cell
    expect(options).to_have_count(0)
    page.keyboard.type("d")
    expect(options).to_have_count(0)
    assert draft(grid) == '=SUMIF(A1:A9,">1",round'
    page.keyboard.type("+ab")
    page.get_by_role("option", name="ABS").click()
    assert draft(grid) == '=SUMIF(A1:A9,">1",round+ABS('
    page.keyboard.type("B1))")
    expect(hint).to_be_hidden()
    grid.press("Escape")
    expect(page.locator(".editor")).to_be_hidden()
    page.keyboard.type("=AVERAGE")
    grid.press("Enter")
    page.keyboard.type("C1)+tod")
    grid.press("Tab")
    grid.press("Enter")
    grid.go_to("B2")
    expect(bar(grid)).to_have_value("=AVERAGE(C1)+TODAY()")


def test_a_value_says_what_it_is(open_own: Open) -> None:
    grid = open_own()
    write(grid, "A1", "=1/0", "=DATE(2026,11,27)", "=A2+1", "=A3-A2", "=A4>0", '="a"&A4')
    grid.expect_cells(
        "A1", [["#DIV/0!"], ["Nov 27, 2026"], ["Nov 28, 2026"], ["1"], ["TRUE"], ["a1"]]
    )
    cells = [cell_at(grid.page, row, 0) for row in range(6)]
    kinds = [cell.get_attribute("data-kind") for cell in cells]
    assert kinds == ["error", "number", "number", "number", "boolean", "text"]
    reason = "It divides by zero, or by an empty cell."
    expect(cells[0]).to_have_attribute("title", reason)
    expect(cells[0]).to_have_attribute("aria-description", f"Formula. {reason}")
    expect(cells[1]).to_have_attribute("aria-description", "Formula")
    grid.go_to("A2:A4")
    grid.press("Control+c")
    assert grid.clipboard() == "2026-11-27\n2026-11-28\n1"


def test_a_value_that_is_not_there_yet_is_on_its_way(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    context = own_context()
    hold_values_back(context)
    grid = open_own(context)
    write(grid, "A1", "=1+1")
    cell = cell_at(grid.page, 0, 0)
    expect(cell).to_have_attribute("data-kind", "pending")
    expect(cell).to_have_attribute("aria-description", "Formula, being calculated")
    dots = "(cell) => getComputedStyle(cell, '::before').opacity !== '0'"
    wait_for(grid.page, dots, arg=cell.element_handle())


def test_what_a_formula_needs_changes_and_its_value_with_it(open_own: Open) -> None:
    alice, bob = open_own(), open_own()
    alice.stop_time()  # the first formula waits for a worker to start
    write(alice, "A1", "1", "=A1*2")
    bob.expect_cell("A2", "2")
    bob.go_to("A1")
    bob.type("21")
    alice.expect_cell("A2", "42")
    tinted = alice.page.locator(".cell[data-tint]")
    expect(tinted).to_have_count(1)  # what bob wrote, not what came of it
    expect(tinted).to_have_text("21")
    expect(alice.page.locator(".offer")).to_have_count(1)  # of A1 alone


def test_a_search_finds_formulas_and_values_and_replaces_as_it_reads(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    grid = open_own()
    write(grid, "A1", "70", "7")
    move_row_3_to_the_top(grid)
    write(grid, "B9", "=SUM(A1:A3)")
    grid.expect_cell("B9", "77")
    grid.press("Control+h")
    find = grid.page.get_by_label("Find", exact=True)
    for text in ("a1:A3", "77"):
        find.fill(text)
        expect(grid.page.locator(".find-count")).to_have_text("1 of 1")
    find.fill("A3")
    grid.page.get_by_label("Replace with").fill("a2")
    grid.page.get_by_role("button", name="Replace", exact=True).click()
    grid.expect_saved()
    assert stored(own_server, own_sheet, "B9") == "=SUM(A3:A1)"


def test_a_sort_takes_formulas_along_by_their_values(open_own: Open) -> None:
    grid = open_own()
    for row, number in enumerate(("9", "5", "7"), start=1):
        grid.go_to(f"A{row}")
        grid.type(f"=10-B{row}", "Tab")
        grid.type(number)
    grid.expect_cells("A1", [["1"], ["5"], ["3"]])
    grid.go_to("A1:B3")
    grid.choose("Sort by column A, A to Z")
    grid.expect_cells("A1", [["1", "9"], ["3", "7"], ["5", "5"]])


def test_the_brackets_of_a_half_formula_are_closed_and_text_stays_text(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    grid = open_own()
    grid.type('=IF(A2>1,CONCAT("a(",B2')
    grid.type("=")
    grid.type("a1")
    grid.expect_saved()
    found = [stored(own_server, own_sheet, address) for address in ("A1", "A2", "A3")]
    assert found == ['=IF(A2>1,CONCAT("a(",B2))', "=", "a1"]


def test_an_input_method_is_let_alone(open_own: Open) -> None:
    """What is being composed is no place for colours, nor for cells that move."""
    alice, bob = open_own(), open_own()
    alice.go_to("C1")
    alice.page.keyboard.type('=A5&"')
    cdp = alice.page.context.new_cdp_session(alice.page)
    cdp.send("Input.imeSetComposition", {"selectionStart": 1, "selectionEnd": 1, "text": "ｋ"})
    expect(alice.page.locator(".editor.is-composing")).to_be_visible()
    bob.go_to("A5")
    bob.press("Shift+Space", "Control+Alt+=")
    alice.page.locator("#workbench[data-revision='1']").wait_for()
    assert draft(alice) == '=A5&"ｋ'
    cdp.send("Input.insertText", {"text": "か"})
    expect(alice.page.locator(EDITOR)).to_have_value('=A6&"か')
    alice.press("Enter")
    alice.go_to("C1")
    expect(bar(alice)).to_have_value('=A6&"か"')


def test_nothing_of_it_is_a_violation(open_own: Open) -> None:
    grid = open_own()
    write(grid, "A1", "=1/0", "=1+1", "=DATE(2026,1,2)")
    grid.expect_cells("A1", [["#DIV/0!"], ["2"], ["Jan 2, 2026"]])
    assert violations(grid.page) == []
    grid.page.keyboard.type("=SUM(A1:B2,C3)+IF(av")
    expect(grid.page.get_by_role("listbox")).to_be_visible()
    assert violations(grid.page) == []
    grid.press("Tab")
    expect(grid.page.locator(".formula-hint b")).to_have_text("number")
    assert violations(grid.page) == []


def test_it_speaks_german(open_own: Open, own_context: Callable[..., BrowserContext]) -> None:
    grid = open_own(own_context(locale="de-DE"))
    write(grid, "A1", "=1/0", "=NOSUCH(1)")
    grid.expect_cells("A1", [["#DIV/0!"], ["#NAME?"]])
    error = cell_at(grid.page, 0, 0)
    expect(error).to_have_attribute("title", "Sie teilt durch null oder durch eine leere Zelle.")
    other = cell_at(grid.page, 1, 0)
    expect(other).to_have_attribute("title", "Eine Funktion NOSUCH gibt es nicht.")
    grid.page.keyboard.type("=sumif(")
    hint = grid.page.locator(".formula-hint")
    expect(hint).to_contain_text("SUMIF(Bereich, Kriterium, [Summenbereich])")
    assert english(grid.page) == []
