"""docker-compose.yml and the Dockerfile: what they promise, and a rehearsal without Docker.

The rehearsal starts the command of each of our services, with that service's own environment,
against real servers; only host names and ports are replaced.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import psycopg
import pytest

from tests.servers.compose import (
    VARIABLE,
    MissingVariableError,
    Service,
    build_image,
    dockerfile_list,
    dockerfile_stages,
    environment_of,
    read_compose_file,
    read_services,
)
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, clean_environment, free_port
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Calculator, Listener, Publisher, WebServer
from tests.servers.wire import SheetClient, open_sheet

pytestmark = pytest.mark.xdist_group("compose")  # they share an image

SECRETS = {"SECRET_KEY": "a-key-of-this-rehearsal", "POSTGRES_PASSWORD": "a-password-of-it"}
SOUNDS_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|CREDENTIAL", re.IGNORECASE)


# -- what the files promise ------------------------------------------------------------------------


def documented_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_is_documented() -> None:
    texts = read_text("docker-compose.yml") + read_text("docker-compose.tls.yml")
    used = {match["name"] for match in VARIABLE.finditer(texts)}
    settings = set(
        re.findall(r"""\b(?:env\.\w+|_switch)\(\s*"(\w+)\"""", read_text("sheetsync/settings.py"))
    )
    assert used | settings | {"PUBSUB_EMULATOR_HOST"} == documented_variables()


def test_every_variable_of_a_service_means_something_to_settings() -> None:
    settings = read_text("sheetsync/settings.py")
    service = read_services(SECRETS)["listener"]
    unknown = {name for name in service.environment if name not in settings}
    unknown -= {name for name in unknown if name.startswith("OTEL_")}  # its library's own
    assert unknown == {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_it_does_not_start_without_its_secrets(name: str) -> None:
    with pytest.raises(MissingVariableError, match=f"{name}: copy .env.example to .env"):
        read_services({other: value for other, value in SECRETS.items() if other != name})


def test_no_secret_is_in_the_files() -> None:
    assert re.findall(r"^(\w+)=$", read_text(".env.example"), re.MULTILINE) == sorted(
        SECRETS, reverse=True
    )
    for word, rest in dockerfile_stages()[-1]:
        assert word not in {"ENV", "ARG"} or not SOUNDS_SECRET.search(rest)
    for service in read_compose_file()["services"].values():
        for name, value in service.get("environment", {}).items():
            if SOUNDS_SECRET.search(name):
                assert re.fullmatch(r"\$\{\w+:(\?[^}]*|-)\}", value), name  # asked for, or none


def test_no_file_of_secrets_gets_into_the_image() -> None:
    rules = [line for line in read_text(".dockerignore").splitlines() if line[:1] not in {"#", ""}]
    assert rules[0] == "*"
    assert not any(rule.startswith("!.env") for rule in rules)


def test_image_does_not_run_as_root() -> None:
    users = [rest for word, rest in dockerfile_stages()[-1] if word == "USER"]
    assert users[-1].split(":")[0] not in {"root", "0"}


def test_every_lasting_service_has_a_health_check() -> None:
    services = read_services(SECRETS)
    assert {name for name, service in services.items() if not service.healthcheck} == {"migrate"}


def test_services_wait_until_what_they_need_is_healthy() -> None:
    services = read_services(SECRETS)
    for service in services.values():
        for other, condition in service.depends_on.items():
            lasts = services[other].healthcheck is not None
            assert condition == (
                "service_healthy" if lasts else "service_completed_successfully"
            ), f"{service.name} needs {other}"


def test_what_must_last_is_on_a_named_volume() -> None:
    named = read_compose_file()["volumes"]
    (volume,) = read_services(SECRETS)["db"].volumes
    assert volume.split(":")[0] in named


def test_the_proxy_alone_is_published_and_its_files_are_there() -> None:
    services = read_compose_file()["services"]
    everywhere = {name for name, one in services.items() if one.get("ports")}
    assert everywhere - {"prometheus", "grafana"} == {"proxy"}
    for volume in services["proxy"]["volumes"]:
        assert (ROOT / volume.split(":")[0]).is_file(), volume
    assert read_services(SECRETS)["web"].environment["TRUST_PROXY"] == "1"


def test_only_trust_proxy_says_whether_a_forwarded_address_is_believed() -> None:
    assert "--no-proxy-headers" in dockerfile_list("CMD")


def test_what_observes_starts_when_asked_from_pinned_images_for_this_machine_alone() -> None:
    services = read_compose_file()["services"]
    observing = {name: one for name, one in services.items() if "profiles" in one}
    assert observing.keys() == {"prometheus", "grafana"}
    for name, service in observing.items():
        assert service["profiles"] == ["observe"]
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
        assert all(":-127.0.0.1:" in port for port in service["ports"]), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            is_file = source.startswith("./") and (ROOT / source).exists()
            assert is_file or source in read_compose_file()["volumes"], source


def read_text(path: str) -> str:
    return (ROOT / path).read_text()


# -- the rehearsal -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def services(
    postgresql: PostgresqlServer, redis_server: RedisServer, pubsub_emulator: PubsubEmulator
) -> Iterator[dict[str, Service]]:
    """Every service as compose would start it, at the addresses of the real servers."""
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE sheetsync")
    addresses = {
        "db:5432": f"127.0.0.1:{postgresql.port}",
        "redis:6379": f"127.0.0.1:{redis_server.port}",
        "pubsub:8085": pubsub_emulator.host,
        "0.0.0.0": "127.0.0.1",
        "8000": str(free_port()),
    }
    yield {name: service.at(addresses) for name, service in read_services(SECRETS).items()}
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE sheetsync WITH (FORCE)")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the image would hold, made by the Dockerfile's own last step."""
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


