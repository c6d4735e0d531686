"""Pages: the list of sheets, and a sheet."""

import logging
import secrets
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cells.domain.errors import SheetSyncError, TooManySheets
from cells.embedding import EMBED, embedded, socket_path
from cells.forms import (
    MAX_TITLE_CHARACTERS,
    NewSheetForm,
    TitleForm,
)
from cells.live.attendance import Attendance, Attendee, read_attendance
from cells.models import AuthorKind, LinkRole, Role, Sheet
from cells.services.access import create_sheet, require_room_for_a_sheet, role_of
from cells.services.audit import actor_of
from cells.services.authors import MAX_NAME_CHARACTERS, Author
from cells.services.copying import copy_sheet
from cells.services.guests import guest_name
from cells.services.listing import listed_sheets, with_roles
from cells.services.people import name_of
from cells.services.shelf import bring_back, delete_sheet, kept_until, rename_sheet

logger = logging.getLogger(__name__)

SHEETS_PER_PAGE = 25
MAX_SEARCH_CHARACTERS = 100  # more is no search, and each word of it is a condition
MAX_OPENED = 50  # slugs that a session remembers; it is read with every request
MAX_BADGES = 3  # of people on a line of the list; the others are behind a number


class Line(NamedTuple):
    """A line of the list: a sheet, what the reader may do there, and who is there now."""

    sheet: Sheet
    role: Role
    here: Attendance | None

    @property
    def shown(self) -> list[Attendee]:
        people = self.here.people if self.here else []
        return people[: MAX_BADGES + (len(people) == MAX_BADGES + 1)]  # "+1" would take its place

    @property
    def more(self) -> int:
        return self.here.count - len(self.shown) if self.here else 0

    @property
    def names(self) -> str:
        people = self.here.people if self.here else []
        return ", ".join(person.name for person in people)


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    return _home(request, NewSheetForm(), status=200)


@require_http_methods(["GET", "HEAD", "POST"])
def new_sheet(request: HttpRequest) -> HttpResponse:
    """Create a sheet and open it.

    A sheet that nobody owns can be taken back by nobody, so people sign in first. A newcomer who
    tries SheetSync out on their own machine (DEBUG) has no account yet: their sheet is open to
    all who have its address.
    """
    if request.method != "POST":
        return redirect("cells:home")
    if request.user.is_anonymous and not settings.DEBUG:
        return redirect_to_login(reverse("cells:home"))
    form = NewSheetForm(request.POST)
    if not form.is_valid():
        return _home(request, form, status=400)
    title, zone = form.cleaned_data["title"], form.cleaned_data["time_zone"]
    try:
        if request.user.is_authenticated:
            sheet = create_sheet(request.user, title, time_zone=zone)
        else:
            sheet = create_sheet(None, title, link_role=LinkRole.EDITOR, time_zone=zone)
    except TooManySheets:
        form.add_error("title", _too_many_sheets())
        return _home(request, form, status=400)
    return redirect("cells:sheet", sheet.slug)


