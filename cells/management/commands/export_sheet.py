"""`manage.py export_sheet`: a sheet into a CSV or XLSX file."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from cells.domain.errors import SheetSyncError
from cells.models import Sheet
from cells.services.audit import Action, command, note
from cells.services.csv_files import write_csv
from cells.services.failures import reason_of
from cells.services.xlsx_writing import write_xlsx


class Command(BaseCommand):
    help = (
        "Writes a sheet into a file, as it is in one moment: CSV or XLSX, by the file's name. "
        "For example: export_sheet demo prices.xlsx"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sheet", help="the slug in the sheet's address")
        parser.add_argument("file", type=Path, help="ends in .csv or .xlsx; is replaced")
        parser.add_argument(
            "--formulas",
            action="store_true",
            help="in CSV: formulas as they read, not what they come to, and no text defused",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        kind = file.suffix.lower()
        if kind not in (".csv", ".xlsx"):
            raise CommandError(f"{file.name!r} says no format: let it end in .csv or .xlsx")
        if options["formulas"] and kind == ".xlsx":
            raise CommandError("--formulas is for CSV: an XLSX file has formulas and values")
        sheet = Sheet.objects.filter(slug=options["sheet"], deleted_at=None).first()
        if sheet is None:
            raise CommandError(f"there is no sheet {options['sheet']!r}; check the address")
        try:
            rows = _write(sheet.pk, file, kind, formulas=options["formulas"])
        except (SheetSyncError, OSError, DatabaseError) as error:
            raise CommandError(f"nothing was written: {reason_of(error)}") from error
        by = command("export_sheet")
        note(Action.EXPORTED, by, sheet, format=kind[1:], file=file.name)
        self.stdout.write(f"{file}: {rows:,} rows, {file.stat().st_size:,} bytes")


def _write(sheet_id: int, file: Path, kind: str, *, formulas: bool) -> int:
    """Write beside the file and then take its place, so that a broken export leaves the old one."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            if kind == ".csv":
                written = write_csv(sheet_id, new, formulas=formulas)
            else:
                written = write_xlsx(sheet_id, new)
            new.close()
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
    return written.rows
