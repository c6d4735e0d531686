"""Downloads: a sheet as a CSV or XLSX file, for whoever may look at it."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cells.attachments import csv_attachment, xlsx_attachment
from cells.domain.errors import NoSuchSheet, Unavailable
from cells.models import Sheet
from cells.services.access import role_of
from cells.services.audit import actor_of

RETRY_SECONDS = 5


@require_safe
@never_cache
def as_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _download(request, slug, "csv")


@require_safe
@never_cache
def as_xlsx(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _download(request, slug, "xlsx")


def _download(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    sheet = Sheet.objects.filter(slug=slug, deleted_at=None).first()
    # A stranger is told what somebody is told who made the address up.
    if sheet is None or role_of(request.user, sheet) is None:
        return render(request, "cells/no_such_sheet.html", status=404)
    by = actor_of(request)
    try:
        if kind == "csv":
            formulas = request.GET.get("formulas") == "1"
            return csv_attachment(request, sheet, by, formulas=formulas).response
        return xlsx_attachment(request, sheet, by).response
    except NoSuchSheet:
        return render(request, "cells/no_such_sheet.html", status=404)
    except Unavailable:
        sentence = _("Others are downloading at the moment; try again in a few seconds.")
        return HttpResponse(
            sentence,
            content_type="text/plain; charset=utf-8",
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
