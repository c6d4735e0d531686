"""Whether what this process needs answers: the database, its migrations, each Redis host.

Without the database nothing works, so the node is `unavailable`. Without Redis edits still
commit and the tail still shows them, so the node is only `degraded`: were it taken out of
service, all nodes would go at once, as they share that Redis, and a slow day became an outage.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from cells.services.beats import listener_problem

logger = logging.getLogger(__name__)

DATABASE_SECONDS = 2.0  # probes usually wait 5 s or more; the answer must come before
REDIS_SECONDS = 1.0
NO_ANSWER = "does not answer"


class Readiness(StrEnum):
    """What a load balancer or an operator should think of this process."""

    READY = "ready"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"
    DRAINING = "draining"


_is_draining = Event()


def begin_drain() -> None:
    """Let readiness say from now on that this process is about to end."""
    _is_draining.set()


def is_draining() -> bool:
    """Say whether this process is about to end."""
    return _is_draining.is_set()


@dataclass(frozen=True, slots=True)
class Dependency:
    """One thing that was asked; `problem` is empty when it answered. It names no host."""

    name: str
    problem: str
    is_required: bool


def readiness_of(dependencies: Sequence[Dependency]) -> Readiness:
    """Return what the answers of all dependencies amount to."""
    if any(found.problem and found.is_required for found in dependencies):
        return Readiness.UNAVAILABLE
    if any(found.problem for found in dependencies):
        return Readiness.DEGRADED
    return Readiness.READY


def ask_dependencies() -> list[Dependency]:
    """Ask all dependencies at the same time; done within about DATABASE_SECONDS."""
    urls: list[str] = settings.REDIS_URLS
    # Numbered as in REDIS_URL: an anonymous answer names no inner host.
    names = [f"redis {place}" if len(urls) > 1 else "redis" for place in range(1, len(urls) + 1)]
    asked = [_start(_ask_database)]
    asked += [_start(_ask_redis, name, url) for name, url in zip(names, urls, strict=True)]
    fallbacks = [Dependency("database", NO_ANSWER, is_required=True)]
    fallbacks += [Dependency(name, NO_ANSWER, is_required=False) for name in names]
    deadline = monotonic() + DATABASE_SECONDS
    found: list[Dependency] = []
    for answers, fallback in zip(asked, fallbacks, strict=True):
        try:
            found += answers.get(timeout=max(deadline - monotonic(), 0.001))
        except Empty:
            found.append(fallback)
    return found


def _start(ask: Callable[..., list[Dependency]], *arguments: str) -> "Queue[list[Dependency]]":
    """Run `ask` in a thread, so that even a name that does not resolve cannot hold the answer.

    The thread ends by itself: the drivers give up connecting after a few seconds.
    """
    answers: Queue[list[Dependency]] = Queue()
    Thread(target=lambda: answers.put(ask(*arguments)), daemon=True).start()
    return answers


def _ask_database() -> list[Dependency]:
    # On a new connection, which this thread's is: what counts is whether one can be had now.
    try:
        return _answers_of_database()
    except DatabaseError as error:
        logger.warning("readiness: the database does not answer: %s", error)
        return [Dependency("database", NO_ANSWER, is_required=True)]
    finally:
        connection.close()


def _answers_of_database() -> list[Dependency]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    problem = f"{len(missing)} not applied: run manage.py migrate" if missing else ""
    found = [
        Dependency("database", "", is_required=True),
        Dependency("migrations", problem, is_required=True),
    ]
    if not missing and (deaf := _ask_listeners()) is not None:
        # Not required: people go on editing here, and this node cannot make another one hear.
        found.append(Dependency("listener", deaf, is_required=False))
    return found


def _ask_listeners() -> str | None:
    try:
        return listener_problem()
    except DatabaseError as error:
        logger.warning("readiness: the listeners cannot be asked for: %s", error)
        return None


def _ask_redis(name: str, url: str) -> list[Dependency]:
    problem = ""
    try:
        with Redis.from_url(
            url,
            socket_connect_timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the next probe is the retry
        ) as redis:
            redis.ping()
    except RedisError as error:
        logger.warning("readiness: %s does not answer: %s", name, error)
        problem = NO_ANSWER
    return [Dependency(name, problem, is_required=False)]
