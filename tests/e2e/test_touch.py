"""Fingers on the grid: taps, long presses, handles, two fingers; and the zoom for those without."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.grid_page import GridPage, wait_for

pytestmark = pytest.mark.xdist_group("touch")  # they share a server and a browser

Point = tuple[float, float]
Open = Callable[..., GridPage]


class Fingers:
    """Touches as the browser gets them from a screen."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def _send(self, kind: str, points: Sequence[Point], at: float | None = None) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        moment = {} if at is None else {"timestamp": at}
        event = {"type": kind, "touchPoints": touches, **moment}
        self.session.send("Input.dispatchTouchEvent", event)

    def tap_twice(self, point: Point) -> None:
        """Tap as quickly as people do, however slow this machine is."""
        now = time.time()
        for tap in (now, now + 0.15):
            self._send("touchStart", [point], tap)
            self._send("touchEnd", [], tap + 0.05)

    def down(self, *points: Point) -> None:
        self._send("touchStart", points)

    def move(self, *points: Point) -> None:
        self._send("touchMove", points)

    def up(self) -> None:
        self._send("touchEnd", [])

    def cancel(self) -> None:
        self._send("touchCancel", [])


@pytest.fixture
def phone(own_context: Callable[..., BrowserContext], open_own: Open) -> GridPage:
    context = own_context(viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True)
    return open_own(context)


@pytest.fixture
def fingers(phone: GridPage) -> Fingers:
    return Fingers(phone.page)


def await_paint(grid: GridPage) -> None:
    grid.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def center(grid: GridPage, address: str) -> Point:
    """Return the middle of a cell that is on the screen."""
    await_paint(grid)
    column, row = ord(address[0]) - ord("A"), int(address[1:]) - 1
    found = wait_for(
        grid.page,
        """([row, column]) => {
          const seen = (one, name, at) => !one.hidden && one.getAttribute(name) == at + 2;
          const line = [...document.querySelectorAll("#grid .row")]
            .find((one) => seen(one, "aria-rowindex", row));
          const cell = [...(line?.querySelectorAll(".cell") ?? [])]
            .find((one) => seen(one, "aria-colindex", column));
          if (!cell) return null;
          const {left, top, width, height} = cell.getBoundingClientRect();
          return [left + width / 2, top + height / 2];
        }""",
        arg=[row, column],
    )
    x, y = found
    return x, y


def expect_selected(grid: GridPage, name: str) -> None:
    expect(grid.page.locator("#name-box")).to_have_value(name)


def test_a_tap_selects_and_a_second_one_edits(phone: GridPage, fingers: Fingers) -> None:
    phone.page.touchscreen.tap(*center(phone, "B3"))
    expect_selected(phone, "B3")
    expect(phone.page.locator(".editor")).to_be_hidden()
    fingers.tap_twice(center(phone, "C5"))
    expect(phone.page.locator(".editor")).to_be_visible()
    phone.type("by thumb")
    phone.expect_cell("C5", "by thumb")


def test_a_long_press_opens_the_menu_once(phone: GridPage, fingers: Fingers) -> None:
    point = center(phone, "B3")
    fingers.down(point)
    menu = phone.page.get_by_role("menu")
    expect(menu).to_be_visible()
    fingers.up()
    expect_selected(phone, "B3")
    expect(menu).to_be_visible()
    phone.page.get_by_role("menuitem", name="Insert row below").tap()
    phone.page.locator("#workbench[data-revision='1']").wait_for()


def test_a_finger_that_moves_or_is_cancelled_opens_no_menu(
    phone: GridPage, fingers: Fingers
) -> None:
    phone.page.evaluate(
        """window.menus = 0;
        addEventListener("contextmenu", () => window.menus++, true);
        addEventListener("scrollend", () => { window.rested = true; }, true);"""
    )
    x, y = center(phone, "B9")
    fingers.down((x, y))
    fingers.move((x, y - 60))
    fingers.move((x, y - 140))
    fingers.up()
    wait_for(phone.page, "window.rested")  # a fling goes on after the finger
    moved = phone.page.evaluate(
        """() => {
          const scroller = document.querySelector(".scroller");
          const moved = scroller.scrollTop;
          scroller.scrollTop = 0;
          return moved;
        }"""
    )
    assert moved > 50
    fingers.down(center(phone, "B12"))
    fingers.cancel()
    fingers.down(center(phone, "C12"), center(phone, "C16"))
    fingers.cancel()
    fingers.down(center(phone, "B14"))  # by the time of this menu the others would be there, too
    wait_for(phone.page, "window.menus > 0")
    fingers.up()
    assert phone.page.evaluate("window.menus") == 1
    phone.press("Escape")
    phone.page.touchscreen.tap(*center(phone, "B15"))  # and nothing has stuck
    expect_selected(phone, "B15")


