import json
import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.servers.redis import RedisServer

READY = {"database": "ok", "migrations": "ok"}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word, as a frozen server does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_healthz_answers_without_touching_anything(
    client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert not response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_address_and_without_tls(
    client: Client, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["sheets.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.0.0.5"}).status_code == 200
    assert client.get("/", headers={"host": "10.0.0.5"}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_readyz_is_ready_when_the_database_answers_and_is_migrated(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "dependencies": READY}
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_readyz_of_one_dependency_is_about_it_alone(client: Client) -> None:
    response = client.get("/readyz/database")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "dependencies": {"database": "ok"}}
    unknown = client.get("/readyz/databse")
    assert unknown.status_code == 404
    assert "there is database, migrations" in unknown.json()["status"]


@pytest.mark.django_db(transaction=True)
def test_readyz_names_a_missing_migration(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("cells")
    recorder.record_unapplied(*newest)
    try:
        response = client.get("/readyz")
    finally:
        recorder.record_applied(*newest)
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unavailable"
    assert body["dependencies"]["migrations"] == "1 not applied: run manage.py migrate"


@pytest.mark.django_db
def test_readyz_is_unavailable_without_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    unreachable = {"NAME": "/nowhere/at/all.sqlite3", "HOST": "127.0.0.1", "PORT": closed_port}
    for name, value in unreachable.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "dependencies": {"database": "does not answer"},
    }


@pytest.mark.django_db
@pytest.mark.only_on("postgresql")  # SQLite has no server that could be silent
def test_readyz_answers_in_time_when_the_database_is_silent(
    client: Client, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", silent_port)
    started = time.monotonic()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert time.monotonic() - started < 4


@pytest.mark.django_db
def test_readyz_asks_every_redis(
    client: Client, settings: Settings, redis_server: RedisServer
) -> None:
    settings.REDIS_URLS = [redis_server.url, redis_server.url]
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "dependencies": {**READY, "redis 1": "ok", "redis 2": "ok"},
    }


@pytest.mark.django_db
def test_a_redis_that_is_down_degrades_and_keeps_the_node_in_service(
    client: Client, settings: Settings, redis_server: RedisServer, closed_port: int
) -> None:
    settings.REDIS_URLS = [redis_server.url, f"redis://:a-secret@127.0.0.1:{closed_port}/0"]
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "degraded",
        "dependencies": {**READY, "redis 1": "ok", "redis 2": "does not answer"},
    }
    assert "secret" not in json.dumps(response.json())
    assert str(closed_port) not in json.dumps(response.json())


@pytest.mark.django_db
def test_a_redis_that_is_silent_is_waited_for_briefly(
    client: Client, settings: Settings, silent_port: int
) -> None:
    settings.REDIS_URLS = [f"redis://127.0.0.1:{silent_port}/0"]
    started = time.monotonic()
    response = client.get("/readyz")
    assert response.json()["dependencies"]["redis"] == "does not answer"
    assert time.monotonic() - started < 4
