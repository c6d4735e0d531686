import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.domain.axes import AxisName
from cells.domain.errors import Forbidden, NothingToRedo, NothingToUndo, SheetSyncError
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Intended,
    Move,
    Resize,
    SetCells,
    SetStyles,
    Undo,
    UpsertRow,
)
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.models import AuthorKind, Cell, LinkRole, Sheet
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from tests.services.prices import assert_log_is_whole, replay, texts

ALICE = Author(AuthorKind.GUEST, "Alice", origin=str(uuid.UUID(int=1)))
BOB = Author(AuthorKind.GUEST, "Bob", origin=str(uuid.UUID(int=2)))
BOLD = parse_change({"bold": True})
ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


@pytest.fixture
def open_sheet(sheet: Sheet) -> Sheet:
    Sheet.objects.filter(pk=sheet.pk).update(link_role=LinkRole.EDITOR)
    sheet.refresh_from_db()
    return sheet


def put(operation: Intended, author: Author = ALICE) -> uuid.UUID:
    operation_id = uuid.uuid4()
    (outcome,) = commit([Submission("prices", operation_id, operation, author)]).outcomes
    assert isinstance(outcome, Committed), outcome
    return operation_id


def undo(operation_id: uuid.UUID, author: Author = ALICE, *, is_redo: bool = False) -> int:
    """Undo, and return how many cells were left alone."""
    submission = Submission("prices", uuid.uuid4(), Undo(operation_id, is_redo), author)
    (outcome,) = commit([submission]).outcomes
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome.left


def redo(operation_id: uuid.UUID, author: Author = ALICE) -> int:
    return undo(operation_id, author, is_redo=True)


def cell(row: int, column: int, text: str) -> SetCells:
    return SetCells(((row, column, text),))


def style_of(row: int, column: int) -> object:
    return Cell.objects.get(sheet__slug="prices", row=row, column=column).style


def test_edits_of_one_cell_are_taken_back_one_after_the_other(open_sheet: Sheet) -> None:
    first, second, third = (put(cell(0, 0, text)) for text in ("a", "b", "c"))
    for operation_id, text in ((third, "b"), (second, "a"), (first, None)):
        assert undo(operation_id) == 0
        assert texts().get("A1") == text
    for operation_id, text in ((first, "a"), (second, "b"), (third, "c")):
        assert redo(operation_id) == 0
        assert texts()["A1"] == text
    assert undo(third) == 0
    assert texts()["A1"] == "b"
    assert_log_is_whole("prices", 10)


def test_a_cell_that_somebody_else_has_changed_since_is_left_alone(open_sheet: Sheet) -> None:
    mine = put(SetCells(((0, 0, "a"), (1, 0, "b"), (2, 0, "c"))))
    put(cell(1, 0, "Bob's"), BOB)
    assert undo(mine) == 1
    assert texts() == {"A2": "Bob's"}
    assert redo(mine) == 0
    assert texts() == {"A1": "a", "A2": "Bob's", "A3": "c"}


def test_what_was_brought_back_of_somebody_else_is_not_overwritten(open_sheet: Sheet) -> None:
    first = put(cell(0, 0, "mine"))
    put(cell(0, 0, "Bob's"), BOB)
    second = put(cell(0, 0, "mine again"))
    assert undo(second) == 0
    assert texts() == {"A1": "Bob's"}
    assert undo(first) == 1
    assert texts() == {"A1": "Bob's"}


def test_looks_are_taken_back_and_inputs_stay(open_sheet: Sheet) -> None:
    put(cell(0, 0, "x"))
    bold = put(SetStyles(((0, 2),), ((0, 1),), BOLD))
    fill = put(SetStyles(((0, 1),), ((0, 1),), parse_change({"fill": "#ffff00"})))
    assert style_of(0, 0) == {"bold": True, "fill": "#ffff00"}
    undo(fill)
    assert style_of(0, 0) == {"bold": True}
    undo(bold)
    assert style_of(0, 0) is None
    assert style_of(1, 0) is None
    redo(bold)
    assert style_of(1, 0) == {"bold": True}
    assert texts() == {"A1": "x"}
    assert_log_is_whole("prices", 6)


