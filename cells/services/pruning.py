"""Pruning: old lines of the log go, and what is still needed of them stays.

Who is not at the head yet keeps what they have to read; a version with a name is packed first; of
a sheet with feeds those lines stay that say who wrote a cell last, for a feed may have to give way
to them.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from cells.models import (
    Calculation,
    Cell,
    CellChange,
    Feed,
    LogReach,
    Publication,
    Revision,
    Sheet,
    Snapshot,
)
from cells.services.audit import PROJECT, Action, Actor, note
from cells.services.past_states import reach_of
from cells.services.versions import hold, keep_versions

# Pub/Sub keeps what is not acknowledged for 31 days at the most, and then it may come again: its
# operation's id in the log is what makes that harmless.
# https://cloud.google.com/pubsub/docs/subscription-properties#message-retention
REDELIVERY_DAYS = 31
LINES_PER_BATCH = 500  # in one transaction: SQLite has one writer, who must not wait for long
CHANGES_PER_READ = 20_000
CHANGES_PER_BATCH = 2_000
MAX_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where a log can be pruned: the lines up to `through`, and what holds it there."""

    reach: int
    through: int
    held_by: str

    @property
    def lines(self) -> int:
        return max(0, self.through - self.reach)


class Progress(NamedTuple):
    """How far pruning has come: lines gone, lines that stay, entries of the index gone."""

    gone: int
    kept: int
    changes: int


def find_cut(sheet: Sheet, before: datetime) -> Cut:
    """Return what of a sheet's log was committed before a moment and is needed no more."""
    reach = reach_of(sheet.pk, sheet.head)
    through, held_by = _last_before(sheet, reach, before), ""
    holders = [(sheet.head - 1, "")]  # the head's line stays: snapshots are told by it
    publications = Publication.objects.filter(sheet=sheet)
    holders += [
        (publication.published, f"the publication “{publication}” is at revision {at:,}")
        for publication in publications
        for at in [publication.published]
    ]
    calculation = Calculation.objects.filter(sheet=sheet).values_list("revision", flat=True)
    holders += [(at, f"formulas are calculated up to revision {at:,}") for at in calculation]
    for at, what in holders:
        if max(at, reach) < through:
            through, held_by = max(at, reach), what
    return Cut(reach, through, held_by)


def prune(sheet: Sheet, cut: Cut, by: Actor = PROJECT) -> Iterator[Progress]:
    """Delete what a cut says, a bounded batch at a time; yield what has been done by then.

    Each batch is a transaction of its own. Broken off it can be begun again.
    """
    if not cut.lines:
        return
    for _ in keep_versions(sheet.pk, cut.through):
        yield Progress(0, 0, 0)
    with transaction.atomic():
        hold(sheet)
        LogReach.objects.get_or_create(sheet=sheet)
        LogReach.objects.filter(sheet=sheet, pruned__lt=cut.through).update(pruned=cut.through)
        note(Action.REVISIONS_PRUNED, by, sheet, after=cut.reach, through=cut.through)
    # From here on nobody is told of what goes, and nobody names it; who did in between is first.
    for _ in keep_versions(sheet.pk, cut.through):
        yield Progress(0, 0, 0)
    Snapshot.objects.filter(sheet=sheet, revision__lte=cut.through).delete()
    gone = kept = 0
    at = 0
    log = Revision.objects.filter(sheet=sheet, number__lte=cut.through).order_by("number")
    numbers = log.values_list("number", flat=True)
    while some := list(numbers.filter(number__gt=at)[:LINES_PER_BATCH]):
        began = time.monotonic()
        deleted = _delete_lines(sheet, at, some[-1])
        gone, kept, at = gone + deleted, kept + len(some) - deleted, some[-1]
        yield Progress(gone, kept, 0)
        time.sleep(min(time.monotonic() - began, MAX_PAUSE_SECONDS))  # it is others' turn
    _delete_take_backs(sheet, cut.through)
    for changes in _delete_changes(sheet, cut.through):
        yield Progress(gone, kept, changes)


def _last_before(sheet: Sheet, reach: int, moment: datetime) -> int:
    """Return the newest revision committed before a moment, by halves: numbers rise with time."""
    low, high = reach, sheet.head
    log = Revision.objects.filter(sheet=sheet)
    while low < high:
        middle = (low + high + 1) // 2
        at = log.filter(number=middle).values_list("committed_at", flat=True).first()
        if at is not None and at < moment:
            low = middle
        else:
            high = middle - 1
    return low


def _delete_lines(sheet: Sheet, after: int, through: int) -> int:
    """Delete lines of the log, and return how many; with feeds not the newest ones of cells."""
    lines = Revision.objects.filter(sheet=sheet, number__gt=after, number__lte=through)
    if Feed.objects.filter(sheet=sheet).exists():
        lines = lines.exclude(
            Exists(Cell.objects.filter(sheet=OuterRef("sheet"), revision=OuterRef("number")))
        )
    return lines.delete()[0]


def _delete_take_backs(sheet: Sheet, through: int) -> None:
    """Forget what was undone of operations that are gone: nobody can do it again."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM cells_takeback WHERE sheet_id = %s AND number <= %s AND NOT EXISTS ("
            "SELECT 1 FROM cells_revision AS log WHERE log.sheet_id = cells_takeback.sheet_id "
            "AND log.operation_id = cells_takeback.operation_id)",
            [sheet.pk, through],
        )


def _delete_changes(sheet: Sheet, through: int) -> Iterator[int]:
    """Delete entries of the cell index in its order, so that none is looked at twice."""
    place, deleted = (-1, -1, -1), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT "row", "column", revision, id FROM cells_cellchange '
                'WHERE sheet_id = %s AND ("row", "column", revision) > (%s, %s, %s) '
                'ORDER BY "row", "column", revision LIMIT %s',
                [sheet.pk, *place, CHANGES_PER_READ],
            )
            found = cursor.fetchall()
        if not found:
            return
        place = found[-1][:3]
        old = [id_ for _, _, revision, id_ in found if revision <= through]
        for first in range(0, len(old), CHANGES_PER_BATCH):
            some = old[first : first + CHANGES_PER_BATCH]
            deleted += CellChange.objects.filter(pk__in=some).delete()[0]
        yield deleted
