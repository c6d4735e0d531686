"""Turns: so many files a process imports at once, for reading XLSX takes from those who edit."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cells.domain.errors import Unavailable

MAX_AT_ONCE = 2

_turns = threading.BoundedSemaphore(MAX_AT_ONCE)


@contextmanager
def import_turn() -> Iterator[None]:
    """Hold one of the turns. Raises Unavailable where there is none: nobody waits in line."""
    if not _turns.acquire(blocking=False):
        raise Unavailable("others import at the moment; try again in a minute")
    try:
        yield
    finally:
        _turns.release()
