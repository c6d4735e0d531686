"""The grid in a real browser, on a real server: what a person does and sees."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.grid_page import GridPage
from tests.servers.databases import Databases
from tests.servers.process import free_port
from tests.servers.sheetsync import WebServer, run_manage, runserver

pytestmark = pytest.mark.xdist_group("grid")  # they share a server and a browser

_MAKE_SHEET = (
    "from cells.models import LinkRole; from cells.services.access import create_sheet; "
    "create_sheet(None, {title!r}, slug={slug!r}, link_role=LinkRole({link_role!r}))"
)

OpenSheet = Callable[..., GridPage]


@pytest.fixture(scope="module")
def server(
    new_database: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """One embedded server for the file, as `make run` starts it; each test has its own sheets."""
    folder = tmp_path_factory.mktemp("grid")
    environment = {"DATABASE_URL": new_database("sqlite")}
    code = "; ".join(
        _MAKE_SHEET.format(title="Grid", slug=f"{link_role}-{number}", link_role=link_role)
        for link_role, count in (("editor", 24), ("viewer", 1))
        for number in range(count)
    )
    run_manage(environment, "shell", "-v", "0", "-c", code)
    port = free_port()
    server = WebServer(environment, log=folder / "web.log", command=runserver(port), port=port)
    server.start()
    yield server
    server.kill()


_unused = iter(range(24))


@pytest.fixture
def sheet() -> str:
    """The slug of an empty sheet that any guest may edit."""
    return f"editor-{next(_unused)}"


@pytest.fixture
def person(browser: Browser, server: WebServer) -> Iterator[Callable[[], BrowserContext]]:
    """Make browsers of different people; their pages must have had no script error."""
    made: list[BrowserContext] = []

    def make() -> BrowserContext:
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def open_sheet(server: WebServer, person: Callable[[], BrowserContext]) -> Iterator[OpenSheet]:
    """Open a sheet in a tab of its own: `open_sheet(slug)`, `open_sheet(slug, context)`."""
    opened: list[GridPage] = []

    def open_(slug: str, context: BrowserContext | None = None) -> GridPage:
        page = (context or person()).new_page()
        opened.append(GridPage(page, f"{server.url}/sheets/{slug}/"))
        return opened[-1].open()

    yield open_
    assert [error for grid in opened for error in grid.errors] == []


def test_what_one_types_the_other_sees(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
    alice.go_to("B2")
    alice.type("from alice")
    bob.expect_cell("B2", "from alice")
    bob.go_to("B3")
    bob.type("from bob")
    alice.expect_cell("B3", "from bob")
    alice.expect_saved()
    bob.expect_saved()
    assert alice.revision == bob.revision == 2


def test_others_are_seen_by_name_where_they_are(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
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


def test_keys_lead_where_spreadsheets_lead(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_the_header_is_reached_and_left_by_keyboard(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
    focused = "document.activeElement.id || document.activeElement.textContent.trim()"
    grid.press("Control+F6")
    assert grid.page.evaluate("document.activeElement.closest('.foot') !== null")
    grid.press("Control+F6")
    assert grid.page.evaluate("document.activeElement.title") == "All sheets"
    grid.press("Tab")
    assert grid.page.evaluate(focused) == "help-button"
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


def test_escape_restores_and_typing_replaces(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_ranges_travel_through_the_clipboard(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_a_paste_beyond_the_edge_makes_room(open_sheet: OpenSheet, sheet: str) -> None:
    grid, other = open_sheet(sheet), open_sheet(sheet)
    lines = [f"{number}\tb{number}\tc{number}" for number in range(12_000)]
    grid.copy_from_elsewhere("\n".join(lines))
    grid.go_to("Y990")
    grid.press("Control+v")
    grid.expect_saved()
    expect(grid.page.locator("#grid")).to_have_attribute("aria-rowcount", str(989 + 12_000 + 1))
    for page in (grid, other):
        page.go_to("AA12989")
        page.page.wait_for_function("document.querySelector('#formula').value === 'c11999'")


def test_edits_made_without_a_server_survive_a_reload(
    open_sheet: OpenSheet, sheet: str, server: WebServer
) -> None:
    grid = open_sheet(sheet)
    server.kill()
    try:
        grid.expect_status("Reconnecting…")
        grid.type("first")
        grid.type("second")
        grid.expect_status("Offline: 2 edits waiting")
        grid.expect_cells("A1", [["first"], ["second"]])
        grid.page.goto("about:blank")
    finally:
        server.start()
    grid.open()
    grid.expect_cells("A1", [["first"], ["second"]])
    grid.expect_saved()
    assert grid.revision == 2


def test_edits_of_a_closed_tab_are_sent_by_the_next(
    open_sheet: OpenSheet, sheet: str, server: WebServer, person: Callable[[], BrowserContext]
) -> None:
    context = person()
    closed, living = open_sheet(sheet, context), open_sheet(sheet, context)
    server.kill()
    try:
        closed.expect_status("Reconnecting…")
        closed.type("left behind")
        closed.expect_status("Offline: 1 edit waiting")
        living.expect_status("Reconnecting…")
        closed.page.close()
    finally:
        server.start()
    living.expect_cell("A1", "left behind")
    living.expect_saved()
    assert living.revision == 1


def test_a_duplicated_tab_is_a_client_of_its_own(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
    with grid.page.context.expect_page() as opened:  # a copy, its sessionStorage too
        grid.page.evaluate("window.open(location.href)")
    copy = GridPage(opened.value, grid.url)
    copy.page.locator("#workbench[data-loaded=true]").wait_for()
    for page, text in ((grid, "from the first"), (copy, "from the copy")):
        page.page.bring_to_front()
        expect(page.page.locator(".badge")).to_have_count(1)
        page.go_to("A1")
        page.type(text)
        page.expect_saved()
    copy.page.locator("#workbench[data-revision='2']").wait_for()


def test_what_is_being_typed_when_the_page_goes_is_kept(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
    grid.page.keyboard.type("half a thought")
    grid.page.reload()
    grid.expect_cell("A1", "half a thought")
    grid.expect_saved()


def test_no_edit_is_lost_or_doubled_while_the_server_dies_and_returns(
    open_sheet: OpenSheet, sheet: str, server: WebServer
) -> None:
    grid = open_sheet(sheet)
    for number in range(60):
        if number == 20:
            server.kill()
        if number == 40:
            server.start()
        grid.type(str(number))
    grid.expect_saved()
    grid.press("Control+Home")
    grid.expect_cells("A1", [[str(number)] for number in range(20)])
    assert grid.revision == 60


def test_a_viewer_looks_and_copies_but_does_not_write(open_sheet: OpenSheet) -> None:
    grid = open_sheet("viewer-0")
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


def test_the_open_editor_stays_with_its_cell(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
    alice.go_to("B3")
    alice.page.keyboard.type("half")
    bob.go_to("A1")
    bob.choose("Insert row above")
    alice.page.wait_for_function("document.querySelector('#name-box').value === 'B4'")
    alice.type(" and half")
    alice.expect_cells("B3", [[""], ["half and half"]])
    bob.expect_cells("B3", [[""], ["half and half"]])


def test_what_was_typed_into_a_deleted_row_comes_back(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
    alice.go_to("B3")
    alice.page.keyboard.type("precious")
    bob.go_to("A3")
    bob.choose("Delete row 3")
    notice = alice.page.get_by_role("alert")
    expect(notice).to_contain_text("has been deleted")
    expect(notice).to_contain_text("precious")
    notice.get_by_role("button", name="Copy text").click()
    assert alice.clipboard() == "precious"


def test_typing_on_after_a_deletion_reaches_no_neighbour(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
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


def test_a_double_click_on_a_border_fits_the_column(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_no_line_of_a_cell_is_cut_in_half(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
    grid.copy_from_elsewhere('"first\nsecond\nthird"\tsingle')
    grid.press("Control+v")
    grid.expect_cell("B1", "single")
    [[single, _]] = grid.page.evaluate(_LINES, "single")
    lines = grid.page.evaluate(_LINES, "first\nsecond\nthird")
    assert len(lines) == 3
    assert abs(lines[0][0] - single) <= 0.5  # on the line of its neighbours
    assert lines[1][1] >= 0  # the second begins below the cell


def test_what_a_deletion_took_with_it_is_said(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_a_refusal_speaks_of_no_ids(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
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


def test_control_enter_fills_the_range(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_the_title_has_room_on_a_narrow_screen(open_sheet: OpenSheet, sheet: str) -> None:
    grid, _, _ = open_sheet(sheet), open_sheet(sheet), open_sheet(sheet)
    grid.page.set_viewport_size({"width": 390, "height": 700})
    grid.expect_status("Saved")
    expect(grid.page.locator(".badge")).to_have_count(2)
    title = grid.page.locator("#title")
    title.evaluate("(title) => { title.textContent = 'A title of some length'; }")
    assert title.evaluate("(title) => title.offsetWidth") >= 150
    assert grid.page.evaluate("document.documentElement.scrollWidth") == 390


def test_text_without_a_key_begins_editing(open_sheet: OpenSheet, sheet: str) -> None:
    grid = open_sheet(sheet)
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


def test_rows_and_columns_move_and_grow(open_sheet: OpenSheet, sheet: str) -> None:
    alice, bob = open_sheet(sheet), open_sheet(sheet)
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
