"""Restoring: the steps that give a sheet the rows, columns, sizes and cells of an earlier one."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cells.domain.axes import Axis, AxisName
from cells.domain.layout import CellId, Layout
from cells.domain.operations import (
    Delete,
    Freeze,
    PutBack,
    ResizeBack,
    Restore,
    RestyleEach,
    SetCells,
    Step,
)
from cells.domain.sizes import sizes_of
from cells.domain.styles import Style

Content = tuple[str, Style]
"""What is in a cell: its input and its style, "" for none."""


def steps_of_shape(now: Layout, then: Layout) -> list[Step]:
    """Return what takes a layout back to an earlier one of the same sheet.

    Rows and columns that were born since become tombstones where they are, dead since now; those
    that were dead then get the death that they had. What has been deleted anew since keeps its
    newer death.
    """
    steps: list[Step] = []
    for axis in AxisName:
        pieces = _pieces(now.axes[axis], then.axes[axis])
        if moved := _moved(pieces):
            steps.append(PutBack(axis, tuple(moved)))
        gone = [piece for piece in pieces if piece.is_alive and not piece.was_alive]
        back = [piece for piece in pieces if not piece.is_alive and piece.was_alive]
        if gone:
            dead_then = _runs(piece for piece in gone if piece.was_at is not None)
            deaths = then.axes[axis].deaths_of(dead_then)
            steps.append(Delete(axis, _runs(gone), tuple(deaths)))
        if back:
            steps.append(Restore(axis, _runs(back)))
        if sizes := _resized(now.sizes[axis], then.sizes[axis], then.axes[axis].next_id):
            steps.append(ResizeBack(axis, tuple(sizes)))
    if now.frozen != then.frozen:
        steps.append(Freeze(*then.frozen))
    return steps


def steps_of_cells(now: Mapping[CellId, Content], then: Mapping[CellId, Content]) -> list[Step]:
    """Return what gives each cell of `then` what it had, as far as that differs from `now`."""
    cells, styles, looks = [], [], []
    for (row, column), (text, style) in then.items():
        present = now.get((row, column), ("", ""))
        if text != present[0]:
            cells.append((row, column, text))
            if style != present[1]:
                styles.append((row, column, style))
        elif style != present[1]:
            looks.append((row, column, style))
    steps: list[Step] = []
    if cells:
        steps.append(SetCells(tuple(cells), styles=tuple(styles)))
    if looks:
        steps.append(RestyleEach(tuple(looks)))
    return steps


class _Piece(NamedTuple):
    """Consecutive ids that stand together now and then; `was_at` is None for those born since."""

    first: int
    length: int
    at: int
    is_alive: bool
    was_at: int | None
    was_alive: bool


def _pieces(now: Axis, then: Axis) -> list[_Piece]:
    """Cut both axes where either is cut; the pieces come by id. O(runs log runs)."""
    present, past = _by_id(now), _by_id(then)
    pieces = []
    place = 0
    for first, length, is_alive, at in present:
        begin, end = first, first + length
        while begin < end:
            while place < len(past) and past[place][0] + past[place][1] <= begin:
                place += 1
            if place == len(past):
                pieces.append(_Piece(begin, end - begin, at + begin - first, is_alive, None, False))
                break
            old, count, was_alive, was_at = past[place]
            stop = min(end, old + count)
            pieces.append(
                _Piece(
                    begin,
                    stop - begin,
                    at + begin - first,
                    is_alive,
                    was_at + begin - old,
                    was_alive,
                )
            )
            begin = stop
    return pieces


def _by_id(axis: Axis) -> list[tuple[int, int, bool, int]]:
    """Return the runs by id: first id, length, whether alive, and where it stands among all."""
    runs, at = [], 0
    for run in axis.runs:
        runs.append((run.first, run.length, run.is_alive, at))
        at += run.length
    return sorted(runs)


def _moved(pieces: Iterable[_Piece]) -> list[tuple[int, int, int | None]]:
    """Return as few pieces as can be that have to move, in the order of then, for PutBack."""
    ordered = sorted(
        (piece for piece in pieces if piece.was_at is not None), key=lambda piece: piece.was_at or 0
    )
    staying = _longest_rise([piece.at for piece in ordered])
    moved: list[tuple[int, int, int | None]] = []
    for place, piece in enumerate(ordered):
        if place in staying:
            continue
        behind = ordered[place + 1].first if place + 1 < len(ordered) else None
        if moved and moved[-1][2] == piece.first and sum(moved[-1][:2]) == piece.first:
            moved[-1] = (moved[-1][0], moved[-1][1] + piece.length, behind)
        else:
            moved.append((piece.first, piece.length, behind))
    return moved


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Return the places of a longest rising subsequence, by patience sorting."""
    ends: list[int] = []  # the lowest number that a rise of so many can end with
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(number)
            places.append(place)
        else:
            ends[length], places[length] = number, place
    found = set()
    place = places[-1] if places else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return found


def _resized(
    now: Sequence[Sequence[int]], then: Sequence[Sequence[int]], count: int
) -> list[tuple[int, int, int | None]]:
    """Return the sizes of then, of those among the first `count` ids that have another now."""
    if not count:
        return []
    runs = [(0, count)]
    changed: list[tuple[int, int, int | None]] = []
    old = iter(sizes_of(then, runs))
    past = next(old)
    for first, length, pixels in sizes_of(now, runs):
        begin, end = first, first + length
        while begin < end:
            if past.first + past.length <= begin:
                past = next(old)
            stop = min(end, past.first + past.length)
            if past.pixels != pixels:
                changed.append((begin, stop - begin, past.pixels))
            begin = stop
    return changed


def _runs(pieces: Iterable[_Piece]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for first, length, *_ in pieces:
        if joined and sum(joined[-1]) == first:
            joined[-1] = (joined[-1][0], joined[-1][1] + length)
        else:
            joined.append((first, length))
    return tuple(joined)
