"""Which core runs what: servers and their services on one, the load generator on the other."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bench import processes

SERVER_CORE = 0
LOAD_CORE = 1


class NotPinnedError(Exception):
    """A process may run on a core that was meant for another."""


def are_there() -> bool:
    """Say whether this machine has a core for the servers and one for the load."""
    return {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what this thread starts meanwhile inherit `core` as the only one that it may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def check(pids: Iterable[int], core: int) -> None:
    """Raise NotPinnedError unless every thread of these processes is bound to `core`."""
    found = processes.cores_of(pids)
    if found != {core}:
        raise NotPinnedError(f"meant for core {core}, but bound to {sorted(found)}")
