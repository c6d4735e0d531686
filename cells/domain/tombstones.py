"""Runs of an axis: alive, or dead since when; in their stored form and in that of the wire.

Stored, a run of tombstones whose death is known is followed by a pair of count 0 that tells it,
below zero: `[[5, -3], [-9, 0], [8, -1]]` are the ids 5 to 7, which died when the next id was 9,
and 8, of which nothing is known. Releases that know of no deaths drop such a pair when they read,
and a browser to which one of them hands it on finds every id all the same.
"""

from bisect import bisect_right
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
        return self._replace(first=first, length=length)


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Join neighbours that go on by id and in their fate; leave out runs of none."""
    joined: list[Run] = []
    for run in runs:
        if run.length == 0:
            continue
        if joined:
            last = joined[-1]
            if last.first + last.length == run.first and last[2:] == run[2:]:
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
    runs = list(read_runs(stored))
    deaths = tuple((run.first, run.length, run.death) for run in runs if run.death is not None)
    return write_runs(merged(run._replace(death=None) for run in runs)), deaths
