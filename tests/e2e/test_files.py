"""Files: out by the sheet's menu, in by the page for it, with what a person sees meanwhile."""

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import BrowserContext, FilePayload, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage
from tests.e2e.people import PASSWORD, sign_in
from tests.servers.sheetsync import run_manage

pytestmark = [
    pytest.mark.xdist_group("files"),  # they share a server and a browser
    pytest.mark.developed,  # what `make run` serves is tried out, too
]

MAKE_ALICE = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_user('alice', password={PASSWORD!r})"
)

Open = Callable[..., GridPage]


def csv_file(text: str, name: str = "prices.csv", encoding: str = "utf-8") -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode(encoding)}


def test_a_sheet_leaves_by_its_menu(open_own: Open) -> None:
    grid = open_own()
    grid.go_to("A1")
    grid.type("5")
    grid.go_to("B1")
    grid.type("-x")
    grid.expect_saved()
    with grid.page.expect_download() as download:
        grid.choose("Download as CSV")
    assert download.value.suggested_filename.endswith(".csv")
    assert Path(download.value.path()).read_text("utf-8-sig") == "5,'-x\n"
    with grid.page.expect_download() as download:
        grid.choose("Download as XLSX")
    data = io.BytesIO(Path(download.value.path()).read_bytes())
    assert openpyxl.load_workbook(data).active["A1"].value == 5


def test_a_file_comes_in_while_somebody_else_looks_on(
    open_own: Open, own_server: OwnServer, own_sheet: str
) -> None:
    bob, alice = open_own(), open_own()
    alice.choose("Import a file…")
    page = alice.page
    expect(page.get_by_role("heading", name="Import a file")).to_be_visible()
    start = page.get_by_role("button", name="Import")
    expect(start).to_be_disabled()
    page.get_by_label("A CSV or XLSX file").set_input_files(
        csv_file("Größe;=1+1\n007;=1+2\n", encoding="cp1252")
    )
    preview = page.get_by_role("region", name="The first rows")
    expect(preview).to_contain_text("Größe")
    expect(page.locator("#found")).to_have_text("cp1252, ;")
    page.get_by_label("Between fields").select_option("|")
    expect(preview).to_contain_text("Größe;=1+1")
    page.get_by_label("Between fields").select_option("")
    expect(page.locator("#found")).to_have_text("cp1252, ;")
    page.get_by_label("Column A").select_option("text")
    page.get_by_label("Column B").select_option("no formulas")
    page.get_by_label("Where its first cell goes").fill("B2")
    start.click()
    page.wait_for_url(f"{own_server.url}/sheets/{own_sheet}/")
    bob.expect_cells("B2", [["Größe", "=1+1"], ["007", "=1+2"]])
    bob.go_to("B3")
    expect(bob.page.locator("#formula")).to_have_value("'007")
    bob.press("Control+c")
    assert bob.clipboard() == "007"
    bob.go_to("B5")
    bob.press("Control+v")
    bob.go_to("B6")
    bob.type('=ISTEXT(B5)&"/"&B5')
    bob.expect_cells("B5", [["007"], ["TRUE/007"]])


def test_who_imported_takes_it_back_with_one_undo(
    open_own: Open, own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    run_manage(own_server.environment, "shell", "-v", "0", "-c", MAKE_ALICE)
    context = own_context()
    sign_in(context.new_page(), own_server, "alice")
    alice, bob = open_own(context), open_own()
    alice.go_to("A1")
    alice.type("mine")
    alice.expect_saved()
    alice.choose("Import a file…")
    page = alice.page
    expect(page.locator("#import")).to_contain_text("Undo in the sheet takes an import back.")
    rows = "".join(f"{row},b,c,d,e\n" for row in range(1, 2_501))  # the sheet grows, three commits
    page.get_by_label("A CSV or XLSX file").set_input_files(csv_file(rows))
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(alice.url)
    bob.expect_cells("A1", [["1", "b"], ["2", "b"]])
    bob.go_to("B2")
    bob.type("bob's")
    bob.expect_saved()
    alice.expect_cells("B2", [["bob's"]])
    page.get_by_role("button", name="Undo").click()
    for grid in (bob, alice):
        grid.expect_cells("A1", [["mine", ""], ["", "bob's"], ["", ""]])
    page.get_by_role("button", name="Redo").click()
    bob.expect_cells("A1", [["1", "b"], ["2", "bob's"], ["3", "b"]])


def test_a_file_becomes_a_new_sheet(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    page = own_context().new_page()
    page.goto(f"{own_server.url}/")
    page.get_by_role("link", name="Import").click()
    book = openpyxl.Workbook()
    book.active.append(["from a workbook", 7])
    data = io.BytesIO()
    book.save(data)
    workbook: FilePayload = {"name": "Book.xlsx", "mimeType": "", "buffer": data.getvalue()}
    page.get_by_label("A CSV or XLSX file").set_input_files(workbook)
    expect(page.get_by_role("region", name="The first rows")).to_contain_text("from a workbook")
    expect(page.get_by_label("Between fields")).to_be_hidden()
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/sheets/*/")
    expect(page.get_by_role("heading", name="Book")).to_be_visible()
    expect(page.get_by_role("gridcell", name="from a workbook")).to_be_visible()


def test_what_is_refused_says_why(open_own: Open) -> None:
    grid = open_own()
    grid.choose("Import a file…")
    page = grid.page
    page.get_by_label("A CSV or XLSX file").set_input_files(csv_file("x", "old.xls"))
    expect(page.get_by_role("alert")).to_contain_text("The file cannot be read.")
    expect(page.get_by_role("button", name="Import")).to_be_disabled()
    page.get_by_label("A CSV or XLSX file").set_input_files(
        csv_file("a,b\n" * 100_000 + "x" * 33_000)
    )
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("The file is too large. (row 100,001")
    expect(page.get_by_role("button", name="Import")).to_be_enabled()


def test_an_import_is_cancelled(open_own: Open, own_server: OwnServer, own_sheet: str) -> None:
    grid = open_own()
    grid.choose("Import a file…")
    page = grid.page
    page.get_by_label("A CSV or XLSX file").set_input_files(csv_file("a,b,c,d,e\n" * 80_000))
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#progress")).to_contain_text("of 80,000")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress")).to_contain_text("Cancelled.")
    expect(page.get_by_role("button", name="Import")).to_be_enabled()
