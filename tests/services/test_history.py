"""Undo and redo, as services/history and docs/protocol.md promise them."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.domain.axes import AxisName
from cells.domain.errors import LimitExceeded
from cells.domain.operations import (
    Delete,
    Insert,
    Move,
    Operation,
    Redo,
    Resize,
    SetAddresses,
    SetCells,
    Undo,
)
from cells.models import AuthorKind, Cell, LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from cells.services.log import read_log
from tests.faults.replay import TakeBacks
from tests.services.prices import assert_log_is_whole, submit, texts

pytestmark = pytest.mark.django_db

ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS
ALICE = Author(AuthorKind.GUEST, "Guest Alpaca", origin="alice")
BOB = Author(AuthorKind.GUEST, "Guest Bison", origin="bob")


@pytest.fixture
def sheet(db: None) -> Sheet:
    return create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)


def by(author: Author, operation: Any, operation_id: uuid.UUID | None = None) -> uuid.UUID:
    """Commit what must not be refused, and return its operation id."""
    submission = submit(operation, operation_id=operation_id, author=author)
    (outcome,) = commit([submission]).outcomes
    assert isinstance(outcome, Committed), outcome
    return submission.operation_id


def put(author: Author, text: str, row: int = 0, column: int = 0) -> uuid.UUID:
    return by(author, SetCells(((row, column, text),)))


def left_by(author: Author, operation: Undo | Redo) -> int:
    """Undo or redo, and return how many cells were left alone."""
    (outcome,) = commit([submit(operation, author=author)]).outcomes
    assert isinstance(outcome, Committed), outcome
    return outcome.left


def refusal(author: Author, operation: Operation) -> str:
    (outcome,) = commit([submit(operation, author=author)]).outcomes
    assert isinstance(outcome, Refused), outcome
    return outcome.error.code


def rows() -> list[list[int]]:
    found: list[list[int]] = Sheet.objects.get().rows
    return found


# -- cells ----------------------------------------------------------------------------------------


def test_undo_puts_the_cell_back_and_redo_sets_it_again(sheet: Sheet) -> None:
    put(ALICE, "old")
    edit = put(ALICE, "new")
    assert left_by(ALICE, Undo(edit)) == 0
    assert texts() == {"A1": "old"}
    assert left_by(ALICE, Redo(edit)) == 0
    assert texts() == {"A1": "new"}
    assert left_by(ALICE, Undo(edit)) == 0
    assert texts() == {"A1": "old"}
    assert_log_is_whole("prices", 5)


def test_edits_of_one_cell_are_taken_back_one_after_the_other_and_done_again(
    sheet: Sheet,
) -> None:
    edits = [put(ALICE, text) for text in "123"]
    for edit, text in zip(reversed(edits), ("2", "1", ""), strict=True):
        assert left_by(ALICE, Undo(edit)) == 0
        assert texts() == ({"A1": text} if text else {})
    for edit, text in zip(edits, "123", strict=True):
        assert left_by(ALICE, Redo(edit)) == 0
        assert texts() == {"A1": text}
    for edit in reversed(edits):
        assert left_by(ALICE, Undo(edit)) == 0
    assert texts() == {}
    assert_log_is_whole("prices", 12)


def test_a_cell_that_somebody_else_wrote_since_is_left_alone_and_counted(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (0, 1, "a"), (0, 2, "a"))))
    put(BOB, "b", 0, 1)
    assert left_by(ALICE, Undo(edit)) == 1
    assert texts() == {"B1": "b"}
    assert left_by(ALICE, Redo(edit)) == 0, "what was left alone has nothing to do with the redo"
    assert texts() == {"A1": "a", "B1": "b", "C1": "a"}
    assert_log_is_whole("prices", 4)


def test_an_undo_that_may_touch_nothing_is_a_revision_without_effect(sheet: Sheet) -> None:
    edit = put(ALICE, "a")
    put(BOB, "b")
    assert left_by(ALICE, Undo(edit)) == 1
    assert texts() == {"A1": "b"}
    assert Cell.objects.get().revision == 2
    assert_log_is_whole("prices", 3)


def test_somebody_elses_edit_between_two_of_mine_ends_the_chain_there(sheet: Sheet) -> None:
    first = put(ALICE, "1")
    put(BOB, "between")
    second = put(ALICE, "2")
    assert left_by(ALICE, Undo(second)) == 0
    assert texts() == {"A1": "between"}
    assert left_by(ALICE, Undo(first)) == 1
    assert texts() == {"A1": "between"}
    assert_log_is_whole("prices", 5)


def test_the_same_text_from_somebody_else_is_theirs_all_the_same(sheet: Sheet) -> None:
    edit = put(ALICE, "x")
    put(BOB, "x")
    assert left_by(ALICE, Undo(edit)) == 1
    assert texts() == {"A1": "x"}


def test_what_somebody_else_took_back_again_is_no_edit_in_the_way(sheet: Sheet) -> None:
    mine = put(ALICE, "mine")
    theirs = put(BOB, "theirs")
    by(BOB, Undo(theirs))
    assert left_by(ALICE, Undo(mine)) == 0
    assert texts() == {}
    assert left_by(BOB, Redo(theirs)) == 1, "the cell is no more as their undo left it"
    assert_log_is_whole("prices", 5)


def test_an_earlier_edit_under_a_later_one_of_the_same_author_is_left_alone(sheet: Sheet) -> None:
    first = put(ALICE, "1")
    put(ALICE, "2")
    assert left_by(ALICE, Undo(first)) == 1
    assert texts() == {"A1": "2"}


def test_a_cell_named_twice_comes_back_as_it_was_before_both(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (0, 0, "b"))))
    by(ALICE, Undo(edit))
    assert texts() == {}
    by(ALICE, Redo(edit))
    assert texts() == {"A1": "b"}
    assert_log_is_whole("prices", 3)


def test_cells_of_a_deleted_row_come_back_under_the_tombstone(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (1, 0, "a"))))
    removed = by(BOB, Delete(ROWS, ((1, 1),)))
    assert left_by(ALICE, Undo(edit)) == 0
    by(BOB, Undo(removed))
    assert texts() == {}
    assert_log_is_whole("prices", 4)


def test_a_grid_that_grew_for_an_edit_stays_as_large(sheet: Sheet) -> None:
    alice = Author(AuthorKind.ADMIN, "alice", origin="alice")
    edit = by(alice, SetAddresses(((1001, 26, "far"),)))
    by(alice, Undo(edit))
    assert texts() == {}
    assert rows() == [[0, 1002]]
    by(alice, Redo(edit))
    assert texts() == {"AA1002": "far"}
    assert_log_is_whole("prices", 3)


def test_the_count_of_filled_cells_follows(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (0, 1, "b"))))
    by(ALICE, Undo(edit))
    assert Sheet.objects.get().filled == 0
    by(ALICE, Redo(edit))
    assert Sheet.objects.get().filled == 2


def test_others_see_an_undo_as_cells_of_its_author(sheet: Sheet) -> None:
    edit = put(ALICE, "x", 4, 2)
    result = commit([submit(Undo(edit), author=ALICE)])
    delta = result.deltas[sheet.id]
    assert (delta.after, delta.through) == (1, 2)
    assert delta.changes == [("alice", [(4, 2, "")])]


# -- rows and columns -----------------------------------------------------------------------------


def test_undo_of_an_insert_deletes_what_it_inserted(sheet: Sheet) -> None:
    edit = by(ALICE, Insert(ROWS, 2, 3))
    put(ALICE, "mine", 1001)
    by(ALICE, Undo(edit))
    assert rows() == [[0, 2], [1000, -3], [2, 998]]
    by(ALICE, Redo(edit))
    assert rows() == [[0, 2], [1000, 3], [2, 998]]
    assert texts() == {"A4": "mine"}
    assert_log_is_whole("prices", 4)


@pytest.mark.parametrize("axis", AxisName)
def test_undo_of_an_insert_spares_what_others_have_filled(sheet: Sheet, axis: AxisName) -> None:
    edit = by(ALICE, Insert(axis, 2, 3))
    first = 1000 if axis is ROWS else 26
    for other in (0, 1):
        cell = (first + 1, other, "theirs") if axis is ROWS else (other, first + 1, "theirs")
        by(BOB, SetCells((cell,)))
    assert left_by(ALICE, Undo(edit)) == 2
    axis_now = rows() if axis is ROWS else Sheet.objects.get().columns
    assert axis_now[:5] == [[0, 2], [first, -1], [first + 1, 1], [first + 2, -1], [2, first - 2]]
    assert left_by(ALICE, Redo(edit)) == 0
    axis_now = rows() if axis is ROWS else Sheet.objects.get().columns
    assert axis_now == [[0, 2], [first, 3], [2, first - 2]]
    assert_log_is_whole("prices", 5)


def test_rows_that_others_filled_and_cleared_again_are_not_spared(sheet: Sheet) -> None:
    edit = by(ALICE, Insert(ROWS, 0, 1))
    put(BOB, "theirs", 1000)
    put(BOB, "", 1000)
    assert left_by(ALICE, Undo(edit)) == 0
    assert rows() == [[1000, -1], [0, 1000]]


def test_an_insert_of_which_all_is_filled_by_others_stays(sheet: Sheet) -> None:
    edit = by(ALICE, Insert(ROWS, 0, 1))
    put(BOB, "theirs", 1000)
    assert left_by(ALICE, Undo(edit)) == 1
    assert rows() == [[1000, 1], [0, 1000]]
    assert_log_is_whole("prices", 3)


def test_undo_of_a_delete_restores_the_rows_with_their_cells(sheet: Sheet) -> None:
    put(BOB, "kept", 5)
    edit = by(ALICE, Delete(ROWS, ((4, 3),)))
    assert texts() == {}
    by(ALICE, Undo(edit))
    assert rows() == [[0, 1000]]
    assert texts() == {"A6": "kept"}
    by(ALICE, Redo(edit))
    assert rows() == [[0, 4], [4, -3], [7, 993]]
    assert_log_is_whole("prices", 4)


def test_undo_of_a_delete_restores_only_what_it_deleted(sheet: Sheet) -> None:
    by(BOB, Delete(ROWS, ((5, 1),)))
    edit = by(ALICE, Delete(ROWS, ((4, 3),)))
    by(ALICE, Undo(edit))
    assert rows() == [[0, 5], [5, -1], [6, 994]]
    assert_log_is_whole("prices", 3)


def test_redo_of_a_delete_spares_what_others_have_filled_since(sheet: Sheet) -> None:
    put(BOB, "old", 4)
    edit = by(ALICE, Delete(ROWS, ((4, 3),)))
    by(ALICE, Undo(edit))
    put(BOB, "new", 5)
    assert left_by(ALICE, Redo(edit)) == 1
    assert rows() == [[0, 4], [4, -1], [5, 1], [6, -1], [7, 993]]
    assert_log_is_whole("prices", 5)


def test_rows_that_do_not_fit_any_more_are_not_restored(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = by(ALICE, Delete(ROWS, ((0, 2),)))
    monkeypatch.setattr("cells.domain.axes.MAX_ROWS", 999)
    by(BOB, Insert(ROWS, None, 1))
    assert refusal(ALICE, Undo(edit)) == LimitExceeded.code
    assert_log_is_whole("prices", 2)


def test_undo_of_a_move_puts_every_piece_back(sheet: Sheet) -> None:
    edit = by(ALICE, Move(ROWS, ((1, 2), (5, 1), (999, 1)), 3))
    moved = rows()
    by(ALICE, Undo(edit))
    assert rows() == [[0, 1000]]
    by(ALICE, Redo(edit))
    assert rows() == moved
    by(ALICE, Undo(edit))
    assert rows() == [[0, 1000]]
    assert_log_is_whole("prices", 4)


def test_neighbours_that_moved_take_a_row_along_and_deleted_ones_keep_its_place(
    sheet: Sheet,
) -> None:
    edit = by(ALICE, Move(ROWS, ((1, 2),), None))
    by(BOB, Delete(ROWS, ((1, 1), (3, 1))))
    by(ALICE, Undo(edit))
    assert rows() == [[0, 1], [1, -1], [2, 1], [3, -1], [4, 996]]
    by(ALICE, Redo(edit))
    by(BOB, Move(ROWS, ((4, 1),), 0))
    by(BOB, Insert(ROWS, 4, 1))
    other = by(ALICE, Move(ROWS, ((5, 1),), 10))
    by(BOB, Move(ROWS, ((6, 1),), 0))
    by(ALICE, Undo(other))
    assert rows()[:3] == [[1000, 1], [4, 3], [0, 1]]
    assert_log_is_whole("prices", 9)


def test_undo_of_a_resize_puts_each_size_back(sheet: Sheet) -> None:
    by(BOB, Resize(COLUMNS, ((1, 1),), 50))
    edit = by(ALICE, Resize(COLUMNS, ((0, 3),), 200))
    by(ALICE, Undo(edit))
    assert Sheet.objects.get().column_sizes == [[1, 1, 50]]
    by(ALICE, Redo(edit))
    assert Sheet.objects.get().column_sizes == [[0, 3, 200]]
    by(ALICE, Undo(edit))
    assert Sheet.objects.get().column_sizes == [[1, 1, 50]]
    assert_log_is_whole("prices", 5)


# -- whose, and which -----------------------------------------------------------------------------


def test_nobody_takes_back_what_is_somebody_elses(sheet: Sheet) -> None:
    edit = put(ALICE, "x")
    assert refusal(BOB, Undo(edit)) == "forbidden"
    by(ALICE, Undo(edit))
    assert refusal(BOB, Redo(edit)) == "forbidden"
    alice = User.objects.create_user("alice")
    theirs = Author(AuthorKind.USER, "alice", alice.pk, ALICE.origin)
    assert refusal(theirs, Redo(edit)) == "forbidden"
    assert_log_is_whole("prices", 2)


def test_a_user_takes_back_from_any_tab(sheet: Sheet) -> None:
    alice = User.objects.create_user("alice")
    edit = put(Author(AuthorKind.USER, "alice", alice.pk, "tab 1"), "x")
    by(Author(AuthorKind.USER, "alice", alice.pk, "tab 2"), Undo(edit))
    assert texts() == {}


def test_what_a_deleted_account_did_is_nobodys(sheet: Sheet) -> None:
    alice, bob = User.objects.create_user("alice"), User.objects.create_user("bob")
    edit = put(Author(AuthorKind.USER, "alice", alice.pk, "tab"), "x")
    alice.delete()
    assert refusal(Author(AuthorKind.USER, "bob", bob.pk, "tab"), Undo(edit)) == "forbidden"
    assert refusal(Author(AuthorKind.USER, "nobody", None, "tab"), Undo(edit)) == "forbidden"


def test_a_viewer_may_not_undo(sheet: Sheet) -> None:
    carol = User.objects.create_user("carol")
    author = Author(AuthorKind.USER, "carol", carol.pk, "tab")
    edit = put(author, "x")
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    SheetAccess.objects.create(sheet=sheet, user=carol, role=Role.VIEWER)
    assert refusal(author, Undo(edit)) == "forbidden"
    assert texts() == {"A1": "x"}


def test_what_is_not_in_the_log_cannot_be_taken_back(sheet: Sheet) -> None:
    create_sheet(None, "Other", slug="other", link_role=LinkRole.EDITOR)
    elsewhere = uuid.uuid4()
    commit([Submission("other", elsewhere, SetCells(((0, 0, "x"),)), ALICE)])
    for unknown in (uuid.uuid4(), elsewhere):
        assert refusal(ALICE, Undo(unknown)) == "nothing_to_undo"
        assert refusal(ALICE, Redo(unknown)) == "nothing_to_redo"


def test_each_state_can_be_left_once(sheet: Sheet) -> None:
    edit = put(ALICE, "x")
    assert refusal(ALICE, Redo(edit)) == "nothing_to_redo"
    undo = by(ALICE, Undo(edit))
    assert refusal(ALICE, Undo(edit)) == "nothing_to_undo"
    assert refusal(ALICE, Undo(undo)) == "nothing_to_undo", "an undo is taken back by a redo"
    redo = by(ALICE, Redo(edit))
    assert refusal(ALICE, Redo(edit)) == "nothing_to_redo"
    assert refusal(ALICE, Undo(redo)) == "nothing_to_undo"
    assert_log_is_whole("prices", 3)


# -- retries and batches --------------------------------------------------------------------------


def test_retry_of_an_undo_adds_no_revision_and_gets_the_same_answer(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (0, 1, "a"))))
    put(BOB, "b")
    undo = submit(Undo(edit), author=ALICE)
    first, again = commit([undo]).outcomes + commit([undo]).outcomes
    assert first == Committed(undo.operation_id, 3, is_new=True, left=1)
    assert again == Committed(undo.operation_id, 3, is_new=False, left=1)
    by(ALICE, Redo(edit))
    assert commit([undo]).outcomes == [again], "though it could be done again by now"
    assert texts() == {"A1": "b", "B1": "a"}
    assert_log_is_whole("prices", 4)


def test_an_edit_and_its_undo_in_one_batch(sheet: Sheet) -> None:
    edit = submit(SetCells(((0, 0, "x"),)), author=ALICE)
    insert = submit(Insert(ROWS, 0, 2), author=ALICE)
    undo = submit(Undo(edit.operation_id), author=ALICE)
    later = submit(SetCells(((0, 0, "y"), (1, 1, "z"))), author=BOB)
    result = commit([edit, insert, undo, submit(Undo(insert.operation_id), author=ALICE), later])
    assert [outcome.revision for outcome in result.outcomes if isinstance(outcome, Committed)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    delta = result.deltas[sheet.id]
    assert (delta.after, delta.through) == (0, 5)
    assert delta.changes == [("bob", [(0, 0, "y"), (1, 1, "z")])]
    assert delta.rows == [[1000, -2], [0, 1000]]
    assert_log_is_whole("prices", 5)


def test_undos_redos_and_their_retries_in_one_batch(sheet: Sheet) -> None:
    edits = [put(ALICE, text) for text in "123"]
    undos = [submit(Undo(edit), author=ALICE) for edit in reversed(edits)]
    result = commit([*undos, submit(Redo(edits[0]), author=ALICE), undos[0]])
    assert [outcome.revision for outcome in result.outcomes if isinstance(outcome, Committed)] == [
        4,
        5,
        6,
        7,
        4,
    ]
    assert texts() == {"A1": "1"}
    assert_log_is_whole("prices", 7)


def test_one_bad_undo_does_not_sink_its_batch(sheet: Sheet) -> None:
    edit = put(ALICE, "x")
    outcomes = commit(
        [
            submit(Undo(uuid.uuid4()), author=ALICE),
            submit(Undo(edit), author=BOB),
            submit(Undo(edit), author=ALICE),
            submit(Undo(edit), author=ALICE),
        ]
    ).outcomes
    assert [isinstance(outcome, Committed) for outcome in outcomes] == [False, False, True, False]
    assert_log_is_whole("prices", 2)


def test_undo_of_many_cells_costs_no_more_statements_than_of_one(sheet: Sheet) -> None:
    one = put(ALICE, "x")
    many = by(ALICE, SetCells(tuple((row, 1, "x") for row in range(500))))

    def statements(edit: uuid.UUID) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            by(ALICE, Undo(edit))
        return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    assert statements(one) == statements(many) <= 8 + 500 * (connection.vendor == "sqlite")


# -- the log --------------------------------------------------------------------------------------


def test_the_log_says_what_was_taken_back(sheet: Sheet) -> None:
    edit = by(ALICE, SetCells(((0, 0, "a"), (1, 1, "a"))))
    put(BOB, "b")
    insert = by(ALICE, Insert(ROWS, None, 2))
    for operation in (Undo(edit), Redo(edit), Undo(insert), Redo(insert)):
        by(ALICE, operation)
    sheet.refresh_from_db()
    assert [line.what for line in read_log(sheet).lines][:4][::-1] == [
        "took back an edit: cleared B2, left alone 1 that others had changed",
        "did again an edit: set B2 to “a”",
        "took back an edit: deleted 2 rows",
        "did again an edit: brought back 2 rows",
    ]


def test_a_line_of_the_log_carries_all_that_a_replay_needs(sheet: Sheet) -> None:
    put(BOB, "old")
    edit = put(ALICE, "new")
    by(ALICE, Undo(edit))
    line = Revision.objects.get(number=3)
    assert line.operation == {
        "kind": "undo",
        "operation_id": str(edit),
        "cells": [[0, 0, "old"]],
        "revisions": [1],
    }
    assert line.before == {"cells": [[0, 0, "new"]], "revisions": [2]}
    assert line.undoes == 2


def test_edits_from_before_there_was_an_undo_can_be_taken_back(sheet: Sheet) -> None:
    first, second = put(ALICE, "1"), put(ALICE, "2")
    Revision.objects.filter(number=2).update(before={"cells": [[0, 0, "1"]]})
    assert left_by(ALICE, Undo(second)) == 0
    assert texts() == {"A1": "1"}
    assert left_by(ALICE, Undo(first)) == 1, "nobody can tell what was between the two"
    assert left_by(ALICE, Redo(second)) == 0
    assert texts() == {"A1": "2"}


def test_a_move_taken_back_names_what_stands_behind_each_piece(sheet: Sheet) -> None:
    edit = by(ALICE, Move(ROWS, ((1, 2),), None))
    by(ALICE, Undo(edit))
    line = Revision.objects.get(number=2).operation
    assert line["change"] == {"kind": "place_rows", "rows": [[1, 2, 3]]}


def test_what_a_later_release_wrote_sinks_no_batch(sheet: Sheet) -> None:
    unknown, edit = put(ALICE, "x"), put(ALICE, "y", 1)
    Revision.objects.filter(number=1).update(operation={"kind": "paint"}, before={})
    undos = [submit(Undo(unknown), author=ALICE), submit(Undo(edit), author=ALICE)]
    first, second = commit(undos).outcomes
    assert isinstance(first, Refused)
    assert first.error.code == "nothing_to_undo"
    assert isinstance(second, Committed)


# -- properties -----------------------------------------------------------------------------------

few = st.integers(0, 4)
runs = st.lists(st.tuples(few, st.integers(1, 2)), min_size=1, max_size=2).map(tuple)
edits = st.one_of(
    st.builds(
        SetCells,
        st.lists(st.tuples(few, few, st.sampled_from(["", "a", "b"])), min_size=1, max_size=4).map(
            tuple
        ),
    ),
    st.builds(Insert, st.sampled_from(AxisName), st.none() | few, st.integers(1, 2)),
    st.builds(Delete, st.sampled_from(AxisName), runs),
    st.builds(Move, st.sampled_from(AxisName), runs, st.none() | few),
    st.builds(Resize, st.sampled_from(AxisName), runs, st.sampled_from([None, 30, 40])),
)
no_reset = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    st.lists(
        st.tuples(st.sampled_from([ALICE, BOB]), edits | st.sampled_from(["undo", "redo"]), few),
        max_size=25,
    ),
    st.integers(1, 5),
)
@no_reset
def test_any_edits_undos_and_redos_replay_to_the_head(
    sheet: Sheet, steps: list[tuple[Author, Any, int]], size: int
) -> None:
    clear()
    done: dict[str, list[uuid.UUID]] = {"alice": [], "bob": []}
    batch: list[Submission] = []
    for author, step, place in steps:
        mine = done[author.origin]
        if not isinstance(step, str):
            batch.append(submit(step, author=author))
            mine.append(batch[-1].operation_id)
        elif mine:
            named = mine[-1 - place % len(mine)]
            batch.append(submit(Undo(named) if step == "undo" else Redo(named), author=author))
        if len(batch) >= size:
            commit(batch)
            batch = []
    commit(batch)
    assert_log_is_whole("prices", Revision.objects.count())
    piles = TakeBacks()
    for line in Revision.objects.order_by("number"):
        piles.look_at(line.operation, str(line.operation_id))


@given(st.lists(edits, max_size=20), st.integers(0, 20))
@no_reset
def test_everything_of_ones_own_taken_back_in_reverse_gives_the_empty_sheet(
    sheet: Sheet, steps: list[Operation], again: int
) -> None:
    clear()
    done = []
    for step in steps:
        submission = submit(step, author=ALICE)
        if isinstance(commit([submission]).outcomes[0], Committed):
            done.append((submission.operation_id, state()))
    take_back(done, [edit for edit, _ in done])
    for edit, then in done[: again % (len(done) + 1)]:
        assert left_by(ALICE, Redo(edit)) == 0
        assert state() == then
    take_back(done, [edit for edit, _ in done[: again % (len(done) + 1)]])
    assert_log_is_whole("prices", Revision.objects.count())


def take_back(done: list[tuple[uuid.UUID, Any]], edits: list[uuid.UUID]) -> None:
    states = dict(done)
    names = [edit for edit, _ in done]
    for edit in reversed(edits):
        assert left_by(ALICE, Undo(edit)) == 0
        place = names.index(edit)
        assert state() == (states[names[place - 1]] if place else ({}, [[0, 1000]], [[0, 26]], []))


def state() -> Any:
    """Return what one sees, and which axes: ids that an undone insert gave stay as tombstones."""
    sheet = Sheet.objects.get()
    born = [[first, count] for first, count in sheet.rows if count > 0]
    columns = [[first, count] for first, count in sheet.columns if count > 0]
    return texts(), joined(born), joined(columns), sheet.row_sizes


def joined(runs: list[list[int]]) -> list[list[int]]:
    """Return runs that tombstones of undone inserts have cut, as one."""
    whole: list[list[int]] = []
    for first, count in runs:
        if whole and whole[-1][0] + whole[-1][1] == first:
            whole[-1][1] += count
        else:
            whole.append([first, count])
    return whole


def clear() -> None:
    """Let each example begin with an empty sheet; the fixture makes one for all of them."""
    Revision.objects.all().delete()
    Cell.objects.all().delete()
    Sheet.objects.update(
        head=0,
        rows=[[0, 1000]],
        columns=[[0, 26]],
        row_sizes=[],
        column_sizes=[],
        rows_revision=0,
        columns_revision=0,
        filled=0,
    )
