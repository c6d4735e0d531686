import json
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cells.domain.axes import Axis
from cells.domain.references import MISSING, Axes, is_formula, shifted, to_shown, to_stored

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "references.json").read_text())
COLUMNS = Axis.from_runs([[0, 3]])
ROWS = 12


def axes_of(case: dict[str, Any]) -> Axes:
    named = VECTORS["axes"][case["on"]]
    rows, columns = Axis.from_runs(named["rows"]), Axis.from_runs(named["columns"])
    return Axes(
        rows.with_deaths(named.get("row_deaths", ())),
        columns.with_deaths(named.get("column_deaths", ())),
    )


def name_of(case: dict[str, Any]) -> str:
    return f"{case.get('typed') or case['stored']} {case['on']}"


@pytest.mark.parametrize("case", VECTORS["stored"], ids=name_of)
def test_what_is_typed_is_stored_by_identity(case: dict[str, Any]) -> None:
    axes = axes_of(case)

    assert to_stored(case["typed"], axes) == case["stored"]
    if "shown" in case:
        assert to_shown(case["stored"], axes) == case["shown"]
        assert to_stored(case["shown"], axes) == case["stored"]


@pytest.mark.parametrize("case", VECTORS["shown"], ids=name_of)
def test_what_is_stored_is_shown_in_the_present_order(case: dict[str, Any]) -> None:
    assert to_shown(case["stored"], axes_of(case)) == case["shown"]


@pytest.mark.parametrize("case", VECTORS["shifted"], ids=name_of)
def test_a_copy_refers_to_what_stands_as_far_away(case: dict[str, Any]) -> None:
    axes = axes_of(case)

    assert shifted(case["stored"], axes, case["rows"], case["columns"]) == case["result"]


def test_a_formula_begins_with_a_sign_and_has_something_behind_it() -> None:
    assert [is_formula(text) for text in ("=A1", "=", "", " =A1", "'=A1", "A1")] == [
        *(True, False, False, False, False, False)
    ]


@given(st.text(alphabet="=A1B2$:!'\"[]#(). CRx5é", max_size=40))
def test_no_text_breaks_it_and_in_a_new_sheet_both_forms_read_alike(text: str) -> None:
    axes = Axes(Axis.from_runs([[0, 99]]), Axis.from_runs([[0, 26]]))

    stored = to_stored(text, axes)

    assert to_stored(to_shown(stored, axes), axes) == to_stored(stored, axes)
    shifted(stored, axes, 1, 1)


class _Excel:
    """A reference to rows under Excel's rules for inserting and deleting them, as positions.

    https://support.microsoft.com/office/overview-of-formulas-34519a4e-1e8d-4f4b-84d4-d642c4f63263
    """

    def __init__(self, first: int, last: int | None) -> None:
        self.first, self.last = first, last
        self.is_gone = False

    def insert(self, at: int, count: int) -> None:
        if self.is_gone:
            return
        self.first += count if at <= self.first else 0
        if self.last is not None:
            self.last += count if at <= self.last else 0

    def delete(self, at: int, count: int, length: int) -> None:
        if self.is_gone:
            return
        stop = length if self.last is None else self.last + 1
        left = [row for row in range(self.first, stop) if not at <= row < at + count]
        if not left:
            self.is_gone = True
            return
        before = len([row for row in range(self.first) if at <= row < at + count])
        self.first -= before
        if self.last is not None:
            self.last = self.first + len(left) - 1

    def text(self, kind: str) -> str:
        if self.is_gone:
            return MISSING
        first, last = self.first + 1, (self.last or 0) + 1
        return {"cells": f"A{first}:B{last}", "open": f"A{first}:A", "whole": f"{first}:{last}"}[
            kind
        ]


CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "undo"]), st.integers(0, 20), st.integers(1, 4)),
    max_size=12,
)


@given(
    st.integers(0, ROWS - 1),
    st.integers(0, ROWS - 1),
    st.sampled_from(["cells", "open", "whole"]),
    CHANGES,
)
@settings(max_examples=500)  # few of them have a birth between two deaths at an end
def test_inserting_and_deleting_rows_shows_what_excel_rewrites(
    one: int, other: int, kind: str, changes: Sequence[tuple[str, int, int]]
) -> None:
    """Until nothing is left of a range: then only undoing brings it back."""
    excel = _Excel(min(one, other), None if kind == "open" else max(one, other))
    rows = Axis.from_runs([[0, ROWS]])
    stored = to_stored(f"={excel.text(kind)}", Axes(rows, COLUMNS))
    done: list[tuple[_Excel, str, list[tuple[int, int]]]] = []
    for change, at, count in changes:
        was = copy(excel)
        if change == "insert" and at <= len(rows):
            done.append((was, change, [(rows.next_id, count)]))
            rows = rows.insert(rows.id_at(at) if at < len(rows) else None, count, 1_000)
            excel.insert(at, count)
        elif change == "delete" and at < len(rows):
            doomed = rows.ids_between(at, at + count)
            done.append((was, change, [(id_, 1) for id_ in doomed]))
            excel.delete(at, len(doomed), len(rows))
            rows = rows.delete(done[-1][2])
        elif change == "undo" and done:
            excel, what, runs = done.pop()
            rows = rows.delete(runs) if what == "insert" else rows.restore(runs)
        rows = Axis.from_runs(rows.to_runs())
        assert to_shown(stored, Axes(rows, COLUMNS)) == f"={excel.text(kind)}"


@given(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1), st.integers(0, ROWS - 1))
def test_what_was_deleted_comes_back_with_its_rows(one: int, other: int, count: int) -> None:
    rows = Axis.from_runs([[0, ROWS]])
    stored = to_stored(f"=A{one + 1}:A{other + 1}+A{one + 1}", Axes(rows, COLUMNS))
    runs = [(one, min(count + 1, ROWS - one))]

    deleted = rows.delete(runs)

    assert to_shown(stored, Axes(deleted, COLUMNS)).endswith(MISSING)
    assert to_shown(stored, Axes(deleted.restore(runs), COLUMNS)) == stored
