"""Pace: when a sheet's edits are gathered for a moment, and when they go at once; pure.

Telling a thousand sockets of one edit costs as much as telling them of fifty. While that is cheap
for what arrives, every edit goes at once. Where it would take much of the process's time, edits
are gathered, so long that it takes a small share of it, and never longer than a person notices.
"""

WINDOW_SECONDS = 0.1  # over which arrivals are counted
BUSY_SHARE = 0.5  # of the time, for telling of each edit by itself; beyond, gather
CALM_SHARE = 0.35  # below which gathering ends; between the two it stays as it is
GATHERED_SHARE = 0.03  # of the time, for telling of what was gathered
# What still feels immediate: https://www.nngroup.com/articles/response-times-3-important-limits/
MAX_SECONDS = 0.1
ENOUGH = 250  # edits: as many share a commit and its telling as well as more do
RISE, FALL = 1.02, 0.5  # at most, from one measurement to the next: one odd telling is no trend


class Pace:
    """How often one sheet's sockets are told. Times are in seconds, of any steady clock."""

    __slots__ = (
        "_arrived",
        "_counted_since",
        "_fan_out_seconds",
        "_is_gathering",
        "_rate",
        "_told_at",
    )

    def __init__(self, now: float) -> None:
        self._arrived = 0
        self._is_gathering = False
        self._counted_since = now
        self._rate = 0.0
        self._fan_out_seconds = 0.0
        self._told_at = now

    def note_arrival(self) -> None:
        """Count an edit."""
        self._arrived += 1

    def note_fan_out(self, began: float, seconds: float) -> None:
        """Take in when all sockets were told, and how much processor time it took."""
        self._told_at = began
        known = self._fan_out_seconds or seconds
        self._fan_out_seconds = max(known * FALL, min(seconds, known * RISE))

    def delay(self, now: float, waiting: int) -> float:
        """Return how long to gather before the next batch; 0 for at once.

        `waiting` is how many edits there are already; at ENOUGH, nothing is waited for.
        """
        counted = now - self._counted_since
        if counted >= WINDOW_SECONDS:
            self._rate = self._arrived / counted
            self._arrived = 0
            self._counted_since = now
        limit = CALM_SHARE if self._is_gathering else BUSY_SHARE
        self._is_gathering = self._rate * self._fan_out_seconds > limit
        if not self._is_gathering or waiting >= ENOUGH:
            return 0.0
        interval = min(self._fan_out_seconds / GATHERED_SHARE, MAX_SECONDS)
        return max(0.0, self._told_at + interval - now)