def run(folder: Path, environment: Mapping[str, str], command: Sequence[str]) -> str:
    """Run a command to its end, as in the image, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def test_whole_composition_carries_edits_between_workers_and_from_pubsub(
    services: dict[str, Service], image: Path, tmp_path: Path
) -> None:
    run(image, environment_of(services["migrate"]), services["migrate"].command)
    with ExitStack() as stack:
        web = start_web(services["web"], image, tmp_path / "web.log")
        stack.callback(web.kill)
        listener = start_listener(services["listener"], image, tmp_path / "listener.log")
        stack.callback(listener.kill)
        publisher = start_publisher(services["publisher"], image, tmp_path / "publisher.log")
        stack.callback(publisher.kill)
        calculator = start_calculator(services["calculator"], image, tmp_path / "calculator.log")
        stack.callback(calculator.kill)
        alice, bob = stack.enter_context(two_clients_on_different_workers(web))

        cell = alice.key(row=40, column=3)
        alice.set_cell(cell, "from alice")
        bob.wait_for_cell(cell, "from alice")
        bob.set_cell(cell, "from bob")
        alice.wait_for_cell(cell, "from bob")

        send_edit = ["python", "manage.py", "send_edit", "demo", "D41=from Pub/Sub"]
        run(image, environment_of(services["listener"]), send_edit)
        alice.wait_for_cell(cell, "from Pub/Sub")
        bob.wait_for_cell(cell, "from Pub/Sub")

        alice.set_cell(alice.key(row=41, column=3), "=LEN(D41)")
        bob.wait_until(lambda: 12 in bob.replica.values.values(), "the formula's value")

        for name in ("web", "listener", "publisher", "calculator"):
            service = services[name]
            assert service.healthcheck
            run(image, environment_of(service), service.healthcheck)

        # While sockets are open; `docker stop` kills after ten seconds.
        assert listener.stop(seconds=5) == 0
        assert publisher.stop(seconds=5) == 0
        assert calculator.stop(seconds=5) == 0
        assert web.stop(seconds=10) == 0


def test_page_loads_every_module_by_a_name_that_browsers_keep(
    services: dict[str, Service], image: Path, tmp_path: Path
) -> None:
    run(image, environment_of(services["migrate"]), services["migrate"].command)
    web = start_web(services["web"], image, tmp_path / "web.log")
    try:
        with urlopen(f"{web.url}/sheets/demo/") as page:
            modules = re.findall(r'<script type="module"[^>]* src="([^"]+)"', page.read().decode())
        loaded: set[str] = set()
        for module in modules:
            load_modules(f"{web.url}{module}", loaded)
        assert len(modules) == 2
        names = [Path(address).name.split(".")[0] for address in loaded]
        assert sorted(names) == ["equipment", "offline", "sheet"]
    finally:
        web.kill()


def load_modules(address: str, loaded: set[str]) -> None:
    """Load a module and all that it imports, as a browser does."""
    with urlopen(address) as script:
        assert "immutable" in script.headers["Cache-Control"], address
        assert "javascript" in script.headers["Content-Type"], address
        text = script.read().decode()
    loaded.add(address)
    for path in re.findall(r"""\b(?:import\(|from)\s*["'](\.[^"']+)""", text):
        if (imported := urljoin(address, path)) not in loaded:
            load_modules(imported, loaded)


def test_health_check_of_web_fails_when_web_is_down(services: dict[str, Service]) -> None:
    web = services["web"]
    assert web.healthcheck
    environment = clean_environment(environment_of(web))
    ended = subprocess.run(web.healthcheck, env=environment, capture_output=True)
    assert ended.returncode == 1


def start_web(service: Service, folder: Path, log: Path) -> WebServer:
    return WebServer(
        environment_of(service),
        log=log,
        workers=int(service.environment["WEB_CONCURRENCY"]),
        command=service.command,
        port=int(service.command[service.command.index("--port") + 1]),
        folder=folder,
    ).start()


def start_listener(service: Service, folder: Path, log: Path) -> Listener:
    environment = environment_of(service)
    return Listener(environment, log=log, command=service.command, folder=folder).start()


def start_publisher(service: Service, folder: Path, log: Path) -> Publisher:
    environment = environment_of(service)
    return Publisher(environment, log=log, command=service.command, folder=folder).start()


def start_calculator(service: Service, folder: Path, log: Path) -> Calculator:
    environment = environment_of(service)
    return Calculator(environment, log=log, command=service.command, folder=folder).start()


@contextmanager
def two_clients_on_different_workers(web: WebServer) -> Iterator[tuple[SheetClient, SheetClient]]:
    """Open sockets until two are served by different workers, whom the kernel names."""
    workers = web.worker_pids()
    with ExitStack() as stack:
        served: dict[int, SheetClient] = {}
        for _ in range(100):
            client = stack.enter_context(open_sheet(web.websocket_url, "demo"))
            served.setdefault(client.served_by(workers), client)
            if len(served) > 1:
                alice, bob = served.values()
                yield alice, bob
                return
        raise AssertionError(f"100 sockets, and one of {workers} took them all")
