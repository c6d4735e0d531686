"""Protected ranges hold for everybody but those who may edit them, whatever road an edit takes."""

import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cells.domain.axes import AxisName
from cells.domain.errors import LimitExceeded, Protected
from cells.domain.operations import (
    AddressedOperation,
    AppendRows,
    Delete,
    Insert,
    Intended,
    Move,
    RestoreTo,
    SetStyles,
    Undo,
    UpsertRow,
)
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.domain.values import SetValues
from cells.models import AuthorKind, Feed, LinkRole, Protection, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.authors import Author, Source
from cells.services.commit import Committed, Refused, Submission, commit
from cells.services.protections import MAX_PROTECTIONS
from tests.services.prices import assert_log_is_whole, do, put, texts
from tests.services.protected import protect

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", first_name="Alice", last_name="Adams")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def sheet(alice: User, bob: User) -> Sheet:
    """Return Alice's sheet, which anybody may edit."""
    return create_sheet(alice, "Prices", slug="prices", link_role=LinkRole.EDITOR)


def person(user: User, kind: AuthorKind = AuthorKind.USER) -> Author:
    return Author(kind, user.get_username(), user.pk, origin="tab")


def outcome(
    author: Author, operation: Intended | AddressedOperation, source: Source | None = None
) -> str:
    """Commit an operation of an author's; return "done", or the code of the refusal."""
    result = commit([Submission("prices", uuid.uuid4(), operation, author, source)])
    match result.outcomes[0]:
        case Committed():
            return "done"
        case Refused(error=error):
            return error.code


def test_a_protected_range_is_for_its_owner_and_those_named(
    sheet: Sheet, alice: User, bob: User
) -> None:
    carol, dora = User.objects.create_user("carol"), User.objects.create_user("dora")
    eve, group = User.objects.create_user("eve"), Group.objects.create(name="desk")
    dora.groups.add(group)
    SheetAccess.objects.create(sheet=sheet, user=eve, role=Role.OWNER)
    protect(sheet, "B2:C5", carol, group)
    for author, expected in [
        (person(alice), "done"),
        (person(carol), "done"),
        (person(dora), "done"),
        (person(eve), "done"),  # an owner by what was given to her
        (person(carol, AuthorKind.API), "done"),
        (person(alice, AuthorKind.ADMIN), "done"),
        (person(bob), "protected"),
        (person(bob, AuthorKind.API), "protected"),
        (person(bob, AuthorKind.ADMIN), "protected"),
        (Author(AuthorKind.GUEST, "Guest", origin="tab"), "protected"),
        (Author(AuthorKind.API, "import"), "protected"),
        (Author(AuthorKind.STREAM, "prices"), "protected"),
    ]:
        assert outcome(author, put("B2", author.name)) == expected, author
        assert outcome(author, put("A2", author.name)) == "done"
    dora.groups.clear()
    assert outcome(person(dora), put("B2", "out")) == "protected"
    Protection.objects.all().delete()
    assert outcome(person(bob), put("B2", "free")) == "done"


def test_a_refusal_says_what_is_protected_and_whom_to_ask(sheet: Sheet, bob: User) -> None:
    protect(sheet, "B2:C5", description="Limits")
    do(Insert(AxisName.ROWS, 0, 2))
    result = commit([Submission("prices", uuid.uuid4(), put("C4", "x"), person(bob))])
    assert isinstance(result.outcomes[0], Refused)
    error = result.outcomes[0].error
    assert isinstance(error, Protected)
    assert not error.retryable
    assert str(error) == (
        "B4:C7 (“Limits”) is protected; ask Alice Adams, the sheet's owner, to let you edit it"
    )


def test_one_protected_cell_sinks_its_operation_and_no_other(sheet: Sheet, bob: User) -> None:
    protect(sheet, "B2")
    me = person(bob)
    outcomes = commit(
        [
            Submission("prices", uuid.uuid4(), operation, me)
            for operation in (put("A1", "1"), AppendRows((("a", "b"),)), put("B3", "3"))
        ]
    ).outcomes
    assert [isinstance(one, Committed) for one in outcomes] == [True, False, True]
    assert texts() == {"A1": "1", "B3": "3"}
    assert_log_is_whole("prices", 2)


