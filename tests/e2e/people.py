"""People with an account, in a browser."""

from playwright.sync_api import Page

from tests.e2e.conftest import OwnServer

PASSWORD = "correct horse"


def sign_in(page: Page, server: OwnServer, name: str) -> None:
    page.goto(f"{server.url}/accounts/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{server.url}/")
