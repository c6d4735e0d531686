"""Axes: the ordered, permanent ids of a sheet's rows or columns, run-length encoded.

The ids of an axis are 0, 1, 2 … without a gap, in whatever order people moved them; a deleted
one stays in its place as a tombstone that knows its death: which id was the next one then. Every
function here costs O(runs), not O(ids).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from cells.domain.errors import Deleted, LimitExceeded, Malformed, UnknownId
from cells.domain.runs import Runs, cut_range, join_runs
from cells.domain.survivors import first_left, last_left
from cells.domain.tombstones import (
    Deaths,
    Run,
    dated_alike,
    deaths_lost,
    merged,
    parts_within,
    read_runs,
    tombstones,
    write_runs,
)

NEW_ROWS = 1_000  # what Google Sheets gives a new sheet
NEW_COLUMNS = 26  # A to Z, likewise
MAX_ROWS = 1_000_000  # about Excel's 1,048,576; what the grid can scroll through
MAX_COLUMNS = 16_384  # Excel's XFD: files from there fit
MAX_IDS = 2**31 - 1  # what the database's integer column holds, tombstones included


class AxisName(StrEnum):
    """Which of a sheet's two axes; the plural is what the wire says."""

    ROWS = "rows"
    COLUMNS = "columns"

    @property
    def limit(self) -> int:
        return MAX_ROWS if self is AxisName.ROWS else MAX_COLUMNS

    @property
    def deaths(self) -> str:
        """What the wire and the log call the deaths on this axis."""
        return "row_deaths" if self is AxisName.ROWS else "column_deaths"


AxisPiece: TypeAlias = tuple[int, int, int | None]
"""First id, count, and the id that stands behind; None is the end of the axis."""


class Span(NamedTuple):
    """Positions from the first to the last; `is_reversed` if the ids were named the other way."""

    first: int
    last: int
    is_reversed: bool


