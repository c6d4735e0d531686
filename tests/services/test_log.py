from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from cells.domain.addresses import parse_address
from cells.domain.axes import AxisName
from cells.domain.operations import (
    AddressedOperation,
    Delete,
    Insert,
    Move,
    Operation,
    Resize,
    SetAddresses,
    SetCells,
)
from cells.models import AuthorKind, Sheet
from cells.services.access import create_sheet
from cells.services.commit import Author, Committed, Submission, commit
from cells.services.log import LINES_PER_PAGE, Describer, read_log

pytestmark = pytest.mark.django_db

ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


@pytest.fixture
def sheet() -> Sheet:
    return create_sheet(None, "Budget", slug="budget")


def write(*operations: Operation | AddressedOperation) -> None:
    author = Author(AuthorKind.STREAM, "prices", origin="sub/1")
    result = commit([Submission("budget", uuid4(), operation, author) for operation in operations])
    assert all(isinstance(outcome, Committed) for outcome in result.outcomes)


def set_(address: str, text: str) -> SetAddresses:
    return SetAddresses(((*parse_address(address), text),))


def log_of(sheet: Sheet) -> list[str]:
    sheet.refresh_from_db()
    return [line.what for line in read_log(sheet).lines]


def test_a_line_says_who_from_where_what_and_when(sheet: Sheet) -> None:
    write(set_("B2", "42"))
    sheet.refresh_from_db()
    (line,) = read_log(sheet).lines
    assert (line.number, line.who, line.kind, line.origin) == (1, "prices", "stream", "sub/1")
    assert line.what == "set B2 to “42”"
    assert line.committed_at == sheet.updated_at


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (SetCells(((0, 0, ""),)), "cleared A1"),
        (SetCells(((0, 0, "x" * 100),)), f"set A1 to “{'x' * 60}…”"),
        (SetCells(((0, 0, "a"), (0, 0, "b"))), "set A1 to “b”"),
        (SetCells(((0, 0, "a"), (1, 1, ""))), "set A1 to “a”, cleared B2"),
        (SetCells(((0, 0, ""), (1, 0, ""))), "cleared 2 cells from A1 on"),
        (
            SetCells(tuple((row, 0, "1") for row in range(900))),
            "set A1 to “1”, set A2 to “1”, set A3 to “1”, 897 more",
        ),
        (SetAddresses(((1001, 26, "1"),)), "set AA1002 to “1”, added 2 rows, added 1 column"),
        (Insert(ROWS, None, 1), "inserted 1 row at the end"),
        (Insert(COLUMNS, 2, 3), "inserted 3 columns before column F"),
        (Delete(ROWS, ((2, 3),)), "deleted 3 rows"),
        (Move(ROWS, ((5, 2),), 1), "moved 2 rows before row 4"),
        (Resize(COLUMNS, ((0, 1),), 180), "made column A 180 pixels wide"),
        (Resize(ROWS, ((4, 2),), 40), "made 2 rows 40 pixels high"),
        (Resize(ROWS, ((0, 2), (5, 1)), None), "gave 3 rows the default height"),
    ],
)
def test_each_operation_is_a_sentence(
    sheet: Sheet, operation: Operation | AddressedOperation, sentence: str
) -> None:
    write(operation)
    assert log_of(sheet) == [sentence]


def test_addresses_are_those_of_now(sheet: Sheet) -> None:
    write(set_("B2", "42"), Insert(ROWS, 0, 3), set_("C9", "1"), Delete(COLUMNS, ((2, 1),)))
    assert log_of(sheet) == [
        "deleted 1 column",
        "set a deleted cell to “1”",
        "inserted 3 rows before row 4",
        "set B5 to “42”",
    ]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"kind": "undo", "operation_id": "x"}, "undo"),
        ({"kind": "set_style"}, "set style"),
        ({}, "an unknown operation"),
    ],
)
def test_an_operation_of_another_release_does_not_break_the_page(
    sheet: Sheet, raw: dict[str, Any], sentence: str
) -> None:
    assert Describer(sheet).describe(raw) == sentence


def test_pages_join_without_gap_or_overlap_in_both_directions(sheet: Sheet) -> None:
    write(*(set_("A1", str(number)) for number in range(2 * LINES_PER_PAGE + 5)))
    sheet.refresh_from_db()
    page, numbers = read_log(sheet), []
    assert page.newer is None
    while True:
        numbers += [line.number for line in page.lines]
        if page.older is None:
            break
        page = read_log(sheet, before=page.older)
    assert numbers == list(range(sheet.head, 0, -1))
    back = []
    while page.newer is not None:
        page = read_log(sheet, after=page.newer)
        back.append(len(page.lines))
    assert back == [LINES_PER_PAGE, LINES_PER_PAGE]
    assert page.lines[0].number == sheet.head


def test_the_end_of_a_pruned_log_is_an_end(sheet: Sheet) -> None:
    write(*(set_("A1", str(number)) for number in range(5)))
    sheet.revisions.filter(number__lte=3).delete()
    sheet.refresh_from_db()
    page = read_log(sheet)
    assert ([line.number for line in page.lines], page.older) == ([5, 4], None)


def test_an_empty_log_is_an_empty_page(sheet: Sheet) -> None:
    page = read_log(sheet)
    assert (page.lines, page.older, page.newer) == ([], None, None)


def test_a_person_who_was_deleted_keeps_their_name_in_the_log(sheet: Sheet) -> None:
    alice = User.objects.create_user("alice")
    sheet.owner = alice
    sheet.save()
    author = Author(AuthorKind.USER, "alice", alice.pk, "client-1")
    commit([Submission("budget", uuid4(), set_("A1", "1"), author)])
    alice.delete()
    sheet.refresh_from_db()
    assert read_log(sheet).lines[0].who == "alice"
