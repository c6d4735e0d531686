from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, SheetSyncError, UnknownId
from cells.domain.layout import Layout, set_inputs
from cells.domain.operations import Delete, parse_operation
from cells.domain.reordering import ReorderCells

HEIGHT = 6


def new_layout() -> Layout:
    return Layout(
        {name: Axis.from_runs([[0, HEIGHT]]) for name in AxisName},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )


def carry_out(
    layout: Layout, operation: ReorderCells, inputs: dict[Any, str], styles: dict[Any, str]
) -> None:
    set_inputs(inputs, styles, layout.apply(operation).settled(inputs, styles))


orders = st.permutations(range(HEIGHT)).map(tuple)
whole = ((0, HEIGHT),)


def test_each_row_gets_what_the_order_names_and_looks_go_along() -> None:
    inputs = {(0, 0): "c", (1, 0): "a", (2, 0): "b", (0, 1): "kept", (4, 0): "outside"}
    styles = {(0, 0): '{"bold":true}'}
    reordering = ReorderCells(((2, 1), (0, 2)), ((0, 1),), (2, 0, 1))
    layout = new_layout()
    effect = layout.apply(reordering).settled(inputs, styles)
    assert set(effect.touched()) == {(0, 0), (1, 0), (2, 0)}
    assert set_inputs(inputs, styles, effect) == {}, "the operation itself tells the past"
    # Named are 2, 0, 1: row 2 gets what row 1 had, row 0 what row 2 had, row 1 what row 0 had.
    texts = {(0, 0): "b", (1, 0): "c", (2, 0): "a", (0, 1): "kept", (4, 0): "outside"}
    assert inputs == texts
    assert styles == {(1, 0): '{"bold":true}'}


def test_cells_that_stay_as_they_are_are_not_touched() -> None:
    inputs = {(0, 0): "same", (1, 0): "same", (1, 1): "x"}
    effect = new_layout().apply(ReorderCells(((0, 3),), ((0, 2),), (1, 0, 2)))
    assert set(effect.settled(inputs, {}).touched()) == {(0, 1), (1, 1)}


@given(orders)
def test_back_is_the_way_back(order: tuple[int, ...]) -> None:
    start = {(row, 0): str(row) for row in range(HEIGHT)}
    inputs, layout = dict(start), new_layout()
    there = ReorderCells(whole, ((0, 1),), order)
    carry_out(layout, there, inputs, {})
    assert [inputs[row, 0] for row in range(HEIGHT)] == [str(source) for source in order]
    carry_out(layout, there.back(), inputs, {})
    assert inputs == start
    assert there.back().back() == there


@given(orders, st.sets(st.integers(0, HEIGHT - 1)))
def test_deleted_rows_fall_out_and_the_others_keep_their_order(
    order: tuple[int, ...], deleted: set[int]
) -> None:
    layout = new_layout()
    there = ReorderCells(whole, ((0, 2),), order)
    living = [row for row in range(HEIGHT) if row not in deleted]
    inputs = {(row, 0): str(row) for row in range(HEIGHT)}
    if deleted:
        layout.axes[AxisName.ROWS] = layout.axes[AxisName.ROWS].delete(
            [(row, 1) for row in deleted]
        )
        if living:
            with pytest.raises(Deleted):
                layout.apply(there)
    spared = layout.sparing_deleted(there)
    if spared is None:
        assert not living
        return
    carry_out(layout, spared, inputs, {})
    assert [inputs[row, 0] for row in living] == [
        str(source) for source in order if source not in deleted
    ]
    assert all(inputs[row, 0] == str(row) for row in deleted)


def test_deleted_columns_fall_out() -> None:
    layout = new_layout()
    layout.apply(Delete(AxisName.COLUMNS, ((1, 1),)))
    there = ReorderCells(((0, 2),), ((0, 3),), (1, 0))
    assert layout.sparing_deleted(there) == ReorderCells(((0, 2),), ((0, 1), (2, 1)), (1, 0))
    assert layout.sparing_deleted(ReorderCells(((0, 2),), ((1, 1),), (1, 0))) is None
    with pytest.raises(UnknownId):
        layout.sparing_deleted(ReorderCells(((99, 2),), ((0, 1),), (1, 0)))


RAW = {"kind": "reorder_cells", "rows": [[0, 3]], "columns": [[0, 2]], "order": [2, 0, 1]}


def test_what_travels_is_read() -> None:
    assert parse_operation(RAW) == ReorderCells(((0, 3),), ((0, 2),), (2, 0, 1))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"order": [0, 0, 1]}, "malformed"),
        ({"order": [0, 1]}, "malformed"),
        ({"order": [0, 1, 3]}, "malformed"),
        ({"order": [0, True, 2]}, "malformed"),
        ({"order": "012"}, "malformed"),
        ({"order": None}, "malformed"),
        ({"rows": [[0, 2], [1, 1]]}, "malformed"),
        ({"columns": [[0, 2], [1, 1]]}, "malformed"),
        ({"rows": [[0, 0]]}, "malformed"),
        ({"rows": [[-1, 3]]}, "malformed"),
        ({"rows": []}, "malformed"),
        ({"columns": [[0, 66_667]]}, "limit_exceeded"),
        ({"rows": [[0, 2_000_000_000]]}, "limit_exceeded"),
    ],
)
def test_what_has_no_meaning_is_refused(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(SheetSyncError) as refusal:
        parse_operation(RAW | changed)
    assert refusal.value.code == code
