"""One sheet is followed: what is typed comes out as values, whatever happens in between."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.calc.calculator import Calculator
from cells.calc.engine import Failure, Position, Value
from cells.calc.following import FollowedSheet, SheetGoneError
from cells.calc.formualizer_engine import FormualizerEngine
from cells.calc.worker import Worker
from cells.domain.axes import AxisName
from cells.domain.errors import SheetSyncError
from cells.domain.operations import Delete, Insert, Move, SetCells, SetStyles, Undo
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.models import AuthorKind, Calculation, Cell, LinkRole, Revision, Sheet
from cells.services.authors import Author
from cells.services.commit import Committed, Submission, commit
from cells.services.read import read_window
from tests.servers.process import wait_until

pytestmark = pytest.mark.django_db

ALICE = Author(AuthorKind.GUEST, "Alice", origin=str(uuid.UUID(int=1)))
ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


class InProcess(FormualizerEngine):
    """The engine as it is, and what somebody else does while it calculates."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def evaluate(self, now: datetime) -> dict[Position, Value]:
        values = super().evaluate(now)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return values

    left_out: Mapping[Position, Failure] = {}

    def close(self) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.fixture
def sheet(db: None) -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo", link_role=LinkRole.EDITOR)


def put(operation: Any) -> uuid.UUID:
    operation_id = uuid.uuid4()
    (outcome,) = commit([Submission("demo", operation_id, operation, ALICE)]).outcomes
    assert isinstance(outcome, Committed), outcome
    return operation_id


def type_in(**inputs: str) -> None:
    """Type inputs into cells named by the letter of a column id and the number of a row id."""
    cells = ((int(name[1:]), ord(name[0]) - 65, text) for name, text in inputs.items())
    put(SetCells(tuple(cells)))


def follow(sheet: Sheet) -> FollowedSheet:
    return FollowedSheet(sheet.pk, sheet.slug, "", InProcess())


def settle(followed: FollowedSheet) -> int:
    """Step until all is stored; return how many values that took."""
    stored = 0
    for _ in range(5):
        stored += followed.step()
        head = Sheet.objects.get().head
        if followed.is_settled and followed.revision == head:
            return stored
    raise AssertionError("it does not come to rest")


def values() -> Mapping[str, Any]:
    return {f"{chr(65 + c.column)}{c.row}": c.value for c in Cell.objects.exclude(value=None)}


def test_formulas_get_values_and_what_depends_on_them_too(sheet: Sheet) -> None:
    type_in(A0="2", B0="=A1*3", C0="=B1+1", D0="text", E0='=D1&"!"', F0="=B1>5", G0="=1/0")
    followed = follow(sheet)

    assert settle(followed) == 5
    assert values() == {"B0": 6, "C0": 7, "E0": "text!", "F0": True, "G0": {"error": "#DIV/0!"}}
    type_in(A0="10", D0="")
    assert settle(followed) == 3
    assert (values()["B0"], values()["E0"]) == (30, "!")
    assert Revision.objects.filter(author_kind=AuthorKind.CALCULATOR).count() == 2
    type_in(A0="10", B0="gone")
    settle(followed)
    assert "B0" not in values()
    assert values()["C0"] == {"error": "#VALUE!"} | values()["C0"]


def test_what_is_inserted_where_a_ranges_first_row_was_deleted_is_not_summed(sheet: Sheet) -> None:
    type_in(A2="1", A3="10", A4="100", B0="=SUM(A3:A5)", C0="=SUM(A3:A)", D0="=SUM(A1:A5)")
    followed = follow(sheet)
    settle(followed)
    gone = put(Delete(ROWS, ((2, 1),)))
    put(Insert(ROWS, 3, 1))
    type_in(A1000="1000")
    settle(followed)

    assert values() == {"B0": 110, "C0": 110, "D0": 1110}
    (line,) = read_window(Sheet.objects.get(), 0, 1, 1, 3).texts
    assert line == ["110", "110", "1110"]
    put(Undo(gone, is_redo=False))
    settle(followed)
    assert values() == {"B0": 1111, "C0": 1111, "D0": 1111}


