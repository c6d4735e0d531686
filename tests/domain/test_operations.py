from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, SheetSyncError, UnknownId
from cells.domain.layout import Layout, set_inputs
from cells.domain.operations import (
    MAX_INPUT_CHARACTERS,
    Delete,
    Freeze,
    Insert,
    Move,
    Operation,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    SetCells,
    SetStyles,
    Undone,
    check_text,
    load_operation,
    operation_to_json,
    parse_operation,
)
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change

ids = st.integers(0, 50)
order = st.permutations(range(4)).map(tuple)
runs = st.lists(st.tuples(ids, st.integers(1, 9)), min_size=1, max_size=4).map(tuple)
axes = st.sampled_from(AxisName)
changes = st.sampled_from(
    [parse_change(""), parse_change({"bold": True}), parse_change({"bold": None, "decimals": 2})]
)
operations = st.one_of(
    st.builds(
        SetCells,
        st.lists(st.tuples(ids, ids, st.text(max_size=5)), min_size=1, max_size=5).map(tuple),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.builds(Insert, axes, st.none() | ids, st.integers(1, 99)),
    st.builds(Delete, axes, runs),
    st.builds(Move, axes, runs, st.none() | ids),
    st.builds(Resize, axes, runs, st.none() | st.integers(8, 500)),
    st.builds(Freeze, st.integers(0, 50), st.integers(0, 50)),
    st.builds(SetStyles, runs, runs, changes),
    st.builds(ReorderCells, st.just(((7, 1), (2, 3))), st.just(((0, 2),)), order),
)
pieces = st.lists(st.tuples(ids, st.integers(1, 9), st.none() | ids), min_size=1, max_size=4)
steps = st.one_of(
    operations,
    st.builds(Restore, axes, runs),
    st.builds(PutBack, axes, pieces.map(tuple)),
    st.builds(ResizeBack, axes, pieces.map(tuple)),
)
logged = steps | st.builds(Undone, st.uuids(), st.booleans(), st.none() | steps)


@given(logged)
def test_the_log_gives_back_what_was_written(operation: Operation) -> None:
    try:
        text = msgspec.json.encode(operation_to_json(operation))
    except UnicodeEncodeError:
        return  # a lone surrogate, which check_text refuses long before
    raw = msgspec.json.decode(text)
    if "\\u0000" not in text.decode():
        assert load_operation(raw) == operation


def test_a_client_cannot_say_which_ids_a_growing_grid_gets() -> None:
    raw = {"kind": "set_cells", "cells": [[1000, 0, "x"]], "new_rows": 1}
    assert parse_operation(raw) == SetCells(((1000, 0, "x"),))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kind", "cells", "rows", "columns", "before", "count", "size", "order"]
                ),
                inner,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        [
            "set_cells",
            "insert_rows",
            "delete_columns",
            "move_rows",
            "resize",
            "reorder_cells",
            "undo",
            "",
            5,
        ]
    ),
)
def test_any_json_is_an_operation_or_refused_with_a_code(raw: Any, kind: object) -> None:
    if isinstance(raw, dict):
        raw["kind"] = kind
    assert code_of(raw) in {None, "malformed", "limit_exceeded", "invalid_text"}


def code_of(raw: object) -> str | None:
    try:
        parse_operation(raw)
    except SheetSyncError as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\0b", "invalid_text"),
        ("\ud800", "invalid_text"),
        ("x\udfffy", "invalid_text"),
        ("x" * (MAX_INPUT_CHARACTERS + 1), "limit_exceeded"),
    ],
    ids=["nul", "high surrogate", "low surrogate", "too long"],
)
def test_text_that_no_cell_holds_is_refused(text: str, code: str) -> None:
    with pytest.raises(SheetSyncError) as refusal:
        check_text(text)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "text", ["", "x" * MAX_INPUT_CHARACTERS, "😀", "\u202e", "\r\n\t", "\ufeff"]
)
def test_text_that_a_cell_holds_is_let_through(text: str) -> None:
    check_text(text)


def new_layout() -> Layout:
    return Layout(
        {AxisName.ROWS: Axis.from_runs([[0, 9]]), AxisName.COLUMNS: Axis.from_runs([[0, 9]])},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )


@given(st.lists(operations, max_size=8))
def test_a_refused_operation_leaves_the_layout_as_it_was(several: list[Operation]) -> None:
    layout = new_layout()
    for operation in several:
        before = (dict(layout.axes), {axis: list(s) for axis, s in layout.sizes.items()})
        try:
            layout.apply(operation)
        except SheetSyncError:
            assert (layout.axes, layout.sizes) == before


def test_cells_of_deleted_and_unborn_rows_are_told_apart() -> None:
    layout = new_layout()
    layout.apply(Delete(AxisName.ROWS, ((3, 1),)))
    with pytest.raises(Deleted):
        layout.apply(SetCells(((3, 0, "x"),)))
    with pytest.raises(UnknownId):
        layout.apply(SetCells(((9, 0, "x"),)))


def test_undo_learns_the_inputs_and_sizes_that_were_replaced() -> None:
    layout, inputs = new_layout(), {(0, 0): "old"}
    effect = layout.apply(SetCells(((0, 0, "a"), (0, 0, "b"), (1, 1, "c"))))
    assert effect.cells == ((0, 0, "b"), (1, 1, "c"))
    assert set_inputs(inputs, {}, effect) == {"cells": [(0, 0, "old"), (1, 1, "")]}
    assert inputs == {(0, 0): "b", (1, 1): "c"}
    layout.apply(Resize(AxisName.ROWS, ((2, 2),), 40))
    effect = layout.apply(Resize(AxisName.ROWS, ((0, 4),), None))
    assert set_inputs(inputs, {}, effect) == {"rows": [(0, 2, None), (2, 2, 40)]}
    assert layout.sizes[AxisName.ROWS] == []


def test_growth_takes_the_next_ids() -> None:
    layout = new_layout()
    layout.apply(SetCells(((10, 9, "x"),), new_rows=2, new_columns=1))
    assert layout.axes[AxisName.ROWS].to_runs() == [[0, 11]]
    assert layout.axes[AxisName.COLUMNS].to_runs() == [[0, 10]]
