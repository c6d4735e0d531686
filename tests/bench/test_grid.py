from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from bench.grid import pages, report
from bench.grid.pages import Subject
from tests.servers.databases import Databases
from tests.servers.sheetsync import WebServer

OURS = Subject("sheetsync", "SheetSync", "", is_ours=True)
PEER = Subject("glide", "Glide", "")


def test_the_best_of_a_row_is_marked_whichever_way_is_better() -> None:
    table = report._table(
        {
            ("sheetsync", 26, "first"): [100, 300, 200],
            ("glide", 26, "first"): [900, 901, 902],
            ("sheetsync", 26, "smooth"): [50],
            ("glide", 26, "smooth"): [59.8],
            ("sheetsync", 26, "jumps"): [59.6],
            ("glide", 26, "jumps"): [60.2],
            ("sheetsync", 26, "changes"): [1],
            ("glide", 26, "changes"): [2],
            ("sheetsync", 26, "heap"): [3_000_000],
            ("glide", 26, "heap"): [2_000_000],
        },
        [OURS, PEER],
        26,
    )
    lines = {line.split(" | ")[0]: line for line in table.splitlines()}
    assert lines["| first cell painted, ms after HTML"].endswith("| **200** | 901 |")
    assert lines["| frames/s, scrolling smoothly"].endswith("| 50 | **60** |")
    assert lines["| frames/s, a jump in each frame"].endswith("| **60** | **60** |")
    assert lines["| JavaScript heap, MB"].endswith("| 3 | **2** |")


@pytest.mark.xdist_group("grid")
def test_our_page_shows_what_the_script_in_the_place_of_the_server_says(
    web_server: Callable[..., WebServer], new_database: Databases, browser: Browser
) -> None:
    environment = {"DATABASE_URL": new_database("sqlite", "bench-grid")}
    server = web_server(environment)
    context = browser.new_context(bypass_csp=True)  # as the bench has it: it evaluates texts
    context.add_init_script(OURS.script(2_000, 26))
    page = context.new_page()
    page.goto(f"{server.url}/sheets/bench-grid/")
    assert page.evaluate("window.measured") > 0
    page.wait_for_function("window.subject.isLoaded()")
    page.evaluate("window.subject.change([[1, 1, 'changed from afar']])")
    page.get_by_text("changed from afar").wait_for()
    assert page.evaluate("jump(0.2)") > 0
    page.wait_for_function("window.subject.scroller().scrollTop > 0")
    context.close()


def test_a_peer_gets_its_size_by_its_address_and_ours_by_its_script() -> None:
    assert PEER.address(10, 20).endswith("?rows=10&columns=20")
    assert "rows: 10, columns: 20" in OURS.script(10, 20)
    assert pages.SOCKET not in PEER.script(10, 20)
