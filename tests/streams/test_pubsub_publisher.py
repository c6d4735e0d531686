"""`manage.py pubsub_publisher` as a process, and two SheetSyncs that mirror each other."""

import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.servers.databases import Databases, Kind
from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, clean_environment, wait_until
from tests.servers.sheetsync import Listener, Publisher, manage, run_manage
from tests.streams.conftest import Stream
from tests.streams.test_publishing import Subscriber, revisions

PUBLISH = (
    "from cells.models import Publication, Sheet; "
    "Publication.objects.create(sheet=Sheet.objects.get(slug='demo'))"
)
EDIT = """
from uuid import uuid4
from cells.domain.addresses import parse_address
from cells.domain.operations import SetAddresses
from cells.models import AuthorKind
from cells.services.commit import Author, Submission, commit
for cell, text in {cells!r}:
    operation = SetAddresses(((*parse_address(cell), text),))
    commit([Submission("demo", uuid4(), operation, Author(AuthorKind.API, {who!r}))])
"""


@dataclass(frozen=True)
class SheetSync:
    """A database with the sheet demo, which is published, and its processes' environment."""

    deployment: Deployment
    environment: Mapping[str, str]

    def edit(self, who: str, *cells: tuple[str, str]) -> None:
        """Commit each cell as a revision of its own."""
        run_manage(self.environment, "shell", "-v", "0", "-c", EDIT.format(cells=cells, who=who))

    def inputs(self) -> dict[tuple[int, int], str]:
        return self.deployment.cells_by_position("demo")


@pytest.fixture
def deploy(new_database: Databases, stream: Stream) -> Callable[..., SheetSync]:
    def make(kind: Kind, subscription: str = "edits-sub") -> SheetSync:
        url = new_database(kind, "demo")
        environment = {
            **stream.environment,
            "DATABASE_URL": url,
            "PUBSUB_SUBSCRIPTION": subscription,
        }
        run_manage(environment, "shell", "-v", "0", "-c", PUBLISH)
        return SheetSync(Deployment(url), environment)

    return make


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Callable[[SheetSync], Publisher]]:
    started: list[Publisher] = []

    def start(sheetsync: SheetSync) -> Publisher:
        log = tmp_path / f"publisher-{len(started) + 1}.log"
        started.append(Publisher(sheetsync.environment, log=log))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


def test_two_sheetsyncs_mirror_each_other_without_an_echo(
    deploy: Callable[..., SheetSync],
    listener: Callable[..., Listener],
    publisher: Callable[[SheetSync], Publisher],
) -> None:
    """Both publish to one topic, on which both listen, and so each hears itself, too."""
    names = ["a-sub", "b-sub"]
    with ThreadPoolExecutor() as together:
        one, other = together.map(deploy, ["postgresql", "sqlite"], names)
        for server in [listener(one.environment), listener(other.environment)]:
            assert server.is_running
        list(together.map(publisher, (one, other)))

        ours = [(f"A{number}", f"a {number}") for number in range(1, 21)]
        theirs = [(f"B{number}", f"b {number}") for number in range(1, 21)]
        list(
            together.map(
                lambda side: side[0].edit(*side[1]),
                [
                    (one, ("alice", *ours, ("C1", "the last of one"))),
                    (other, ("bob", *theirs, ("D1", "the last of the other"))),
                ],
            )
        )

    # What is published comes in order: behind the last edit of one side nothing of it is left.
    wait_until(lambda: one.inputs().get((0, 3)), "the other one's last edit")
    wait_until(lambda: other.inputs().get((0, 2)), "the one's last edit")
    assert one.inputs() == other.inputs()
    assert len(one.inputs()) == 42
    assert one.deployment.head("demo") == other.deployment.head("demo") == 42
    for side, mine in ((one, "a "), (other, "b ")):
        kinds = {line.author_kind for line in side.deployment.log("demo") if mine in line.texts[0]}
        assert kinds == {"api"}


