"""What no filter or search can look for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _


def refuse_nul_in_the_admin(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a NUL in the query of the admin's pages with 400, as a middleware.

    Django's own filters hand it on, and PostgreSQL's driver refuses it: that would be a 500.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") and _is_of_the_admin(request):
            sentence = _("No text here has a NUL character; take it out of the address.")
            return HttpResponse(f"{sentence}\n", "text/plain; charset=utf-8", 400)
        return get_response(request)

    return middleware


def _is_of_the_admin(request: HttpRequest) -> bool:
    try:
        return "admin" in resolve(request.path_info).app_names
    except Resolver404:
        return False