def test_whatever_touches_a_protected_cell_is_refused(sheet: Sheet, alice: User, bob: User) -> None:
    me = person(bob)
    outcome(person(alice), put("A1", "Key"))
    outcome(person(alice), put("B1", "Price"))
    outcome(person(alice), put("A2", "x"))
    mine = Submission("prices", uuid.uuid4(), put("B2", "1"), me)
    undone = Submission("prices", uuid.uuid4(), put("B3", "1"), me)
    commit([mine, undone])
    commit([Submission("prices", uuid.uuid4(), Undo(undone.operation_id, is_redo=False), me)])
    protect(sheet, "B2:B9")
    for operation in (
        SetStyles(((0, 20),), ((0, 5),), parse_change({"bold": True})),
        ReorderCells(((1, 2),), ((0, 2),), (1, 0)),
        Delete(AxisName.ROWS, ((1, 1),)),
        Delete(AxisName.COLUMNS, ((1, 1),)),
        Move(AxisName.COLUMNS, ((1, 1),), None),
        Undo(mine.operation_id, is_redo=False),
        Undo(undone.operation_id, is_redo=True),
        RestoreTo(0),
        RestoreTo(3, (1, 0, 2, 1)),
        UpsertRow((("Key", "x"),), (("Price", "2"),)),
        AppendRows((("y", "3"),)),
    ):
        before = texts()
        assert outcome(me, operation) == "protected", operation
        assert texts() == before
    assert outcome(me, UpsertRow((("Key", "x"),), ())) == "done"
    assert outcome(me, RestoreTo(6, (0, 0, 0, 1))) == "done"
    assert outcome(person(alice), UpsertRow((("Key", "x"),), (("Price", "2"),))) == "done"
    assert outcome(person(alice), RestoreTo(0)) == "done"


def test_a_range_stays_whole_when_its_ends_are_moved_and_moved_back(
    sheet: Sheet, alice: User, bob: User
) -> None:
    protect(sheet, "B2:B9")

    def protected() -> list[int]:
        refused = [outcome(person(bob), put(f"B{row}", "x")) == "protected" for row in range(1, 13)]
        return [row for row, is_refused in enumerate(refused, 1) if is_refused]

    moves = [
        Submission("prices", uuid.uuid4(), Move(AxisName.ROWS, ((8, 1),), before), person(alice))
        for before in (1, 4)  # to the top of the range, and then into its midst
    ]
    commit(moves)
    assert protected() == [2, 3, 4, 5, 6, 7, 8, 9]
    for move in reversed(moves):
        undo = Undo(move.operation_id, is_redo=False)
        assert outcome(person(alice), undo) == "done"
        assert protected() == [2, 3, 4, 5, 6, 7, 8, 9]
    # Away from the rest it would leave what is between unprotected, or protect what is there.
    for away in (Move(AxisName.ROWS, ((8, 1),), None), Move(AxisName.ROWS, ((1, 1),), 11)):
        assert outcome(person(alice), away) == "protected_end"
        assert outcome(person(bob), away) == "protected"
    assert outcome(person(alice), Move(AxisName.ROWS, ((1, 8),), 11)) == "done"
    assert protected() == [4, 5, 6, 7, 8, 9, 10, 11]


def test_a_retry_of_what_was_committed_before_is_no_refusal(sheet: Sheet, bob: User) -> None:
    submission = Submission("prices", uuid.uuid4(), put("B2", "1"), person(bob))
    commit([submission])
    protect(sheet, "B2")
    again = commit([submission]).outcomes[0]
    assert again == Committed(submission.operation_id, 1, is_new=False)


def test_the_calculator_writes_values_anywhere(sheet: Sheet, alice: User) -> None:
    outcome(person(alice), put("B2", "=1+1"))
    protect(sheet, "")
    calculator = Author(AuthorKind.CALCULATOR, "calculator")
    assert outcome(calculator, SetValues(1, ((1, 1, 2.0),))) == "done"
    assert Revision.objects.count() == 2


def test_feeds_write_where_they_are_named_and_messages_where_they_may(sheet: Sheet) -> None:
    feed = Feed.objects.create(name="Ticks", sheet=sheet, subscription="ticks-sub")
    protect(sheet, "A:A", feed)
    protect(sheet, "B:B", takes_messages=True)
    stream = Author(AuthorKind.STREAM, "Ticks", origin="s/1")
    now = datetime.now(UTC)
    by_feed, by_message = Source(now, feed_id=feed.pk), Source(now)
    assert outcome(stream, put("A1", "1"), by_feed) == "done"
    assert outcome(stream, put("B1", "1"), by_feed) == "protected"
    assert outcome(stream, put("A1", "1"), by_message) == "protected"
    assert outcome(stream, put("B1", "1"), by_message) == "done"


def test_protections_cost_a_sheet_without_any_nothing(sheet: Sheet, bob: User) -> None:
    def statements(slug: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            commit([Submission(slug, uuid.uuid4(), put("A1", "1"), person(bob))])
        return len(captured)

    other = create_sheet(None, "Other", slug="other", link_role=LinkRole.EDITOR)
    protect(sheet, "B2")
    protect(sheet, "C3", bob)
    assert statements("prices") == statements(other.slug) + 1


def test_a_sheet_has_so_many_protections_at_the_most(sheet: Sheet) -> None:
    Protection.objects.bulk_create([Protection(sheet=sheet)] * MAX_PROTECTIONS)
    with pytest.raises(LimitExceeded):
        protect(sheet, "A1")
