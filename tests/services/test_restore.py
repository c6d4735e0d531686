"""Restoring: one operation, like any other, that brings an earlier sheet or range back."""

import uuid
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import pytest

from cells.domain.axes import AxisName
from cells.domain.errors import LimitExceeded, SheetSyncError
from cells.domain.operations import (
    Delete,
    Insert,
    Intended,
    RestoreTo,
    SetCells,
    SetStyles,
    Step,
    Undo,
)
from cells.domain.rewinding import Rewinding
from cells.domain.styles import parse_change
from cells.models import Calculation, Cell, LinkRole, Revision, Sheet
from cells.services import restoring
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from cells.services.past_states import read_contents
from cells.services.restoring import RestorePlan, plan_restore
from cells.services.transactions import Cursor
from tests.services.histories import ALICE, BOB, History, new_sheet, seen_now
from tests.services.prices import texts

pytestmark = pytest.mark.django_db

ROWS = AxisName.ROWS


def put(
    operation: Intended | RestorePlan,
    author: Author = ALICE,
    operation_id: uuid.UUID | None = None,
) -> Committed:
    submission = Submission("prices", operation_id or uuid.uuid4(), operation, author)
    (outcome,) = commit([submission]).outcomes
    if isinstance(outcome, Refused):
        raise outcome.error
    assert isinstance(outcome, Committed)
    return outcome


def cell(row: int, column: int, text: str) -> SetCells:
    return SetCells(((row, column, text),))


def test_a_range_comes_back_and_the_rest_stays() -> None:
    new_sheet()
    first = ((0, 0, "a"), (1, 0, "untouched"), (1, 1, "b"), (1, 2, "not asked for"), (2, 2, "c"))
    put(SetCells(first))
    put(SetStyles(((0, 3),), ((0, 3),), parse_change({"bold": True})))
    put(SetCells(((0, 0, "A"), (1, 1, "B"), (2, 2, "C"))))
    put(Delete(ROWS, ((1, 1),)), BOB)
    outcome = put(RestoreTo(1, (1, 1, 0, 0)))
    assert texts() == {"A1": "a", "C2": "C"}
    assert outcome.left == 2, "two texts of a row that is gone"
    looks = Cell.objects.exclude(style=None).values_list("row", "column")
    assert sorted(looks) == [(0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    put(Undo(outcome.operation_id, is_redo=False))
    assert texts() == {"A1": "A", "C2": "C"}


def test_an_undo_of_a_restore_spares_what_others_have_written_since() -> None:
    new_sheet()
    put(SetCells(((0, 0, "a"), (1, 0, "b"))))
    put(SetCells(((0, 0, "A"), (1, 0, "B"))))
    put(Delete(ROWS, ((2, 2),)))
    restored = put(RestoreTo(1))
    put(cell(1, 0, "Bob's"), BOB)
    put(cell(3, 0, "Bob's, too"), BOB)
    undone = put(Undo(restored.operation_id, is_redo=False))
    assert undone.left == 2
    assert texts() == {"A1": "A", "A2": "Bob's", "A3": "Bob's, too"}


def test_a_retry_of_a_restore_adds_no_revision() -> None:
    new_sheet()
    put(cell(0, 0, "a"))
    put(cell(0, 0, "b"))
    operation_id = uuid.uuid4()
    first = put(RestoreTo(1), operation_id=operation_id)
    put(cell(0, 0, "later"))
    again = put(RestoreTo(1), operation_id=operation_id)
    assert (first.revision, again.revision, again.is_new) == (3, 3, False)
    # Be it one that has become impossible.
    again = put(RestoreTo(99), operation_id=operation_id)
    assert (again.revision, again.is_new) == (3, False)
    assert texts() == {"A1": "later"}


def test_what_is_committed_while_a_restore_is_planned_counts() -> None:
    """Its lines come before the restore's: they are in the log, and what they did is gone."""
    sheet = new_sheet()
    put(SetCells(((0, 0, "a"), (0, 1, "a"), (0, 2, "a"))))
    put(cell(0, 0, "b"))
    plan = plan_restore("prices", RestoreTo(1), uuid.uuid4())
    put(SetCells(((0, 0, "c"), (0, 1, "c"))), BOB)
    put(Insert(ROWS, 0, 1), BOB)
    put(cell(6, 0, "in a row of Bob's"), BOB)
    put(plan)
    assert texts() == {"A1": "a", "B1": "a", "C1": "a"}
    assert Revision.objects.count() == 6
    put(cell(0, 1, "later"), BOB)
    assert texts()["B1"] == "later"
    sheet.refresh_from_db()
    assert sheet.rows == [[6, -1], [-7, 0], [0, 6]]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_behind_a_plan_the_sheet_is_what_it_was(seed: int) -> None:
    random = Random(seed)
    history = History(random)
    history.go_on(15)
    target = random.randrange(len(history.seen))
    plan = plan_restore("prices", RestoreTo(target), uuid.uuid4())
    history.go_on(random.randrange(1, 10))
    put(plan)
    assert seen_now(history.sheet).visible() == history.seen[target].visible()


def test_a_formula_reads_as_it_did_after_a_restore_and_after_its_undo() -> None:
    """A row was born where the range's first one had died; the restores come later than both."""
    sheet = new_sheet()

    def reads() -> str:
        text: str = seen_now(sheet).visible()[-1][0, 0][0]
        return text

    put(cell(0, 0, "=SUM(B3:B6)"))
    gone = put(Delete(ROWS, ((2, 1),)))
    put(Insert(ROWS, 3, 1))
    assert reads() == "=SUM(B4:B6)"
    back = put(RestoreTo(1))
    assert reads() == "=SUM(B3:B6)"
    put(Undo(back.operation_id, is_redo=False))
    assert reads() == "=SUM(B4:B6)"
    put(Undo(gone.operation_id, is_redo=False))
    assert reads() == "=SUM(B3:B7)"
    put(RestoreTo(3))
    assert reads() == "=SUM(B4:B6)"


def test_only_editors_restore() -> None:
    new_sheet()
    put(cell(0, 0, "a"))
    put(cell(0, 0, "b"))
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    with pytest.raises(SheetSyncError, match="not change it") as refusal:
        put(RestoreTo(1))
    assert refusal.value.code == "forbidden"
    assert texts() == {"A1": "b"}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(RestoreTo(9), "outdated"), (RestoreTo(1, (0, 0, 77, 0)), "unknown_id")],
)
def test_what_cannot_be_restored_is_refused_and_its_neighbours_are_not(
    wanted: RestoreTo, code: str
) -> None:
    new_sheet()
    put(cell(0, 0, "1"))
    operations: list[Intended] = [cell(0, 0, "a"), wanted, cell(0, 1, "b")]
    submissions = [Submission("prices", uuid.uuid4(), one, ALICE) for one in operations]
    outcomes = commit(submissions).outcomes
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False]
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, Refused))
    assert refused.error.code == code


