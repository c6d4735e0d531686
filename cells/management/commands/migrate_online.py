"""`manage.py migrate_online`: Django's `migrate` beside people who edit: it gives way to them.

A migration takes the locks of several tables in its own order and keeps them until its end, and a
commit takes some of the same in another. See docs/decisions/0037-migrations-give-way.md.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from cells.services.failures import reason_of

# Below the second after which PostgreSQL looks for deadlocks and ends one of the two, so that it is
# the migration that goes; and the longest that edits wait for a migration that waits.
LOCK_TIMEOUT_MS = 500
MAX_TRIES = 100
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 5.0

# lock_not_available, deadlock_detected: https://www.postgresql.org/docs/15/errcodes-appendix.html
_IN_THE_WAY = frozenset({"55P03", "40P01"})


class Command(BaseCommand):
    help = (
        "Migrates as `migrate` does, but beside people who edit: on PostgreSQL a migration that "
        f"has waited {LOCK_TIMEOUT_MS} ms for a lock is undone, and tried again a little later. "
        "For the step before a new version is deployed."
    )
    requires_migrations_checks = False
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        pause = MIN_PAUSE_SECONDS
        for left in range(MAX_TRIES - 1, -1, -1):
            if self._migrates(options["verbosity"]):
                return
            if left > 0:
                self.stdout.write(
                    f"Edits are in the way: trying again in {pause:g} s, {left} times more."
                )
                self.stdout.flush()
                time.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
        raise CommandError(
            f"Not migrated: {MAX_TRIES} times others held a lock that it needs. Nothing is half "
            "done. Run it again when less is edited; if that does not help, look for a transaction "
            "that does not end, in pg_stat_activity."
        )

    def _migrates(self, verbosity: int) -> bool:
        """Migrate; return False if others held a lock for too long."""
        try:
            with _short_waits_for_locks():
                call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout)
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) in _IN_THE_WAY:
                return False
            reason = reason_of(error)
            raise CommandError(f"Not migrated. Mend this, and run it again: {reason}") from error
        return True


@contextmanager
def _short_waits_for_locks() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield  # SQLite has one lock, and no order to take locks in
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_TIMEOUT_MS}ms"])
    try:
        yield
    except DatabaseError:
        # Where a statement fails that Django put off to the migration's end, the transaction stays.
        connection.close()
        connection.connect()
        raise
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
