import os
import pty
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.servers.databases import Databases, Kind
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, clean_environment, free_port, wait_until
from tests.servers.redis import RedisServer
from tests.servers.sheetsync import Listener, manage
from tests.streams.conftest import Stream, edit


@dataclass(frozen=True)
class Deployment:
    """A migrated database with the sheet demo, and the environment of its processes."""

    database_url: str
    environment: Mapping[str, str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.database_url.startswith("sqlite"):
            connection = sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=20)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self.database_url) as connection_:
            return connection_.execute(query.encode()).fetchall()

    def count(self) -> int:
        ((count,),) = self.rows("SELECT count(*) FROM cells_revision")
        return int(count)

    def inputs(self) -> list[str]:
        """Return the inputs of the demo's cells in the order of their last edits."""
        return [text for (text,) in self.rows("SELECT input FROM cells_cell ORDER BY revision")]

    def numbers(self) -> list[int]:
        return [number for (number,) in self.rows("SELECT number FROM cells_revision ORDER BY 1")]


@pytest.fixture
def deploy(new_database: Databases, stream: Stream) -> Callable[[Kind], Deployment]:
    def make(kind: Kind) -> Deployment:
        url = new_database(kind, "demo")
        return Deployment(url, {"DATABASE_URL": url, **stream.environment})

    return make


