"""Figures: what this process has counted since its start, in plain integers.

Counting is all that the hot path does; what /metrics and the admin tell of it is made of these by
services.process_beats, every few seconds. A library's counters would take a lock and look up their
labels for every edit.
"""

from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock

import msgspec

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SUBMISSIONS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0)
BYTES = tuple(4.0**power for power in range(3, 13))  # 64 bytes to 16 MiB


class Distribution(msgspec.Struct, frozen=True):
    """How many measurements lay up to each bound, and above the one before; the last has none."""

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    sum: float = 0.0


class Histogram:
    """Counts measurements by their size. Takes a lock: it is for batches, not for edits."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()

    def note(self, value: float) -> None:
        """Count one measurement."""
        place = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def read(self) -> Distribution:
        """Return what was counted."""
        with self._lock:
            return Distribution(self._bounds, tuple(self._counts), self._sum)


class Tally:
    """Counts by name, from any thread: what is rare enough for a lock."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def note(self, name: str, times: int = 1) -> None:
        """Count something under a name, of which there are few: a code, not a text."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + times

    def read(self) -> dict[str, int]:
        """Return what was counted."""
        with self._lock:
            return dict(self._counts)


class Figures:
    """All counters of a process. Those that are bare integers belong to its event loop."""

    def __init__(self) -> None:
        self.commit_seconds = Histogram(SECONDS)
        self.commit_submissions = Histogram(SUBMISSIONS)
        self.delta_bytes = Histogram(BYTES)
        self.calculation_seconds = Histogram(SECONDS)
        self.refusals = Tally()  # by the refusal's code
        self.closings = Tally()  # by WebSocket close code
        self.sockets = 0
        self.gaps_healed = 0


figures = Figures()
