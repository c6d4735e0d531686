"""Texts of people who mean harm, by every way in, on every page: shown as they read, and inert."""

import io
from collections.abc import Callable
from urllib.parse import quote

import openpyxl
import pytest
from playwright.sync_api import BrowserContext, FilePayload, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage
from tests.e2e.hostile import BOB, NAME, TEXTS, look, seed, shown_on
from tests.e2e.people import sign_in

pytestmark = pytest.mark.xdist_group("hostile")


def test_hostile_texts_are_shown_as_they_read_and_do_nothing(
    own_server: OwnServer, own_context: Callable[..., BrowserContext]
) -> None:
    admin_pages = seed(own_server)
    url = own_server.url
    hers, his = own_context(), own_context()
    dialogs: list[str] = []
    for context in (hers, his):
        context.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page = hers.new_page()
    page.set_default_timeout(60_000)
    sign_in(page, own_server, "alice")
    him = his.new_page()
    sign_in(him, own_server, BOB)

    # -- the sheet: cells, the bar, people, notices, its past, what a stream proposes
    alice = GridPage(page, f"{url}/sheets/hostile/").open()
    bob = GridPage(him, alice.url).open()
    alice.expect_cells("A1", [[text[:500]] for text in TEXTS])  # no column is wide enough for more
    for row, text in enumerate(TEXTS, 1):
        alice.go_to(f"A{row}")
        expect(page.locator("#formula")).to_have_value(text)
    alice.press("ArrowRight", "F2")
    alice.press("Escape")
    look(page, NAME, TEXTS[0])
    page.locator("#people button.badge").click()
    expect(page.get_by_role("menu")).to_be_visible()
    look(page, BOB)
    alice.press("Escape")
    alice.go_to(f"E{len(TEXTS) + 1}")
    expect(page.locator(".offer-proposal")).to_be_visible()
    look(page, NAME[:100], TEXTS[2])
    alice.go_to("C3")
    alice.type("mine")
    bob.expect_cell("C3", "mine")
    bob.go_to("C3")
    bob.type(TEXTS[1])
    expect(page.locator(".offer:not(.offer-proposal)")).to_be_visible()
    look(page, BOB, TEXTS[1])
    alice.go_to("C3")
    alice.choose("Show edit history")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    look(page, BOB, TEXTS[1])
    alice.press("Escape", "Control+Alt+Shift+H")
    expect(page.locator(".version").first).to_be_visible()
    look(page, NAME)
    alice.press("ArrowDown", "Enter")
    expect(page.locator(".then-bar")).to_be_visible()
    look(page, NAME)
    look(him, NAME)

    # -- pages of text, with bob still on the sheet
    for path, text in [
        ("/", NAME),
        (f"/?q={quote(NAME)}", NAME),
        (f"/?q={quote(TEXTS[0])}", TEXTS[0]),
        ("/?deleted=gone", NAME),
        ("/sheets/gone/", NAME),
        ("/sheets/hostile/share/", BOB),
        ("/sheets/hostile/protections/", BOB),
        ("/sheets/hostile/import/", NAME),
        ("/sheets/hostile/?embed", NAME),
        ("/accounts/tokens/", NAME),
        (f"/{quote(TEXTS[0])}/", ""),
        ("/api/v1/docs", ""),
        ("/api/v1/sheets", ""),
        (f"/api/v1/sheets/{quote(NAME, safe='')}", ""),
    ]:
        page.goto(url + path)
        look(page, text)
    page.goto(f"{url}/api/v1/docs")
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("button", name="Execute")).to_be_visible()
    look(page)
    page.goto(f"{url}/")
    expect(page.locator(".live-person")).to_be_visible()
    silent: list[str] = []
    for path in admin_pages:
        answer = page.goto(url + path)
        assert answer is not None
        assert answer.ok, path
        look(page)
        if NAME[:40] not in shown_on(page):
            silent.append(path)

    # Nobody's text is in these: when what was calculated, which processes there are, and a cell
    # that is not called by a name.
    of_texts = [path for path in silent if "calculation" not in path and "processbeat" not in path]
    assert of_texts == ["/admin/cells/cell/1/change/"]

    # -- files, out and in
    for kind in ("csv", "xlsx"):
        said = hers.request.get(f"{url}/sheets/hostile/export.{kind}").headers
        assert said["content-disposition"].startswith("attachment;")
        assert said["x-content-type-options"] == "nosniff"
    book = openpyxl.Workbook()
    book.active.title = "<img src=x onerror=__r"
    book.active.append([*TEXTS[:3], NAME])
    data = io.BytesIO()
    book.save(data)
    table = f'"{TEXTS[1].replace(chr(34), chr(34) * 2)}"\n'.encode()
    for name, content in ((f"{TEXTS[1]}.csv", table), (f"{TEXTS[1]}.xlsx", data.getvalue())):
        page.goto(f"{url}/import/")
        file: FilePayload = {"name": name, "mimeType": "", "buffer": content}
        page.locator("#file").set_input_files(file)
        expect(page.locator("#preview")).to_contain_text(TEXTS[1])
        look(page, TEXTS[1])
        page.locator("#start").click()
        page.wait_for_url("**/sheets/*/")
        expect(page.get_by_role("gridcell", name=TEXTS[1], exact=True).first).to_be_visible()
        look(page, TEXTS[1])
    look(him, NAME)
    assert dialogs == []
