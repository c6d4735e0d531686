"""Reordering: the cells of some rows change places among themselves, as a sort has them do.

A sort is decided where it is asked for, by somebody's language and what is shown there; what
travels and is kept is only which row takes whose place. So nothing of what others type meanwhile
is overwritten: it goes along with its row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cells.domain.axes import Axis
from cells.domain.errors import LimitExceeded, Malformed
from cells.domain.runs import Runs, ids_of, runs_of

MAX_REORDERED_CELLS = 200_000  # up to four seconds for which the sheet's other edits wait


@dataclass(frozen=True, slots=True)
class ReorderCells:
    """Give the cells of the i-th row the inputs and looks that those of row `order[i]` have.

    Rows are counted from 0, through `rows` in the order in which they are named; only the cells
    in `columns` move. `order` has each of them once.
    """

    rows: Runs
    columns: Runs
    order: tuple[int, ...]

    def back(self) -> "ReorderCells":
        """Return what puts the cells back, with whatever is in them by then."""
        back = [0] * len(self.order)
        for place, source in enumerate(self.order):
            back[source] = place
        return ReorderCells(self.rows, self.columns, tuple(back))

    def among(self, rows: Axis, columns: Axis) -> "ReorderCells | None":
        """Return this without the rows and columns that are deleted; None if it is left with none.

        The cells of the others keep the order that they have in here. Raises UnknownId.
        """
        row_ids, column_ids = ids_of(self.rows), ids_of(self.columns)
        places = [place for place, id_ in enumerate(row_ids) if rows.is_alive(id_)]
        living_columns = [id_ for id_ in column_ids if columns.is_alive(id_)]
        if not places or not living_columns:
            return None
        if len(places) == len(row_ids) and len(living_columns) == len(column_ids):
            return self
        rank = {place: number for number, place in enumerate(places)}
        return ReorderCells(
            tuple(runs_of(row_ids[place] for place in places)),
            tuple(runs_of(living_columns)),
            tuple(rank[source] for source in self.order if source in rank),
        )

    def cells(self) -> list[tuple[int, int]]:
        """Return the (row id, column id) of each cell that gets another's input and looks."""
        columns = ids_of(self.columns)
        return [(row, column) for row, _ in self.moves() for column in columns]

    def moves(self) -> list[tuple[int, int]]:
        """Return (row id, id of the row whose cells it gets) of each row that gets another's."""
        ids = ids_of(self.rows)
        return [
            (ids[place], ids[source]) for place, source in enumerate(self.order) if place != source
        ]


def parse_reordering(rows: Runs, columns: Runs, raw: object) -> ReorderCells:
    """Read the order of rows that anybody may have sent. Raises Malformed or LimitExceeded."""
    count, width = _total(rows), _total(columns)
    if count * width > MAX_REORDERED_CELLS:
        raise LimitExceeded(
            f"an operation reorders at most {MAX_REORDERED_CELLS:,} cells, not {count * width:,}; "
            "choose fewer rows or columns"
        )
    for name, runs, total in (("rows", rows, count), ("columns", columns, width)):
        if len(set(ids_of(runs))) != total:
            raise Malformed(f"{name} must name each of them once")
    if not isinstance(raw, list) or any(type(place) is not int for place in raw):
        raise Malformed("order must be a list of whole numbers")
    if len(raw) != count or set(raw) != set(range(count)):
        raise Malformed("order must have each number from 0 up to the count of rows once")
    return ReorderCells(rows, columns, tuple(raw))


def _total(runs: Iterable[tuple[int, int]]) -> int:
    total = 0
    for first, count in runs:
        if count < 1 or first < 0:
            raise Malformed("each run must be [an id from 0 up, a count of at least 1]")
        total += count
    return total
