"""Deleted sheets: kept for as long as their pages promise, then thrown away for good."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from cells.models import Cell, LinkRole, Revision, Role, Sheet, SheetAccess, Snapshot, TakeBack
from cells.protocol import encode_delta
from cells.services import shelf, snapshots
from cells.services.access import create_sheet, role_of
from cells.services.commit import commit
from cells.services.shelf import KEEP_DAYS, bring_back, sheets_deleted_before, throw_away
from tests.services.prices import put, submit

pytestmark = pytest.mark.django_db

OF_A_SHEET = (Cell, Revision, TakeBack, Snapshot, SheetAccess)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "ROWS_PER_BATCH", 3)


def filled(slug: str, *, days_ago: float | None) -> Sheet:
    """Make a sheet with cells, a log, a snapshot and a reader, deleted so many days ago."""
    owner, _ = User.objects.get_or_create(username="alice")
    reader, _ = User.objects.get_or_create(username="bob")
    sheet = create_sheet(owner, slug.title(), slug=slug, link_role=LinkRole.VIEWER)
    SheetAccess.objects.create(sheet=sheet, user=reader, role=Role.EDITOR)
    commit([submit(put(f"A{row}", "x"), slug) for row in range(1, 5)])
    snapshots.pack(sheet.pk, encode_delta, is_wanted=lambda: True)
    TakeBack.objects.create(sheet=sheet, operation_id=uuid4(), number=1, is_undone=True)
    if days_ago is not None:
        Sheet.objects.filter(pk=sheet.pk).update(
            deleted_at=timezone.now() - timedelta(days=days_ago)
        )
    return sheet


def rows_of(sheet: Sheet) -> int:
    return sum(model._default_manager.filter(sheet_id=sheet.pk).count() for model in OF_A_SHEET)


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_deleted_sheets", *arguments, stdout=out)
    return out.getvalue()


def test_what_was_deleted_long_ago_goes_with_all_that_is_its_own(few: None) -> None:
    old, late = filled("old", days_ago=KEEP_DAYS + 1), filled("late", days_ago=KEEP_DAYS - 1)
    kept = filled("kept", days_ago=None)
    before = rows_of(kept)
    assert before == rows_of(old) == 11
    said = purge()
    assert "“Old” (old), deleted " in said
    assert ": 4 cells, 4 revisions" in said
    assert "  10 rows" in said
    assert "late" not in said
    assert set(Sheet.objects.all()) == {late, kept}
    assert (rows_of(old), rows_of(late), rows_of(kept)) == (0, before, before)
    assert User.objects.count() == 2


def test_a_dry_run_deletes_nothing() -> None:
    old = filled("old", days_ago=KEEP_DAYS + 1)
    before = rows_of(old)
    assert purge("--dry-run").startswith("Would delete “Old” (old), deleted ")
    assert (rows_of(old), Sheet.objects.get().owner) == (before, old.owner)


def test_operators_choose_the_days() -> None:
    filled("old", days_ago=3)
    assert purge("--days", "4") == "Nothing was deleted more than 4 days ago.\n"
    assert purge("--days=2").startswith("Deleting “Old”")
    assert not Sheet.objects.exists()


@pytest.mark.parametrize("days", ["-1", "x", "1.5", "99999999999"])
def test_days_that_are_no_number_delete_nothing(days: str) -> None:
    filled("old", days_ago=KEEP_DAYS + 1)
    with pytest.raises(CommandError):
        purge(f"--days={days}")
    assert Sheet.objects.exists()


def test_what_was_brought_back_meanwhile_stays() -> None:
    old = filled("old", days_ago=KEEP_DAYS + 1)
    before = rows_of(old)
    limit = timezone.now() - timedelta(days=KEEP_DAYS)
    (found,) = sheets_deleted_before(limit)
    assert bring_back(Sheet.objects.all()) == 1
    assert list(throw_away(found, limit)) == []
    assert (rows_of(old), Sheet.objects.get().deleted_at) == (before, None)


def test_half_a_sheet_is_seen_by_nobody_and_comes_not_back(few: None) -> None:
    old = filled("old", days_ago=KEEP_DAYS + 1)
    limit = timezone.now() - timedelta(days=KEEP_DAYS)
    for _ in throw_away(old, limit):
        break
    left = Sheet.objects.get()
    assert [role_of(user, left) for user in User.objects.all()] == [None, None]
    assert bring_back(Sheet.objects.all()) == 0
    purge()  # goes on
    assert (Sheet.objects.count(), rows_of(old)) == (0, 0)


def test_no_transaction_is_long(few: None) -> None:
    old = filled("old", days_ago=KEEP_DAYS + 1)
    for row in range(4, 20):
        Cell.objects.create(sheet=old, row=row, column=9, input="", revision=1)
    limit = timezone.now() - timedelta(days=KEEP_DAYS)
    assert max(throw_away(old, limit)) <= 3
    assert not Sheet.objects.exists()


def test_a_database_that_fails_is_said_and_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("no\nanswer")

    filled("old", days_ago=KEEP_DAYS + 1)
    monkeypatch.setattr("cells.management.commands.purge_deleted_sheets.throw_away", fail)
    with pytest.raises(CommandError, match="the next run goes on from here: no answer"):
        purge()