@dataclass(frozen=True)
class Axis:
    """An immutable axis; its functions return a new one."""

    runs: tuple[Run, ...]

    @classmethod
    def from_runs(cls, runs: Iterable[Sequence[int]]) -> "Axis":
        """Read the stored form, or the wire's: `[[first_id, count], …]`, below 0 for tombstones."""
        return cls(merged(read_runs(runs)))

    def to_runs(self) -> list[list[int]]:
        """Return the stored form, the shortest there is for this axis; see tombstones.py."""
        return write_runs(self.runs)

    def __len__(self) -> int:
        """Return how many ids are alive."""
        return self._ends[-1] if self._ends else 0

    @property
    def next_id(self) -> int:
        """The id that the next row or column to be born gets."""
        return self._id_count

    def id_at(self, position: int) -> int:
        """Return the id that stands at a zero-based place among the living.

        Raises UnknownId beyond the end.
        """
        if not 0 <= position < len(self):
            raise UnknownId(f"position {position} is beyond the {len(self)} that there are")
        place = bisect_right(self._ends, position)
        run = self.runs[place]
        return run.first + run.length - (self._ends[place] - position)

    def ids_between(self, start: int, stop: int) -> list[int]:
        """Return the living ids at the positions from `start` up to, not including, `stop`."""
        stop = min(stop, len(self))
        ids: list[int] = []
        if start >= stop:
            return ids
        for place in range(bisect_right(self._ends, start), len(self.runs)):
            run, end = self.runs[place], self._ends[place]
            if not run.is_alive:
                continue
            begin = end - run.length
            if begin >= stop:
                break
            ids.extend(
                range(run.first + max(start - begin, 0), run.first + min(stop - begin, run.length))
            )
        return ids

    def position_of(self, id_: int) -> int:
        """Return the zero-based place of `id_` among the living.

        Raises UnknownId for an id that was never born and Deleted for a tombstone.
        """
        if not self.is_alive(id_):
            raise Deleted(f"id {id_} has been deleted")
        return self.living_before(id_)

    def is_alive(self, id_: int) -> bool:
        """Return whether `id_` is alive; False for a tombstone. Raises UnknownId."""
        return self.runs[self._place_of(id_)].is_alive

    def living_before(self, id_: int) -> int:
        """Return how many living ids stand in front of `id_`, itself alive or not.

        Raises UnknownId.
        """
        place = self._place_of(id_)
        run = self.runs[place]
        return self._ends[place] - (run.length - (id_ - run.first) if run.is_alive else 0)

    def span_between(self, one: int, other: int) -> Span | None:
        """Return the positions that are alive from one id to another, both counting themselves.

        Either may stand in front, alive or not; None where nothing between them is alive. Raises
        UnknownId.
        """
        one_place, other_place = self._place_of(one), self._place_of(other)
        # Within a run the ids stand in order.
        is_reversed = (other_place, other) < (one_place, one)
        low, high, place = (other, one, one_place) if is_reversed else (one, other, other_place)
        first = self.living_before(low)
        last = self.living_before(high) - (0 if self.runs[place].is_alive else 1)
        return Span(first, last, is_reversed) if first <= last else None

    def range_between(self, one: int, other: int) -> Span | None:
        """Return the positions of a range that was made from one id to another.

        Where an end was deleted, the range goes on as Excel's does: from the next one that was
        there then, so that what is born between the two is outside. None where nothing is left.
        Raises UnknownId.
        """
        low, high = sorted(((self._place_of(one), one), (self._place_of(other), other)))
        first = first_left(self.runs, self._ends, low, high)
        last = last_left(self.runs, self._ends, low, high)
        if first is None or last is None or first > last:
            return None
        return Span(first, last, is_reversed=low[1] != one)

    def range_from(self, id_: int) -> int | None:
        """Return where a range begins that was made from an id on, without an end; or None.

        Raises UnknownId.
        """
        end = len(self.runs) - 1, MAX_IDS
        return first_left(self.runs, self._ends, (self._place_of(id_), id_), end)

    def runs_between(self, one: int, other: int) -> list[tuple[int, int]]:
        """Return (first id, count) of all from one id to another, alive or not, as they stand.

        Both count themselves, and either may stand in front. Raises UnknownId.
        """
        low, high = sorted(((self._place_of(one), one), (self._place_of(other), other)))
        runs = []
        for place in range(low[0], high[0] + 1):
            run = self.runs[place]
            first = low[1] if place == low[0] else run.first
            last = high[1] if place == high[0] else run.first + run.length - 1
            runs.append((first, last - first + 1))
        return runs

    def continues(self, other: "Axis") -> bool:
        """Say whether this is `other` as it was, with nothing but new ids behind its end."""
        behind = self.next_id - other.next_id
        if behind == 0:
            return self == other
        if behind < 0:
            return False
        return self == other.insert(None, behind, MAX_IDS)

    def require_born(self, runs: Runs) -> None:
        """Raise UnknownId unless all ids of `runs` exist, alive or not; Malformed likewise."""
        self._cut(runs)

    def insert(self, before: int | None, count: int, limit: int) -> "Axis":
        """Give birth to `count` ids in front of the id `before`, or at the end for None.

        A tombstone is a valid `before`: its place is known. Raises UnknownId, Malformed for a
        count below 1 and LimitExceeded when more than `limit` ids would be alive.
        """
        if count < 1:
            raise Malformed("count must be at least 1")
        if len(self) + count > limit:
            raise LimitExceeded(
                f"{count} more would make {len(self) + count}, and {limit:,} is the limit; "
                "delete some first, or begin another sheet"
            )
        if self.next_id + count > MAX_IDS:
            raise LimitExceeded("this sheet has used up its ids; copy its content to a new sheet")
        return Axis(merged(self._with_inserted([Run(self.next_id, count, True)], before)))

    def delete(self, runs: Runs, deaths: Deaths = ()) -> "Axis":
        """Turn ids into tombstones, dead since now, or since `deaths` says of them.

        One that is a tombstone stays one; its death may become that of its new neighbours where no
        range can tell. Raises UnknownId, and Malformed for a count below 1.
        """
        death = self.next_id
        return Axis(merged(dated_alike(self._killed(runs, deaths, death).runs, death)))

    def restore(self, runs: Runs, limit: int = MAX_IDS) -> "Axis":
        """Bring tombstones back to life where they stand.

        Raises UnknownId, Malformed and, when more than `limit` ids would be alive, LimitExceeded.
        """
        restored = Axis(
            merged(
                Run(run.first, run.length, is_alive=True) if is_chosen else run
                for run, is_chosen in self._cut(runs)
            )
        )
        if len(restored) > max(limit, len(self)):
            raise LimitExceeded(
                f"with these back there would be {len(restored):,}, and {limit:,} is the limit; "
                "delete some first"
            )
        return restored

    def kill_again(self, runs: Runs) -> "Axis":
        """Return the axis as it was before these were restored, but for their deaths.

        Raises UnknownId, and Malformed for a count below 1.
        """
        return self._killed(runs, (), None)

    def with_deaths(self, deaths: Deaths) -> "Axis":
        """Return the axis with other deaths of tombstones."""
        known = sorted(deaths)
        return Axis(
            merged(
                dated
                for run in self.runs
                for dated in ((run,) if run.is_alive else tombstones(run, known, run.death))
            )
        )

    def without_deaths(self) -> "Axis":
        """Return the axis with nothing known of deaths: it has fewer runs then."""
        return Axis(merged(run._replace(death=None) for run in self.runs))

    def deaths_of(self, runs: Runs) -> list[tuple[int, int, int]]:
        """Return (first id, count, death) of those tombstones of `runs` whose death is known."""
        return [
            (run.first, run.length, run.death)
            for run, is_chosen in self._cut(runs)
            if is_chosen and run.death is not None
        ]

    def deaths_lost(self, later: "Axis") -> list[tuple[int, int, int]]:
        """Return (first id, count, death) of those that do not have it on a later axis."""
        return deaths_lost(self.runs, later.runs)

    def forget(self, runs: Runs) -> "Axis":
        """Return the axis as it was before these ids were born; for those born last alone.

        Raises UnknownId, and Malformed for a count below 1.
        """
        return Axis(merged(run for run, is_chosen in self._cut(runs) if not is_chosen))

    def move(self, runs: Runs, before: int | None) -> "Axis":
        """Put living ids in front of `before`, or at the end for None, in their present order.

        Raises UnknownId, Deleted for a tombstone among them, and Malformed for a count below 1
        or a `before` that moves itself.
        """
        moved, kept = [], []
        for run, is_chosen in self._cut(runs):
            if is_chosen:
                if not run.is_alive:
                    raise Deleted(f"id {run.first} has been deleted")
                moved.append(run)
            else:
                kept.append(run)
        if before is not None:
            self._place_of(before)
            if any(run.first <= before < run.first + run.length for run in moved):
                raise Malformed(f"cannot move ids in front of {before}, which is one of them")
        return Axis(merged(Axis(tuple(kept))._with_inserted(moved, before)))

    def chosen(self, runs: Runs, *, is_alive: bool) -> list[tuple[int, int]]:
        """Return the part of `runs` that is alive (or deleted), in the order of the axis."""
        return [
            (run.first, run.length)
            for run, is_chosen in self._cut(runs)
            if is_chosen and run.is_alive == is_alive
        ]

    def followers_of(self, runs: Runs) -> list[AxisPiece]:
        """Return (first id, count, the id that stands behind it) of each piece of `runs`."""
        pieces = self._cut(runs)
        return [
            (
                run.first,
                run.length,
                pieces[place + 1][0].first if place + 1 < len(pieces) else None,
            )
            for place, (run, is_chosen) in enumerate(pieces)
            if is_chosen
        ]

    def place(self, pieces: Sequence[AxisPiece]) -> "Axis":
        """Put pieces, alive or not, in front of what followers_of said stood behind them.

        What it names is where it was when nothing else was moved since; in front of its follower
        in any case. Raises UnknownId.
        """
        cut = self._cut([(first, count) for first, count, _ in pieces])
        chosen = sorted(run for run, is_chosen in cut if is_chosen)
        firsts = [run.first for run in chosen]
        # Neighbours that both moved go together: the one behind is where the one in front goes.
        groups: dict[int | None, list[list[Run]]] = {}
        anchor, follower = None, None
        for first, count, behind in reversed(pieces):
            if behind is None or behind != follower:
                anchor = behind
            follower = first
            groups.setdefault(anchor, []).append(parts_within(chosen, firsts, first, count))
        kept = [run for run, is_chosen in cut if not is_chosen]
        anchors = sorted(anchor for anchor in groups if anchor is not None)
        placed: list[Run] = []
        found = 0
        for run in kept:
            at, end = run.first, run.first + run.length
            place = bisect_left(anchors, at)
            while place < len(anchors) and anchors[place] < end:
                anchor = anchors[place]
                placed.append(run.part(at, anchor - at))
                placed += [part for group in reversed(groups[anchor]) for part in group]
                at = anchor
                place += 1
                found += 1
            placed.append(run.part(at, end - at))
        if found < len(anchors):
            raise UnknownId("not all ids to place others in front of exist or stay where they are")
        placed += [part for group in reversed(groups.get(None, [])) for part in group]
        return Axis(merged(placed))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(run.length if run.is_alive else 0 for run in self.runs))

    @cached_property
    def _id_count(self) -> int:
        return max((run.first + run.length for run in self.runs), default=0)

    @cached_property
    def _by_id(self) -> tuple[list[int], list[int]]:
        places = sorted(range(len(self.runs)), key=lambda place: self.runs[place].first)
        return [self.runs[place].first for place in places], places

    def _place_of(self, id_: int) -> int:
        firsts, places = self._by_id
        found = bisect_right(firsts, id_) - 1
        if found >= 0:
            run = self.runs[places[found]]
            if id_ < run.first + run.length:
                return places[found]
        raise UnknownId(f"id {id_} does not exist in this sheet")

    def _with_inserted(self, new: Iterable[Run], before: int | None) -> Iterator[Run]:
        if before is None:
            yield from self.runs
            yield from new
            return
        place = self._place_of(before)
        run = self.runs[place]
        head = before - run.first
        yield from self.runs[:place]
        yield run.part(run.first, head)
        yield from new
        yield run.part(before, run.length - head)
        yield from self.runs[place + 1 :]

    def _killed(self, runs: Runs, deaths: Deaths, otherwise: int | None) -> "Axis":
        known = sorted(deaths)
        killed: list[Run] = []
        for run, is_chosen in self._cut(runs):
            if is_chosen and run.is_alive:
                killed += tombstones(run, known, otherwise)
            else:
                killed.append(run)
        return Axis(merged(killed))

    def _cut(self, runs: Runs) -> list[tuple[Run, bool]]:
        """Cut the axis where `runs` begin and end, and say of each piece if it is in them."""
        joined = join_runs(runs)
        pieces = [
            (
                run if piece.length == run.length else run.part(piece.first, piece.length),
                piece.is_chosen,
            )
            for run in self.runs
            for piece in cut_range(run.first, run.length, joined)
        ]
        found = sum(run.length for run, is_chosen in pieces if is_chosen)
        if found < sum(stop - first for first, stop in joined):
            raise UnknownId(f"not all ids from {joined[0][0]} to {joined[-1][1] - 1} exist")
        return pieces
