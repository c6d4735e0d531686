"""`manage.py prune_revisions`: the log's old lines go, and nothing that is needed."""

import uuid
from datetime import UTC, datetime, timedelta
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cells.domain.errors import NothingToUndo, Pruned
from cells.domain.operations import Intended, RestoreTo, SetAddresses, SetCells, Undo
from cells.models import (
    Calculation,
    CellChange,
    Feed,
    FeedPolicy,
    NamedVersion,
    Publication,
    Revision,
    Sheet,
    TakeBack,
)
from cells.services import pruning
from cells.services.authors import Author, Source
from cells.services.cell_history import read_changes_of
from cells.services.cell_index import fill_index
from cells.services.commit import Refused, Submission, commit
from cells.services.read import one_state, read_deltas
from cells.services.timeline import read_timeline
from cells.services.versions import name_version, read_version
from tests.services.histories import ALICE, History, Seen, new_sheet, seen_now
from tests.services.prices import STREAM, texts

pytestmark = pytest.mark.django_db


def put(
    operation: Intended | SetAddresses, author: Author = ALICE, source: Source | None = None
) -> uuid.UUID:
    operation_id = uuid.uuid4()
    (outcome,) = commit([Submission("prices", operation_id, operation, author, source)]).outcomes
    if isinstance(outcome, Refused):
        raise outcome.error
    return operation_id


def cell(row: int, column: int, text: str) -> SetCells:
    return SetCells(((row, column, text),))


def age(through: int, days: int = 200) -> None:
    """Let the first lines of the log be so old."""
    old = timezone.now() - timedelta(days=days)
    Revision.objects.filter(number__lte=through).update(committed_at=old)


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune_revisions", *arguments, stdout=out)
    return out.getvalue()


def past(sheet: Sheet, revision: int) -> Seen:
    with one_state() as cursor:
        return Seen().take(read_version(cursor, sheet.pk, revision))


def test_what_is_older_goes_and_the_rest_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LINES_PER_BATCH", 3)
    history = History(Random(5))
    history.go_on(30)
    sheet = history.sheet
    head = len(history.seen) - 1
    fill_index(sheet.pk)
    Calculation.objects.all().delete()  # or nothing would go before the formulas are calculated
    name_version(sheet, 4, "Kept", ALICE)
    client = history.seen[head - 5]
    age(15)
    assert "revisions 1 to 15" in prune("--older-than", "180d")
    sheet.refresh_from_db()
    assert list(Revision.objects.values_list("number", flat=True).order_by("number")) == list(
        range(16, head + 1)
    )
    assert not CellChange.objects.filter(revision__lte=15).exists()
    for revision in (4, *range(15, head + 1)):
        assert past(sheet, revision).visible() == history.seen[revision].visible()
    with pytest.raises(Pruned, match="back to revision 14 any more, only to 15"):
        past(sheet, 14)
    with pytest.raises(Pruned):
        put(RestoreTo(3))
    with pytest.raises(Pruned):
        name_version(sheet, 3, "Too late", ALICE)
    # A client that was away catches up, and one that follows does.
    assert client.take(read_deltas(sheet.pk, head - 5)).visible() == seen_now(sheet).visible()
    was = seen_now(sheet)
    restore = put(RestoreTo(4))
    assert seen_now(sheet).visible() == history.seen[4].visible()
    put(Undo(restore, is_redo=False))
    assert seen_now(sheet).visible() == was.visible()
    sheet.refresh_from_db()
    entries = read_timeline(sheet).entries
    assert [(entry.last, entry.name) for entry in entries][-1] == (4, "Kept")
    assert prune() == "Nothing to prune: no log has lines older than 180 days.\n"


def test_the_redelivery_window_is_kept() -> None:
    new_sheet()
    put(cell(0, 0, "a"))
    put(cell(0, 0, "b"))
    age(1)
    with pytest.raises(CommandError, match="31 days at least"):
        prune("--older-than", "30d")
    with pytest.raises(CommandError, match="no sheet 'none'"):
        prune("--sheet", "none")
    assert "Would prune prices: revisions 1 to 1" in prune("--dry-run", "--sheet", "prices")
    assert Revision.objects.count() == 2


def test_what_has_not_been_published_or_calculated_is_kept_and_the_heads_line() -> None:
    sheet = new_sheet()
    for number in range(6):
        put(cell(0, 0, str(number)))
    age(6)
    publication = Publication.objects.create(sheet=sheet, published=2, is_enabled=False)
    calculation = Calculation.objects.create(sheet=sheet, revision=4)
    assert "is at revision 2" in prune()
    assert Revision.objects.earliest("number").number == 3
    publication.delete()
    assert "calculated up to revision 4" in prune()
    assert Revision.objects.earliest("number").number == 5
    calculation.delete()
    prune()
    assert Revision.objects.get().number == 6
    put(cell(0, 0, "on it goes"))
    assert texts() == {"A1": "on it goes"}


def test_an_undo_ends_where_the_log_does() -> None:
    new_sheet()
    first = put(cell(0, 0, "a"))
    put(Undo(first, is_redo=False))
    put(cell(0, 0, "b"))
    age(2)
    prune()
    assert not TakeBack.objects.exists()
    with pytest.raises(NothingToUndo, match="pruned"):
        put(Undo(first, is_redo=True))


def test_a_feed_still_gives_way_to_what_a_person_typed() -> None:
    sheet = new_sheet()
    feed = Feed.objects.create(name="Ticks", sheet=sheet, subscription="ticks")
    source = Source(datetime.now(UTC), None, feed.pk, FeedPolicy.PERSON)
    put(cell(0, 0, "once"))
    put(cell(0, 0, "mine"))
    put(cell(0, 1, "x"))
    put(cell(0, 1, "y"))
    age(3)
    assert "2 lines" in prune()
    fill_index(sheet.pk)
    assert read_changes_of(sheet.pk, (0, 0)).changes == []
    with pytest.raises(Pruned):
        past(sheet, 2)
    put(SetAddresses(((0, 0, "theirs"), (0, 2, "theirs"))), STREAM, source)
    assert texts() == {"A1": "mine", "B1": "y", "C1": "theirs"}


def test_a_name_that_is_given_while_the_log_goes_is_kept_or_refused() -> None:
    sheet = new_sheet()
    for number in range(4):
        put(cell(0, 0, str(number)))
    age(3)
    sheet.refresh_from_db()
    cut = pruning.find_cut(sheet, timezone.now() - timedelta(days=180))
    steps = pruning.prune(sheet, cut)
    NamedVersion.objects.create(sheet=sheet, revision=1, name="First", author_name="Alice")
    next(steps)
    NamedVersion.objects.create(sheet=sheet, revision=2, name="Second", author_name="Alice")
    list(steps)
    assert [past(sheet, number).cells[0, 0][0] for number in (1, 2)] == ["0", "1"]
