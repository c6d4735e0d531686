"""A sheet as a whole: its title, and whether it is on the shelf, taken off it, or thrown away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from cells.models import (
    Cell,
    CellChange,
    LinkRole,
    NamedVersion,
    Revision,
    Sheet,
    SheetAccess,
    SheetGroupAccess,
    Snapshot,
    TakeBack,
)
from cells.services.audit import PROJECT, Action, Actor, note

KEEP_DAYS = 30  # for how long at least a deleted sheet can be brought back, as its page says
ROWS_PER_BATCH = 2_000  # in one transaction: SQLite has one writer, who must not wait for long

# A sheet that is being thrown away was deleted at this moment: nobody brings back half a sheet.
_THROWN_AWAY = datetime(1970, 1, 1, tzinfo=UTC)


def rename_sheet(sheet: Sheet, title: str, by: Actor = PROJECT) -> None:
    """Give a sheet another title; windows that are open show it when they next connect."""
    with transaction.atomic():
        # Locked, so that of two who rename at once the second has replaced the first's.
        locked = Sheet.objects.select_for_update().filter(pk=sheet.pk)
        old = locked.values_list("title", flat=True).first()
        if old is None or old == title:
            return
        Sheet.objects.filter(pk=sheet.pk).update(title=title)
        sheet.title = title
        note(Action.SHEET_CHANGED, by, sheet, changed={"title": [old, title]})


def delete_sheet(sheet: Sheet, by: Actor = PROJECT) -> None:
    """Take a sheet out of sight and out of every writer's reach; nothing of it is lost."""
    with transaction.atomic():
        living = Sheet.objects.filter(pk=sheet.pk, deleted_at=None)
        if living.update(deleted_at=timezone.now()):
            note(Action.DELETED, by, sheet)


def bring_back(sheets: QuerySet[Sheet], by: Actor = PROJECT) -> int:
    """Undo delete_sheet, and return for how many; not once a sheet is being thrown away."""
    back = 0
    names = sheets.exclude(deleted_at=None).select_related(None).only("slug", "title")
    for sheet in names:
        with transaction.atomic():
            deleted = Sheet.objects.filter(pk=sheet.pk).exclude(deleted_at=None)
            if deleted.exclude(deleted_at=_THROWN_AWAY).update(deleted_at=None):
                note(Action.BROUGHT_BACK, by, sheet)
                back += 1
    return back


def kept_until(sheet: Sheet) -> datetime | None:
    """Return until when at least a deleted sheet can be brought back."""
    return sheet.deleted_at and sheet.deleted_at + timedelta(days=KEEP_DAYS)


def sheets_deleted_before(moment: datetime) -> QuerySet[Sheet]:
    """Return the sheets that were deleted before a moment, the first of them first."""
    return Sheet.objects.filter(deleted_at__lt=moment).order_by("deleted_at", "pk")


def throw_away(sheet: Sheet, deleted_before: datetime, by: Actor = PROJECT) -> Iterator[int]:
    """Delete a sheet for good with all that is its own, yielding how many rows went each time.

    Each batch is a transaction of its own. Broken off it can be begun again, and goes on where it
    was. Leaves a sheet alone that was not deleted before that moment, or brought back meanwhile.
    """
    was_begun = sheet.deleted_at == _THROWN_AWAY
    with transaction.atomic():
        # From here on nobody has a role on it, so that to all it is as if it were gone.
        is_ours = Sheet.objects.filter(pk=sheet.pk, deleted_at__lt=deleted_before).update(
            deleted_at=_THROWN_AWAY, owner=None, link_role=LinkRole.NONE
        )
        if not is_ours:
            return
        if not was_begun:
            note(Action.THROWN_AWAY, by, sheet, cells=sheet.filled, revisions=sheet.head)
        SheetAccess.objects.filter(sheet=sheet).delete()
        SheetGroupAccess.objects.filter(sheet=sheet).delete()
    # The snapshot first: without its log it would be thrown away by whoever reads it anyway.
    models: tuple[type[Model], ...] = (
        *(Snapshot, NamedVersion, Cell),
        *(CellChange, TakeBack, Revision),
    )
    for model in models:
        of_sheet = model._default_manager.filter(sheet_id=sheet.pk)
        while True:
            deleted, _ = of_sheet.filter(pk__in=of_sheet.values("pk")[:ROWS_PER_BATCH]).delete()
            if not deleted:
                break
            yield deleted
    Sheet.objects.filter(pk=sheet.pk, deleted_at=_THROWN_AWAY).delete()
