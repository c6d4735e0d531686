"""Limits: how often one socket may ask for what costs its neighbours; pure, time is handed in.

An edit that is taken in costs nothing here: the reader waits for its commit (see
`Client.has_capacity`), so whoever sends edits too fast is read more slowly and refused nothing.
What no commit holds back is paid from an allowance: presence, openings, pings, fragments, and
whatever is refused.
docs/decisions/0010-limits.md has the reasons.
"""

FRAMES_PER_SECOND = 100.0  # a browser says ten times a second where its cursor is
BURST_FRAMES = 500.0  # what waited while a network or this process hung for some seconds
OPENING_COST = 25.0  # a statement or more each: four a second, twenty at once
ROWS_COST = 5.0  # a statement: as often as a page that is being scrolled asks
REFUSAL_COST = 1.0
PRESENCE_COST = 1.0
TRIFLE_COST = 0.1  # a ping, a pong, a fragment: ten microseconds, and a packet brings thousands
CHARACTERS_PER_FRAME = 1_024  # of a frame that changes nothing; a longer one counts as several


class Allowance:
    """A token bucket: what a socket may still spend, refilled as time passes."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left = BURST_FRAMES
        self._at = now

    def spend(self, cost: float, characters: int, now: float) -> bool:
        """Take the cost of a frame of so many characters; False when it is more than is left.

        `now` is in seconds, of any clock that never goes back.
        """
        left = self._left + (now - self._at) * FRAMES_PER_SECOND
        self._at = now
        self._left = min(left, BURST_FRAMES) - cost - characters // CHARACTERS_PER_FRAME
        return self._left >= 0
