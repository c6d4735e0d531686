"""Sheets sent as files: written first, whole, then sent by pieces."""

import tempfile
from collections.abc import AsyncIterator, Callable
from typing import IO, NamedTuple

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from cells.models import Sheet
from cells.services.csv_files import write_csv
from cells.services.exporting import Exported
from cells.services.xlsx_writing import write_xlsx

BYTES_PER_CHUNK = 256 * 1024
BYTES_IN_MEMORY = 1024 * 1024  # of a file; a larger one waits on the disk
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Attachment(NamedTuple):
    """An answer with a file of a sheet, and the revision that the file shows."""

    response: HttpResponseBase
    revision: int


def csv_attachment(request: HttpRequest, sheet: Sheet, *, formulas: bool) -> Attachment:
    """Answer with a sheet as CSV for spreadsheet programs. Raises NoSuchSheet."""

    def write(file: IO[bytes]) -> Exported:
        return write_csv(sheet.pk, file, formulas=formulas, bom=True)

    return _attachment(request, write, f"{sheet.title}.csv", f"{CSV}; charset=utf-8")


def xlsx_attachment(request: HttpRequest, sheet: Sheet) -> Attachment:
    """Answer with a sheet as a workbook. Raises NoSuchSheet."""

    def write(file: IO[bytes]) -> Exported:
        return write_xlsx(sheet.pk, file)

    return _attachment(request, write, f"{sheet.title}.xlsx", XLSX)


def _attachment(
    request: HttpRequest, write: Callable[[IO[bytes]], Exported], name: str, type_: str
) -> Attachment:
    """Write the file and then send it.

    First, because a reader on a slow line must not hold a state of the database open: PostgreSQL
    ends it after 10 s without a statement, and SQLite could write nothing back meanwhile.
    """
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        exported = write(file)
    except BaseException:
        file.close()
        raise
    return Attachment(_sent(request, file, name, type_), exported.revision)


def _sent(request: HttpRequest, file: IO[bytes], name: str, type_: str) -> HttpResponseBase:
    size = file.tell()
    file.seek(0)
    if not isinstance(request, ASGIRequest):
        return FileResponse(file, as_attachment=True, filename=name, content_type=type_)
    # Not a FileResponse: under ASGI Django would read all of it into memory.
    response = StreamingHttpResponse(_chunks(file), content_type=type_)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await sync_to_async(file.read)(BYTES_PER_CHUNK):
            yield chunk
    finally:
        file.close()
