import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cells.domain import layout as layout_module
from cells.domain.axes import AxisName
from cells.domain.operations import (
    AddressedOperation,
    AppendRows,
    Delete,
    Insert,
    Operation,
    Resize,
    SetCells,
    UpsertRow,
)
from cells.models import (
    AuthorKind,
    Cell,
    LinkRole,
    Revision,
    Role,
    Sheet,
    SheetAccess,
    SheetGroupAccess,
)
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from tests.services.prices import assert_log_is_whole, do, put, submit, texts

pytestmark = pytest.mark.django_db


def test_an_edit_becomes_revision_one(sheet: Sheet) -> None:
    submission = submit(SetCells(((0, 0, "x"),)))
    result = commit([submission])
    assert result.outcomes == [Committed(submission.operation_id, 1, is_new=True)]
    delta = result.deltas[sheet.id]
    assert (delta.after, delta.through) == (0, 1)
    assert delta.changes == [("stream", [(0, 0, "x")])]
    assert delta.rows is None
    revision = Revision.objects.get()
    assert (revision.author_name, revision.origin) == ("prices", "sub/1")
    assert revision.operation_id == submission.operation_id
    assert_log_is_whole("prices", 1)


def test_texts_that_mean_something_to_a_database_are_kept_as_they_are(sheet: Sheet) -> None:
    awkward = [
        '"',
        "\\",
        '\\"',
        "{1,2}",
        "NULL",
        "null",
        ",",
        "'",
        "%s",
        " ",
        "a\nb\tc",
        "😀",
        "{}",
    ]
    cells = tuple((row, 0, text) for row, text in enumerate(awkward))
    commit([submit(SetCells((cell,))) for cell in cells])
    put_again = submit(SetCells(cells))
    commit([put_again])
    assert dict(Cell.objects.values_list("row", "input")) == dict(enumerate(awkward))
    again = Revision.objects.get(number=len(awkward) + 1)
    assert again.operation["cells"] == again.before["cells"] == [list(cell) for cell in cells]
    assert_log_is_whole("prices", len(awkward) + 1)


def test_retry_of_an_operation_adds_no_revision(sheet: Sheet) -> None:
    submission = submit(SetCells(((0, 0, "x"),)))
    commit([submission])
    result = commit([submission, submission])
    assert result.outcomes == [Committed(submission.operation_id, 1, is_new=False)] * 2
    assert result.deltas == {}
    assert_log_is_whole("prices", 1)


def test_a_retry_of_what_has_become_impossible_is_still_committed(sheet: Sheet) -> None:
    delete = submit(Delete(AxisName.ROWS, ((5, 1),)))
    typed = submit(SetCells(((5, 0, "x"),)))
    commit([typed, delete])
    impossible = submit(SetCells(((5, 0, "y"),)))
    first, second, third = commit([impossible, typed, delete]).outcomes
    assert isinstance(first, Refused)
    assert second == Committed(typed.operation_id, 1, is_new=False)
    assert third == Committed(delete.operation_id, 2, is_new=False)
    assert_log_is_whole("prices", 2)


def test_a_retry_among_new_operations_is_committed_once(sheet: Sheet) -> None:
    old = submit(SetCells(((0, 0, "old"),)))
    commit([old])
    before, after = submit(SetCells(((0, 0, "new"),))), submit(SetCells(((1, 0, "x"),)))
    outcomes = commit([before, old, after]).outcomes
    assert [outcome.revision for outcome in outcomes if isinstance(outcome, Committed)] == [2, 1, 3]
    assert texts() == {"A1": "new", "A2": "x"}
    assert_log_is_whole("prices", 3)


def test_the_same_operation_twice_in_one_batch_is_committed_once(sheet: Sheet) -> None:
    submission = submit(AppendRows((("a",),)))
    first, second = commit([submission, submission]).outcomes
    assert first == Committed(submission.operation_id, 1, is_new=True)
    assert second == Committed(submission.operation_id, 1, is_new=False)
    assert_log_is_whole("prices", 1)


def test_an_operation_id_counts_per_sheet(sheet: Sheet) -> None:
    create_sheet(None, "Other", slug="other")
    id_ = uuid.uuid4()
    commit([submit(put("A1", "x"), operation_id=id_)])
    commit([submit(put("A1", "y"), "other", operation_id=id_)])
    assert (texts(), texts("other")) == ({"A1": "x"}, {"A1": "y"})


def test_one_bad_submission_does_not_sink_its_neighbours(sheet: Sheet) -> None:
    outcomes = commit(
        [
            submit(put("A1", "good")),
            submit(SetCells(((5_000, 0, "no such row"),))),
            submit(put("A1", "x"), "nowhere"),
            submit(Delete(AxisName.ROWS, ((9, 1),))),
            submit(SetCells(((9, 0, "deleted row"),))),
            submit(UpsertRow((("Nope", "1"),), (("Nope", "2"),))),
            submit(Insert(AxisName.ROWS, None, 1_000_000)),
            submit(put("A2", "good too")),
        ]
    ).outcomes
    codes = [o.error.code if isinstance(o, Refused) else o.revision for o in outcomes]
    assert codes == [
        1,
        "unknown_id",
        "no_such_sheet",
        2,
        "deleted",
        "unknown_header",
        "limit_exceeded",
        3,
    ]
    assert texts() == {"A1": "good", "A2": "good too"}
    assert_log_is_whole("prices", 3)