def test_nothing_new_makes_no_revision(sheet: Sheet) -> None:
    type_in(A0="2", B0="=A1*3")
    settle(follow(sheet))
    head = Sheet.objects.get().head

    again = follow(sheet)

    assert settle(again) == 0
    put(SetStyles(((0, 1),), ((0, 2),), parse_change({"bold": True})))
    assert settle(again) == 0
    assert Sheet.objects.get().head == head + 1
    type_in(B0="=A1*3")  # typed again, it has lost its value
    assert values() == {}
    assert settle(again) == 1
    assert values() == {"B0": 6}


def test_rows_that_move_take_their_formulas_along(sheet: Sheet) -> None:
    type_in(A0="1", A1="2", A2="3", B0="=SUM(A1:A3)", C0="=A3")
    followed = follow(sheet)
    settle(followed)

    put(Insert(ROWS, 1, 1))  # id 1000, within the range
    assert settle(followed) == 0
    put(SetCells(((1_000, 0, "10"),)))
    settle(followed)
    assert values() == {"B0": 16, "C0": 3}
    deleted = put(Delete(ROWS, ((2, 1),)))
    settle(followed)
    assert values() == {"B0": 13, "C0": {"error": "#REF!"}}
    put(Undo(deleted, is_redo=False))
    settle(followed)
    assert values() == {"B0": 16, "C0": 3}
    put(Move(ROWS, ((2, 1),), 0))
    settle(followed)
    assert values() == {"B0": 4, "C0": 3}  # its end has moved above its start: 3 + 1


def test_an_edit_that_comes_in_while_it_calculates_has_its_say(sheet: Sheet) -> None:
    type_in(A0="2", B0="=A1*3", C0="=A1+1")
    engine = InProcess()
    followed = FollowedSheet(sheet.pk, sheet.slug, "", engine)
    engine.meanwhile = lambda: type_in(A0="5", B0="mine")

    assert followed.step() == 1  # C's value is that of a moment ago, and B is a text
    assert values() == {"C0": 3}
    assert settle(followed) == 1
    assert values() == {"C0": 6}

    engine.meanwhile = lambda: put(SetStyles(((0, 1),), ((2, 1),), parse_change({"bold": True})))
    type_in(A0="6")
    settle(followed)
    assert values() == {"C0": 7}


def test_a_deleted_sheet_is_followed_no_more(sheet: Sheet) -> None:
    type_in(A0="=1")
    followed = follow(sheet)
    settle(followed)
    Sheet.objects.all().delete()

    with pytest.raises(SheetGoneError):
        followed.step()


CELL = st.tuples(st.integers(0, 5), st.integers(0, 3))
INPUT = st.sampled_from(
    [
        *("", "1", "2.5", "text", "TRUE", "2026-11-25", "=A1", "=B2*2", "=SUM(A1:C3)", "=$A$1+B$2"),
        *("=COUNTA(A:A)", "=IF(A2>1,B1,C1)", "=C3&A1", "=SUM(B2:D5)/A4", "=D4", "=#REF!+1"),
        *("=VLOOKUP(1,A1:C5,2,FALSE)", "=MAX(1:2)", "=D1", "=nonsense(", "=NOSUCH(1)"),
    ]
)
DEED = st.one_of(
    st.tuples(st.just("type"), CELL, INPUT),
    st.tuples(st.just("type"), CELL, INPUT),
    st.tuples(
        st.sampled_from(["insert", "delete", "move"]), st.sampled_from([ROWS, COLUMNS]), CELL
    ),
    st.tuples(st.just("sort"), st.permutations(range(4))),
    st.tuples(st.just("undo")),
    st.tuples(st.just("step")),
)


def _do(deed: tuple[Any, ...], done: list[uuid.UUID]) -> None:
    sheet = Sheet.objects.get()
    match deed:
        case "type", (row, column), text:
            done.append(put(SetCells(((row, column, text),))))
        case "insert", axis, (before, count):
            done.append(put(Insert(axis, before, count + 1)))
        case "delete", axis, (first, _):
            done.append(put(Delete(axis, ((first, 1),))))
        case "move", axis, (first, before):
            done.append(put(Move(axis, ((first, 1),), before)))
        case "sort", order:
            done.append(put(ReorderCells(((0, 4),), ((0, 4),), tuple(order))))
        case ("undo",) if done:
            put(Undo(done.pop(), is_redo=False))
    assert sheet.pk


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEED, max_size=25))
def test_step_by_step_it_comes_to_what_a_fresh_start_does(db: None, deeds: list[Any]) -> None:
    Sheet.objects.all().delete()
    sheet = Sheet.objects.create(
        slug="demo",
        title="Demo",
        link_role=LinkRole.EDITOR,
        rows=[[0, 6]],
        columns=[[0, 4]],
    )
    followed = follow(sheet)
    done: list[uuid.UUID] = []
    for deed in deeds:
        if deed == ("step",):
            followed.step()
            continue
        try:
            _do(deed, done)
        except (AssertionError, SheetSyncError):
            continue  # what the sheet refuses, of rows that are deleted by now, say
    settle(followed)
    found = values()
    head = Sheet.objects.get().head

    assert settle(follow(sheet)) == 0
    assert values() == found
    assert Sheet.objects.get().head == head


