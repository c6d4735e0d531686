"""The page of a sheet's protected ranges: its owners make, change and remove them."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cells.domain.errors import LimitExceeded, NotProtected
from cells.domain.protecting import format_area
from cells.domain.references import MISSING
from cells.forms import ProtectionForm
from cells.models import Protection, Sheet
from cells.services.audit import actor_of
from cells.services.people import name_of
from cells.services.protections import area_of, layout_of, protect, protections_of, unprotect
from cells.views import owned

MAX_RANGE_CHARACTERS = 40


class Line(NamedTuple):
    """A protected range as it reads now, and the names of those who may edit it."""

    protection: Protection
    range: str
    is_gone: bool
    editors: list[str]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def protect_ranges(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is protected, with a form for `?range=` to be; POST protects one more."""
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    asked = request.GET.get("range", "").replace("\0", "")[:MAX_RANGE_CHARACTERS]
    form = ProtectionForm(sheet, request.POST or None, initial={"range": asked})
    if request.method == "POST" and form.is_valid() and _save(request, sheet, form, None):
        return redirect("cells:protections", slug)
    return _page(request, sheet, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def change(request: HttpRequest, slug: str, protection_id: int) -> HttpResponse:
    """Show the same page with the form for one of the ranges; POST changes it."""
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    protection = protections_of(sheet).filter(pk=protection_id).first()
    if protection is None:
        messages.error(request, _("This range is not protected any more."))
        return redirect("cells:protections", slug)
    form = ProtectionForm(sheet, request.POST or None, initial=_initial(protection, sheet))
    if request.method == "POST" and form.is_valid() and _save(request, sheet, form, protection):
        return redirect("cells:protections", slug)
    return _page(request, sheet, form, protection)


@require_POST
def remove(request: HttpRequest, slug: str, protection_id: int) -> HttpResponse:
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    unprotect(sheet, protection_id, actor_of(request))
    messages.success(request, _("Removed. All who may edit the sheet may edit this, too."))
    return redirect("cells:protections", slug)


def _save(
    request: HttpRequest, sheet: Sheet, form: ProtectionForm, protection: Protection | None
) -> bool:
    given = form.cleaned_data
    # What was not touched stays what it is: it may be a range that is deleted at the moment.
    keeps_area = protection is not None and "range" not in form.changed_data
    try:
        protect(
            sheet,
            None if keeps_area else given["range"],
            [*given["editors"], *given["feeds"]],
            description=given["description"],
            takes_messages=given["takes_messages"],
            instead_of=protection,
            by=actor_of(request),
        )
    except LimitExceeded:
        form.add_error(None, _("This sheet has as many protected ranges as it may: remove one."))
        return False
    except NotProtected:
        messages.error(request, _("This range is not protected any more."))
        return True
    messages.success(request, _("Protected."))
    return True


def _initial(protection: Protection, sheet: Sheet) -> dict[str, object]:
    editors = list(protection.editors.all())
    names = [one.user.get_username() for one in editors if one.user is not None]
    names += [one.group.name for one in editors if one.group is not None]
    return {
        "range": format_area(area_of(protection), layout_of(sheet)),
        "description": protection.description,
        "editors": "\n".join(names),
        "feeds": [one.feed_id for one in editors if one.feed_id is not None],
        "takes_messages": protection.takes_messages,
    }


def _page(
    request: HttpRequest, sheet: Sheet, form: ProtectionForm, changing: Protection | None
) -> HttpResponse:
    layout = layout_of(sheet)
    lines = []
    for protection in protections_of(sheet):
        text = format_area(area_of(protection), layout)
        names = [
            name_of(one.user) if one.user is not None else str(one.group or one.feed)
            for one in protection.editors.all()
        ]
        if protection.takes_messages:
            names.append(_("messages that name this sheet themselves"))
        lines.append(Line(protection, text, text == MISSING, names))
    here = reverse("cells:protections", args=[sheet.slug])
    if changing is not None:
        here = reverse("cells:change_protection", args=[sheet.slug, changing.pk])
    context = {"sheet": sheet, "lines": lines, "form": form, "changing": changing, "action": here}
    status = 400 if form.errors else 200
    return render(request, "cells/protections.html", context, status=status)
