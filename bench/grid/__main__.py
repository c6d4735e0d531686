"""`make bench-grid`: our grid beside those that a user would pick, in one run; writes GRID.md.

Our page is measured as it is deployed, its server's place taken by a script in the page; only
the opening of a sheet of 1,000,000 cells goes to a real one.
"""

import argparse
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

from bench.grid import pages
from bench.grid.pages import Subject
from bench.grid.report import Figures, write
from bench.opening import fill_sheet
from bench.results import progress
from bench.subjects import Running, Stage, sheetsync
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.servers.sheetsync import run_manage

ROWS = 100_000
COLUMNS = 26, 100
LARGE_CELLS = 1_000_000
CHANGES_PER_SECOND = 1_000
LOADING_SECONDS = 120
RESTING_MS = 1_000  # until what a browser does for a new window of its own is done
VIEWPORT: ViewportSize = {"width": 1280, "height": 720}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="make bench-grid", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="medians are of so many (3)")
    parser.add_argument("--seconds", type=float, default=4, help="of each count of frames (4)")
    options = parser.parse_args(arguments)
    pages.build()
    figures: Figures = defaultdict(list)
    with Stage() as stage, _our_server(stage) as running, sync_playwright() as playwright:
        large = fill_sheet(running, LARGE_CELLS)
        program = next(filter(None, map(shutil.which, CHROMIUM)), None)
        if program is None:
            raise SystemExit("Chromium is not installed: apt install chromium.")
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[*CHROMIUM_ARGUMENTS, "--enable-precise-memory-info"],
        )
        origin = f"http://127.0.0.1:{running.port}"
        small = running.new_path().split("/")[-2]
        with pages.serving_peers() as peers:
            ours = Subject("sheetsync", "SheetSync", f"{origin}/sheets/{small}/", is_ours=True)
            for round_ in range(options.runs):
                progress(f"round {round_ + 1} of {options.runs}")
                for columns in COLUMNS:
                    for subject in (ours, *peers):
                        for name, value in _measure(browser, subject, columns, options.seconds):
                            figures[subject.key, columns, name].append(value)
                for name, value in _open_large(browser, f"{origin}/sheets/{large}/"):
                    figures["sheetsync", 0, name].append(value)
            sizes = {peer.key: pages.bytes_of_peer(peer.key) for peer in peers}
        browser.close()
    write(figures, [ours, *peers], sizes, ROWS, COLUMNS)


@contextmanager
def _our_server(stage: Stage) -> Iterator[Running]:
    """Serve SheetSync with its static files collected, as an image has them."""
    with sheetsync("uvicorn", "SQLite", has_redis=False).running(stage) as running:
        run_manage(running.environment, "collectstatic", "--noinput", "--verbosity=0")
        running.server.kill()  # it learns of static files when it starts
        running.server.start()
        yield running


@contextmanager
def _page(browser: Browser, script: str) -> Iterator[tuple[Page, CDPSession]]:
    context = browser.new_context(viewport=VIEWPORT, bypass_csp=True)
    context.add_init_script(script)
    page = context.new_page()
    page.wait_for_timeout(RESTING_MS)
    yield page, context.new_cdp_session(page)
    context.close()


def _measure(
    browser: Browser, subject: Subject, columns: int, seconds: float
) -> Iterator[tuple[str, float]]:
    """Yield (name of a figure, value) of one grid in a fresh page."""
    with _page(browser, subject.script(ROWS, columns)) as (page, cdp):
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(subject.address(ROWS, columns), wait_until="commit")
        page.set_default_timeout(LOADING_SECONDS * 1000)
        yield "first", page.evaluate("window.measured")
        page.wait_for_function("window.subject.isLoaded()")
        yield "heap", _heap(cdp)
        counts: list[tuple[str, Callable[[], Any]]] = [
            ("smooth", lambda: page.evaluate("(s) => scrollSmoothly(s)", seconds)),
            ("jumps", lambda: page.evaluate("(s) => jump(s)", seconds)),
            (
                "changes",
                lambda: page.evaluate(
                    "([s, n]) => takeChanges(s, n)", [seconds, CHANGES_PER_SECOND]
                ),
            ),
        ]
        for name, count in counts:
            value = count()
            progress(f"{subject.key} {columns} columns: {name} {value:.0f}")
            yield name, value
        if errors:
            raise SystemExit(f"{subject.label}: its page failed: {errors[0]}")


def _open_large(browser: Browser, url: str) -> Iterator[tuple[str, float]]:
    """Yield how long a sheet of a million cells takes to show its first, and its last."""
    script = f"{pages.WATCH}\n{OURS_IS_PAINTED}"
    with _page(browser, script) as (page, cdp):
        page.set_default_timeout(LOADING_SECONDS * 1000)
        page.goto(url, wait_until="commit")
        first = page.evaluate("window.measured")
        page.locator("#workbench[data-loaded=true]").wait_for()
        whole = page.evaluate(
            "performance.now() - performance.getEntriesByType('navigation')[0].responseEnd"
        )
        progress(f"{LARGE_CELLS:,} cells: first {first:.0f} ms, all {whole:.0f} ms")
        yield "first", first
        yield "whole", whole
        yield "heap", _heap(cdp)
        yield from page.evaluate(MODULES).items()


# As they came over the wire; what the page itself names is what it needs to start.
MODULES = """async () => {
  const first = new Set([...document.querySelectorAll("script[src]")].map(({ src }) => src));
  const all = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"));
  const sum = (some) => some.reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0);
  const needed = all.filter(({ name }) => first.has(name));
  const inline = [...document.querySelectorAll("script:not([src])")].map(({ text }) => text);
  const packed = new Blob(inline).stream().pipeThrough(new CompressionStream("gzip"));
  const within = (await new Response(packed).arrayBuffer()).byteLength;
  return {
    "files to start": needed.length, "bytes to start": within + sum(needed),
    files: all.length, bytes: within + sum(all),
  };
}"""

OURS_IS_PAINTED = """window.subject = {
  isPainted: () => [...document.querySelectorAll("#grid .cell")].some((cell) => cell.textContent),
};"""


def _heap(cdp: CDPSession) -> float:
    """Return the JavaScript heap in bytes, buffers included, after a collection of garbage."""
    cdp.send("HeapProfiler.collectGarbage")
    usage = cdp.send("Runtime.getHeapUsage")
    return float(usage["usedSize"] + usage.get("backingStorageSize", 0))


if __name__ == "__main__":
    main(sys.argv[1:])
