"""Listeners are killed again and again: every edit exactly once, without a gap, in order.

Five seeds in CI. More, and larger, by hand:
KILLS_SEEDS=20 KILLS_MESSAGES=20000 KILLS=8 pytest tests/streams/test_kills.py
"""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.servers.databases import Databases, Kind
from tests.servers.process import ROOT, clean_environment, wait_until
from tests.servers.sheetsync import Listener, manage
from tests.streams.conftest import Stream, edit

SEEDS = int(os.environ.get("KILLS_SEEDS", "5"))
MESSAGES = int(os.environ.get("KILLS_MESSAGES", "2000"))
KILLS = int(os.environ.get("KILLS", "4"))
SHEETS = 20
ACK_DEADLINE_SECONDS = 10  # the least: what a killed listener held comes after so long


def rows(database_url: str, query: str) -> list[Any]:
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    with psycopg.connect(database_url) as connection_:
        return connection_.execute(query.encode()).fetchall()


def log_of(database_url: str) -> dict[str, list[tuple[int, str, str]]]:
    """Return each sheet's log by slug: (number, text, origin), in order."""
    query = (
        "SELECT sheet.slug, log.number, CAST(log.operation AS text), log.origin "
        "FROM cells_revision AS log JOIN cells_sheet AS sheet ON sheet.id = log.sheet_id "
        "ORDER BY sheet.slug, log.number"
    )
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for slug, number, operation, origin in rows(database_url, query):
        (text,) = re.findall(r'"(n\d+)"', operation)
        found[slug].append((number, text, origin))
    return found


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_edit_is_committed_once_and_in_order_whoever_is_killed(
    new_database: Databases, stream: Stream, listener: Callable[..., Listener], seed: int
) -> None:
    draw = random.Random(seed)
    kind: Kind = "postgresql" if seed % 2 else "sqlite"
    sheets = [f"sheet-{number}" for number in range(SHEETS)]
    url = new_database(kind, *sheets)
    environment = {"DATABASE_URL": url, **stream.environment}
    stream.create(ack_deadline_seconds=ACK_DEADLINE_SECONDS)
    listeners = [listener(environment, "--batch-size", "50") for _ in range(2)]

    sent: dict[str, list[str]] = defaultdict(list)
    bodies: dict[str, list[Any]] = defaultdict(list)
    for number in range(MESSAGES):
        slug = draw.choice(sheets)
        sent[slug].append(f"n{number}")
        bodies[slug].append(edit(f"A{len(sent[slug])}", f"n{number}", slug))
    for slug in sheets:
        stream.publish(*bodies[slug], key=slug)

    def count() -> int:
        return sum(map(len, log_of(url).values()))

    for _ in range(KILLS):
        time.sleep(draw.uniform(0.1, 1.5))  # the moment is what is drawn
        place = draw.randrange(2)
        listeners[place].kill()
        listeners[place] = listener(environment, "--batch-size", "50")
    wait_until(lambda: count() >= MESSAGES, f"{MESSAGES} commits", 60 + MESSAGES / 100)

    log = log_of(url)
    for slug in sheets:
        assert [text for _, text, _ in log[slug]] == sent[slug]
        assert [number for number, _, _ in log[slug]] == list(range(1, len(sent[slug]) + 1))
        assert len({origin for _, _, origin in log[slug]}) == len(sent[slug])


def test_a_listener_that_dies_between_commit_and_acknowledgement_repeats_nothing(
    new_database: Databases, stream: Stream, listener: Callable[..., Listener]
) -> None:
    url = new_database("postgresql", "demo")
    environment = {"DATABASE_URL": url, **stream.environment}
    stream.create(ack_deadline_seconds=ACK_DEADLINE_SECONDS)
    stream.publish(*[edit(f"A{number}", f"n{number}") for number in range(1, 101)])
    # The fault point is put into the process from outside; nothing in SheetSync knows of it.
    dying = [sys.executable, "-m", "tests.streams.dying", *manage("pubsub_listener")[1:]]
    died = subprocess.run(dying, cwd=ROOT, env=clean_environment(environment), timeout=60)
    assert died.returncode == -signal.SIGKILL
    committed = len(log_of(url)["demo"])
    assert committed > 0

    second = listener(environment)

    def heard() -> int:
        beats = rows(url, "SELECT messages FROM cells_listenerbeat ORDER BY started_at DESC")
        return int(beats[0][0]) if beats else 0

    second.wait_until(lambda: heard() >= 100, "all messages, those of the dead one again")
    second.stop()
    said = re.search(r"stopped: (\d+) messages, (\d+) edits, (\d+) repeated", second.output())
    assert said is not None
    assert [int(part) for part in said.groups()] == [100, 100 - committed, committed]
    log = log_of(url)["demo"]
    assert [text for _, text, _ in log] == [f"n{number}" for number in range(1, 101)]
    assert [number for number, _, _ in log] == list(range(1, 101))
