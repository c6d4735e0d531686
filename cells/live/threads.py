"""Threads for the database: services run in them, so that the event loop never waits."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, reset_queries

READERS = 4  # openings of large sheets, side by side
POSTGRESQL_WRITERS = 4  # sheets whose commits wait for COMMIT side by side
SQLITE_WRITERS = 1  # it has one writer anyway; more would poll its lock and add latency

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """A pool of threads, each with its own database connection that stays open.

    Leaner than ThreadPoolExecutor, whose locks and chained futures cost a lone edit as much as
    two of its statements.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a thread, which must be harmless to repeat, and return its result.

        A connection that turns out to be dead is replaced once; raises what `work` raises.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(loop, done, partial(work, *args, **kwargs)))
        if len(self._threads) < self._size:
            number = len(self._threads)
            thread = threading.Thread(
                target=self._serve, name=f"{self._name}_{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return await done

    def close(self) -> None:
        """Wait for the work at hand and end the threads with their connections."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job  # or its result would be kept until the next one
        connection.close()


class _Job(NamedTuple):
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    work: Callable[[], Any]

    def run(self) -> None:
        try:
            result = _attempt(self.work)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            self._tell(_fail, error)
        else:
            self._tell(_succeed, result)

    def _tell(self, settle: Callable[[asyncio.Future[Any], Any], None], outcome: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            self.loop.call_soon_threadsafe(settle, self.done, outcome)


def _succeed(done: asyncio.Future[Any], result: object) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)


def _attempt(work: Callable[[], T]) -> T:
    try:
        return work()
    except (OperationalError, InterfaceError):
        # PostgreSQL was restarted, or ended a connection that idled: not an outage.
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return work()
    finally:
        if settings.DEBUG:
            reset_queries()  # Django keeps 9,000 statements a connection, here large ones
