"""Google's emulator and our web process between them: a push subscription as it is deployed."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from google.pubsub_v1 import PushConfig, Subscription

from tests.servers.certificates import AUDIENCE, SERVICE_ACCOUNT, certificate_server, key
from tests.servers.databases import Databases, Kind
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import wait_until
from tests.servers.sheetsync import Listener, WebServer
from tests.servers.wire import open_sheet
from tests.streams.conftest import Stream, edit
from tests.test_push import envelope

StartWeb = Callable[..., WebServer]


@pytest.fixture
def google() -> Iterator[Mapping[str, str]]:
    """Serve certificates; the environment of a deployment whose subscription has tokens."""
    with certificate_server(key("one")) as server:
        yield {
            "DEBUG": "0",
            "SECRET_KEY": "a-key-of-this-test",
            "ALLOWED_HOSTS": "127.0.0.1",
            "PUBSUB_PUSH_AUDIENCE": AUDIENCE,
            "PUBSUB_PUSH_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
            "PUBSUB_PUSH_CERTIFICATES_URL": server.url,
        }


def push_to(server: WebServer, stream: Stream) -> None:
    """Make the topic and its pulled subscription, and one that pushes to the server."""
    stream.create()
    stream.subscriber.create_subscription(
        request=Subscription(
            name=f"{stream.route.subscription_path}-pushed",
            topic=stream.route.topic_path,
            enable_message_ordering=True,
            ack_deadline_seconds=10,
            push_config=PushConfig(push_endpoint=f"{server.url}/pubsub/push"),
        )
    )


def push(server: WebServer, body: bytes, token: str) -> tuple[int, str]:
    """Return the status and the code of the answer."""
    connection = http.client.HTTPConnection(server.host, timeout=30)
    try:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        connection.request("POST", "/pubsub/push", body, headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text)["code"] if text else ""
    finally:
        connection.close()


def test_what_the_emulator_pushes_is_on_every_screen_once_and_in_order(
    new_database: Databases,
    stream: Stream,
    web_server: StartWeb,
    listener: Callable[..., Listener],
) -> None:
    deployment = Deployment(new_database("sqlite", "demo"))
    environment = {
        "DATABASE_URL": deployment.database_url,
        "PUBSUB_PUSH_UNAUTHENTICATED": "1",
        **stream.environment,
    }
    server = web_server(environment)
    push_to(server, stream)

    with open_sheet(server.websocket_url, "demo") as tab:
        edits = [edit("B2", number) for number in range(20)]
        ids = stream.publish(*edits, b"no edit", edit("C3", "end"))
        tab.wait_for_cell((2, 2), "end")
        assert tab.replica.cells[1, 1] == "19"
    assert [line.texts for line in deployment.log("demo")] == [
        *[[str(number)] for number in range(20)],
        ["end"],
    ]

    # The same messages, pulled: the listener finds them all in the log.
    pulling = listener(environment | {"LOG_LEVEL": "DEBUG"})
    last = f"{stream.route.subscription_path}/{ids[-1]}\n"
    pulling.wait_until(lambda: last in pulling.output(), "the last of the messages")
    pulling.stop()
    assert "22 messages, 0 edits, 21 repeated, 0 skipped, 1 dead" in pulling.output()
    assert deployment.head("demo") == 21


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_pushes_at_the_same_time_are_each_committed_once(
    new_database: Databases, web_server: StartWeb, google: Mapping[str, str], kind: Kind
) -> None:
    deployment = Deployment(new_database(kind, "demo"))
    server = web_server({"DATABASE_URL": deployment.database_url, **google})
    token = key("one").token()
    bodies = [envelope(edit("B2", number), str(number)) for number in range(20)] * 2

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: push(server, body, token), bodies))

    assert set(answers) == {(204, "")}
    log = deployment.log("demo")
    assert sorted(line.texts[0] for line in log) == sorted(str(number) for number in range(20))
    assert [line.number for line in log] == list(range(1, 21))


def test_a_database_that_is_away_makes_pubsub_come_again(
    new_database: Databases,
    postgresql: PostgresqlServer,
    web_server: StartWeb,
    google: Mapping[str, str],
) -> None:
    deployment = Deployment(new_database("postgresql", "demo"))
    server = web_server({"DATABASE_URL": deployment.database_url, **google})
    token = key("one").token()
    assert push(server, envelope(edit("B2", 1), "1"), token) == (204, "")
    postgresql.kill()
    try:
        assert push(server, envelope(edit("B2", 2), "2"), token) == (503, "unavailable")
        assert push(server, envelope(edit("B2", 2), "2"), key("forged").token()) == (
            401,
            "invalid_token",
        )
    finally:
        postgresql.start()
    assert push(server, envelope(edit("B2", 2), "2"), token) == (204, "")
    assert deployment.head("demo") == 2


def test_a_slow_push_holds_up_nobody_else(
    new_database: Databases, web_server: StartWeb, google: Mapping[str, str]
) -> None:
    deployment = Deployment(new_database("postgresql", "demo", "prices"))
    server = web_server({"DATABASE_URL": deployment.database_url, **google})
    with (
        ThreadPoolExecutor(1) as thread,
        open_sheet(server.websocket_url, "prices") as tab,
        psycopg.connect(deployment.database_url) as held,
    ):
        held.execute("SELECT FROM cells_sheet WHERE slug = 'demo' FOR UPDATE")
        answer: Any = thread.submit(push, server, envelope(edit("B2", 1)), key("one").token())
        wait_until(lambda: waits_for_a_lock(deployment), "the push to wait for the sheet")
        assert tab.set_cell((0, 0), "meanwhile") == 1
        assert not answer.done()
        held.rollback()
        assert answer.result() == (204, "")


def waits_for_a_lock(deployment: Deployment) -> bool:
    with psycopg.connect(deployment.database_url) as connection:
        waiting = connection.execute(
            "SELECT 1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return waiting.fetchone() is not None
