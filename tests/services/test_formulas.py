"""Formulas on their way into a sheet: by identity, and with values that take it from nobody."""

import uuid
from typing import Any

import msgspec
import pytest

from cells.domain.axes import AxisName
from cells.domain.errors import Malformed, Outdated
from cells.domain.operations import (
    Delete,
    Insert,
    SetAddresses,
    SetCells,
    SetStyles,
    Undo,
    UpsertRow,
    parse_operation,
)
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.domain.values import SetValues
from cells.models import AuthorKind, Calculation, Cell, LinkRole, Revision, Sheet
from cells.services import past
from cells.services.authors import Author
from cells.services.commit import CommitResult, Committed, Refused, Submission, commit
from cells.services.copying import copy_sheet
from cells.services.log import read_log
from cells.services.read import one_state, read_deltas, read_window

ALICE = Author(AuthorKind.GUEST, "Alice", origin=str(uuid.UUID(int=1)))
STREAM = Author(AuthorKind.STREAM, "prices", origin="sub/1")
CALCULATOR = Author(AuthorKind.CALCULATOR, "calculator")
ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


@pytest.fixture(autouse=True)
def open_sheet(sheet: Sheet) -> Sheet:
    Sheet.objects.filter(pk=sheet.pk).update(link_role=LinkRole.EDITOR)
    return sheet


def send(operation: Any, author: Author = ALICE) -> tuple[uuid.UUID, CommitResult]:
    operation_id = uuid.uuid4()
    return operation_id, commit([Submission("prices", operation_id, operation, author)])


def put(operation: Any, author: Author = ALICE) -> uuid.UUID:
    operation_id, result = send(operation, author)
    assert isinstance(result.outcomes[0], Committed), result.outcomes
    return operation_id


def calculate(*values: tuple[int, int, Any], through: int | None = None) -> CommitResult:
    if through is None:
        through = Sheet.objects.get().head
    return send(SetValues(through, values), CALCULATOR)[1]


def inputs() -> dict[tuple[int, int], str]:
    return {(cell.row, cell.column): cell.input for cell in Cell.objects.exclude(input="")}


def seen_since(sheet: Sheet, after: int) -> list[tuple[str | None, Any]]:
    """Return (author, cell) of all that a delta tells, as JSON."""
    deltas = list(read_deltas(sheet.pk, after))
    return [
        (author, msgspec.json.decode(msgspec.json.encode(cell)))
        for delta in deltas
        for author, cells in delta.changes
        for cell in cells
    ]


def test_a_program_s_formula_means_the_cells_that_have_these_places(sheet: Sheet) -> None:
    put(Insert(ROWS, 1, 2))  # row 2 has id 1,000 now, row 4 id 1
    put(SetAddresses(((0, 0, "=sum(A2:A4)"), (0, 1, "no =A2"))), STREAM)
    put(SetAddresses(((0, 2, "Total"), (0, 3, "Key"))), STREAM)
    put(UpsertRow((("Key", "x"),), (("Total", "=A4*2"),)), STREAM)

    assert inputs()[0, 0] == "=SUM(A1001:A2)"
    assert inputs()[0, 1] == "no =A2"
    assert "=A2*2" in inputs().values()


def test_a_formula_in_a_row_that_it_makes_the_sheet_grow_by_may_refer_to_that_row(
    sheet: Sheet,
) -> None:
    put(SetAddresses(((1_004, 0, "5"), (1_004, 1, "=A1005"))), STREAM)

    assert inputs()[1_004, 1] == "=A1005"


def test_whoever_has_formulas_is_remembered(sheet: Sheet) -> None:
    put(SetCells(((0, 0, "1"), (0, 1, "="))))
    before = Calculation.objects.count()
    put(SetCells(((0, 0, "=1"),)))
    put(SetCells(((0, 0, "=2"),)))

    assert before in (0, 1)
    assert Calculation.objects.get().sheet == sheet


def test_a_value_is_told_with_its_cell_and_takes_it_from_nobody(sheet: Sheet) -> None:
    typed = put(SetCells(((0, 0, "=1+1"), (1, 0, "3"))))
    put(SetStyles(((0, 1),), ((0, 1),), parse_change({"bold": True})))

    result = calculate((0, 0, 2))

    (delta,) = result.deltas.values()
    ((label, cells),) = delta.changes
    assert label == "calculator"
    assert msgspec.json.decode(msgspec.json.encode(cells)) == [[0, 0, "=1+1", {"bold": True}, 2]]
    assert (delta.after, delta.through) == (2, 3)
    assert seen_since(sheet, 2) == [(None, [0, 0, "=1+1", {"bold": True}, 2])]
    assert seen_since(sheet, 0)[0] == (ALICE.origin, [1, 0, "3"])
    cell = Cell.objects.get(row=0)
    assert (cell.revision, cell.value, cell.value_revision) == (2, 2, 3)
    assert read_window(sheet, 0, 0, 2, 1).texts == [["2"], ["3"]]

    put(Undo(typed, is_redo=False))  # the calculation is no edit that would stand in its way
    assert inputs() == {}


