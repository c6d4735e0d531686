"""A sheet's page as a person works it: keys, mouse, and what is seen."""

from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from tests.servers.process import wait_until

_PLACE = """() => {
    const { scrollLeft, scrollTop } = document.querySelector(".scroller");
    const { tagName, id, className } = document.activeElement ?? {};
    const selected = document.querySelector("#name-box").value;
    return JSON.stringify({ scrollLeft, scrollTop, selected, keyboard: [tagName, id, className] });
}"""
_CELLS = """([top, left, rows, columns]) => Array.from({length: rows}, (_, down) => {
  const isSeen = (element, name, at) => !element.hidden && element.getAttribute(name) == at + 2;
  const cells = [...document.querySelectorAll("#grid .pane:not([hidden]) .row")]
    .filter((row) => isSeen(row, "aria-rowindex", top + down))
    .flatMap((row) => [...row.children]);
  return Array.from({length: columns}, (_, across) =>
    cells.find((cell) => isSeen(cell, "aria-colindex", left + across))?.textContent);
})"""


def watch(pages: Page | BrowserContext, errors: list[str], home: str = "") -> None:
    """Note what a browser holds against a page: errors of scripts, and breaches of its policy.

    With a `home` also whatever is asked of another server.

    Chromium tells of each `securitypolicyviolation` on the console: also of frames, and of what
    happens before any script could listen. One is not a page's: HTML that a script puts on the
    clipboard is parsed by the browser, which keeps its styles and reports them all the same, at
    no line of any text.
    """

    def note(message: ConsoleMessage) -> None:
        place = message.location
        is_clipboard = (
            message.text.startswith("Applying inline style")
            and place["lineNumber"] == place["columnNumber"] == 0
        )
        is_breach = "Content Security Policy" in message.text and not is_clipboard
        if is_breach or "Permissions-Policy" in message.text:
            errors.append(f"{message.page.url if message.page else ''}: {message.text}")

    def note_stray(request: Request) -> None:
        if not request.url.startswith((home, "data:", "blob:")):
            errors.append(f"{request.url} was asked for")

    pages.on("console", note)
    pages.on("request", note_stray)
    if isinstance(pages, Page):
        pages.on("pageerror", lambda error: errors.append(str(error)))
    else:
        pages.on("weberror", lambda error: errors.append(str(error.error)))


def wait_for(page: Page, expression: str, arg: Any = None) -> Any:
    """Wait until an expression, or a function of `arg`, is true in a page, and return its value.

    Playwright's own `wait_for_function` has the page evaluate a text over and over, and its policy
    forbids that. Here each look comes by DevTools, to which no policy applies.
    """
    return wait_until(lambda: page.evaluate(expression, arg), expression)


class GridPage:
    """One browser tab on one sheet."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        watch(page, self.errors)
        page.set_default_timeout(60_000)

    def open(self) -> "GridPage":
        self.page.goto(self.url)
        self.page.locator("#workbench[data-loaded=true]").wait_for()
        return self

    # -- what is seen

    def cell(self, address: str) -> str | None:
        return self.cells(address, 1, 1)[0][0]

    def cells(self, address: str, rows: int, columns: int) -> list[list[str | None]]:
        """Return the texts on the screen from `address` on; None for what is not on it."""
        column, row = ord(address[0]) - ord("A"), int(address[1:]) - 1
        found: list[list[str | None]] = self.page.evaluate(_CELLS, [row, column, rows, columns])
        return found

    def expect_cell(self, address: str, text: str) -> None:
        self.expect_cells(address, [[text]])

    def expect_cells(self, address: str, texts: list[list[str]]) -> None:
        """Wait until these texts are on the screen."""
        column, row = ord(address[0]) - ord("A"), int(address[1:]) - 1
        arguments: list[Any] = [[row, column, len(texts), len(texts[0])], texts]
        wait_for(
            self.page,
            f"([place, texts]) => JSON.stringify(({_CELLS})(place)) === JSON.stringify(texts)",
            arg=arguments,
        )

    def stop_time(self) -> None:
        """Let nothing age any more: how long the machine takes must not decide what is recent."""
        self.page.evaluate("const now = performance.now(); performance.now = () => now")

    def note_what_is_seen(self, *addresses: str) -> None:
        """From now on, note what these cells show together whenever the page is painted."""
        places = [[int(address[1:]) - 1, ord(address[0]) - ord("A"), 1, 1] for address in addresses]
        self.page.evaluate(
            f"""(places) => {{
              window.seen = [];
              const look = () => {{
                window.seen.push(places.map((place) => ({_CELLS})(place)[0][0]));
                requestAnimationFrame(look);
              }};
              look();
            }}""",
            places,
        )

    def seen(self) -> list[tuple[str | None, ...]]:
        """Return what note_what_is_seen has noted."""
        return [tuple(texts) for texts in self.page.evaluate("window.seen")]

    def expect_saved(self) -> None:
        self.page.locator("#workbench[data-unsaved='0'][data-line=open]").wait_for()
        expect(self.page.locator("#status")).to_have_text("Saved")

    def expect_status(self, text: str) -> None:
        expect(self.page.locator("#status")).to_have_text(text)

    def described(self) -> str:
        """Return what is to be seen, where it is scrolled to, and what has the keyboard."""
        lines = self.page.locator("body").aria_snapshot(timeout=5_000).splitlines()
        filled = [line for line in lines if line.strip() != "- gridcell"]
        return "\n".join([self.page.evaluate(_PLACE), *filled[:100]])

    @property
    def selected(self) -> str:
        return self.page.input_value("#name-box")

    @property
    def revision(self) -> int:
        return int(self.page.get_attribute("#workbench", "data-revision") or -1)

    # -- what is done

    def go_to(self, address: str) -> None:
        self.page.fill("#name-box", address)
        self.page.press("#name-box", "Enter")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str, then: str = "Enter") -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press(then)

    def copy_from_elsewhere(self, text: str) -> None:
        """Put a text on the clipboard, as another program would."""
        self.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)

    def clipboard(self) -> str:
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text

    def choose(self, item: str) -> None:
        """Take an item of the menu on what is selected."""
        self.press("Shift+F10")
        self.page.get_by_role("menuitem", name=item).click()
