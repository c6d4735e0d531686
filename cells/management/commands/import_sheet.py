"""`manage.py import_sheet`: a CSV or XLSX file into a sheet, new or not."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from cells.domain.addresses import parse_address, parse_columns
from cells.domain.errors import SheetSyncError
from cells.forms import MAX_TITLE_CHARACTERS
from cells.models import AuthorKind, LinkRole, Sheet
from cells.services.access import create_sheet
from cells.services.audit import Action, command, note
from cells.services.authors import Author, file_of, import_origin
from cells.services.failures import reason_of
from cells.services.files import read_file
from cells.services.import_breaks import noting_breaks
from cells.services.importing import Contents, run_import
from cells.services.people import find_by_username

SECONDS_BETWEEN_LINES = 1.0


class Command(BaseCommand):
    help = (
        "Imports a CSV or XLSX file into a new sheet, or into one that people have open. For "
        "example: import_sheet a.xlsx --owner alice, import_sheet b.csv --sheet demo --at A20"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="ends in .csv, .tsv, .txt, .xlsx or .xlsm")
        parser.add_argument("--sheet", help="the slug of a sheet; without it a new one is made")
        parser.add_argument("--title", help="of the new sheet (default: the file's name)")
        parser.add_argument("--owner", help="the username of who gets the new sheet")
        parser.add_argument("--encoding", help="of a CSV file (default: found out)")
        parser.add_argument("--delimiter", help="of a CSV file; 'tab' too (default: found out)")
        parser.add_argument("--at", default="A1", help="where the file's first cell goes: B5")
        parser.add_argument(
            "--text-only",
            default="",
            metavar="COLUMNS",
            help="the file's columns whose formulas are to stay texts: A,C",
        )
        parser.add_argument(
            "--texts",
            default="",
            metavar="COLUMNS",
            help="the file's columns that are texts though they read as numbers or dates: A,C",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if options["sheet"] and (options["title"] or options["owner"]):
            raise CommandError("--title and --owner are for a new sheet: leave --sheet out")
        delimiter = "\t" if options["delimiter"] == "tab" else options["delimiter"]
        try:
            at = parse_address(options["at"])
            sheet, owner = self._target(options)
            author = Author(AuthorKind.API, "import", origin=import_origin(path.name))
            with path.open("rb") as file, Contents() as contents:
                reading = read_file(
                    *(file, path.name, contents),
                    encoding=options["encoding"],
                    delimiter=delimiter,
                    text_only=parse_columns(options["text_only"]),
                    texts=parse_columns(options["texts"]),
                )
                for rows in reading:
                    self._tell(f"reading: {rows:,} rows")
                if sheet is None:
                    title = (options["title"] or path.stem)[:MAX_TITLE_CHARACTERS]
                    link_role = LinkRole.NONE if owner else LinkRole.EDITOR
                    new = create_sheet(owner, title, link_role=link_role)
                    self._import(new, contents, author, at, is_new=True)
                else:
                    self._import(sheet, contents, author, at, is_new=False)
        except (SheetSyncError, OSError, DatabaseError) as error:
            raise CommandError(reason_of(error)) from error

    def _target(self, options: dict[str, Any]) -> tuple[Sheet | None, Any]:
        """Return the sheet, or None and who gets the new one."""
        if options["sheet"]:
            sheet = Sheet.objects.filter(slug=options["sheet"], deleted_at=None).first()
            if sheet is None:
                raise CommandError(f"there is no sheet {options['sheet']!r}; check the address")
            return sheet, None
        if not options["owner"]:
            if not settings.DEBUG:
                raise CommandError("say --owner USERNAME: nobody could open the new sheet")
            return None, None
        owner = find_by_username(options["owner"])
        if owner is None:
            raise CommandError(f"there is no user {options['owner']!r}")
        return None, owner

    def _import(
        self,
        sheet: Sheet,
        contents: Contents,
        author: Author,
        at: tuple[int, int],
        *,
        is_new: bool,
    ) -> None:
        cells = left_out = 0
        by, file = command("import_sheet"), file_of(author.origin)
        with noting_breaks(sheet, by, file, is_new=is_new) as written:  # Ctrl-C too
            for progress in run_import(sheet, contents, author, at=at, written=written):
                cells, left_out = progress.cells, progress.left_out
                share = 100 * progress.rows // progress.of_rows
                self._tell(f"writing: {progress.rows:,} of {progress.of_rows:,} rows, {share} %")
        note(Action.IMPORTED, by, sheet, file=file, cells=cells, is_new=is_new)
        if self.stdout.isatty():
            self.stdout.write("\x1b[K", ending="")
        self.stdout.write(f"{sheet.slug}: {cells:,} cells in {contents.rows:,} rows imported")
        if left_out:
            self.stdout.write(f"{left_out:,} left out: their rows or columns have been deleted")

    _told_at = 0.0

    def _tell(self, line: str) -> None:
        """Show how far it has come, on a terminal and not more often than can be read."""
        now = time.monotonic()
        if self.stdout.isatty() and now - self._told_at >= SECONDS_BETWEEN_LINES:
            self._told_at = now
            self.stdout.write(f"\x1b[K{line}\r", ending="")
            self.stdout.flush()
