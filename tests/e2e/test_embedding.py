"""docs/embedding.md, done to the letter: a project of others, with a live sheet on its page."""

import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.servers.process import (
    ROOT,
    ServerProcess,
    answers_http,
    clean_environment,
    free_port,
)

PRINTED = "127.0.0.1:8000"
SERVE = "python manage.py runserver"
PASSWORD = "a long pass phrase"
SAYS = re.compile(r"`([\w./]+)`:\n```(?:python|html)\n(.*?)```", re.DOTALL)
STEP = re.compile(r"```sh\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.DOTALL)

PACKAGES = sysconfig.get_path("purelib")
# What differs from the printed text: the packages are those of this environment, not PyPI's, so
# that nothing is downloaded; SheetSync itself is built and installed as it is there.
HERE = f"""\
set -eu
ln -s {ROOT} sheetsync
python3() {{
  {sys.executable} "$@" --without-pip
  echo '{PACKAGES}' > .venv/lib/python{sysconfig.get_python_version()}/site-packages/here.pth
}}
pip() {{ python -m pip "$@" --quiet --no-index --no-deps --no-build-isolation --no-compile; }}
django-admin() {{ python -m django "$@"; }}
"""


class Host(ServerProcess):
    """The project that the guide has built, served as it says."""

    def __init__(self, folder: Path, command: str, log: Path) -> None:
        self.port = free_port()
        script = f". .venv/bin/activate; exec {command}".replace("8000", str(self.port))
        super().__init__(
            "host",
            ["bash", "-c", script],
            log=log,
            folder=folder,
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def is_ready(self) -> bool:
        return answers_http(self.port, "/")


def script_of(guide: str) -> tuple[str, str, str]:
    """Return the guide as a script up to the server's start, that command, and what it prints."""
    script, printed = HERE, ""
    for found in sorted([*SAYS.finditer(guide), *STEP.finditer(guide)], key=re.Match.start):
        if found.re is SAYS:
            line = guide[: found.start()].rpartition("\n")[2]
            into = ">>" if line.startswith("At the end of") else ">"
            script += f"cat {into} {found[1]} <<'FILE'\n{found[2]}FILE\n"
        elif found[1].startswith(SERVE):
            return script, found[1].strip(), printed
        else:
            script += found[1]
            printed += found[2] or ""
    raise AssertionError("the guide starts no server")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("embedding")
    script, command, printed = script_of((ROOT / "docs/embedding.md").read_text())
    built = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert printed, "the guide tells what check says"
    assert built.stdout.endswith(printed), built.stdout + built.stderr
    server = Host(folder / "host", command, folder / "host.log")
    yield server.start()
    server.kill()


def visit(browser: Browser, host: Host, name: str = "") -> tuple[Page, FrameLocator]:
    """Open the host's page as a guest, or sign in on its own page by the link in the frame."""
    page = browser.new_context(service_workers="block").new_page()
    page.goto(host.url)
    frame = page.frame_locator("iframe.live-sheet")
    if name:
        frame.get_by_role("link", name="Sign in").click()
        page.wait_for_url(f"{host.url}accounts/login/?next=/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button").click()
        page.wait_for_url(host.url)
    return page, frame


def write(page: Page, frame: FrameLocator, address: str, text: str) -> None:
    frame.locator("#workbench[data-loaded=true]").wait_for()
    frame.locator("#name-box").fill(address)
    frame.locator("#name-box").press("Enter")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_the_guide_s_project_shows_a_live_sheet_to_its_own_people(
    browser: Browser, host: Host
) -> None:
    alice, hers = visit(browser, host, "alice")
    write(alice, hers, "B2", "from alice")
    carol, theirs = visit(browser, host, "carol")  # by the project's rule; nobody gave her a role
    expect(theirs.get_by_role("gridcell", name="from alice")).to_be_visible()
    assert carol.evaluate("document.activeElement.tagName") == "BODY", "the keyboard is the page's"
    write(carol, theirs, "C3", "=6*7")
    expect(hers.get_by_role("gridcell", name="42")).to_be_visible()
    expect(hers.locator("#status")).to_have_text("Saved")
    expect(hers.locator("#people").get_by_role("button", name="carol")).to_be_visible()

    _, bob = visit(browser, host, "bob")
    expect(bob.locator("main")).to_have_text(
        "This sheet is not shared with you. Ask its owner, alice."
    )
    _, guest = visit(browser, host)
    expect(guest.locator("main")).to_contain_text("Sign in to see this sheet.")

    carol.goto(f"{host.url}tables/")
    expect(carol.get_by_role("link", name="Prices")).to_be_visible()
    carol.get_by_role("link", name="Access tokens").click()
    expect(carol.locator("main")).to_contain_text(f"{host.url}tables/api/v1")
