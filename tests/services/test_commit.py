import os
import random
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from cells.domain import layout as layout_module
from cells.domain.addresses import format_address, parse_address
from cells.domain.axes import Axis, AxisName
from cells.domain.layout import Layout, set_inputs
from cells.domain.operations import (
    AddressedOperation,
    AppendRows,
    Delete,
    Insert,
    Move,
    Operation,
    Resize,
    SetAddresses,
    SetCells,
    UpsertRow,
    load_operation,
)
from cells.models import AuthorKind, Cell, LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import CommitResult, Committed, Refused, Submission, commit

pytestmark = pytest.mark.django_db

STREAM = Author(AuthorKind.STREAM, "prices", origin="sub/1")


@pytest.fixture
def sheet() -> Sheet:
    return create_sheet(None, "Prices", slug="prices")


def submit(
    operation: Operation | AddressedOperation,
    slug: str = "prices",
    operation_id: uuid.UUID | None = None,
    author: Author = STREAM,
) -> Submission:
    return Submission(slug, operation_id or uuid.uuid4(), operation, author)


def do(*operations: Operation | AddressedOperation) -> CommitResult:
    """Commit to `prices`, as one batch, what must not be refused."""
    result = commit([submit(operation) for operation in operations])
    refused = [outcome for outcome in result.outcomes if isinstance(outcome, Refused)]
    assert not refused
    return result


def put(a1: str, text: str) -> SetAddresses:
    return SetAddresses(((*parse_address(a1), text),))


def texts(slug: str = "prices") -> dict[str, str]:
    """Return the filled, living cells of a sheet by A1 address."""
    sheet = Sheet.objects.get(slug=slug)
    rows, columns = Axis.from_runs(sheet.rows), Axis.from_runs(sheet.columns)
    return {
        format_address(rows.position_of(cell.row), columns.position_of(cell.column)): cell.input
        for cell in Cell.objects.filter(sheet=sheet).exclude(input="")
        if rows.is_alive(cell.row) and columns.is_alive(cell.column)
    }


def replay(sheet: Sheet) -> tuple[Layout, dict[tuple[int, int], str]]:
    """Compute a sheet from its log alone."""
    layout = Layout(
        {AxisName.ROWS: Axis.from_runs([[0, 1000]]), AxisName.COLUMNS: Axis.from_runs([[0, 26]])},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )
    inputs: dict[tuple[int, int], str] = {}
    for revision in Revision.objects.filter(sheet=sheet).order_by("number"):
        before = set_inputs(inputs, layout.apply(load_operation(revision.operation)))
        assert Normal.of(before) == Normal.of(revision.before)
    return layout, inputs


class Normal:
    @staticmethod
    def of(value: Any) -> Any:
        """Return JSON data with tuples as lists."""
        if isinstance(value, dict):
            return {str(key): Normal.of(part) for key, part in value.items()}
        return [Normal.of(part) for part in value] if isinstance(value, list | tuple) else value


def assert_log_is_whole(slug: str, count: int) -> None:
    sheet = Sheet.objects.get(slug=slug)
    numbers = Revision.objects.filter(sheet=sheet).order_by("number")
    assert list(numbers.values_list("number", flat=True)) == list(range(1, count + 1))
    assert sheet.head == count
    layout, inputs = replay(sheet)
    assert layout.axes[AxisName.ROWS].to_runs() == sheet.rows
    assert layout.axes[AxisName.COLUMNS].to_runs() == sheet.columns
    assert layout.sizes[AxisName.ROWS] == sheet.row_sizes
    cells = Cell.objects.filter(sheet=sheet).values_list("row", "column", "input")
    assert {(row, column): text for row, column, text in cells} == inputs
    assert sheet.filled == sum(map(bool, inputs.values()))


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


def test_retry_of_an_operation_adds_no_revision(sheet: Sheet) -> None:
    submission = submit(SetCells(((0, 0, "x"),)))
    commit([submission])
    result = commit([submission, submission])
    assert result.outcomes == [Committed(submission.operation_id, 1, is_new=False)] * 2
    assert result.deltas == {}
    assert_log_is_whole("prices", 1)


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


def test_addresses_mean_what_they_mean_at_the_commit(sheet: Sheet) -> None:
    do(put("A1", "top"))
    do(Insert(AxisName.ROWS, 0, 2), put("A1", "new top"), SetCells(((0, 1, "beside"),)))
    assert texts() == {"A1": "new top", "A3": "top", "B3": "beside"}
    assert_log_is_whole("prices", 4)