def handle(grid: GridPage, which: str) -> Point:
    await_paint(grid)
    box = grid.page.locator(f".handle-{which}").bounding_box()
    assert box is not None
    assert box["width"] >= 44
    assert box["height"] >= 44
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_handles_extend_the_selection_from_both_corners(phone: GridPage, fingers: Fingers) -> None:
    phone.page.touchscreen.tap(*center(phone, "B5"))
    expect_selected(phone, "B5")
    fingers.down(handle(phone, "end"))
    fingers.move(center(phone, "B7"))
    fingers.move(center(phone, "C8"))
    fingers.up()
    expect_selected(phone, "B5:C8")
    fingers.down(handle(phone, "start"))
    fingers.move(center(phone, "B4"))
    fingers.move(center(phone, "A3"))
    fingers.cancel()
    expect_selected(phone, "A3:C8")
    fingers.down(center(phone, "B10"))  # after a cancelled drag a finger scrolls again
    fingers.move((150, 300))
    fingers.up()
    expect_selected(phone, "A3:C8")


def test_a_handle_at_the_edge_scrolls(phone: GridPage, fingers: Fingers) -> None:
    phone.page.touchscreen.tap(*center(phone, "B5"))
    expect_selected(phone, "B5")
    fingers.down(handle(phone, "end"))
    box = phone.page.locator(".body").bounding_box()
    assert box is not None
    fingers.move((200, box["y"] + box["height"] - 60))
    fingers.move((200, box["y"] + box["height"] - 5))
    wait_for(phone.page, "Number(document.querySelector('#name-box').value.split(':B')[1]) > 60")
    fingers.up()


def zoom_of(grid: GridPage) -> str:
    return grid.page.locator(".zoom-label").inner_text()


def test_two_fingers_zoom_the_grid_around_them(phone: GridPage, fingers: Fingers) -> None:
    x, y = center(phone, "B12")
    fingers.down((x - 40, y), (x + 40, y))
    for distance in (50, 60, 72):
        fingers.move((x - distance, y), (x + distance, y))
    fingers.up()
    expect(phone.page.locator(".zoom-label")).to_have_text("180%")
    at = phone.page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).parentNode.ariaRowIndex", [x, y]
    )
    assert at == "13"  # what was between the fingers still is
    phone.page.touchscreen.tap(x, y)
    expect_selected(phone, "B12")
    fingers.down((x - 100, y), (x + 100, y))
    fingers.move((x - 50, y), (x + 50, y))
    fingers.move((x - 10, y), (x + 10, y))
    fingers.up()
    expect(phone.page.locator(".zoom-label")).to_have_text("50%")
    assert phone.page.evaluate("visualViewport.scale") == 1  # the page itself has not been zoomed


def test_the_zoom_control_works_and_is_remembered(open_own: Open) -> None:
    grid = open_own()
    assert zoom_of(grid) == "100%"
    before = center(grid, "C9")
    grid.page.get_by_role("button", name="Larger").click()
    grid.page.get_by_role("button", name="Larger").click()
    assert zoom_of(grid) == "125%"
    assert center(grid, "C9")[1] > before[1]
    grid.page.mouse.click(*center(grid, "C9"))
    assert grid.selected == "C9"
    grid.type("large")
    grid.expect_cell("C9", "large")
    grid.page.reload()
    grid.open()
    assert zoom_of(grid) == "125%"
    headers: Any = grid.page.get_by_role("columnheader", name="B", exact=True).bounding_box()
    edge = headers["x"] + headers["width"] - 1
    grid.page.mouse.move(edge, headers["y"] + 8)
    grid.page.mouse.down()
    grid.page.mouse.move(edge + 125, headers["y"] + 8, steps=3)
    grid.page.mouse.up()
    header = grid.page.get_by_role("columnheader", name="B", exact=True)
    expect(header).to_have_css("width", "212px")  # 100 more, as the sheet has it
    grid.page.get_by_role("button", name="125%").click()
    assert zoom_of(grid) == "100%"


def test_what_a_finger_has_to_hit_is_large_enough(phone: GridPage, open_own: Open) -> None:
    assert phone.page.evaluate("matchMedia('(pointer: coarse)').matches")
    _ = open_own(), open_own()
    expect(phone.page.locator("#people .badge")).to_have_count(2)
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
    small = phone.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea")]
          .filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !one.closest("#grid"))
          .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
          .filter(([, {height}]) => height < 44)
          .map(([html, {height}]) => `${html} ${height}`)"""
    )
    assert small == []


def test_text_that_runs_from_right_to_left_does(open_own: Open) -> None:
    grid = open_own()
    for text in ("שלום עולם", "مرحبا 12", "plain"):
        grid.type(text)
    grid.expect_cell("A3", "plain")
    edges = grid.page.evaluate(
        """() => {
          const edgeOf = (cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            const text = range.getBoundingClientRect();
            const {left, right} = cell.getBoundingClientRect();
            return text.left - left > right - text.right ? "right" : "left";
          };
          return [...document.querySelectorAll(".cell")].filter((c) => c.textContent).map(edgeOf);
        }"""
    )
    assert edges == ["right", "right", "left"]
    grid.go_to("A1")
    grid.press("F2")
    for field in (".editor-input", "#formula"):
        direction = grid.page.locator(field).evaluate(
            "(field) => getComputedStyle(field).direction"
        )
        assert direction == "rtl", field
