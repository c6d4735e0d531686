"""A sheet as a part of another page: what the frame of `{% live_sheet %}` shows."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from cells.models import Role, Sheet
from cells.protocol import SHEETS_PATH

EMBED = "embed"  # in the query of a sheet's own address, so that what is relative to it stays
WITHOUT_TOOLBAR = "without-toolbar"
READ_ONLY = "read-only"


def socket_path(sheet: Sheet) -> str:
    """Return where a page finds the sheet's socket, below what the project is mounted at."""
    return f"{get_script_prefix()}{SHEETS_PATH}{sheet.slug}/"


def embedded(request: HttpRequest, sheet: Sheet | None, role: Role | None) -> HttpResponse:
    """Return a sheet without the bar of a page, or a box that says why there is none.

    Pages of this site alone may show it in a frame: a page of others could have people click on
    what they do not see.
    """
    # Strangers are told nothing of a sheet that they could not have opened.
    if sheet is None or (role is None and sheet.deleted_at is not None):
        response = _box(request, "missing", 404)
    elif role is None:
        response = _box(request, "closed", 403, sheet)
    elif sheet.deleted_at is not None:
        response = _box(request, "deleted", 404, sheet)
    else:
        context = {
            "sheet": sheet,
            "role": role,
            "socket": socket_path(sheet),
            "is_embedded": True,
            "is_read_only": READ_ONLY in request.GET,
            "has_toolbar": WITHOUT_TOOLBAR not in request.GET,
            "next": _page_around(request),
        }
        response = render(request, "cells/embedded.html", context)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _box(request: HttpRequest, why: str, status: int, sheet: Sheet | None = None) -> HttpResponse:
    context = {"why": why, "sheet": sheet, "next": _page_around(request)}
    return render(request, "cells/embedded_box.html", context, status=status)


def _page_around(request: HttpRequest) -> str:
    """Return the address of the page that the frame is in; without one, the list of sheets."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return reverse("cells:home")
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
