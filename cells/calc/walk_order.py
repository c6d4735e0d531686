"""The order of a walk: every formula after the formulas that it looks at."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from cells.calc.engine import Position

Rectangle = tuple[int, int, int, int]  # top, left, bottom, right; zero-based, all inside


def after_what_they_need(
    needs: Mapping[Position, list[Rectangle]], last: Iterable[Position]
) -> Iterator[Position]:
    """Sort formulas so that each comes after those it looks at; circles are cut somewhere."""
    waiting: dict[int, list[int]] = {}  # column -> the rows that nobody has looked at yet
    for row, column in sorted(needs):
        waiting.setdefault(column, []).append(row)

    def next_needed(position: Position) -> Iterator[Position]:
        for top, left, bottom, right in needs[position]:
            columns = [left] if left == right else sorted(waiting)
            for column in columns:
                rows = waiting.get(column, [])
                # Whoever is taken leaves the list, so that no range is gone through twice.
                while left <= column <= right:
                    index = bisect_left(rows, top)
                    if index == len(rows) or rows[index] > bottom:
                        break
                    yield rows[index], column

    late = set(last)
    for start in [*(position for position in needs if position not in late), *late]:
        if not _take(waiting, start):
            continue
        path = [(start, next_needed(start))]
        while path:
            position, needed = path[-1]
            following = next(needed, None)
            if following is None:
                path.pop()
                yield position
            else:
                _take(waiting, following)
                path.append((following, next_needed(following)))


def _take(waiting: Mapping[int, list[int]], position: Position) -> bool:
    """Take a formula from those that wait, and return whether it was there."""
    row, column = position
    rows = waiting[column]
    index = bisect_left(rows, row)
    if index == len(rows) or rows[index] != row:
        return False
    del rows[index]
    return True
