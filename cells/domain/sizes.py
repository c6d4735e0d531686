"""Sizes: the rows and columns that are not of the default size, by id, run-length encoded.

The form is `[[first_id, count, pixels], …]`, sorted by id; what is not named has the default.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cells.domain.runs import Runs, cut_range, join_runs

MIN_SIZE_PIXELS = 8  # less cannot be seen, nor caught with a mouse to be undone
MAX_SIZE_PIXELS = 2_000  # more than a screen hides all else


class Sized(NamedTuple):
    """Consecutive ids of one size; None is the default."""

    first: int
    length: int
    pixels: int | None


def resized(sizes: Iterable[Sequence[int]], runs: Runs, pixels: int | None) -> list[list[int]]:
    """Return `sizes` with the ids of `runs` set to `pixels`, or back to the default for None."""
    return resized_each(
        sizes, [Sized(first, stop - first, pixels) for first, stop in join_runs(runs)]
    )


def resized_each(sizes: Iterable[Sequence[int]], wanted: Sequence[Sized]) -> list[list[int]]:
    """Return `sizes` with the ids of `wanted`, which do not overlap, each at their own."""
    joined = join_runs([(first, count) for first, count, _ in wanted])
    pieces = [
        (piece.first, piece.length, size)
        for first, count, size in sizes
        for piece in cut_range(first, count, joined)
        if not piece.is_chosen
    ]
    pieces += [(first, count, pixels) for first, count, pixels in wanted if pixels is not None]
    merged: list[list[int]] = []
    for first, count, size in sorted(pieces):
        if merged and merged[-1][0] + merged[-1][1] == first and merged[-1][2] == size:
            merged[-1][1] += count
        else:
            merged.append([first, count, size])
    return merged


def sizes_of(sizes: Iterable[Sequence[int]], runs: Runs) -> list[Sized]:
    """Return the present sizes of the ids of `runs`, the default ones included."""
    joined = join_runs(runs)
    found = [
        Sized(piece.first, piece.length, size)
        for first, count, size in sizes
        for piece in cut_range(first, count, joined)
        if piece.is_chosen
    ]
    named = [(size.first, size.first + size.length) for size in sorted(found)]
    found += [
        Sized(piece.first, piece.length, None)
        for first, stop in joined
        for piece in cut_range(first, stop - first, named)
        if not piece.is_chosen
    ]
    return sorted(found, key=lambda size: size.first)
