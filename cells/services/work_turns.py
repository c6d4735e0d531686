"""Turns: how much of what is large a process does at once, for it takes from those who edit."""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cells.domain.errors import Unavailable

IMPORTS_AT_ONCE = 2
READINGS_AT_ONCE = 2  # a dozen of large sheets took 3 GB, and edits waited 12 s
READING_PATIENCE_SECONDS = 3.0  # most are over by then; who waits longer had better come again

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None
_imports = threading.BoundedSemaphore(IMPORTS_AT_ONCE)
_readings = threading.BoundedSemaphore(READINGS_AT_ONCE)


@contextmanager
def import_turn() -> Iterator[None]:
    """Hold a turn to read a file. Raises Unavailable where there is none: nobody waits in line."""
    if not _imports.acquire(blocking=False):
        raise Unavailable("others import at the moment; try again in a minute")
    try:
        yield
    finally:
        _imports.release()


@contextmanager
def reading_turn() -> Iterator[None]:
    """Hold a turn to read a whole sheet or its log; wait a little for one.

    Raises Unavailable where there is none by then.
    """
    if not _readings.acquire(timeout=READING_PATIENCE_SECONDS):
        raise Unavailable("others read whole sheets at the moment; try again in some seconds")
    try:
        yield
    finally:
        _give_back()
        _readings.release()


def _give_back() -> None:
    """Have the C library return to the system what was freed: glibc keeps it for the thread."""
    if _LIBRARY is not None and hasattr(_LIBRARY, "malloc_trim"):
        _LIBRARY.malloc_trim(0)