def test_a_batch_spans_many_sheets(sheet: Sheet) -> None:
    other = create_sheet(None, "Other", slug="other")
    result = commit(
        [submit(put("A1", "1")), submit(put("A1", "2"), "other"), submit(put("A1", "3"))]
    )
    assert [getattr(outcome, "revision", None) for outcome in result.outcomes] == [1, 1, 2]
    assert result.deltas[sheet.id].changes == [("stream", [(0, 0, "3")])]
    assert result.deltas[other.id].through == 1
    assert_log_is_whole("prices", 2)
    assert_log_is_whole("other", 1)


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def test_one_and_five_hundred_submissions_take_the_same_number_of_statements(
    sheet: Sheet,
) -> None:
    slugs = [create_sheet(None, "s", slug=f"sheet-{n}").slug for n in range(20)]
    alice = User.objects.create(username="alice")
    Sheet.objects.update(owner=alice)
    author = Author(AuthorKind.USER, "alice", alice.pk, "tab")

    def batch(count: int) -> list[Submission]:
        made = []
        for number in range(count):
            row = 1 + number % 900
            operations: list[Operation | AddressedOperation] = [
                SetCells(((row, 2, "x"),)),
                put(f"C{row + 1}", "y"),
                AppendRows((("k", str(number)),)),
                UpsertRow((("Symbol", f"S{number}"),), (("Bid", "1"),)),
                Insert(AxisName.ROWS, 500, 1),
            ]
            made += [
                submit(operation, slugs[number % 20], author=author) for operation in operations
            ]
        return made

    commit(
        [submit(put(a1, t), slug) for slug in slugs for a1, t in (("A1", "Symbol"), ("B1", "Bid"))]
    )
    few, many = batch(1), batch(100)
    assert len(many) == 500
    assert statements(lambda: commit(few)) == statements(lambda: commit(many))
    one = statements(lambda: commit([submit(SetCells(((1, 1, "x"),)))]))
    five_hundred = [submit(SetCells(((n, 1, "x"),)), slugs[n % 20]) for n in range(500)]
    assert statements(lambda: commit(five_hundred)) == one


def test_an_axis_cannot_be_broken_into_pieces_without_end(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "MAX_RUNS", 7)
    every_other: list[Operation | AddressedOperation] = [
        Delete(AxisName.ROWS, ((row, 1),)) for row in range(2, 12, 2)
    ]
    outcomes = commit([submit(operation) for operation in every_other]).outcomes
    codes = [o.error.code if isinstance(o, Refused) else o.revision for o in outcomes]
    assert codes == [1, 2, 3, "limit_exceeded", "limit_exceeded"]
    resizes: list[Operation | AddressedOperation] = [
        Resize(AxisName.COLUMNS, ((column, 1),), 50) for column in range(0, 20, 2)
    ]
    outcomes = commit([submit(operation) for operation in resizes]).outcomes
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 3
    do(put("A1", "edits go on"), Delete(AxisName.ROWS, ((2, 5),)))
    assert_log_is_whole("prices", 12)


def test_clearing_a_cell_keeps_its_row_with_empty_input(sheet: Sheet) -> None:
    do(put("A1", "x"))
    result = do(put("A1", ""))
    assert result.deltas[sheet.id].changes == [("stream", [(0, 0, "")])]
    assert Cell.objects.get().input == ""
    sheet.refresh_from_db()
    assert sheet.filled == 0


def test_sizes_travel_in_the_delta(sheet: Sheet) -> None:
    result = do(Resize(AxisName.COLUMNS, ((2, 1),), 240))
    assert result.deltas[sheet.id].column_sizes == [[2, 1, 240]]
    assert_log_is_whole("prices", 1)


def test_each_author_keeps_the_cells_that_they_touched_last(sheet: Sheet) -> None:
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    tab = Author(AuthorKind.GUEST, "Guest Heron", origin="tab-1")
    result = commit(
        [
            submit(SetCells(((0, 0, "a"), (0, 1, "b"))), author=tab),
            submit(SetCells(((0, 1, "c"),))),
        ]
    )
    assert result.deltas[sheet.id].changes == [
        ("tab-1", [(0, 0, "a")]),
        ("stream", [(0, 1, "c")]),
    ]


def code_for(author: Author) -> str | int:
    (outcome,) = commit([submit(put("A1", "x"), author=author)]).outcomes
    return outcome.error.code if isinstance(outcome, Refused) else outcome.revision


def test_alice_bob_and_erin_s_group_may_edit_and_carol_may_not(sheet: Sheet) -> None:
    alice, bob, carol, dave, erin, frank = (
        User.objects.create(username=name)
        for name in ("alice", "bob", "carol", "dave", "erin", "frank")
    )
    Sheet.objects.update(owner=alice)
    SheetAccess.objects.create(sheet=sheet, user=bob, role=Role.EDITOR)
    SheetAccess.objects.create(sheet=sheet, user=carol, role=Role.VIEWER)
    for person, role in ((erin, Role.EDITOR), (frank, Role.VIEWER)):
        group = Group.objects.create(name=f"group of {person}")
        person.groups.add(group)
        SheetGroupAccess.objects.create(sheet=sheet, group=group, role=role)
    guest = Author(AuthorKind.GUEST, "Guest Heron")
    may_not = (carol, dave, frank)
    for user, expected in ((alice, 1), (bob, 2), (erin, 3), *((u, "forbidden") for u in may_not)):
        assert code_for(Author(AuthorKind.USER, user.username, user.pk)) == expected
    assert code_for(guest) == "forbidden"
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    assert code_for(guest) == "forbidden"
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    assert code_for(guest) == 4