def test_looks_alone_leave_a_value_where_it_is(sheet: Sheet) -> None:
    put(SetCells(((0, 0, "=1+1"),)))
    calculate((0, 0, 2))

    _, result = send(SetStyles(((0, 1),), ((0, 1),), parse_change({"bold": True})))

    (delta,) = result.deltas.values()
    sent = msgspec.json.decode(msgspec.json.encode(delta.changes))
    assert sent == [[ALICE.origin, [[0, 0, "=1+1", {"bold": True}, 2]]]]


def test_an_input_newer_than_what_was_read_keeps_its_say(sheet: Sheet) -> None:
    put(SetCells(((0, 0, "=1"), (1, 0, "=2"), (2, 0, "=3"), (3, 0, "4"))))
    put(SetCells(((0, 0, "=10"),)))
    put(SetCells(((1, 0, "text"),)))

    result = calculate((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 5), (9, 9, 5), through=1)

    assert isinstance(result.outcomes[0], Committed)
    values = {(c.row, c.value) for c in Cell.objects.exclude(value=None)}
    assert values == {(2, 3)}
    assert Revision.objects.get(number=4).operation == {
        "kind": "set_values",
        "through": 1,
        "cells": [[2, 0, 3]],
    }


def test_values_of_which_none_can_be_used_are_refused_and_leave_no_line(sheet: Sheet) -> None:
    put(SetCells(((0, 0, "=1"),)))
    put(SetCells(((0, 0, "=10"),)))

    (outcome,) = calculate((0, 0, 1), through=1).outcomes

    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, Outdated)
    assert Revision.objects.count() == 2


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=2", ""],
)
def test_an_edit_takes_the_value_away_until_it_is_calculated(sheet: Sheet, text: str) -> None:
    put(SetCells(((0, 0, "=1+1"),)))
    calculate((0, 0, 2))

    put(SetCells(((0, 0, text),)))

    assert Cell.objects.get().value is None
    assert seen_since(sheet, 2)[0][1][2:] == [text]


def test_nobody_can_send_values_over_the_wire() -> None:
    with pytest.raises(Malformed):
        parse_operation({"kind": "set_values", "through": 1, "cells": [[0, 0, 1]]})


def test_a_sorted_formula_goes_on_referring_to_its_own_row(sheet: Sheet) -> None:
    put(Insert(ROWS, 1, 1))  # ids 0, 1000, 1, 2: rows 1, 2, 3, 4
    put(
        SetCells(
            (
                *((0, 0, "3"), (0, 1, "=A1*$A$1"), (0, 2, "=SUM(A1:A$3)")),
                *((1_000, 0, "2"), (1_000, 1, "text")),
                *((1, 0, "1"), (1, 1, "=A2")),
            )
        )
    )
    before = inputs()
    sort = ReorderCells(((0, 1), (1_000, 1), (1, 1)), ((0, 3),), (2, 1, 0))

    sorted_ = put(sort)

    assert inputs() == {
        (0, 0): "1",
        (0, 1): "=A1",  # row 1 now, as it was row 3's before
        (1_000, 0): "2",
        (1_000, 1): "text",
        (1, 0): "3",
        (1, 1): "=A2*$A$1",
        (1, 2): "=SUM(A2:A$3)",  # rows 3 to 4, for A$3 is id 2, which stands at row 4
    }
    with one_state() as cursor:
        keys = list(before)
        assert past.read_inputs_at(cursor, sheet.pk, 2, keys) == before
        assert past.read_inputs_at(cursor, sheet.pk, 3, keys)[0, 1] == "=A1"
    put(Undo(sorted_, is_redo=False))
    assert inputs() == before


def test_a_copy_has_the_same_formulas_on_axes_of_its_own(sheet: Sheet) -> None:
    put(Insert(ROWS, 0, 2))
    put(Delete(COLUMNS, ((0, 1),)))
    put(SetCells(((0, 1, "1"), (1, 1, "=B1+A1"))))  # B1 is the 1; column A is gone

    copy = copy_sheet(sheet, "Copy", owner=None, author=STREAM, link_role=LinkRole.NONE)

    found = {(c.row, c.column): c.input for c in Cell.objects.filter(sheet=copy)}
    assert found == {(2, 0): "1", (3, 0): "=A3+#REF!"}
    assert Calculation.objects.filter(sheet=copy).exists()


def test_the_log_reads_as_the_sheet_does(sheet: Sheet) -> None:
    put(Insert(ROWS, 0, 2))
    put(SetCells(((1, 1, "=B1*2"),)))
    calculate((1, 1, 0))

    sheet.refresh_from_db()
    lines = [line.what for line in read_log(sheet).lines]
    assert lines[:2] == ["calculated B4", "set B4 to “=B3*2”"]
