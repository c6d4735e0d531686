"""`manage.py prune_revisions`: old lines of the log go; versions with a name stay."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone

from cells.domain.errors import SheetSyncError
from cells.management.arguments import days
from cells.models import Sheet
from cells.services.audit import command
from cells.services.failures import reason_of
from cells.services.pruning import REDELIVERY_DAYS, Cut, find_cut, prune

KEEP_DAYS = 180
LINES_PER_REPORT = 50_000  # some seconds' work between two lines


class Command(BaseCommand):
    help = (
        "Deletes lines of the sheets' logs that are older than so many days. What they hold of the "
        "cells stays; their history, undo and restore end there. Versions with a name can still be "
        "restored. For a daily timer; broken off, it goes on the next time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=days,
            default=KEEP_DAYS,
            metavar="180d",
            help=f"in days, {REDELIVERY_DAYS} at least: so long a message may come again",
        )
        parser.add_argument("--sheet", metavar="SLUG", help="of this sheet alone")
        parser.add_argument(
            "--dry-run", action="store_true", help="only say how many lines those would be"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        older_than = options["older_than"]
        if older_than < REDELIVERY_DAYS:
            raise CommandError(
                f"Keep {REDELIVERY_DAYS} days at least: so long Pub/Sub may deliver a message "
                "again, and only the log knows that it was committed."
            )
        sheets = Sheet.objects.order_by("pk")
        if options["sheet"] is not None:
            sheets = sheets.filter(slug=options["sheet"])
            if not sheets.exists():
                raise CommandError(f"There is no sheet {options['sheet']!r}; check the slug.")
        before = timezone.now() - timedelta(days=older_than)
        lines = 0
        try:
            for sheet in sheets.iterator():
                cut = find_cut(sheet, before)
                if cut.held_by:
                    self.stdout.write(f"{sheet.slug}: no further than that, for {cut.held_by}")
                if cut.lines:
                    lines += cut.lines
                    self._prune(sheet, cut, is_dry=options["dry_run"])
        except (DatabaseError, SheetSyncError) as error:
            reason = reason_of(error)
            raise CommandError(f"Not finished; the next run goes on from here: {reason}") from error
        if not lines:
            self.stdout.write(f"Nothing to prune: no log has lines older than {older_than} days.")

    def _prune(self, sheet: Sheet, cut: Cut, *, is_dry: bool) -> None:
        which = f"{sheet.slug}: revisions {cut.reach + 1:,} to {cut.through:,}"
        if is_dry:
            self.stdout.write(f"Would prune {which}")
            return
        self.stdout.write(f"Pruning {which} of {sheet.head:,}")
        told = gone = kept = changes = 0
        for gone, kept, changes in prune(sheet, cut, command("prune_revisions")):
            if gone + kept + changes - told >= LINES_PER_REPORT:
                told = gone + kept + changes
                self.stdout.write(f"  {gone + kept:,} lines so far")
        stay = f"; {kept:,} stay, for who wrote a cell last" if kept else ""
        self.stdout.write(f"  {gone:,} lines and {changes:,} entries of the cell index{stay}")
