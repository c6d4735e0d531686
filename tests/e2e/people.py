"""People with an account, in a browser."""

from playwright.sync_api import Page

from tests.e2e.conftest import OwnServer

PASSWORD = "correct horse"


def sign_in(page: Page, server: OwnServer, name: str) -> None:
    """Sign in by the form, once; later pages of the person go on with that session.

    A password is made to cost a server a third of a second.
    """
    if name in server.sessions:
        page.context.add_cookies(server.sessions[name])
        page.goto(f"{server.url}/")
        return
    page.goto(f"{server.url}/accounts/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{server.url}/")
    server.sessions[name] = [
        {"name": cookie["name"], "value": cookie["value"], "url": server.url}
        for cookie in page.context.cookies()
    ]
