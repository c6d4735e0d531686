"""Sheets sent as files: written first, whole, then sent by pieces."""

import tempfile
from collections.abc import Callable
from typing import IO, NamedTuple

from django.http import HttpRequest, HttpResponseBase

from cells.models import Sheet
from cells.sending import BYTES_IN_MEMORY, send_file
from cells.services.audit import Action, Actor, note
from cells.services.csv_files import write_csv
from cells.services.exporting import Exported
from cells.services.work_turns import reading_turn
from cells.services.xlsx_writing import write_xlsx

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Attachment(NamedTuple):
    """An answer with a file of a sheet, and the revision that the file shows."""

    response: HttpResponseBase
    revision: int


def csv_attachment(request: HttpRequest, sheet: Sheet, by: Actor, *, formulas: bool) -> Attachment:
    """Answer with a sheet as CSV for spreadsheet programs. Raises NoSuchSheet and Unavailable."""

    def write(file: IO[bytes]) -> Exported:
        return write_csv(sheet.pk, file, formulas=formulas, bom=True)

    return _attachment(request, sheet, by, write, "csv", f"{CSV}; charset=utf-8")


def xlsx_attachment(request: HttpRequest, sheet: Sheet, by: Actor) -> Attachment:
    """Answer with a sheet as a workbook. Raises NoSuchSheet and Unavailable."""

    def write(file: IO[bytes]) -> Exported:
        return write_xlsx(sheet.pk, file)

    return _attachment(request, sheet, by, write, "xlsx", XLSX)


def _attachment(
    request: HttpRequest,
    sheet: Sheet,
    by: Actor,
    write: Callable[[IO[bytes]], Exported],
    kind: str,
    type_: str,
) -> Attachment:
    """Write the file, note who takes it, and then send it.

    First, because a reader on a slow line must not hold a state of the database open: PostgreSQL
    ends it after 10 s without a statement, and SQLite could write nothing back meanwhile.
    """
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        with reading_turn():
            exported = write(file)
        note(Action.EXPORTED, by, sheet, format=kind, revision=exported.revision)
    except BaseException:
        file.close()
        raise
    return Attachment(send_file(request, file, type_, f"{sheet.title}.{kind}"), exported.revision)