def run_listener(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run a listener that should end by itself: its exit code, and what it said."""
    done = subprocess.run(
        manage("pubsub_listener", *arguments),
        cwd=ROOT,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr


both_databases = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_an_idle_listener_within_dockers_ten_seconds(
    deploy: Callable[[Kind], Deployment],
    stream: Stream,
    listener: Callable[..., Listener],
    number: signal.Signals,
) -> None:
    server = listener(deploy("sqlite").environment)
    time.sleep(1)

    os.kill(server.pid, number)

    assert server.wait_for_exit(10) == 0


@both_databases
def test_sigterm_in_full_flow_ends_within_dockers_ten_seconds_and_loses_nothing(
    deploy: Callable[[Kind], Deployment],
    stream: Stream,
    listener: Callable[..., Listener],
    kind: Kind,
) -> None:
    deployment = deploy(kind)
    stream.create(ack_deadline_seconds=600)  # so that only what is given back comes again
    stream.publish(*[edit(f"A{number}", number) for number in range(1, 5_001)], key="")

    first = listener(deployment.environment, "--batch-size", "5", "--pullers", "4")
    wait_until(lambda: deployment.count() >= 100, "100 commits")
    assert first.stop(10) == 0
    at_the_end = deployment.count()
    second = listener(deployment.environment)
    wait_until(lambda: deployment.count() >= 5_000, "all commits")

    assert at_the_end < 5_000
    assert deployment.numbers() == list(range(1, 5_001))
    assert sorted(map(int, deployment.inputs())) == list(range(1, 5_001))
    assert second.stop() == 0


def test_stopped_database_pauses_and_loses_nothing(
    deploy: Callable[[Kind], Deployment],
    stream: Stream,
    listener: Callable[..., Listener],
    postgresql: PostgresqlServer,
) -> None:
    deployment = deploy("postgresql")
    stream.create()
    server = listener(deployment.environment)
    stream.publish(*[edit(f"A{number}", number) for number in range(1, 101)])
    wait_until(lambda: deployment.count() >= 100, "the first commits")

    postgresql.stop()
    stream.publish(*[edit(f"A{number}", number) for number in range(101, 301)])
    server.wait_until(lambda: "The database fails" in server.output(), "a line about it")
    time.sleep(3)
    postgresql.start()
    wait_until(lambda: deployment.count() >= 300, "the rest")

    assert deployment.inputs() == [str(number) for number in range(1, 301)]
    assert deployment.rows("SELECT count(*) FROM cells_deadletter") == [(0,)]
    server.wait_until(lambda: "The database answers again" in server.output(), "its end")


def test_sigterm_while_the_database_is_away_ends_soon_and_gives_back_in_order(
    deploy: Callable[[Kind], Deployment],
    stream: Stream,
    listener: Callable[..., Listener],
    postgresql: PostgresqlServer,
) -> None:
    deployment = deploy("postgresql")
    stream.create(ack_deadline_seconds=600)
    server = listener(deployment.environment)
    postgresql.stop()
    stream.publish(edit("A1", 1))
    server.wait_until(lambda: "The database fails" in server.output(), "a line about it")
    stream.publish(*[edit(f"A{number}", number) for number in range(2, 12)])

    assert server.stop(10) == 0

    postgresql.start()
    listener(deployment.environment)
    wait_until(lambda: deployment.count() == 11, "all messages, one of them given back")
    assert deployment.inputs() == [str(number) for number in range(1, 12)]


def test_stopped_redis_does_not_slow_commits(
    deploy: Callable[[Kind], Deployment],
    stream: Stream,
    listener: Callable[..., Listener],
    redis_server: RedisServer,
) -> None:
    deployment = deploy("sqlite")
    stream.create(ack_deadline_seconds=600)
    listener({**deployment.environment, "REDIS_URL": redis_server.url})
    redis_server.stop()
    try:
        started = time.monotonic()
        stream.publish(*[edit(f"A{number}", number) for number in range(1, 2_001)])
        wait_until(lambda: deployment.count() >= 2_000, "all commits")
    finally:
        redis_server.start()

    assert time.monotonic() - started < 5


def test_create_makes_an_ordered_subscription(
    deploy: Callable[[Kind], Deployment], stream: Stream, listener: Callable[..., Listener]
) -> None:
    listener(deploy("sqlite").environment)

    made = stream.subscriber.get_subscription(subscription=stream.route.subscription_path)
    assert made.topic == stream.route.topic_path
    assert made.enable_message_ordering
    assert made.ack_deadline_seconds == 60


def test_log_follows_an_edit_by_its_operation_id(
    deploy: Callable[[Kind], Deployment], stream: Stream, listener: Callable[..., Listener]
) -> None:
    deployment = deploy("sqlite")
    server = listener({**deployment.environment, "LOG_LEVEL": "DEBUG"})
    (message_id,) = stream.publish(edit("B2", 1))

    wait_until(lambda: deployment.count() == 1, "the commit")
    (line,) = server.wait_until(
        lambda: [line for line in server.output().splitlines() if f"/{message_id}" in line],
        "its line",
        5,
    )
    assert "sheet=demo revision=1 operation_id=" in line


def test_status_line_is_rewritten_on_a_terminal(
    deploy: Callable[[Kind], Deployment], stream: Stream
) -> None:
    deployment = deploy("sqlite")
    stream.create()
    stream.publish(edit("B2", 1), b"nonsense")
    ours, theirs = pty.openpty()
    server = subprocess.Popen(
        manage("pubsub_listener"),
        cwd=ROOT,
        env=clean_environment(deployment.environment),
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    try:
        shown = b""

        def shows_the_dead_letter() -> bool:
            nonlocal shown
            shown += os.read(ours, 4096)
            return shown.count(b"dead 1") >= 2

        wait_until(shows_the_dead_letter, "the status line")
    finally:
        server.terminate()
        server.wait(10)
        os.close(ours)
        os.close(theirs)

    assert b"dead 1\r\x1b[K" in shown
    assert b"messages/s" in shown
    assert b"edits/s" in shown
    assert b"lag " in shown
    assert b"\n" not in shown


@pytest.fixture
def emulator_environment(stream: Stream) -> dict[str, str]:
    return {"DATABASE_URL": "sqlite://:memory:", **stream.environment}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "There is no subscription projects/{project}/subscriptions/edits-sub: make it"),
        (["--project", ""], "'' is no Google Cloud project: set PUBSUB_PROJECT or --project"),
        (["--project", "a b"], "'a b' is no Google Cloud project"),
        (["--topic", "x"], "'x' is no name for a topic: set PUBSUB_TOPIC or --topic"),
        (["--subscription", ""], "'' is no name for a subscription"),
        (["--pullers", "0"], "'0' is not a whole number from 1 up"),
    ],
)
def test_misconfiguration_is_one_sentence_and_no_exit_code_zero(
    emulator_environment: dict[str, str], stream: Stream, arguments: list[str], sentence: str
) -> None:
    code, said = run_listener(emulator_environment, *arguments)

    assert code != 0
    assert sentence.format(project=stream.route.project) in said
    assert "Traceback" not in said


def test_deleted_topic_is_named(stream: Stream, emulator_environment: dict[str, str]) -> None:
    stream.create()
    stream.publisher.delete_topic(topic=stream.route.topic_path)

    code, said = run_listener(emulator_environment)

    assert code != 0
    assert "_deleted-topic_" in said


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "no-such-host.invalid:8085", "nonsense"])
def test_emulator_that_does_not_answer_is_named(host: str) -> None:
    host = host.format(port=free_port())

    code, said = run_listener({"PUBSUB_EMULATOR_HOST": host})

    assert code != 0
    assert f"The Pub/Sub emulator at PUBSUB_EMULATOR_HOST={host} does not answer: start it" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("key_file", [None, "/no/such/key.json"])
def test_missing_credentials_are_named(key_file: str | None) -> None:
    environment = {"NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": "/no/such/folder"}
    if key_file:
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = key_file

    code, said = run_listener(environment)

    assert code != 0
    assert "There are no Google credentials: set PUBSUB_EMULATOR_HOST" in said
    assert "Traceback" not in said
