"""Downloads: a sheet as a CSV or XLSX file, for whoever may look at it."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cells.domain.errors import NoSuchSheet
from cells.models import Sheet
from cells.services.access import role_of
from cells.services.csv_files import write_csv
from cells.services.xlsx_writing import write_xlsx

BYTES_PER_CHUNK = 256 * 1024
BYTES_IN_MEMORY = 1024 * 1024  # of a file; a larger one waits on the disk
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@never_cache
def as_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _download(request, slug, "csv")


@require_safe
@never_cache
def as_xlsx(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _download(request, slug, "xlsx")


def _download(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """Write the file and then send it.

    First, because a reader on a slow line must not hold a state of the database open: PostgreSQL
    ends it after 10 s without a statement, and SQLite could write nothing back meanwhile.
    """
    sheet = Sheet.objects.filter(slug=slug, deleted_at=None).first()
    # A stranger is told what somebody is told who made the address up.
    if sheet is None or role_of(request.user, sheet) is None:
        return render(request, "cells/no_such_sheet.html", status=404)
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        if kind == "csv":
            write_csv(sheet.pk, file, formulas=request.GET.get("formulas") == "1", bom=True)
        else:
            write_xlsx(sheet.pk, file)
    except NoSuchSheet:
        file.close()
        return render(request, "cells/no_such_sheet.html", status=404)
    except BaseException:
        file.close()
        raise
    return _sent(request, file, f"{sheet.title}.{kind}", CSV if kind == "csv" else XLSX)


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
