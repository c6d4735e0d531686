"""A sheet as a whole: its title, and whether it is on the shelf or was taken off it."""

from django.utils import timezone

from cells.models import Sheet


def rename_sheet(sheet: Sheet, title: str) -> None:
    """Give a sheet another title; windows that are open show it when they next connect."""
    Sheet.objects.filter(pk=sheet.pk).update(title=title)


def delete_sheet(sheet: Sheet) -> None:
    """Take a sheet out of sight and out of every writer's reach; nothing of it is lost."""
    Sheet.objects.filter(pk=sheet.pk, deleted_at=None).update(deleted_at=timezone.now())


def bring_back(sheet: Sheet) -> None:
    """Undo delete_sheet."""
    Sheet.objects.filter(pk=sheet.pk).update(deleted_at=None)
