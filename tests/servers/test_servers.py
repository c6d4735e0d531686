"""The services that the other tests lean on do what those tests trust them with."""

import signal
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import connection as test_database
from google.api_core.exceptions import NotFound
from google.cloud import pubsub_v1

from tests.servers import missing
from tests.servers.databases import Databases, Kind
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ServerFailedError, ServerProcess, running, wait_until
from tests.servers.pubsub import PubsubEmulator
from tests.servers.redis import RedisServer


def python(script: str, log: Path) -> ServerProcess:
    return ServerProcess("a script", [sys.executable, "-c", script], log=log)


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().split(") ")[1][0] != "Z"


def test_redis_comes_back_on_its_port_without_its_data(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("key", "value")
        redis_server.stop()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        redis_server.start()
        assert client.get("key") is None


def test_postgresql_comes_back_on_its_port_with_its_data(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgresql.kill()
    postgresql.start()
    assert postgresql.rows(url, "SELECT answer FROM kept") == [(42,)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_databases_of_a_kind_are_alike_and_share_nothing(
    new_database: Databases, kind: Kind
) -> None:
    one, other = (Deployment(new_database(kind, "prices")) for _ in range(2))
    one.make_sheets("another")
    assert [deployment.head("prices") for deployment in (one, other)] == [0, 0]
    assert one.head("another") == 0
    with pytest.raises(ValueError, match="not enough values"):
        other.head("another")


def test_emulator_keeps_one_project_from_another(
    pubsub_emulator: PubsubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    topic = f"projects/{pubsub_emulator.new_project()}/topics/edits"
    elsewhere = f"projects/{pubsub_emulator.new_project()}/topics/edits"
    with pubsub_v1.PublisherClient() as publisher:
        publisher.create_topic(name=topic)
        assert publisher.get_topic(topic=topic).name == topic
        with pytest.raises(NotFound):
            publisher.get_topic(topic=elsewhere)


@pytest.mark.django_db
def test_sqlite_test_database_is_a_file_of_this_run() -> None:
    if test_database.vendor == "sqlite":
        assert Path(test_database.settings_dict["NAME"]).is_file()


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    server = python("import sys; sys.exit('no such thing')", tmp_path / "log")
    server.start()
    with pytest.raises(ServerFailedError, match=r"exit code 1 while.*(?s:.*)no such thing"):
        server.wait_until(lambda: False, "a sign of life", seconds=5)


def test_a_stopped_server_leaves_nothing_that_it_forked(tmp_path: Path) -> None:
    server = python(
        "import subprocess, sys, time; "
        "child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); time.sleep(60)",
        tmp_path / "log",
    ).start()
    child = int(server.wait_until(lambda: server.output().strip(), "the child's pid"))

    assert server.stop() == -signal.SIGTERM
    assert server not in running
    wait_until(lambda: not is_alive(child), "the end of the child")


def test_a_server_that_ignores_sigterm_is_a_failure_and_ends(tmp_path: Path) -> None:
    server = python(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('deaf', flush=True); time.sleep(60)",
        tmp_path / "log",
    ).start()
    server.wait_until(lambda: "deaf" in server.output(), "its handler")
    with pytest.raises(ServerFailedError, match=r"still runs after 0\.2 s"):
        server.stop(seconds=0.2)
    assert not server.is_running


def test_output_of_an_earlier_start_does_not_count(tmp_path: Path) -> None:
    server = python("print('up')", tmp_path / "log")
    for _ in range(2):
        server.start().wait_for_exit()
        assert server.output() == "up\n"
    assert "up\nup" in server.log_tail()


def test_developers_settings_do_not_reach_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://production/")
    server = python("import os; print(os.environ.get('DATABASE_URL'))", tmp_path / "log").start()
    server.wait_for_exit()
    assert server.output() == "None\n"


def test_a_missing_service_skips_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "IS_CI", False)
    with pytest.raises(pytest.skip.Exception, match="Chromium is not on this machine: apt"):
        missing.missing_service("Chromium", "apt install chromium")


def test_a_missing_service_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "IS_CI", True)
    with pytest.raises(pytest.fail.Exception, match="Chromium is not on this machine: apt"):
        missing.missing_service("Chromium", "apt install chromium")