def test_an_address_beyond_the_grid_makes_it_grow(sheet: Sheet) -> None:
    result = do(put("AC1002", "far"))
    assert texts() == {"AC1002": "far"}
    assert result.deltas[sheet.id].rows == [[0, 1002]]
    assert result.deltas[sheet.id].columns == [[0, 29]]
    assert_log_is_whole("prices", 1)


def test_append_goes_below_the_last_used_row(sheet: Sheet) -> None:
    do(AppendRows((("a", "1"), ("b", "2"))))
    do(put("C5", "lower"), AppendRows((("c", "3"),)), AppendRows((("d",),)))
    assert texts() == {
        "A1": "a", "B1": "1", "A2": "b", "B2": "2", "C5": "lower",
        "A6": "c", "B6": "3", "A7": "d",
    }  # fmt: skip
    do(Delete(AxisName.ROWS, ((6, 1),)), AppendRows((("e",),)))
    assert texts()["A7"] == "e"
    do(put("A7", ""))
    do(AppendRows((("f",),)))
    assert texts()["A7"] == "f"
    assert_log_is_whole("prices", 8)


def test_append_below_moved_rows_goes_by_place_not_by_id(sheet: Sheet) -> None:
    do(put("A1", "1"), put("A2", "2"), Move(AxisName.ROWS, ((0, 1),), 20))
    assert texts() == {"A1": "2", "A20": "1"}
    do(AppendRows((("3",),)))
    assert texts()["A21"] == "3"


def test_append_to_a_full_grid_makes_it_grow(sheet: Sheet) -> None:
    do(put("A1000", "last"))
    do(AppendRows((("a",), ("b",))))
    assert texts() == {"A1000": "last", "A1001": "a", "A1002": "b"}
    assert_log_is_whole("prices", 2)


def test_upsert_finds_its_row_or_appends_one(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("C1", "Bid"))
    eur = UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1.08"),))
    do(eur)
    assert texts() == {"A1": "Symbol", "C1": "Bid", "A2": "EURUSD", "C2": "1.08"}
    do(
        UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1.09"),)),
        UpsertRow((("Symbol", "GBPUSD"),), (("Bid", "1.2"),)),
        UpsertRow((("Symbol", "GBPUSD"),), (("Bid", "1.3"),)),
    )
    assert texts() == {
        "A1": "Symbol", "C1": "Bid", "A2": "EURUSD", "C2": "1.09", "A3": "GBPUSD", "C3": "1.3",
    }  # fmt: skip
    assert_log_is_whole("prices", 6)


def test_upsert_by_two_keys_wants_both(sheet: Sheet) -> None:
    do(*[put(a1, t) for a1, t in (("A1", "Day"), ("B1", "Symbol"), ("C1", "Bid"))])
    do(AppendRows((("Mon", "EUR", "1"), ("Tue", "EUR", "2"), ("Mon", "GBP", "3"))))
    do(UpsertRow((("Day", "Mon"), ("Symbol", "GBP")), (("Bid", "9"),)))
    assert texts()["C4"] == "9"
    do(UpsertRow((("Day", "Tue"), ("Symbol", "GBP")), (("Bid", "7"),)))
    assert (texts()["A5"], texts()["B5"], texts()["C5"]) == ("Tue", "GBP", "7")


def test_upsert_sees_what_its_own_batch_did_before(sheet: Sheet) -> None:
    do(put("A1", "Old"), put("A2", "x"))
    do(
        put("A1", "Key"),
        put("B1", "Value"),
        put("A2", "renamed"),
        UpsertRow((("Key", "x"),), (("Value", "1"),)),
        Insert(AxisName.ROWS, 0, 1),
        put("A1", "Moved"),
        UpsertRow((("Moved", "Key"),), (("Moved", "found"),)),
    )
    assert texts() == {
        "A1": "Moved", "A2": "found", "B2": "Value", "A3": "renamed", "A4": "x", "B4": "1",
    }  # fmt: skip


def test_a_missing_header_is_refused_with_those_that_there_are(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("B1", "Bid"))
    (outcome,) = commit([submit(UpsertRow((("Symbol", "x"),), (("Ask", "1"),)))]).outcomes
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "unknown_header"
    assert "'Ask'" in str(outcome.error)
    assert "Symbol, Bid" in str(outcome.error)