def test_killed_again_and_again_it_repeats_and_skips_nothing(
    deploy: Callable[..., SheetSync],
    stream: Stream,
    publisher: Callable[[SheetSync], Publisher],
) -> None:
    stream.create()
    sheetsync = deploy("postgresql")
    subscriber = Subscriber(stream)
    cells = [("A1", str(number)) for number in range(1, 401)]
    with ThreadPoolExecutor() as beside:
        editing = beside.submit(sheetsync.edit, "alice", *cells)
        for count in (1, 100, 200):
            server = publisher(sheetsync)
            subscriber.receive(count)
            server.kill()
        editing.result()
    publisher(sheetsync)

    wait_until(lambda: 400 in revisions(subscriber.receive(0)), "the last revision")

    seen = revisions(subscriber.messages)
    first_seen = list(dict.fromkeys(seen))
    assert first_seen == list(range(1, 401))
    # A repetition begins further back and goes on without a gap.
    assert all(after <= before + 1 for before, after in pairwise(seen))
    ids = {(one.attributes["revision"], one.attributes["edit_id"]) for one in subscriber.messages}
    assert len(ids) == 400


def test_stopped_database_pauses_and_skips_nothing(
    deploy: Callable[..., SheetSync],
    stream: Stream,
    publisher: Callable[[SheetSync], Publisher],
    postgresql: PostgresqlServer,
) -> None:
    stream.create()
    sheetsync = deploy("postgresql")
    server = publisher(sheetsync)
    sheetsync.edit("alice", ("A1", "1"))
    subscriber = Subscriber(stream)
    subscriber.receive(1)

    postgresql.stop()
    server.wait_until(lambda: "The database fails" in server.output(), "a line about it")
    postgresql.start()
    sheetsync.edit("alice", ("A1", "2"), ("A1", "3"))

    assert revisions(subscriber.receive(3)) == [1, 2, 3]
    server.wait_until(lambda: "The database answers again" in server.output(), "its end")
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_within_dockers_ten_seconds(
    deploy: Callable[..., SheetSync],
    publisher: Callable[[SheetSync], Publisher],
    number: signal.Signals,
) -> None:
    server = publisher(deploy("sqlite"))

    os.kill(server.pid, number)

    assert server.wait_for_exit(10) == 0


def test_sigterm_while_pubsub_hangs_ends_within_dockers_ten_seconds(
    deploy: Callable[..., SheetSync],
    stream: Stream,
    publisher: Callable[[SheetSync], Publisher],
) -> None:
    sheetsync = deploy("sqlite")
    server = publisher(sheetsync)
    os.killpg(stream.emulator.pid, signal.SIGSTOP)
    try:
        sheetsync.edit("alice", ("A1", "1"))
        server.wait_until(lambda: "stands still" in server.output(), "a line about it")
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait_for_exit(10) == 0
    finally:
        os.killpg(stream.emulator.pid, signal.SIGCONT)


def test_missing_topic_is_one_sentence_and_exit_code_one(stream: Stream) -> None:
    done = subprocess.run(
        manage("pubsub_publisher"),
        cwd=ROOT,
        env=clean_environment({"DATABASE_URL": "sqlite://:memory:", **stream.environment}),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert f"There is no topic {stream.route.topic_path}: make it with" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_line_is_rewritten_on_a_terminal(
    deploy: Callable[..., SheetSync], stream: Stream
) -> None:
    stream.create()
    sheetsync = deploy("sqlite")
    sheetsync.edit("alice", ("A1", "1"))
    ours, theirs = pty.openpty()
    server = subprocess.Popen(
        manage("pubsub_publisher"),
        cwd=ROOT,
        env=clean_environment(sheetsync.environment),
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    try:
        shown = b""

        def shows_two_lines() -> bool:
            nonlocal shown
            shown += os.read(ours, 4096)
            return shown.count(b"behind 0") >= 2

        wait_until(shows_two_lines, "the status line")
    finally:
        server.terminate()
        server.wait(10)
        os.close(ours)
        os.close(theirs)

    assert b"standing still 0\r\x1b[K" in shown
    assert b"revisions/s" in shown
    assert b"messages/s" in shown
    assert b"\n" not in shown
