"""Who asks for German gets German: on the pages, and in all that a sheet says while it is used."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage

pytestmark = pytest.mark.xdist_group("german")  # they share a server and a browser

Open = Callable[..., GridPage]

_SAID = """() => {
  const names = ["aria-label", "aria-description", "alt", "title", "placeholder"];
  const said = (element) => element.tagName === "NOSCRIPT" ? [] : [
    ...[...element.childNodes].filter(({nodeType}) => nodeType === Node.TEXT_NODE)
      .map(({data}) => data),
    ...names.map((name) => element.getAttribute(name) ?? ""),
  ];
  const elements = [...document.querySelectorAll("body, body *")];
  return [document.title, ...elements.flatMap(said)].filter((text) => text.trim() !== "");
}"""

# Words that no German sentence has, one or more of them in nearly every English one.
_ENGLISH = re.compile(
    r"\b(?:the|and|of|to|by|for|from|with|without|or|is|are|has|have|been|not|no|yet|it|your?|"
    r"this|that|what|who|here|there|cells?|rows?|columns?|sheets?|texts|people|share|sign|"
    r"search|find|replace|copy|cut|paste|clear|undo|redo|insert|delete|move|sort|add|freeze|"
    r"bold|italic|align|wrap|format|decimals?|colou?r|fill|light|dark|red|number|currency|date|"
    r"time|saved|saving|loading|connecting|title|create|password|username|close|help|shift|"
    r"ctrl|sum|average|count|language|smaller|larger)\b",
    re.IGNORECASE,
)


def english(page: Page) -> list[str]:
    """Return what the page says, seen or read aloud, that is English."""
    said: list[str] = page.evaluate(_SAID)
    return [text for text in said if _ENGLISH.search(text.replace("English", ""))]


@pytest.fixture
def german(own_context: Callable[..., BrowserContext]) -> BrowserContext:
    return own_context(locale="de-DE")


def test_pages_are_german_until_another_language_is_chosen(
    own_server: OwnServer, german: BrowserContext
) -> None:
    page = german.new_page()
    for path, heading in [
        ("/", "Tabellen"),
        ("/?q=zzz", "Tabellen"),
        ("/accounts/login/", "Anmelden"),
        ("/accounts/sign-up/", "Registrieren"),
        ("/sheets/nowhere/", "Unter dieser Adresse gibt es keine Tabelle"),
    ]:
        page.goto(own_server.url + path)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("h1")).to_have_text(heading)
        assert english(page) == []
    page.goto(own_server.url + "/accounts/login/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Sign in")
    page.goto(own_server.url)
    expect(page.locator("h1")).to_have_text("Sheets")


def test_a_sheet_speaks_german_and_writes_numbers_so(
    open_own: Open, german: BrowserContext
) -> None:
    grid = open_own(german)
    page = grid.page
    toolbar = page.get_by_role("toolbar")
    grid.expect_status("Gespeichert")
    grid.go_to("A1")
    grid.type("1234.5")
    grid.type("20")
    grid.expect_status("Gespeichert")
    grid.go_to("A1:A2")
    toolbar.get_by_role("button", name="Zahlenformat").click()
    assert english(page) == []
    page.get_by_role("menuitemradio", name="Zahl", exact=False).nth(1).click()
    grid.expect_cells("A1", [["1.234,50"], ["20,00"]])
    expect(page.locator(".sums")).to_contain_text("Summe1.254,50")
    expect(page.locator(".sums")).to_contain_text("Anzahl2")
    fett = toolbar.get_by_role("button", name="Fett")
    expect(fett).to_have_attribute("title", "Fett (Strg+B)")
    fett.click()
    grid.press("Control+z", "Control+y")
    assert english(page) == []


def test_what_opens_over_a_sheet_is_german(open_own: Open, german: BrowserContext) -> None:
    grid = open_own(german)
    page = grid.page
    grid.type("Umsatz")
    grid.go_to("B2:C3")
    grid.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="2 Zeilen darüber einfügen")).to_be_visible()
    assert english(page) == []
    grid.press("Escape")
    page.get_by_role("button", name="Füllfarbe").click()
    expect(page.get_by_role("dialog", name="Füllfarbe")).to_be_visible()
    assert english(page) == []
    grid.press("Escape")
    page.get_by_role("button", name="Fixieren").click()
    expect(page.get_by_role("menuitem", name="Bis Zeile 3 fixieren")).to_be_visible()
    assert english(page) == []
    grid.press("Escape")
    grid.press("Control+h")
    page.get_by_label("Suchen", exact=True).fill("umsatz")
    expect(page.locator(".find-count")).to_have_text("1 von 1")
    assert english(page) == []
    grid.press("Escape")
    grid.press("Control+/")
    expect(page.get_by_role("dialog", name="Tastenkürzel und Hilfe")).to_be_visible()
    assert english(page) == []


def test_remarks_and_other_people_are_told_of_in_german(
    open_own: Open, german: BrowserContext
) -> None:
    anna, bert = open_own(german), open_own()
    anna.go_to("AZ1")
    expect(anna.page.locator(".notice")).to_have_text(re.compile("^Diese Tabelle endet bei "))
    anna.go_to("nirgends")
    expect(anna.page.locator(".notice").last).to_have_text(re.compile("^Geben Sie eine Adresse"))
    anna.go_to("B2:B3")
    anna.page.keyboard.press("Control+y")
    expect(anna.page.locator(".notice").last).to_have_text("Es gibt nichts zu wiederholen.")
    bert.go_to("C3")
    anna.page.locator("#people .badge").click()
    expect(anna.page.get_by_role("menuitem", name="folgen")).to_be_visible()
    assert english(anna.page) == []
    anna.press("Escape")
    anna.go_to("B2")
    anna.page.keyboard.type("meiner")
    bert.go_to("A2")
    bert.press("Shift+Space")
    bert.choose("Delete row 2")
    lost = anna.page.get_by_role("alert")
    expect(lost.locator("p")).to_have_text(
        "Die Zelle, in die Sie gerade geschrieben haben, wurde gelöscht."
    )
    expect(lost.get_by_role("button")).to_have_text(["Text kopieren", "Verwerfen"])
    assert english(anna.page) == []
