"""`manage.py prepare_demo`: everything that stands between a fresh checkout and a first look."""

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from cells.services.demo import AdminAccount, ensure_admin, ensure_demo_sheet
from cells.services.failures import reason_of

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = (
        "Migrates the database, makes the demo sheet and, with DEBUG, an admin account, and says "
        "where they are. Changes nothing the second time."
    )
    requires_migrations_checks = False
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, help="where the server is about to listen; refused if it is taken"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port: int | None = options["port"]
        if port is not None:
            _require_free(port)
        try:
            self._migrate()
            if ensure_demo_sheet():
                self.stdout.write("Made the demo sheet.")
            account = ensure_admin() if settings.DEBUG else None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be prepared: {reason_of(error)}") from error
        if port is not None:
            self._welcome(f"http://{HOST}:{port}", account)

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            call_command("migrate_online", verbosity=0, stdout=self.stdout)
            self.stdout.write(f"Prepared the database ({len(missing)} migrations).")

    def _welcome(self, address: str, account: AdminAccount | None) -> None:
        self.stdout.write(f"\n  Demo sheet  {address}/sheets/demo/")
        self.stdout.write(f"  All sheets  {address}/")
        self.stdout.write(f"  Admin       {address}/admin/")
        if account is not None:
            sign_in = f"name {account.name}, " + (
                f"password {account.password}"
                if account.password
                else "with the password that you know; "
                f"`.venv/bin/python manage.py changepassword {account.name}` sets a new one"
            )
            self.stdout.write(f"              {sign_in}")
        self.stdout.write("")


def _require_free(port: int) -> None:
    try:
        with socket.socket() as probe:
            # As the server itself does: connections that are just closing do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            probe.listen()
    except OverflowError as error:
        raise CommandError(f"{port} is not a port: choose one with PORT=8001, say.") from error
    except PermissionError as error:
        raise CommandError(
            f"Port {port} is for administrators: choose one above 1023 with PORT=8001, say."
        ) from error
    except OSError as error:
        raise CommandError(
            f"Port {port} is taken by another program: choose another one with "
            f"PORT={port + 1 if port < 65535 else 8000}."
        ) from error