def test_too_much_for_one_line_of_the_log_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    new_sheet()
    put(SetCells(((0, 0, "a"), (0, 1, "b"))))
    monkeypatch.setattr(restoring, "MAX_CELLS", 1)
    with pytest.raises(SheetSyncError, match="by ranges") as refusal:
        put(RestoreTo(0))
    assert refusal.value.code == "limit_exceeded"
    plan = plan_restore("prices", RestoreTo(0), uuid.uuid4())
    assert isinstance(plan.refusal, LimitExceeded), "nothing is left for the lock"
    put(RestoreTo(0, (0, 0, 0, 0)))
    assert texts() == {"B1": "b"}


def test_a_plan_gives_up_before_it_holds_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    new_sheet()
    for row in range(6):
        put(cell(row, 0, "a"))
    taken = []
    take_back = Rewinding.take_back

    def counted(self: Rewinding, step: Step | None, before: Mapping[str, Any]) -> None:
        taken.append(before)
        take_back(self, step, before)

    monkeypatch.setattr(Rewinding, "take_back", counted)
    monkeypatch.setattr(restoring, "MAX_HELD_CELLS", 2)
    plan = plan_restore("prices", RestoreTo(0), uuid.uuid4())
    assert isinstance(plan.refusal, LimitExceeded)
    assert "a later revision" in str(plan.refusal)
    assert len(taken) == 3


def test_only_what_has_been_touched_since_is_read_in_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new_sheet()
    put(SetCells(((0, 0, "a"), (0, 1, "a"), (0, 2, "a"))))
    put(SetCells(((0, 0, "b"), (0, 1, "b"), (0, 2, "a"))))
    plan = plan_restore("prices", RestoreTo(1), uuid.uuid4())
    put(cell(0, 0, "c"), BOB)
    read: list[set[tuple[int, int]]] = []

    def noted(cursor: Cursor, sheet_id: int, keys: Iterable[tuple[int, int]]) -> Any:
        read.append(set(keys))
        return read_contents(cursor, sheet_id, read[-1])

    monkeypatch.setattr(restoring, "read_contents", noted)
    put(plan)
    assert set().union(*read) == {(0, 0)}
    assert texts() == {"A1": "a", "B1": "a", "C1": "a"}


def test_a_restored_formula_is_calculated_again() -> None:
    sheet = new_sheet()
    put(SetCells(((0, 0, "1"), (0, 1, "=A1+1"))))
    put(cell(0, 1, "text"))
    Calculation.objects.all().delete()
    put(Insert(ROWS, 0, 2))
    put(RestoreTo(1))
    found = Cell.objects.get(sheet=sheet, row=0, column=1)
    assert (found.input, found.value) == ("=A1+1", None)
    assert Calculation.objects.filter(sheet=sheet).exists()


def test_a_client_that_follows_has_what_a_reader_sees() -> None:
    sheet = new_sheet()
    put(SetCells(((0, 0, "a"), (1, 0, "b"))))
    put(Delete(ROWS, ((0, 1),)))
    client = seen_now(sheet)
    result = commit([Submission("prices", uuid.uuid4(), RestoreTo(1), ALICE)])
    assert client.take([result.deltas[sheet.pk]]) == seen_now(sheet)
