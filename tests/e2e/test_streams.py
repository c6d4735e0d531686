"""A feed in the grid: its badge, the cells that are its own, and what it proposes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage
from tests.e2e.ticks import Ticks, with_headers

pytestmark = pytest.mark.xdist_group("streams")  # they share a server and a browser

Open = Callable[..., GridPage]


@pytest.fixture
def ticks(own_server: OwnServer, own_sheet: str) -> Ticks:
    return Ticks(own_server, own_sheet)


def marked(grid: GridPage, kind: str) -> Locator:
    return grid.page.locator(f".cell[data-mark={kind}]:not([hidden])")


def badge(grid: GridPage) -> Locator:
    return grid.page.locator(".badge-feed")


def ask_again(page: Page) -> None:
    with page.expect_response(re.compile("/feeds/$")):
        page.clock.fast_forward(10_500)


def test_a_feed_has_a_badge_that_turns_in_words_when_nothing_comes(
    open_own: Open, own_context: Callable[..., BrowserContext], ticks: Ticks
) -> None:
    ticks.make()
    ticks.is_silent(12)
    context = own_context()
    context.clock.install()
    grid = open_own(context)
    expect(badge(grid)).to_have_attribute("data-state", "fine")
    said = re.compile(rf"^{ticks.name}: last message \d+ seconds ago$")
    expect(badge(grid)).to_have_attribute("aria-label", said)
    ticks.is_silent(2 * 3600 + 5)
    ask_again(grid.page)
    late = f"{ticks.name} is late: nothing for 2 hours"
    expect(badge(grid)).to_have_attribute("data-state", "stale")
    expect(badge(grid)).to_have_text(late)
    expect(grid.page.locator("#polite")).to_have_text(late)
    ticks.is_silent(1, trouble="404 on projects/demo/subscriptions/ticks")
    ask_again(grid.page)
    expect(badge(grid)).to_have_text(f"{ticks.name} cannot be heard")
    badge(grid).click()
    expect(grid.page.locator(".notice")).to_have_text(
        f"{ticks.name} cannot be heard. It writes: Symbol and Bid"
    )
    assert "404" not in grid.page.content()


def test_the_cells_of_a_stream_are_marked_live_until_a_person_types(
    open_own: Open, ticks: Ticks
) -> None:
    alice, bob = with_headers(open_own()), open_own()
    ticks.make()
    ticks.send(("EUR", "1.09"), ("USD", "1"))
    for grid in (alice, bob):
        grid.expect_cells("A1", [["Symbol", "Bid"], ["EUR", "1.09"], ["USD", "1"]])
        expect(marked(grid, "stream")).to_have_count(3)
        assert sorted(marked(grid, "stream").all_text_contents()) == ["1", "1.09", "USD"]
    alice.go_to("B2")
    expect(alice.page.locator(".origin")).to_have_text(f"From {ticks.name}")
    active = alice.page.locator("#grid").evaluate(
        "(grid) => document.getElementById(grid.getAttribute('aria-activedescendant'))"
        ".ariaDescription"
    )
    assert active == f"From {ticks.name}"
    bob.go_to("B2")
    bob.type("2")
    alice.expect_cell("B2", "2")
    for grid in (alice, bob):
        expect(marked(grid, "stream")).to_have_count(2)
    expect(alice.page.locator(".origin")).to_have_text("")
    again = open_own()
    expect(marked(again, "stream")).to_have_count(2)


def test_rows_are_asked_about_once_and_when_scrolling_rests(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    context = own_context()
    context.clock.install()
    asked: list[str] = []
    context.on("request", lambda one: asked.append(one.url) if "/owned/" in one.url else None)
    with context.expect_event("response", lambda one: "/owned/" in one.url):
        grid = open_own(context)
    with grid.page.expect_response(re.compile("/owned/")):
        grid.go_to("A400")
    for place in ("A1", "A400"):
        grid.go_to(place)
        grid.expect_cell(place, "")
        grid.page.clock.fast_forward(3_000)  # it rests, and nothing is asked
    with grid.page.expect_response(re.compile("/owned/")):
        grid.go_to("A800")
    rows = [re.findall(r"rows=(\d+)-(\d+)", url) for url in asked]
    firsts = [int(first) for spans in rows for first, _ in spans]
    assert len(firsts) == 3, rows
    assert firsts[0] == 0 < 370 < firsts[1] < 400 < 770 < firsts[2]


def test_a_sheet_without_feeds_is_asked_about_once_a_minute(
    open_own: Open, own_context: Callable[..., BrowserContext]
) -> None:
    context = own_context()
    context.clock.install()
    asked: list[str] = []
    context.on(
        "request", lambda one: asked.append(one.url) if one.url.endswith("/feeds/") else None
    )
    with context.expect_event("response", lambda one: one.url.endswith("/feeds/")):
        grid = open_own(context)
    page = grid.page
    page.clock.fast_forward(45_000)
    grid.go_to("A390")  # whatever was due has been asked before what this asks
    page.wait_for_event("response", lambda one: "/owned/" in one.url)
    assert len(asked) == 1
    with page.expect_response(re.compile("/feeds/$")):
        page.clock.fast_forward(20_000)
    assert len(asked) == 2
    expect(page.locator(".feeds")).to_be_hidden()


def test_who_may_only_look_sees_a_proposal_and_has_no_say(open_own: Open, ticks: Ticks) -> None:
    ticks.make("propose")
    with_headers(open_own())
    ticks.send(("EUR", "1.09"))
    ticks.server.shell(
        f"from cells.models import Sheet; "
        f"Sheet.objects.filter(slug={ticks.slug!r}).update(link_role='viewer')"
    )
    carol = open_own()
    carol.go_to("B2")
    card = carol.page.locator(".offer-proposal")
    expect(card).to_have_text(f"{ticks.name} proposes “1.09”", use_inner_text=True)
    expect(card.get_by_role("button")).to_have_count(0)


def test_a_proposal_is_accepted_by_keyboard_and_can_be_undone(open_own: Open, ticks: Ticks) -> None:
    ticks.make("propose")
    alice = with_headers(open_own())
    ticks.send(("EUR", "1.09"))
    bob = open_own()
    expect(marked(bob, "proposal")).to_have_text(["1"])
    card = bob.page.locator(".offer-proposal")
    expect(card).to_have_count(0)
    bob.go_to("B2")
    expect(card.locator(".offer-text")).to_have_text(f"{ticks.name} proposes “1.09”")
    expect(bob.page.locator("#polite")).to_have_text(re.compile("in B2. Press Ctrl.F6"))
    bob.press("Control+F6")
    expect(card.get_by_role("button", name="Accept")).to_be_focused()
    bob.press("Enter")
    bob.expect_cell("B2", "1.09")
    alice.expect_cell("B2", "1.09")
    expect(card).to_have_count(0)
    expect(marked(bob, "proposal")).to_have_count(0)
    assert bob.page.evaluate("document.activeElement.id") == "grid"
    bob.press("Control+z")
    alice.expect_cell("B2", "1")


def test_a_proposal_is_dismissed_for_everybody(open_own: Open, ticks: Ticks) -> None:
    ticks.make("propose")
    with_headers(open_own())
    ticks.send(("EUR", "1.09"))
    bob = open_own()
    bob.go_to("B2")
    card = bob.page.locator(".offer-proposal")
    with bob.page.expect_response(re.compile("/feeds/dismiss/")) as answer:
        card.get_by_role("button", name="Dismiss").click()
    assert answer.value.json() == {"dismissed": True}
    expect(card).to_have_count(0)
    carol = open_own()
    expect(badge(carol)).to_have_count(1)
    expect(marked(carol, "proposal")).to_have_count(0)
    ticks.send(("EUR", "1.10"))
    dora = open_own()
    expect(marked(dora, "proposal")).to_have_text(["1"])


def test_what_could_not_be_dismissed_is_open_again(open_own: Open, ticks: Ticks) -> None:
    ticks.make("propose")
    with_headers(open_own())
    ticks.send(("EUR", "1.09"))
    bob = open_own()
    bob.page.route("**/feeds/dismiss/", lambda route: route.abort())
    bob.go_to("B2")
    card = bob.page.locator(".offer-proposal")
    card.get_by_role("button", name="Dismiss").click()
    expect(bob.page.locator(".notice")).to_contain_text("could not be dismissed")
    expect(card).to_have_count(1)
    bob.type("2")  # answers it, too
    bob.press("ArrowUp")
    bob.expect_saved()
    expect(card).to_have_count(0)
