"""Threads for the database: services run in them, so that the event loop never waits."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, reset_queries

READERS = 4  # openings of large sheets, side by side
POSTGRESQL_WRITERS = 4  # sheets whose commits wait for COMMIT side by side
SQLITE_WRITERS = 1  # it has one writer anyway; more would poll its lock and add latency

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """A pool of threads, each with its own database connection that stays open."""

    def __init__(self, name: str, size: int) -> None:
        self._size = size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a thread, which must be harmless to repeat, and return its result.

        A connection that turns out to be dead is replaced once; raises what `work` raises.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: _attempt(lambda: work(*args, **kwargs))
        )

    def close(self) -> None:
        """Wait for the work at hand and end the threads with their connections."""
        together = threading.Barrier(self._size)  # so that each thread takes exactly one

        def close() -> None:
            together.wait()
            connection.close()

        for done in [self._pool.submit(close) for _ in range(self._size)]:
            done.result()
        self._pool.shutdown()


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