def test_inputs_with_looks_are_taken_back_with_them(open_sheet: Sheet) -> None:
    put(SetCells(((0, 0, "old"),), styles=((0, 0, '{"italic":true}'),)))
    pasted = put(SetCells(((0, 0, "new"),), styles=((0, 0, ""),)))
    assert style_of(0, 0) is None
    undo(pasted)
    assert (texts()["A1"], style_of(0, 0)) == ("old", {"italic": True})


@pytest.mark.parametrize(
    "operation",
    [
        Insert(ROWS, 1, 3),
        Delete(COLUMNS, ((0, 2),)),
        Move(ROWS, ((0, 2), (4, 1)), 9),
        Resize(ROWS, ((0, 4),), None),
        Freeze(1, 2),
        ReorderCells(((0, 4),), ((0, 1),), (3, 1, 0, 2)),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_structure_is_taken_back_and_done_again(open_sheet: Sheet, operation: Intended) -> None:
    put(Resize(ROWS, ((1, 2),), 40))
    put(SetCells(tuple((row, 0, str(row)) for row in range(6))))

    def shape() -> list[object]:
        sheet = Sheet.objects.get(slug="prices")
        living = [[run for run in runs if run[1] > 0] for runs in (sheet.rows, sheet.columns)]
        return [*living, sheet.row_sizes, sheet.frozen_rows, sheet.frozen_columns, texts()]

    before = shape()
    operation_id = put(operation)
    after = shape()
    assert after != before
    for _ in range(2):
        undo(operation_id)
        undone = shape()
        if isinstance(operation, Insert):  # the ids that it gave are never given again
            assert (len(replay(open_sheet)[0].axes[ROWS]), undone[-1]) == (1000, before[-1])
        else:
            assert undone == before
        redo(operation_id)
        assert shape() == after
    assert_log_is_whole("prices", 7)


def test_inserted_rows_that_somebody_else_has_used_stay(open_sheet: Sheet) -> None:
    inserted = put(Insert(ROWS, 0, 3))
    put(cell(1001, 0, "Bob's"), BOB)
    put(cell(1002, 0, "mine"))
    assert undo(inserted) == 1
    assert texts() == {"A1": "Bob's"}
    assert redo(inserted) == 0
    assert texts() == {"A2": "Bob's", "A3": "mine"}


def test_doing_a_deletion_again_spares_what_somebody_else_has_written_since(
    open_sheet: Sheet,
) -> None:
    deleted = put(Delete(ROWS, ((0, 2),)))
    undo(deleted)
    put(cell(0, 0, "Bob's"), BOB)
    assert redo(deleted) == 1
    assert texts() == {"A1": "Bob's"}


def test_rows_are_moved_back_though_their_neighbour_was_deleted(open_sheet: Sheet) -> None:
    put(SetCells(tuple((row, 0, str(row)) for row in range(5))))
    moved = put(Move(ROWS, ((1, 1),), 5))
    put(Delete(ROWS, ((2, 1),)), BOB)
    undo(moved)
    assert texts() == {"A1": "0", "A2": "1", "A3": "3", "A4": "4"}


def test_a_cell_in_a_row_that_is_gone_is_left_alone(open_sheet: Sheet) -> None:
    mine = put(SetCells(((0, 0, "a"), (1, 0, "b"))))
    put(Delete(ROWS, ((0, 1),)), BOB)
    assert undo(mine) == 1
    assert texts() == {}


def test_only_ones_own_operations_can_be_undone(open_sheet: Sheet) -> None:
    theirs = put(cell(0, 0, "a"), BOB)
    with pytest.raises(Forbidden):
        undo(theirs)
    assert texts() == {"A1": "a"}


def test_nothing_is_undone_or_redone_twice(open_sheet: Sheet) -> None:
    mine = put(cell(0, 0, "a"))
    with pytest.raises(NothingToRedo):
        redo(mine)
    with pytest.raises(NothingToUndo):
        undo(uuid.uuid4())
    undo(mine)
    with pytest.raises(NothingToUndo):
        undo(mine)
    redo(mine)
    with pytest.raises(NothingToRedo):
        redo(mine)


def test_a_retry_of_an_undo_changes_nothing(open_sheet: Sheet) -> None:
    mine = put(cell(0, 0, "a"))
    submission = Submission("prices", uuid.uuid4(), Undo(mine, is_redo=False), ALICE)
    (first,) = commit([submission]).outcomes
    put(cell(0, 0, "later"))
    (again,) = commit([submission]).outcomes
    assert isinstance(first, Committed)
    assert isinstance(again, Committed)
    assert (first.revision, again.revision, again.is_new) == (2, 2, False)
    assert texts() == {"A1": "later"}


def test_an_edit_and_its_undo_may_come_in_one_batch(open_sheet: Sheet) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    intended: list[tuple[uuid.UUID, Intended]] = [
        (first, cell(0, 0, "a")),
        (second, cell(0, 0, "b")),
        (uuid.uuid4(), Undo(second, is_redo=False)),
        (uuid.uuid4(), Undo(second, is_redo=False)),
        (uuid.uuid4(), cell(1, 0, "c")),
        (uuid.uuid4(), Insert(ROWS, 0, 1)),
        (uuid.uuid4(), Undo(first, is_redo=False)),
    ]
    result = commit([Submission("prices", id_, what, ALICE) for id_, what in intended])
    refused = [place for place, o in enumerate(result.outcomes) if isinstance(o, Refused)]
    assert refused == [3]
    delta = result.deltas[open_sheet.pk]
    assert (delta.after, delta.through) == (0, 6)
    cells = {(row, column): text for _, part in delta.changes for row, column, text, *_ in part}
    assert cells == {(0, 0): "", (1, 0): "c"}
    assert delta.rows == Sheet.objects.get(pk=open_sheet.pk).rows
    assert texts() == {"A3": "c"}
    assert_log_is_whole("prices", 6)


def test_a_sort_is_taken_back_with_what_others_have_typed_since(open_sheet: Sheet) -> None:
    put(SetCells(((0, 0, "c"), (1, 0, "a"), (2, 0, "b"), (1, 1, "of a"))))
    bold = put(SetStyles(((1, 1),), ((0, 1),), BOLD))
    sorting = put(ReorderCells(((0, 3),), ((0, 2),), (1, 2, 0)))
    assert texts() == {"A1": "a", "B1": "of a", "A2": "b", "A3": "c"}
    assert (style_of(0, 0), style_of(1, 0)) == ({"bold": True}, None)
    put(cell(2, 1, "Bob's, of c"), BOB)
    put(Delete(ROWS, ((1, 1),)), BOB)
    assert undo(sorting) == 0
    assert texts() == {"A1": "c", "B1": "Bob's, of c", "A2": "a", "B2": "of a"}
    assert redo(sorting) == 0
    assert texts() == {"A1": "a", "B1": "of a", "A2": "c", "B2": "Bob's, of c"}
    assert undo(sorting) == 0
    assert undo(bold) == 1, "its row is gone, and its cell with it"
    assert_log_is_whole("prices", 9)


def test_a_sort_spares_what_was_deleted_meanwhile(open_sheet: Sheet) -> None:
    put(SetCells(((0, 0, "c"), (1, 0, "a"), (2, 0, "b"))))
    put(Delete(ROWS, ((0, 1),)), BOB)
    put(Delete(COLUMNS, ((1, 1),)), BOB)
    sorting = put(ReorderCells(((0, 3),), ((0, 2),), (2, 1, 0)))
    assert texts() == {"A1": "b", "A2": "a"}
    undo(sorting)
    assert texts() == {"A1": "a", "A2": "b"}
    gone = Submission("prices", uuid.uuid4(), ReorderCells(((0, 1),), ((0, 1),), (0,)), ALICE)
    (outcome,) = commit([gone]).outcomes
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "deleted"
    assert_log_is_whole("prices", 5)


def test_a_sort_in_a_batch_sees_what_comes_before_it_and_is_seen_by_what_follows(
    open_sheet: Sheet,
) -> None:
    put(SetCells(((0, 0, "Name"), (1, 0, "b"), (2, 0, "a"))))
    intended: list[Intended | UpsertRow] = [
        cell(3, 0, "0"),
        ReorderCells(((1, 3),), ((0, 2),), (2, 1, 0)),
        UpsertRow((("Name", "b"),), (("Name", "b, seen"),)),
    ]
    result = commit([Submission("prices", uuid.uuid4(), what, ALICE) for what in intended])
    assert all(isinstance(outcome, Committed) for outcome in result.outcomes)
    assert texts() == {"A1": "Name", "A2": "0", "A3": "a", "A4": "b, seen"}
    assert_log_is_whole("prices", 4)


small = st.integers(0, 3)
whose = st.sampled_from([ALICE, BOB])
actions = st.lists(
    st.one_of(
        st.tuples(st.just("cell"), whose, small, small),
        st.tuples(st.just("bold"), whose, small, small),
        st.tuples(st.just("insert"), whose, small, small),
        st.tuples(st.just("delete"), whose, small, small),
        st.tuples(st.just("move"), whose, small, small),
        st.tuples(st.just("reorder"), whose, small, small),
        st.tuples(st.sampled_from(["undo", "redo"]), whose, small, small),
    ),
    max_size=14,
)


def _operation(kind: str, first: int, second: int, text: str) -> Intended:
    match kind:
        case "cell":
            return cell(first, second, text)
        case "bold":
            return SetStyles(((first, 1),), ((second, 1),), BOLD)
        case "insert":
            return Insert(ROWS, first, second + 1)
        case "delete":
            return Delete(ROWS, ((first, 1),))
        case "reorder":
            order = [0, 1, 2, 3]
            order.insert(second, order.pop(first))
            return ReorderCells(((0, 4),), ((0, 4),), tuple(order))
        case _:
            return Move(ROWS, ((first, 1),), second)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_the_log_replays_whatever_two_people_do_and_undo(
    open_sheet: Sheet, todo: list[tuple[str, Author, int, int]]
) -> None:
    Sheet.objects.all().delete()
    sheet = Sheet.objects.create(slug="prices", title="Prices", link_role=LinkRole.EDITOR)
    done: dict[Author, list[uuid.UUID]] = {ALICE: [], BOB: []}
    for number, (kind, author, first, second) in enumerate(todo):
        try:
            if kind in ("undo", "redo"):
                for operation_id in done[author][-1 - first :][:1]:
                    undo(operation_id, author, is_redo=kind == "redo")
            else:
                done[author].append(put_or_raise(kind, first, second, str(number), author))
        except SheetSyncError:
            pass  # a refusal must leave no trace either
    sheet.refresh_from_db()
    assert_log_is_whole("prices", sheet.head)


def put_or_raise(kind: str, first: int, second: int, text: str, author: Author) -> uuid.UUID:
    operation_id = uuid.uuid4()
    operation = _operation(kind, first, second, text)
    (outcome,) = commit([Submission("prices", operation_id, operation, author)]).outcomes
    if isinstance(outcome, Refused):
        raise outcome.error
    return operation_id


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_undoing_all_of_ones_own_backwards_gives_the_empty_sheet(
    open_sheet: Sheet, todo: list[tuple[str, Author, int, int]]
) -> None:
    Sheet.objects.all().delete()
    sheet = Sheet.objects.create(slug="prices", title="Prices", link_role=LinkRole.EDITOR)
    done = []
    for number, (kind, _, first, second) in enumerate(todo):
        if kind not in ("undo", "redo"):
            try:
                done.append(put_or_raise(kind, first, second, str(number), ALICE))
            except SheetSyncError:
                continue
    for operation_id in reversed(done):
        assert undo(operation_id) == 0
    assert texts() == {}
    assert not Cell.objects.filter(style__isnull=False).exists()
    sheet.refresh_from_db()
    living = [run for run in sheet.rows if run[1] > 0]
    assert living == [[0, 1000]] or sum(count for _, count in living) == 1000
