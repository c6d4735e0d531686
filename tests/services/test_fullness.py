"""A sheet has at most CELLS_PER_SHEET filled cells."""

import uuid

import pytest
from pytest_django import Settings

from cells.domain.operations import AddressedOperation, AppendRows, SetCells, Undo
from cells.models import AuthorKind, Sheet
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from tests.services.prices import assert_log_is_whole, texts

pytestmark = pytest.mark.django_db
ADMIN = Author(AuthorKind.ADMIN, "admin", origin="admin")


def tried(*operations: SetCells | AddressedOperation | Undo) -> list[str]:
    """Commit operations as one batch; return "done" or the code of the refusal for each."""
    batch = [Submission("prices", uuid.uuid4(), operation, ADMIN) for operation in operations]
    return [
        one.error.code if isinstance(one, Refused) else "done" for one in commit(batch).outcomes
    ]


def cells(*texts_: str, row: int = 0) -> SetCells:
    return SetCells(tuple((row, column, text) for column, text in enumerate(texts_)))


def test_the_cell_too_many_is_refused_and_what_adds_none_is_not(
    sheet: Sheet, settings: Settings
) -> None:
    settings.CELLS_PER_SHEET = 3
    assert tried(cells("a", "b")) == ["done"]
    assert tried(
        cells("c", "d", row=1),  # four
        cells("A", "B"),  # no new one
        AppendRows((("c",),)),  # three
        AppendRows((("d",),)),
        cells("", "B", "c"),  # one goes, one comes
        cells("a"),
        SetCells(((5, 5, ""),)),
    ) == ["limit_exceeded", "done", "done", "limit_exceeded", "done", "limit_exceeded", "done"]
    assert texts() == {"B1": "B", "C1": "c", "A2": "c"}
    assert Sheet.objects.get().filled == 3
    assert_log_is_whole("prices", 5)


def test_what_follows_an_exact_count_in_a_batch_is_counted_too(
    sheet: Sheet, settings: Settings
) -> None:
    settings.CELLS_PER_SHEET = 10
    assert tried(
        cells(*"abcde"),
        cells(*"ABCDEF"),  # six, though eleven texts came
        cells(*"ghi", row=1),
        cells(*"jk", row=2),  # eleven
        cells("j", row=2),
    ) == ["done", "done", "done", "limit_exceeded", "done"]
    assert Sheet.objects.get().filled == 10


def test_an_undo_that_adds_is_held_to_it_too(sheet: Sheet, settings: Settings) -> None:
    tried(cells("a", "b"))
    cleared = Submission("prices", uuid.uuid4(), cells("", ""), ADMIN)
    commit([cleared])
    tried(cells("c", row=1))
    settings.CELLS_PER_SHEET = 2
    assert tried(Undo(cleared.operation_id, is_redo=False)) == ["limit_exceeded"]
    tried(cells("", row=1))
    assert tried(Undo(cleared.operation_id, is_redo=False)) == ["done"]


def test_a_sheet_above_a_lowered_limit_can_be_edited_and_zero_is_no_limit(
    sheet: Sheet, settings: Settings
) -> None:
    tried(cells("a", "b", "c"))
    settings.CELLS_PER_SHEET = 1
    assert tried(cells("A", "", "C"), cells("x", row=3)) == ["done", "limit_exceeded"]
    settings.CELLS_PER_SHEET = 0
    result = commit([Submission("prices", uuid.uuid4(), cells("x", row=3), ADMIN)])
    assert isinstance(result.outcomes[0], Committed)