def test_upsert_into_a_sheet_without_rows_is_refused(sheet: Sheet) -> None:
    do(Delete(AxisName.ROWS, ((0, 1000),)))
    outcomes = commit([submit(UpsertRow((("A", "x"),), ())), submit(put("A1", "y"))]).outcomes
    assert isinstance(outcomes[0], Refused)
    assert texts() == {"A1": "y"}


def test_upsert_finds_its_row_though_the_header_came_in_the_same_batch(sheet: Sheet) -> None:
    do(put("A2", "EURUSD"))
    do(
        put("A1", "Symbol"),
        put("B1", "Bid"),
        UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1"),)),
    )
    assert texts() == {"A1": "Symbol", "B1": "Bid", "A2": "EURUSD", "B2": "1"}


def test_an_operation_that_sets_nothing_leaves_no_revision(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("A2", "EURUSD"))
    outcomes = commit([submit(AppendRows(())), submit(AppendRows(((),)))]).outcomes
    assert [o.error.code for o in outcomes if isinstance(o, Refused)] == ["malformed"] * 2
    do(UpsertRow((("Symbol", "EURUSD"),), ()), UpsertRow((("Symbol", "GBPUSD"),), ()))
    assert texts() == {"A1": "Symbol", "A2": "EURUSD", "A3": "GBPUSD"}
    assert_log_is_whole("prices", 4)


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


def test_alice_and_bob_may_edit_and_carol_may_not(sheet: Sheet) -> None:
    alice, bob, carol, dave = (
        User.objects.create(username=name) for name in ("alice", "bob", "carol", "dave")
    )
    Sheet.objects.update(owner=alice)
    SheetAccess.objects.create(sheet=sheet, user=bob, role=Role.EDITOR)
    SheetAccess.objects.create(sheet=sheet, user=carol, role=Role.VIEWER)
    guest = Author(AuthorKind.GUEST, "Guest Heron")
    for user, expected in ((alice, 1), (bob, 2), (carol, "forbidden"), (dave, "forbidden")):
        assert code_for(Author(AuthorKind.USER, user.username, user.pk)) == expected
    assert code_for(guest) == "forbidden"
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    assert code_for(guest) == "forbidden"
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    assert code_for(guest) == 3


@pytest.mark.django_db(transaction=True)
def test_threads_that_write_at_once_leave_a_log_without_gaps(sheet: Sheet) -> None:
    create_sheet(None, "Other", slug="other")
    slugs = ["prices", "other"]
    shared = [uuid.uuid4() for _ in range(20)]  # every thread submits these: retries that race

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for number in range(20):
                batch = [
                    submit(put(f"A{chance.randint(1, 50)}", str(seed)), chance.choice(slugs))
                    for _ in range(2)
                ]
                batch.append(submit(put("B1", str(number)), operation_id=shared[number]))
                commit(batch)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    counts = [Revision.objects.filter(sheet__slug=slug).count() for slug in slugs]
    assert sum(counts) == 6 * 20 * 2 + 20
    for slug, count in zip(slugs, counts, strict=True):
        assert_log_is_whole(slug, count)


WRITER = """
import sys, uuid, django
django.setup()
from cells.domain.operations import AppendRows
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
author = Author(AuthorKind.STREAM, "writer")
for number in range(40):
    commit([Submission("prices", uuid.uuid4(), AppendRows(((sys.argv[1], str(number)),)), author)])
"""


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_leave_a_log_without_gaps(sheet: Sheet) -> None:
    settings = connection.settings_dict
    url = f"sqlite:///{settings['NAME']}"
    if connection.vendor == "postgresql":
        host, port, user = settings["HOST"], settings["PORT"], settings["USER"]
        url = f"postgres://{user}:{settings['PASSWORD']}@{host}:{port}/{settings['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "sheetsync.settings",
    }
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        _, stderr = writer.communicate(timeout=60)
        assert writer.returncode == 0, stderr
    assert_log_is_whole("prices", 160)
    rows = texts()
    assert len(rows) == 320
    for number in range(4):
        own = [rows[f"B{row}"] for row in range(1, 161) if rows[f"A{row}"] == str(number)]
        assert own == [str(count) for count in range(40)]  # each writer's rows in its order
