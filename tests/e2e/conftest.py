"""Sheets of their own and people to open them, for the files that do not bring their own server."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.grid_page import GridPage, watch
from tests.servers.compose import copy_build_context
from tests.servers.databases import Databases
from tests.servers.process import clean_environment, free_port
from tests.servers.sheetsync import WebServer, run_manage, runserver

SHEETS = 24  # that any guest may edit, of a file's server: one for each of its tests

_MAKE_SHEETS = (
    "from cells.models import LinkRole; from cells.services.access import create_sheet; "
    "[create_sheet(None, 'Grid', slug=f'own-{{number}}', link_role=LinkRole('editor')) "
    "for number in range({count})]"
)


OPENED = pytest.StashKey[list[GridPage]]()  # a test's pages

DEPLOYED = {
    "DEBUG": "0",
    "SECRET_KEY": "a-key-of-these-tests",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SIGN_UP": "1",  # as it is where people try SheetSync out
}


@dataclass
class OwnServer:
    """A server for a file of tests, and what a shell beside it can do."""

    web: WebServer
    environment: dict[str, str]
    unused: Iterator[int]
    sessions: dict[str, list[Any]] = field(default_factory=dict)  # cookies of who has signed in

    @property
    def url(self) -> str:
        return self.web.url

    def shell(self, code: str) -> str:
        """Run Python beside the server, on its database."""
        command = ("shell", "-v", "0", "-c", code)
        return run_manage(self.environment, *command, folder=self.web.folder)


@pytest.fixture(scope="module")
def own_server(
    request: pytest.FixtureRequest,
    new_database: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OwnServer]:
    """One server for a file; each test has its own sheets.

    That of an image: DEBUG off, and static files collected, which spares each page a hundred
    requests. For files that are marked `developed`, and for all under `--developed`, an embedded
    one, as `make run` starts it.
    """
    folder: Path = tmp_path_factory.mktemp("own")
    environment = {"DATABASE_URL": new_database("sqlite")}
    log = folder / "web.log"
    port = free_port()
    if request.node.get_closest_marker("developed") or request.config.getoption("developed"):
        web = WebServer(environment, log=log, command=runserver(port), port=port)
    else:
        environment |= DEPLOYED
        image = request.getfixturevalue("image")
        web = WebServer(environment, log=log, port=port, folder=image)
    run_manage(environment, "shell", "-v", "0", "-c", _MAKE_SHEETS.format(count=SHEETS))
    web.start()
    yield OwnServer(web, environment, iter(range(SHEETS)))
    web.kill()


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what an image would hold."""
    folder = tmp_path_factory.mktemp("image")
    copy_build_context(folder)
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=folder,
        env=clean_environment(DEPLOYED),
        check=True,
        timeout=120,
    )
    return folder


@pytest.fixture
def own_sheet(own_server: OwnServer) -> str:
    """The slug of an empty sheet that any guest may edit."""
    return f"own-{next(own_server.unused)}"


@pytest.fixture
def own_context(browser: Browser, own_server: OwnServer) -> Iterator[Callable[..., BrowserContext]]:
    """Make browsers of different people: `own_context(has_touch=True)`.

    No page of theirs may have had a script error, done what its policy forbids, or asked another
    server for anything.
    """
    made: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: Any) -> BrowserContext:
        # Without the offline page's worker: what a test does to the network is done to the page.
        usual = {"viewport": {"width": 1280, "height": 720}, "service_workers": "block"}
        context = browser.new_context(**{**usual, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=own_server.url)
        watch(context, errors, own_server.url)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert errors == []


@pytest.fixture
def open_own(
    request: pytest.FixtureRequest,
    own_server: OwnServer,
    own_sheet: str,
    own_context: Callable[..., BrowserContext],
) -> Iterator[Callable[..., GridPage]]:
    """Open the test's sheet as another person each time; no page may have had a script error."""
    opened: list[GridPage] = request.node.stash.setdefault(OPENED, [])

    def open_(context: BrowserContext | None = None) -> GridPage:
        page = (context or own_context()).new_page()
        opened.append(GridPage(page, f"{own_server.url}/sheets/{own_sheet}/"))
        return opened[-1].open()

    yield open_
    assert [error for grid in opened for error in grid.errors] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a test that failed what its pages show."""
    report = yield
    if report.when == "call" and report.failed:
        opened: list[GridPage] = item.stash.get(OPENED, [])
        for number, grid in enumerate(opened, 1):
            with contextlib.suppress(PlaywrightError):  # it may be what failed
                report.sections.append((f"what page {number} shows", grid.described()))
    return report
