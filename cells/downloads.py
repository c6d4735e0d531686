"""Downloads: a sheet as a CSV or XLSX file, for whoever may look at it."""

import tempfile

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cells.domain.errors import NoSuchSheet
from cells.models import Sheet
from cells.sending import BYTES_IN_MEMORY, send_file
from cells.services.access import role_of
from cells.services.csv_files import write_csv
from cells.services.xlsx_writing import write_xlsx

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
    return send_file(request, file, CSV if kind == "csv" else XLSX, f"{sheet.title}.{kind}")
