"""`manage.py prune_audit`: old entries of the audit log go."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone

from cells.management.arguments import days
from cells.services.audit import command, prune
from cells.services.failures import reason_of

KEEP_DAYS = 730
LEAST_DAYS = 30  # a mistyped number must not take the trace of what happened just now


class Command(BaseCommand):
    help = (
        "Deletes entries of the audit log that are older than so many days, and notes that in it. "
        "For a timer; nothing else deletes them. Broken off, it goes on the next time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=days,
            default=KEEP_DAYS,
            metavar="730d",
            help=f"in days, {LEAST_DAYS} at least",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        older_than = options["older_than"]
        if older_than < LEAST_DAYS:
            raise CommandError(f"Keep {LEAST_DAYS} days at least.")
        try:
            gone = prune(timezone.now() - timedelta(days=older_than), command("prune_audit"))
        except DatabaseError as error:
            reason = reason_of(error)
            raise CommandError(f"Not finished; the next run goes on from here: {reason}") from error
        self.stdout.write(f"{gone:,} entries older than {older_than} days")
