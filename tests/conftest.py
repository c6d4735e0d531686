"""Fixtures for every test: real services, our own processes, a browser, a test database."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar
from unittest.mock import patch

import hypothesis
import pytest
from django.db import connections, transaction
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from playwright.sync_api import Browser, expect, sync_playwright

from tests.servers.databases import Databases
from tests.servers.missing import IS_CI, missing_service
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ServerProcess, free_port, running
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Calculator, Listener, WebServer, runserver

Server = TypeVar("Server", bound=ServerProcess)

CHROMIUM = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # containers forbid what the sandbox needs
    "--disable-gpu",
    # No traffic but the test's own.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
# Of a list that is given twice Chromium heeds the last, so that this one begins with Playwright's.
DISABLED_FEATURES = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    *("PreconnectToSearch", "msForceBrowserSignIn"),
    "msEdgeUpdateLaunchServicesPreferredVersion",
    # Else each window draws its address bar's popups, unseen, in a process of their own.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
]

# What tests that wait for processes ask for, be it by way of another fixture.
SLOW_FIXTURES = {
    *("web_server", "listener", "calculator", "browser", "stream", "new_database"),
    *("postgresql", "redis_server", "pubsub_emulator", "services", "fault_services"),
}
# What tests ask for that take long each, or many together on one worker.
LONG_FIXTURES = {"browser", "fault_services"}

# No deadline for an example: beside servers on two cores any of them may take long for once.
hypothesis.settings.register_profile("sheetsync", deadline=None)
hypothesis.settings.load_profile("sheetsync")
expect.set_options(timeout=60_000)  # how long a failing test takes, and no claim about speed


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--developed",
        action="store_true",
        help="let all browser tests meet the modules one by one, as `make run` serves them",
    )


@pytest.fixture(autouse=True)
def _in_english() -> None:
    translation.deactivate()  # a request of an earlier test's client leaves its language behind


# -- services: one of each for the whole run; a test that stops one starts it again ---------------


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    yield from _started(RedisServer(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    # Not pytest's own folder, which no other account may enter: PostgreSQL does not run as root.
    with tempfile.TemporaryDirectory(prefix="sheetsync-postgresql-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresqlServer(Path(folder))
        server.initialize()
        yield from _started(server)


@pytest.fixture(scope="session")
def pubsub_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubsubEmulator]:
    yield from _started(PubsubEmulator(tmp_path_factory.mktemp("pubsub")))


# -- our own processes: started by a test with the environment it wants, stopped when it ends -----


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[Callable[..., WebServer]]:
    """Start web servers: `web_server(environment, workers=2)`, `web_server(…, "runserver")`."""
    started: list[WebServer] = []

    def start(
        environment: Mapping[str, str],
        kind: Literal["uvicorn", "runserver"] = "uvicorn",
        *,
        workers: int = 1,
        port: int | None = None,
    ) -> WebServer:
        name = f"web-{len(started) + 1}"
        port = port or free_port()
        server = WebServer(
            environment,
            log=tmp_path / f"{name}.log",
            workers=workers,
            command=runserver(port) if kind == "runserver" else None,
            port=port,
            name=name,
        )
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    """Start listeners: `listener(environment, "--pullers", "2")`."""
    started: list[Listener] = []

    def start(environment: Mapping[str, str], *arguments: str) -> Listener:
        log = tmp_path / f"listener-{len(started) + 1}.log"
        started.append(Listener(environment, log=log, arguments=arguments))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def calculator(tmp_path: Path) -> Iterator[Callable[..., Calculator]]:
    """Start calculating workers: `calculator(environment, "--seconds", "1")`."""
    started: list[Calculator] = []

    def start(environment: Mapping[str, str], *arguments: str) -> Calculator:
        log = tmp_path / f"calculator-{len(started) + 1}.log"
        started.append(Calculator(environment, log=log, arguments=arguments))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Make databases for our own processes: `new_database("postgresql", "prices")` is a URL."""

    def postgresql() -> PostgresqlServer:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        return server

    return Databases(tmp_path_factory.mktemp("databases"), postgresql)


# -- a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Real Chromium through Playwright; one per module.

    No longer: while Playwright's synchronous interface is open, its event loop counts as running
    in this thread, so that neither coroutine tests nor Django's ORM work beside it. Read a
    deployment's database with the driver (PostgresqlServer.rows) or from another thread.
    """
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        missing_service("Chromium", "apt install chromium (macOS: brew install chromium).")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=[*CHROMIUM_ARGUMENTS, f"--disable-features={','.join(DISABLED_FEATURES)}"],
        )
        yield chromium
        chromium.close()


shared: list[ServerProcess] = []  # what _started has, for all tests of this process


def _started(server: Server) -> Iterator[Server]:
    server.start()
    shared.append(server)
    try:
        yield server
    finally:
        shared.remove(server)
        server.kill()


@pytest.fixture(autouse=True)
def _started_again() -> Iterator[None]:
    """Start what a test has stopped and, since it failed, not started: others need it."""
    yield
    for server in shared:
        if not server.is_running:
            server.start()


# -- the test database ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put a SQLite test database into a file of this run: threads share it, other runs do not."""
    connection = connections["default"]
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


