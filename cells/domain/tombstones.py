"""Runs of an axis: alive, or dead since when; in their stored form and in that of the wire.

Stored, a run of tombstones whose death is known is followed by a pair of count 0 that tells it,
below zero: `[[5, -3], [-9, 0], [8, -1]]` are the ids 5 to 7, which died when the next id was 9,
and 8, of which nothing is known. Releases that know of no deaths drop such a pair when they read,
and a browser to which one of them hands it on finds every id all the same.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

Deaths: TypeAlias = Sequence[tuple[int, int, int]]
"""First id, count, and the next id of the axis when they were deleted."""


class Run(NamedTuple):
    """Consecutive ids that stand together and are all alive, or were all deleted at once.

    `death` is the next id of the axis at that moment, so that whatever is below it was born
    before; None where it is not known, as of what was deleted before this was kept.
    """

    first: int
    length: int
    is_alive: bool
    death: int | None = None

    def part(self, first: int, length: int) -> "Run":
        """Return so many of its ids; none is a run of none."""
        return Run(first, length, self.is_alive, self.death)


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Join neighbours that go on by id and in their fate; leave out runs of none."""
    joined: list[Run] = []
    for run in runs:
        if run.length == 0:
            continue
        if joined:
            last = joined[-1]
            if (
                last.first + last.length == run.first
                and last.is_alive == run.is_alive
                and last.death == run.death
            ):
                joined[-1] = last.part(last.first, last.length + run.length)
                continue
        joined.append(run)
    return tuple(joined)


def tombstones(run: Run, deaths: Deaths, otherwise: int | None) -> Iterator[Run]:
    """Yield the ids of a run as tombstones, dead since what the sorted `deaths` say of them."""
    at, end = run.first, run.first + run.length
    place = max(bisect_right(deaths, at, key=itemgetter(0)) - 1, 0)
    while place < len(deaths) and deaths[place][0] < end:
        first, count, death = deaths[place]
        begin, stop = max(first, at), min(first + count, end)
        if begin < stop:
            yield Run(at, begin - at, is_alive=False, death=otherwise)
            yield Run(begin, stop - begin, is_alive=False, death=death)
            at = stop
        place += 1
    yield Run(at, end - at, is_alive=False, death=otherwise)


def parts_within(runs: Sequence[Run], firsts: Sequence[int], first: int, count: int) -> list[Run]:
    """Return what of `runs`, sorted by their `firsts`, is in the `count` ids from `first` on."""
    parts = []
    for place in range(bisect_right(firsts, first) - 1, bisect_left(firsts, first + count)):
        run = runs[place]
        begin, end = max(run.first, first), min(run.first + run.length, first + count)
        if begin < end:
            parts.append(run.part(begin, end - begin))
    return parts


def deaths_lost(runs: Iterable[Run], later: Sequence[Run]) -> list[tuple[int, int, int]]:
    """Return the deaths of `runs` that the same ids do not have in `later`."""
    kept = set(later)
    changed = [run for run in runs if run.death is not None and run not in kept]
    if not changed:
        return []
    later = sorted(later)
    firsts = [run.first for run in later]
    return [
        (part.first, part.length, run.death)
        for run in changed
        for part in parts_within(later, firsts, run.first, run.length)
        if run.death is not None and part.death != run.death
    ]


def dated_alike(runs: Sequence[Run], death: int) -> list[Run]:
    """Give tombstones beside newer ones that died at `death` that death, where none can tell.

    Or a sheet whose first row goes whenever another one comes would have a run for each of them.
    A death tells what was born later from what is older: where all that a range could find from
    there is older anyhow, a later death finds the same, now and whatever is born or dies later.
    """
    dated = list(runs)
    at = 0
    while at < len(dated):
        if dated[at].death != death:
            at += 1
            continue
        begin, end = at, at + 1
        while begin > 0 and not dated[begin - 1].is_alive:
            begin -= 1
        while end < len(dated) and not dated[end].is_alive:
            end += 1
        behind = dated[end].first if end < len(dated) else -1
        near = dated[max(begin - 1, 0) : end]
        youngest = max(behind + 1, *(run.first + run.length for run in near))
        for place in range(begin, end):
            run = dated[place]
            if run.death is not None and run.death >= youngest:
                dated[place] = run._replace(death=death)
        at = end
    return dated


def read_runs(stored: Iterable[Sequence[int]]) -> Iterator[Run]:
    """Yield the runs of the stored form; of the wire's too, which tells no deaths."""
    run = None
    for first, count in stored:
        if count == 0:
            if run is not None and not run.is_alive:
                run = run._replace(death=-first)
            continue
        if run is not None:
            yield run
        run = Run(first, abs(count), count > 0)
    if run is not None:
        yield run


def write_runs(runs: Iterable[Run]) -> list[list[int]]:
    """Return the stored form of merged runs."""
    stored = []
    for run in runs:
        stored.append([run.first, run.length if run.is_alive else -run.length])
        if run.death is not None:
            stored.append([-run.death, 0])
    return stored


def told_apart(stored: list[list[int]]) -> tuple[list[list[int]], Deaths]:
    """Return what the wire has for the stored form of an axis: its runs, and beside them deaths."""
    if all(count for _, count in stored):
        return stored, ()
    runs: list[list[int]] = []
    deaths: list[tuple[int, int, int]] = []
    last_first = last_count = 0
    for first, count in stored:
        if count == 0:
            if last_count < 0:
                deaths.append((last_first, -last_count, -first))
            continue
        if count < 0 and last_count < 0 and last_first - last_count == first:
            runs[-1][1] += count
        else:
            runs.append([first, count])
        last_first, last_count = first, count
    return runs, tuple(deaths)
