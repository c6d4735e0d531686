import json
from typing import Any

import pytest

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, LimitExceeded, Malformed
from cells.domain.layout import Layout, set_inputs
from cells.domain.operations import Delete, SetCells, SetStyles, parse_operation
from cells.domain.styles import canonical, parse_change, parse_style, read_style


def new_layout() -> Layout:
    return Layout(
        {AxisName.ROWS: Axis.from_runs([[0, 9]]), AxisName.COLUMNS: Axis.from_runs([[0, 9]])},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )


@pytest.mark.parametrize(
    "style",
    [
        {"bold": True, "italic": True, "strike": True, "wrap": True},
        {"color": "#0a0b0c", "fill": "#ffffff", "align": "center"},
        {"format": "currency", "decimals": 0, "currency": "EUR"},
    ],
)
def test_a_style_of_known_keys_is_kept_as_it_is(style: dict[str, Any]) -> None:
    assert json.loads(parse_style(style)) == style
    assert json.loads(parse_change(style).apply("")) == style


@pytest.mark.parametrize(
    "style",
    [
        {"bold": False},
        {"bold": 1},
        {"color": "red"},
        {"color": "#FFFFFF"},
        {"color": "#ffffff\n"},
        {"align": "justify"},
        {"align": ["left"]},
        {"format": "0.00"},
        {"decimals": 11},
        {"decimals": True},
        {"decimals": 1.0},
        {"currency": "eur"},
        {"font": "Comic Sans"},
        {"bold": None},
        None,
        [],
        "bold",
        1,
    ],
)
def test_anything_else_is_refused(style: Any) -> None:
    with pytest.raises(Malformed):
        parse_style(style)
    with pytest.raises(Malformed):
        read_style(json.dumps(style))


def test_a_style_has_one_text_in_whatever_order_and_form_it_was_written() -> None:
    text = '{"bold":true,"fill":"#ff0000","decimals":2}'
    other = {"decimals": 2, "fill": "#ff0000", "bold": True}
    assert parse_style(other) == read_style(json.dumps(other, indent=3)) == text
    assert canonical(json.dumps(other)) == text
    assert parse_style({}) == read_style("{}") == read_style('""') == ""


def test_what_no_machine_should_hold_is_refused_or_read_and_not_kept() -> None:
    with pytest.raises(Malformed):
        read_style('{"decimals":' + "1" * 5_000 + "}")
    with pytest.raises(Malformed):
        read_style("[" * 100_000)
    assert read_style('{"bold":' + " " * 100_000 + "true}") == '{"bold":true}'


def test_what_a_later_release_knows_survives_a_change() -> None:
    assert parse_change({"bold": None}).apply('{"bold": true, "spin": 3}') == '{"spin":3}'
    assert canonical('{"spin": 3, "bold": true}') == '{"bold":true,"spin":3}'


def test_a_change_sets_removes_and_clears() -> None:
    style = parse_style({"bold": True, "fill": "#ff0000"})
    changed = parse_change({"bold": None, "align": "right"}).apply(style)
    assert json.loads(changed) == {"fill": "#ff0000", "align": "right"}
    assert parse_change("").apply(style) == ""
    assert parse_change({"bold": None}).apply(parse_style({"bold": True})) == ""
    with pytest.raises(Malformed):
        parse_change({})


def test_styles_and_inputs_of_one_operation_are_kept_apart() -> None:
    raw = {
        "kind": "set_cells",
        "cells": [[0, 0, "a", {"bold": True}], [0, 0, "b"], [1, 1, "c", ""], [2, 2, "d"]],
    }
    operation = parse_operation(raw)
    assert operation == SetCells(
        ((0, 0, "a"), (0, 0, "b"), (1, 1, "c"), (2, 2, "d")),
        styles=((0, 0, '{"bold":true}'), (1, 1, "")),
    )
    inputs, styles = {(1, 1): "was"}, {(1, 1): '{"wrap":true}', (2, 2): '{"wrap":true}'}
    before = set_inputs(inputs, styles, new_layout().apply(operation))
    assert inputs == {(0, 0): "b", (1, 1): "c", (2, 2): "d"}
    assert styles == {(0, 0): '{"bold":true}', (2, 2): '{"wrap":true}'}
    assert before["cells"] == [(0, 0, "", ""), (1, 1, "was", {"wrap": True}), (2, 2, "")]


def test_a_change_of_looks_touches_every_cell_of_a_rectangle_and_no_input() -> None:
    raw = {"kind": "set_styles", "rows": [[0, 2]], "columns": [[3, 2]], "style": {"bold": True}}
    operation = parse_operation(raw)
    assert isinstance(operation, SetStyles)
    inputs, styles = {(0, 3): "x"}, {(0, 3): '{"wrap":true}'}
    effect = new_layout().apply(operation).settled(inputs, styles)
    assert set(effect.touched()) == {(0, 3), (0, 4), (1, 3), (1, 4)}
    before = set_inputs(inputs, styles, effect)
    assert inputs == {(0, 3): "x"}
    assert json.loads(styles[0, 3]) == {"bold": True, "wrap": True}
    assert styles[1, 4] == '{"bold":true}'
    assert before["cells"][0] == (0, 3, None, {"wrap": True})
    again = new_layout().apply(operation).settled(inputs, styles)
    assert again.touched() == [], "what looks like that already is not touched"


def test_looks_of_deleted_rows_and_of_too_many_cells_are_refused() -> None:
    layout = new_layout()
    layout.apply(Delete(AxisName.ROWS, ((1, 1),)))
    wide = {"kind": "set_styles", "columns": [[0, 1]], "style": ""}
    operation = parse_operation({**wide, "rows": [[0, 3]]})
    assert isinstance(operation, SetStyles)
    with pytest.raises(Deleted):
        layout.apply(operation)
    with pytest.raises(LimitExceeded):
        parse_operation({**wide, "rows": [[0, 10_001]]})
    with pytest.raises(Malformed):
        parse_operation({**wide, "rows": [[5, -5]]})