# What `migrate` fills for all apps, and no test writes.
FILLED_BY_MIGRATE = {"auth_permission", "django_content_type"}


@pytest.fixture(scope="session", autouse=True)
def emptied_by_deletion() -> Iterator[None]:
    """Delete what a test with transactions of its own has left.

    Django would truncate all tables, which PostgreSQL does in 100 ms instead of 3, and then have
    all permissions made anew.
    """
    connection = connections["default"]
    names = connection.introspection.django_table_names(include_views=False)
    tables = sorted(set(names) - FILLED_BY_MIGRATE)

    def delete_all(_: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")

    with patch.object(TransactionTestCase, "_fixture_teardown", delete_all):
        yield


@pytest.fixture(scope="session", autouse=True)
def settings_of_tests() -> Iterator[None]:
    """Let a password cost nothing (a third of a second, by design), and start no child process."""
    fast = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=fast, EMBEDDED_CALCULATION=False):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Mark what uses the test database, run on PostgreSQL as well, and what waits for servers.

    The latter, but for the files that are `core`, is left by `make test` to `make integration`.

    What is about one of the two databases alone, `only_on("postgresql")`, is left to its run: a
    skip would be a test that CI leaves out.

    Side by side, what takes long comes first, in its random order, then what else starts processes,
    and the many quick tests last: so the workers end together, instead of one waiting for another's
    longest test.
    """
    for item in items:
        if _uses_test_database(item):
            item.add_marker("both_databases")
        if not _is_quick(item) and item.get_closest_marker("core") is None:
            item.add_marker("integration")
    elsewhere = [item for item in items if not _belongs_here(item)]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]
    yield
    if hasattr(config, "workerinput"):
        _require_groups(config, items)
        items.sort(key=_turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use two workers more than cores: about half of a run is waiting for servers."""
    return min((os.cpu_count() or 1) + 2, 6)  # each has servers of its own: memory bounds it


def _require_groups(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run where tests that share a server would be dealt out to all workers.

    pytest-xdist writes the group behind an `@` of the test's id; pytest 9.2 made that id read-only
    in effect, and every worker started every server.
    """
    grouped = [item for item in items if item.get_closest_marker("xdist_group") is not None]
    if config.getoption("loadgroup", False) and any("@" not in item.nodeid for item in grouped):
        raise pytest.UsageError(
            "pytest-xdist's groups have no effect with this pytest: install the pinned versions "
            "(make test does it)."
        )


def _turn(item: pytest.Item) -> int:
    """Return 0 for what takes long, 1 for what starts processes, 2 for what is quick."""
    is_quick = _is_quick(item)
    is_long = not LONG_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    is_in_group = item.get_closest_marker("xdist_group") is not None
    return 0 if is_long or (is_in_group and not is_quick) else 1 + is_quick


def _is_quick(item: pytest.Item) -> bool:
    return SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _belongs_here(item: pytest.Item) -> bool:
    only_on = item.get_closest_marker("only_on")
    return only_on is None or connections["default"].vendor in only_on.args


def _uses_test_database(item: pytest.Item) -> bool:
    class_ = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or not {"db", "transactional_db"}.isdisjoint(getattr(item, "fixturenames", ()))
        or (class_ is not None and issubclass(class_, TransactionTestCase))
    )


# -- reports, and the end -------------------------------------------------------------------------


_worker_pids: list[int] = []  # where tests run side by side


def pytest_configure() -> None:
    # `timeout make test` and a stopped CI job: end through the fixtures, so that no server stays.
    signal.signal(signal.SIGTERM, _end)


def _end(*_: object) -> None:
    for pid in _worker_pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    pytest.exit("terminated", returncode=143)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_newgateway(gateway: Any) -> None:
    # What pytest-xdist does itself to end a worker wakes none that sleeps, and then kills it.
    _worker_pids.append(gateway._rinfo().pid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    for server in running:
        server.mark_log()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what servers wrote during a test that failed, and let nothing be skipped in CI."""
    report = yield
    if IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI leaves nothing out: {report.longrepr}"
    if report.failed:
        logs = [(server.name, server.log_tail()) for server in running]
        report.sections += [(f"log of {name}", tail) for name, tail in logs if tail]
    return report
