"""Rows in view: whole rows, as they are at one revision, and never too much at once."""

import pytest

from cells.domain.axes import AxisName
from cells.domain.operations import Delete, Move, SetCells
from cells.models import Sheet
from cells.services import rows
from cells.services.access import create_sheet
from cells.services.read import open_sheet
from cells.services.rows import LoadedRows, read_rows, read_view
from tests.services.prices import do

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sheet() -> Sheet:
    return create_sheet(None, "Prices", slug="prices")


def grid(rows: int, columns: int) -> SetCells:
    return SetCells(
        tuple((row, column, f"{row} {column}") for row in range(rows) for column in range(columns))
    )


def view(sheet: Sheet, first: int, count: int) -> LoadedRows:
    found = read_view(open_sheet(sheet.pk), first, count)
    assert found is not None
    return found


def load(sheet: Sheet, *runs: tuple[int, int]) -> LoadedRows:
    found = read_rows(sheet.pk, runs)
    assert found is not None
    return found


def test_all_cells_of_the_rows_come_and_no_others(sheet: Sheet) -> None:
    do(grid(6, 3))
    do(SetCells(((2, 1, ""),)))
    assert view(sheet, 2, 2) == LoadedRows(
        2,
        [(2, 2)],
        [(2, 0, "2 0"), (2, 2, "2 2"), *((3, column, f"3 {column}") for column in range(3))],
    )


def test_rows_without_a_cell_are_named_too(sheet: Sheet) -> None:
    do(grid(1, 1))
    assert view(sheet, 0, 3) == LoadedRows(1, [(0, 3)], [(0, 0, "0 0")])
    assert view(sheet, 500, 2) == LoadedRows(1, [(500, 2)], [])


def test_positions_are_those_of_living_rows_where_they_stand_now(sheet: Sheet) -> None:
    do(grid(6, 1))
    do(Move(AxisName.ROWS, ((4, 1),), 0), Delete(AxisName.ROWS, ((0, 2),)))
    assert view(sheet, 0, 3) == LoadedRows(3, [(2, 3)], [(row, 0, f"{row} 0") for row in (2, 3, 4)])


def test_nothing_is_beyond_the_end(sheet: Sheet) -> None:
    do(grid(1, 1))
    assert view(sheet, 5_000, 10) == LoadedRows(1, [], [])
    assert view(sheet, 999, 10).rows == [(999, 1)]


def test_another_sheet_s_cells_stay_there(sheet: Sheet) -> None:
    other = create_sheet(None, "Other", slug="other")
    do(grid(3, 3))
    assert load(other, (0, 3)) == LoadedRows(0, [(0, 3)], [])


def test_a_sheet_that_is_gone_has_no_rows(sheet: Sheet) -> None:
    opened = open_sheet(sheet.pk)
    sheet.delete()
    assert read_rows(opened.id, [(0, 1)]) is None
    assert read_view(opened, 0, 1) is None


def test_runs_may_overlap_and_stand_in_any_order(sheet: Sheet) -> None:
    do(grid(8, 1))
    loaded = load(sheet, (5, 2), (0, 1), (6, 2))
    assert loaded.rows == [(0, 1), (5, 3)]
    assert [cell[0] for cell in loaded.cells] == [0, 5, 6, 7]


def test_no_more_rows_are_read_than_allowed(sheet: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 4)
    do(grid(8, 1))
    assert view(sheet, 1, 2**31 - 1).rows == [(1, 4)]
    assert load(sheet, (6, 2), (0, 2**31 - 1)).rows == [(0, 2), (6, 2)]


@pytest.mark.parametrize("at_once", range(1, 14))
def test_of_many_cells_whole_rows_come_at_least_one(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(rows, "MAX_CELLS", at_once)
    do(SetCells(tuple((row, column, "x") for row in (1, 3, 4) for column in range(4))))
    loaded = load(sheet, (0, 6))
    fitting = max(1, min(3, at_once // 4))
    assert loaded.rows == ([(0, 2)] if at_once < 4 else [(0, (3, 4, 6)[fitting - 1])])
    assert len(loaded.cells) == 4 * fitting


def test_of_long_cells_fewer_come(sheet: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_CHARACTERS", 25)
    do(SetCells(tuple((row, 0, "x" * 10) for row in range(5))))
    assert load(sheet, (0, 5)).rows == [(0, 2)]
    do(SetCells(((0, 0, "x" * 100),)))
    assert load(sheet, (0, 5)).rows == [(0, 1)]


def test_whoever_asks_again_for_what_is_missing_gets_everything(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_CELLS", 5)
    do(grid(10, 3))
    missing, cells = set(range(12)), []
    while missing:
        loaded = load(sheet, *((row, 1) for row in missing))
        came = {row for first, count in loaded.rows for row in range(first, first + count)}
        assert came <= missing
        assert {cell[0] for cell in loaded.cells} <= came
        missing -= came
        cells += loaded.cells
    assert sorted(cells) == sorted(grid(10, 3).cells)
