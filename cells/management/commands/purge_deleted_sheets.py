"""`manage.py purge_deleted_sheets`: throws away what nobody has brought back in time."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone

from cells.models import Sheet
from cells.services.audit import command
from cells.services.failures import reason_of
from cells.services.shelf import KEEP_DAYS, sheets_deleted_before, throw_away

ROWS_PER_LINE = 100_000  # of a large sheet: some seconds' work between two lines


class Command(BaseCommand):
    help = (
        "Deletes for good, with cells and log, the sheets that were deleted longer ago than their "
        "pages promise to keep them. For a daily timer; broken off, it goes on the next time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=_days,
            default=KEEP_DAYS,
            metavar="N",
            help="those deleted more than N days ago; %(default)s is what the pages promise",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say which sheets those would be"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before = timezone.now() - timedelta(days=options["days"])
        try:
            sheets = list(sheets_deleted_before(before))
            for sheet in sheets:
                if options["dry_run"]:
                    self.stdout.write(f"Would delete {_name(sheet)}")
                else:
                    self._throw_away(sheet, before)
        except DatabaseError as error:
            reason = reason_of(error)
            raise CommandError(f"Not finished; the next run goes on from here: {reason}") from error
        if not sheets:
            self.stdout.write(f"Nothing was deleted more than {options['days']} days ago.")

    def _throw_away(self, sheet: Sheet, before: Any) -> None:
        self.stdout.write(f"Deleting {_name(sheet)}")
        rows = told = 0
        for count in throw_away(sheet, before, command("purge_deleted_sheets")):
            rows += count
            if rows - told >= ROWS_PER_LINE:
                told = rows
                self.stdout.write(f"  {rows:,} rows so far")
        self.stdout.write(f"  {rows:,} rows")


def _name(sheet: Sheet) -> str:
    return (
        f"“{sheet.title}” ({sheet.slug}), deleted {sheet.deleted_at:%Y-%m-%d}: "
        f"{sheet.filled:,} cells, {sheet.head:,} revisions"
    )


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) > 36_500:
        raise ArgumentTypeError("a number of days, 0 or more")
    return int(text)
