"""Runs: sets of ids written as ranges, joined and cut."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from cells.domain.errors import Malformed

MAX_RUNS = 20_000  # about 250 kB as JSON: every structural edit sends its axis to everybody

Runs = Sequence[tuple[int, int]]
"""Ranges of ids as (first id, count)."""


class Piece(NamedTuple):
    """A part of a range of ids that is wholly inside or wholly outside a set of runs."""

    first: int
    length: int
    is_chosen: bool


def join_runs(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return `runs` as sorted (first id, id behind the last) that neither touch nor overlap.

    Raises Malformed for a negative id or a count below 1.
    """
    joined: list[tuple[int, int]] = []
    for first, count in sorted(runs):
        if count < 1 or first < 0:
            raise Malformed("each run must be [an id from 0 up, a count of at least 1]")
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], first + count))
        else:
            joined.append((first, first + count))
    return joined


def ids_of(runs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the ids that `runs` name, in the order in which they do."""
    return [id_ for first, count in runs for id_ in range(first, first + count)]


def runs_of(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the runs that name `ids` in this order."""
    runs: list[tuple[int, int]] = []
    for id_ in ids:
        if runs and id_ == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((id_, 1))
    return runs


def cut_range(first: int, count: int, joined: list[tuple[int, int]]) -> Iterator[Piece]:
    """Cut the ids `first` … `first + count - 1` where the joined runs begin and end.

    `joined` is what join_runs returned. O(log joined + pieces).
    """
    at, end = first, first + count
    place = max(bisect_right(joined, (at, end)) - 1, 0)
    while at < end:
        while place < len(joined) and joined[place][1] <= at:
            place += 1
        if place == len(joined) or joined[place][0] >= end:
            yield Piece(at, end - at, is_chosen=False)
            return
        begin, stop = joined[place]
        if begin > at:
            yield Piece(at, begin - at, is_chosen=False)
            at = begin
        stop = min(stop, end)
        yield Piece(at, stop - at, is_chosen=True)
        at = stop
