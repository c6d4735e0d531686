from uuid import UUID

import pytest

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import InvalidAddress, ProtectedEnd
from cells.domain.layout import Layout
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Move,
    Operation,
    PutBack,
    Resize,
    Restore,
    RestyleEach,
    SetCells,
    SetStyles,
    Several,
    Step,
    Undone,
)
from cells.domain.protecting import Area, Fence, follow, format_area, moved_by, parse_area
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.domain.values import SetValues

ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS
BOLD = parse_change({"bold": True})


def layout() -> Layout:
    axes = {ROWS: Axis.from_runs([[0, 20]]), COLUMNS: Axis.from_runs([[0, 10]])}
    return Layout(axes, {ROWS: [], COLUMNS: []})


@pytest.mark.parametrize(
    ("text", "area", "reads"),
    [
        ("B2:C5", Area((1, 4), (1, 2)), "B2:C5"),
        ("c5:b2", Area((1, 4), (1, 2)), "B2:C5"),
        ("D4", Area((3, 3), (3, 3)), "D4"),
        ("B:C", Area(None, (1, 2)), "B:C"),
        ("$B:$B", Area(None, (1, 1)), "B:B"),
        ("2:5", Area((1, 4), None), "2:5"),
        ("A15:A900", Area((14, 19), (0, 0)), "A15:A20"),
        (" ", Area(None, None), ""),
    ],
)
def test_a_range_is_read_as_it_is_typed(text: str, area: Area, reads: str) -> None:
    assert parse_area(text, layout()) == area
    assert format_area(area, layout()) == reads


@pytest.mark.parametrize("text", ["B2:", "B:3", "hello", "A900", "Z:Z", "0:3", "A1:B2:C3"])
def test_what_is_no_range_of_the_sheet_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_area(text, layout())


def test_an_area_goes_along_with_its_rows_and_columns() -> None:
    grid = layout()
    area = parse_area("B2:C5", grid)
    grid.apply(Insert(ROWS, 0, 3))
    grid.apply(Insert(COLUMNS, 2, 1))  # between B and C
    grid.apply(Delete(ROWS, ((1, 1),)))  # its first row
    assert format_area(area, grid) == "B5:D7"
    grid.apply(Move(COLUMNS, ((1, 2), (10, 1)), None))
    assert format_area(area, grid) == "I5:K7"
    grid.apply(Delete(ROWS, ((1, 4),)))
    assert format_area(area, grid) == "#REF!"


def cells(*keys: tuple[int, int]) -> SetCells:
    return SetCells(tuple((row, column, "x") for row, column in keys))


B2_TO_C5: list[tuple[Operation, bool]] = [
    (cells((1, 1)), True),
    (cells((0, 0), (4, 2)), True),
    (cells((0, 1), (5, 2), (1, 3)), False),  # a row of one, a column of another: no cell of it
    (SetCells(((20, 1, "x"),), new_rows=1), False),
    (SetStyles(((0, 2),), ((0, 2),), BOLD), True),
    (SetStyles(((0, 1),), ((0, 10),), BOLD), False),
    (RestyleEach(((4, 1, ""),)), True),
    (RestyleEach(((4, 0, ""),)), False),
    (ReorderCells(((3, 4),), ((2, 3),), (1, 0, 2, 3)), True),
    (ReorderCells(((3, 4),), ((3, 3),), (1, 0, 2, 3)), False),
    (Delete(ROWS, ((4, 1),)), True),
    (Delete(ROWS, ((5, 9),)), False),
    (Delete(COLUMNS, ((2, 1),)), True),
    (Restore(COLUMNS, ((1, 1),)), True),
    (Insert(ROWS, 1, 1), False),  # above its first row
    (Insert(ROWS, 2, 1), True),
    (Insert(ROWS, 5, 1), False),  # below its last
    (Insert(COLUMNS, None, 1), False),
    (Move(ROWS, ((9, 1),), 3), True),
    (Move(ROWS, ((9, 1),), 1), False),
    (Move(ROWS, ((1, 4),), 9), True),
    (PutBack(ROWS, ((1, 1, 3),)), True),
    (PutBack(ROWS, ((9, 1, 4),)), True),
    (PutBack(ROWS, ((9, 1, 8),)), False),
    (Resize(ROWS, ((1, 1),), 50), False),
    (Freeze(2, 0), False),
    (SetValues(1, ((1, 1, 2.0),)), False),
    (Undone(UUID(int=1), False, cells((1, 1))), True),
    (Undone(UUID(int=1), False, None), False),
    (Several((cells((0, 0)), cells((2, 2)))), True),
    (Several((Delete(ROWS, ((0, 1),)), cells((9, 9)))), False),
    (Several((Delete(ROWS, ((0, 1),)), Insert(ROWS, 3, 1))), True),
]


@pytest.mark.parametrize(("operation", "touches"), B2_TO_C5)
def test_what_touches_b2_to_c5(operation: Operation, touches: bool) -> None:
    assert Fence(Area((1, 4), (1, 2)), layout()).is_touched(operation) is touches