def test_long_texts_are_stored_in_several_lines_of_the_log(sheet: Sheet) -> None:
    type_in(**{f"A{row}": f'=REPT("x",{32_000 + row})' for row in range(20)})
    followed = follow(sheet)

    assert settle(followed) == 20
    lines = Revision.objects.filter(author_kind=AuthorKind.CALCULATOR)
    assert [len(line.operation["cells"]) for line in lines.order_by("number")] == [8, 8, 4]


def test_an_older_database_that_is_brought_back_is_read_anew(sheet: Sheet) -> None:
    type_in(A0="2", B0="=A1*3")
    before = list(Cell.objects.values("row", "column", "input", "value"))
    followed = follow(sheet)
    settle(followed)
    type_in(A0="5")
    settle(followed)

    Cell.objects.all().delete()
    Revision.objects.all().delete()
    Cell.objects.bulk_create(Cell(sheet=sheet, revision=1, **one) for one in before)
    Sheet.objects.update(head=1)
    followed.step()

    assert values() == {"B0": 6}


def test_a_large_number_that_the_database_writes_out_is_stored_once(sheet: Sheet) -> None:
    type_in(A0="=1E23", B0="=-1E300", C0="=1E-7")
    settle(follow(sheet))

    assert settle(follow(sheet)) == 0


def test_a_formula_that_took_too_much_stays_left_out_until_it_is_typed_again(
    sheet: Sheet,
) -> None:
    calculator = Calculator(name="demo", seconds=0.3, memory_bytes=100 * 2**20)
    followed = FollowedSheet(sheet.pk, sheet.slug, "", calculator)
    try:
        type_in(A0="2", B0="=A1*3", C0="=CUMIPMT(0.01,1E9,1,1,1E9,0)")
        settle(followed)
        pid = calculator.pid
        assert values()["C0"]["error"] == "#LIMIT!"

        put(Insert(ROWS, 0, 1))
        put(SetStyles(((0, 1),), ((2, 1),), parse_change({"bold": True})))
        type_in(A0="3")
        settle(followed)
        assert values()["B0"] == 9
        assert calculator.pid == pid, "it was not tried again, which ends the process"

        noted = followed.left_out
        assert [one[:2] for one in noted] == [(0, 2)]
        other = Calculator(name="demo", seconds=0.3, memory_bytes=100 * 2**20)
        again = FollowedSheet(sheet.pk, sheet.slug, "", other, noted)
        assert settle(again) == 0
        assert again.left_out == noted
        again.close()

        type_in(C0="=A1+1")
        settle(followed)
        assert values()["C0"] == 4
        assert followed.left_out == []
    finally:
        followed.close()


@pytest.mark.django_db(transaction=True)
def test_a_sheet_that_cannot_be_calculated_is_tried_again_and_says_why(db: None) -> None:
    class Failing(InProcess):
        def evaluate(self, now: datetime) -> dict[Position, Value]:
            raise RuntimeError("no memory for the engine")

    Sheet.objects.create(slug="demo", title="Demo", link_role=LinkRole.EDITOR)
    type_in(A0="=1+1")
    worker = Worker(lambda slug: Failing())
    worker.start()
    wait_until(lambda: Calculation.objects.get().problem, "the reason")
    wait_until(lambda: worker.status().failing == 1, "a count of it")
    assert worker.stop()

    found = Calculation.objects.get()
    assert "no memory for the engine" in found.problem
    assert (found.revision, found.held_by) == (0, None)
    worker = Worker(lambda slug: InProcess())
    worker.start()
    wait_until(lambda: values() == {"A0": 2}, "the value")
    wait_until(lambda: Calculation.objects.get().problem == "", "an end of the reason")
    assert worker.stop()
