"""Survivors: what a range begins and ends with once rows or columns of it were deleted.

The range goes on as Excel's does, which moves to the next row that is there at the moment; what is
inserted beside it later is outside. A death tells the two apart: ids below it were there.
"""

from collections.abc import Sequence
from typing import TypeAlias

from cells.domain.tombstones import Run

End: TypeAlias = tuple[int, int]
"""The place of a run among all runs, and an id in it."""

NEVER = 2**31  # as if it died last: of a death that is not known


def first_left(runs: Sequence[Run], ends: Sequence[int], low: End, high: End) -> int | None:
    """Return the position that a range from `low` to `high` begins with; None if it has none.

    `ends` are how many ids are alive up to the end of each run. O(runs between).
    """
    place, id_ = low
    run = runs[place]
    if run.is_alive:
        return ends[place] - run.length + id_ - run.first
    death = NEVER if run.death is None else run.death
    for at in range(place + 1, high[0] + 1):
        run = runs[at]
        if run.first >= death:
            continue  # born when the range began further behind
        if run.is_alive:
            return ends[at] - run.length
        death = max(death, run.death or 0)  # the range began there in between
    return None


def last_left(runs: Sequence[Run], ends: Sequence[int], low: End, high: End) -> int | None:
    """Return the position that it ends with, likewise."""
    place, id_ = high
    run = runs[place]
    if run.is_alive:
        return ends[place] - run.length + id_ - run.first
    death = NEVER if run.death is None else run.death
    for at in range(place - 1, low[0] - 1, -1):
        run = runs[at]
        first = low[1] if at == low[0] else run.first
        if first >= death:
            continue
        if run.is_alive:
            highest = min(run.first + run.length, death) - 1
            return ends[at] - run.length + highest - run.first
        death = max(death, run.death or 0)
    return None
