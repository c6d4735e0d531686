"""The browser fixture drives a real Chromium."""

import re

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.xdist_group("browser")  # they share one


def test_browser_runs_modules(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content('<p></p><script type="module">document.body.append(40 + 2)</script>')
    page.get_by_text("42").wait_for()
    page.close()


def test_two_contexts_are_two_people(browser: Browser) -> None:
    alice, bob = browser.new_context(), browser.new_context()
    alice.add_cookies([{"name": "who", "value": "alice", "url": "http://127.0.0.1/"}])
    assert not bob.cookies()
    alice.close()
    bob.close()


def test_what_playwright_switches_off_is_off(browser: Browser) -> None:
    line = browser.new_browser_cdp_session().send("SystemInfo.getInfo")["commandLine"]
    playwrights, ours = re.findall(r"--disable-features=(\S+)", line)
    assert {*playwrights.split(",")} <= {*ours.split(",")}