@pytest.mark.parametrize(
    ("operation", "touches"),
    [
        (cells((0, 1)), True),
        (cells((0, 0)), False),
        (SetCells(((20, 1, "x"),), new_rows=1), True),
        (Insert(ROWS, 3, 1), False),  # a table may grow beside a protected column
        (Insert(COLUMNS, 1, 1), False),
        (Insert(COLUMNS, 2, 1), True),
        (Delete(ROWS, ((9, 1),)), True),  # it has a cell of the column
        (Move(ROWS, ((9, 1),), 3), True),
    ],
)
def test_what_touches_whole_columns(operation: Operation, touches: bool) -> None:
    assert Fence(Area(None, (1, 2)), layout()).is_touched(operation) is touches


@pytest.mark.parametrize(
    "step", [cells((0, 0)), Insert(ROWS, None, 1), Resize(ROWS, ((1, 1),), 50), Freeze(1, 1)]
)
def test_everything_touches_a_whole_sheet_but_values(step: Step) -> None:
    fence = Fence(Area(None, None), layout())
    assert fence.is_touched(step)
    assert not fence.is_touched(SetValues(1, ((0, 0, 1.0),)))


def test_after_the_rows_were_moved_it_is_still_the_same_cells() -> None:
    grid = layout()
    area = parse_area("B2:C5", grid)
    grid.apply(Move(ROWS, ((1, 4),), None))
    assert format_area(area, grid) == "B17:C20"
    assert Fence(area, grid).is_touched(cells((4, 1)))
    assert not Fence(area, grid).is_touched(cells((5, 1)))


def test_many_runs_meet_what_a_walk_over_them_meets() -> None:
    """The ids of an area that was pulled apart by moves, and runs of all lengths beside them."""
    even, odd = ([[2 * place + rest, 1] for place in range(20)] for rest in (0, 1))
    axes = {**layout().axes, ROWS: Axis.from_runs([*even, *odd])}
    fence = Fence(Area((4, 30), None), Layout(axes, {ROWS: [], COLUMNS: []}))
    inside = set(range(4, 31, 2))
    for first in range(40):
        for count in (1, 2, 3, 9):
            run = range(first, min(first + count, 40))
            touches = fence.is_touched(Delete(ROWS, ((first, len(run)),)))
            assert touches is not inside.isdisjoint(run), (first, count)


@pytest.mark.parametrize(
    ("operation", "reads"),
    [
        (Move(ROWS, ((8, 1),), 4), "B2:C9"),  # the last row, into the midst
        (Move(ROWS, ((1, 1),), 9), "B2:C9"),  # the first one, behind the last
        (Move(ROWS, ((7, 2),), 1), "B2:C9"),
        (Move(ROWS, ((1, 8),), None), "B13:C20"),  # all of it
        (Move(ROWS, ((0, 9),), None), "B13:C20"),  # and a row in front
        (Move(ROWS, ((0, 2),), 8), "B1:C9"),  # the first, and one that is in its midst then
        (Move(ROWS, ((4, 1),), None), "B2:C8"),  # one out of the midst
        (Move(ROWS, ((4, 1),), 1), "B2:C9"),  # or to its front
        (Move(ROWS, ((15, 1),), 4), "B2:C10"),
        (Move(COLUMNS, ((2, 1),), 1), "B2:C9"),
        (Several((Move(ROWS, ((8, 1),), 4), Move(COLUMNS, ((2, 1),), 1))), "B2:C9"),
        (PutBack(ROWS, ((8, 1, 4),)), "B2:C9"),
        (Move(ROWS, ((8, 1),), None), None),  # the last row, away from the rest
        (Move(ROWS, ((1, 1),), 0), None),
        (Move(ROWS, ((0, 2),), None), None),
        (Move(ROWS, ((1, 1), (8, 1)), None), None),
        (Move(COLUMNS, ((1, 1),), None), None),
        (PutBack(ROWS, ((1, 4, 15), (5, 4, 18))), None),
    ],
)
def test_a_range_follows_what_is_moved_and_no_end_leaves_it(
    operation: Operation, reads: str | None
) -> None:
    area, before, after = parse_area("B2:C9", layout()), layout(), layout()
    after.apply(operation)
    if reads is None:
        with pytest.raises(ProtectedEnd):
            follow(area, before, after, moved_by(operation))
        return
    assert format_area(follow(area, before, after, moved_by(operation)), after) == reads


def test_a_deleted_end_that_stays_behind_is_an_end_no_more() -> None:
    before = layout()
    area = parse_area("2:9", before)
    before.apply(Delete(ROWS, ((8, 1),)))
    inside = before.copy()
    operation: Operation = Move(ROWS, ((7, 1),), 3)
    inside.apply(operation)
    followed = follow(area, before, inside, moved_by(operation))
    inside.apply(Restore(ROWS, ((8, 1),)))
    assert format_area(followed, inside) == "2:9"  # it is back, and protected

    away = before.copy()
    operation = Move(ROWS, ((1, 7),), None)
    away.apply(operation)
    assert format_area(follow(area, before, away, moved_by(operation)), away) == "13:19"