@require_safe
@never_cache
def sheet_page(request: HttpRequest, slug: str) -> HttpResponse:
    if EMBED in request.GET:
        return _in_frame(request, slug)
    sheet = _visible(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    role = role_of(request.user, sheet)
    _remember(request, sheet)
    context = {"sheet": sheet, "role": role, "socket": socket_path(sheet)}
    return render(request, "cells/sheet.html", context)


@require_POST
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = TitleForm(request.POST)
    if form.is_valid():
        rename_sheet(sheet, form.cleaned_data["title"], actor_of(request))
        messages.success(request, _("Renamed to “%(title)s”.") % form.cleaned_data)
    else:
        messages.error(request, " ".join(map(str, form.errors["title"])))
    return redirect("cells:home")


@require_POST
def duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """Copy a sheet that the reader may see into one of their own, and open it."""
    sheet = _visible(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    if request.user.is_anonymous and not settings.DEBUG:
        return redirect_to_login(reverse("cells:sheet", args=[slug]))
    owner = request.user if request.user.is_authenticated else None
    author = _author(request)
    try:
        copy = copy_sheet(
            sheet,
            (_("Copy of %(title)s") % {"title": sheet.title})[:MAX_TITLE_CHARACTERS],
            owner=owner,
            author=author,
            by=actor_of(request, name=author.name),
            link_role=LinkRole.EDITOR if owner is None else LinkRole.NONE,
        )
    except TooManySheets as error:
        logger.info("sheet=%s could not be copied: %s", slug, error)
        messages.error(request, _too_many_sheets())
        return redirect("cells:home")
    except SheetSyncError:
        logger.exception("sheet=%s could not be copied", slug)
        messages.error(request, _("The sheet could not be copied. Try again in a minute."))
        return redirect("cells:home")
    return redirect("cells:sheet", copy.slug)


@require_POST
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a sheet off its people's lists; the home page then offers to undo it."""
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    delete_sheet(sheet, actor_of(request))
    return redirect(f"{reverse('cells:home')}?{urlencode({'deleted': slug})}")


@require_POST
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Undo `delete`, from the home page or from the deleted sheet's own."""
    sheet = owned(request, slug, is_deleted=True)
    if isinstance(sheet, HttpResponse):
        return sheet
    if sheet.deleted_at is not None:
        try:
            with transaction.atomic():
                require_room_for_a_sheet(sheet.owner_id)
                bring_back(Sheet.objects.filter(pk=sheet.pk), actor_of(request))
        except TooManySheets:
            messages.error(request, _too_many_sheets())
            return redirect("cells:home")
    messages.success(request, _("“%(title)s” is back.") % {"title": sheet.title})
    return redirect("cells:home")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Return what a browser keeps, and shows when a visit finds no server."""
    response = render(request, "cells/offline.html")
    response.headers["Cache-Control"] = "no-cache"
    return response


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the worker that shows the offline page; another text wherever that page is another.

    A browser looks for a new text with each visit, and then fetches the page again: after a
    deployment, and when the reader has changed the language.
    """
    # Without the request, and so without its nonce, which is another each time.
    page = render_to_string("cells/offline.html")
    version = sha256(page.encode()).hexdigest()[:12]
    context = {"version": version}
    response = render(
        request, "cells/service_worker.js", context, content_type="text/javascript; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


def _home(request: HttpRequest, form: TitleForm, *, status: int) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH_CHARACTERS]
    sheets = listed_sheets(request.user, request.session.get("opened", []), search)
    page = Paginator(sheets, SHEETS_PER_PAGE).get_page(request.GET.get("page"))
    here = read_attendance([sheet.pk for sheet in page])
    listed = with_roles(request.user, page)
    context = {
        "page": page,
        "sheets": [Line(one.sheet, one.role, here.get(one.sheet.pk)) for one in listed],
        "search": search,
        "form": form,
        "may_create": request.user.is_authenticated or settings.DEBUG,
        "just_deleted": _just_deleted(request),
    }
    return render(request, "cells/home.html", context, status=status)


def _just_deleted(request: HttpRequest) -> Sheet | None:
    """Return the sheet that the address says was deleted, if the reader may bring it back."""
    slug = request.GET.get("deleted", "").replace("\0", "")
    sheet = _find(slug) if slug else None
    if sheet is None or sheet.deleted_at is None or role_of(request.user, sheet) != Role.OWNER:
        return None
    return sheet


def _find(slug: str) -> Sheet | None:
    """Return a sheet, also a deleted one."""
    return Sheet.objects.select_related("owner").filter(slug=slug).first()


def _in_frame(request: HttpRequest, slug: str) -> HttpResponse:
    sheet = _find(slug)
    role = None if sheet is None else role_of(request.user, sheet)
    if sheet is not None and role is not None:
        _remember(request, sheet)
    return embedded(request, sheet, role)


def _visible(request: HttpRequest, slug: str) -> Sheet | HttpResponse:
    """Return the sheet if the reader may see it, else the page that says why not."""
    sheet = _find(slug)
    if sheet is None:
        return _no_such_sheet(request)
    role = role_of(request.user, sheet)
    if sheet.deleted_at is not None:
        # Strangers are told nothing of a sheet that they could not have opened.
        return _no_such_sheet(request) if role is None else _deleted(request, sheet, role)
    return _closed(request, sheet) if role is None else sheet


def _author(request: HttpRequest) -> Author:
    """Return whom the log names for what a person does on a page."""
    if request.user.is_authenticated:
        name = name_of(request.user)[:MAX_NAME_CHARACTERS]
        return Author(AuthorKind.USER, name, request.user.pk)
    name = request.session.get("guest_name") or guest_name(secrets.token_hex())
    return Author(AuthorKind.GUEST, name)


def owned(request: HttpRequest, slug: str, *, is_deleted: bool = False) -> Sheet | HttpResponse:
    """Return the sheet if the reader may share it, else the page that says why not.

    A deleted one only for `is_deleted`; one that is not deleted then, too, for a second click.
    """
    sheet = _find(slug)
    if sheet is None:
        return _no_such_sheet(request)
    role = role_of(request.user, sheet)
    if sheet.deleted_at is not None and not (is_deleted and role == Role.OWNER):
        return _no_such_sheet(request) if role is None else _deleted(request, sheet, role)
    if role != Role.OWNER:
        return _closed(request, sheet, to_share=True)
    return sheet


def _too_many_sheets() -> str:
    return _("You own as many sheets as one person may. Delete some that you do not need.")


def _no_such_sheet(request: HttpRequest) -> HttpResponse:
    # Not Http404: with DEBUG that is Django's page for developers, and this is a reader's mistake.
    return render(request, "cells/no_such_sheet.html", status=404)


def _deleted(request: HttpRequest, sheet: Sheet, role: Role) -> HttpResponse:
    context = {"sheet": sheet, "role": role, "kept_until": kept_until(sheet)}
    return render(request, "cells/deleted.html", context, status=404)


def _closed(request: HttpRequest, sheet: Sheet, *, to_share: bool = False) -> HttpResponse:
    if request.user.is_anonymous:
        return redirect_to_login(
            reverse("cells:share" if to_share else "cells:sheet", args=[sheet.slug])
        )
    return render(request, "cells/closed.html", {"sheet": sheet, "to_share": to_share}, status=403)


def _remember(request: HttpRequest, sheet: Sheet) -> None:
    """Keep a guest's name and the sheets that this browser opened; write only what is new."""
    if request.user.is_anonymous and "guest_name" not in request.session:
        request.session["guest_name"] = guest_name(secrets.token_hex())
    opened: list[str] = request.session.get("opened", [])
    if sheet.slug not in opened:
        request.session["opened"] = [sheet.slug, *opened][:MAX_OPENED]
