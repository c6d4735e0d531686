"""Pages: the list of sheets, a sheet, whom it is shared with, and the process's health."""

import secrets
from collections.abc import Callable

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cells.models import LinkRole, Role, Sheet
from cells.services.access import create_sheet, role_of
from cells.services.guests import guest_name
from cells.services.listing import listed_sheets, with_roles
from cells.services.readiness import Readiness, ask_dependencies, is_draining, readiness_of
from cells.services.sharing import access_list, grant, revoke, set_link_role

SHEETS_PER_PAGE = 25
MAX_OPENED = 50  # slugs that a session remembers; it is read with every request


class NewSheetForm(forms.Form):
    """The title of a new sheet; none is fine, as it is in Google Sheets."""

    title = forms.CharField(max_length=200, required=False, label="Title of a new sheet")

    def clean_title(self) -> str:
        return self.cleaned_data["title"] or "Untitled sheet"


class LinkRoleForm(forms.Form):
    """What anybody who has the address may do."""

    link_role = forms.ChoiceField(
        label="Anybody with the link",
        choices=[
            (LinkRole.NONE, "cannot open it"),
            (LinkRole.VIEWER, "can view"),
            (LinkRole.EDITOR, "can edit"),
        ],
    )


class GrantForm(forms.Form):
    """A person, by name, and the role that they get."""

    username = forms.CharField(max_length=150, label="Username")
    role = forms.ChoiceField(
        choices=[
            (Role.VIEWER, "can view"),
            (Role.EDITOR, "can edit"),
            (Role.OWNER, "can edit and share"),
        ],
        initial=Role.EDITOR,
        label="Role",
    )

    def __init__(self, sheet: Sheet, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.sheet = sheet

    def clean_username(self) -> User:
        username = self.cleaned_data["username"]
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        if user is None:
            raise forms.ValidationError(f"Nobody here is called “{username}”. Check the spelling.")
        if user.pk == self.sheet.owner_id:
            raise forms.ValidationError(f"{username} owns this sheet already.")
        return user


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
        return redirect("home")
    if request.user.is_anonymous and not settings.DEBUG:
        return redirect_to_login(reverse("home"))
    form = NewSheetForm(request.POST)
    if not form.is_valid():
        return _home(request, form, status=400)
    if isinstance(request.user, User):
        sheet = create_sheet(request.user, form.cleaned_data["title"])
    else:
        sheet = create_sheet(None, form.cleaned_data["title"], link_role=LinkRole.EDITOR)
    return redirect("sheet", sheet.slug)


@require_safe
@never_cache
def sheet_page(request: HttpRequest, slug: str) -> HttpResponse:
    sheet = _find(slug)
    if sheet is None:
        return _no_such_sheet(request)
    role = role_of(request.user, sheet)
    if role is None:
        return _closed(request, sheet)
    _remember(request, sheet)
    return render(request, "cells/sheet.html", {"sheet": sheet, "role": role})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """Show whom a sheet is shared with; POST gives one person a role."""
    sheet = _owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = GrantForm(sheet, request.POST or None)
    if request.method == "POST" and form.is_valid():
        grant(sheet, form.cleaned_data["username"], Role(form.cleaned_data["role"]))
        messages.success(request, f"Shared with {form.cleaned_data['username']}.")
        return redirect("share", slug)
    context = {
        "sheet": sheet,
        "address": request.build_absolute_uri(reverse("sheet", args=[slug])),
        "access_list": access_list(sheet),
        "link_form": LinkRoleForm(initial={"link_role": sheet.link_role}),
        "grant_form": form,
    }
    return render(request, "cells/share.html", context, status=400 if form.errors else 200)


@require_POST
def share_link(request: HttpRequest, slug: str) -> HttpResponse:
    sheet = _owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = LinkRoleForm(request.POST)
    if form.is_valid():
        set_link_role(sheet, LinkRole(form.cleaned_data["link_role"]))
        messages.success(request, "Changed what the link allows.")
    else:
        messages.error(request, "Choose what the link allows.")
    return redirect("share", slug)


@require_POST
def unshare(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    sheet = _owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    revoke(sheet, user_id)
    messages.success(request, "Removed.")
    if user_id == request.user.pk:
        return redirect("home")
    return redirect("share", slug)


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer /healthz and /readyz, as a middleware before all others.

    Probes call a node by its own address and without TLS: ALLOWED_HOSTS would refuse them, and
    HTTPS_ONLY would send them away.
    """
    probes = {"/healthz": healthz, "/readyz": readyz}

    def middleware(request: HttpRequest) -> HttpResponse:
        return probes.get(request.path_info, get_response)(request)

    return middleware


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; touch nothing, so that no outage elsewhere restarts it."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say which dependencies answer: 503 without the database, 200 when only degraded.

    A process that is about to end says so at once: no load balancer should send people here.
    """
    if is_draining():
        return JsonResponse({"status": Readiness.DRAINING}, status=503)
    dependencies = ask_dependencies()
    readiness = readiness_of(dependencies)
    return JsonResponse(
        {
            "status": readiness,
            "dependencies": {found.name: found.problem or "ok" for found in dependencies},
        },
        status=503 if readiness == Readiness.UNAVAILABLE else 200,
    )


def _home(request: HttpRequest, form: NewSheetForm, *, status: int) -> HttpResponse:
    sheets = listed_sheets(request.user, request.session.get("opened", []))
    page = Paginator(sheets, SHEETS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "sheets": with_roles(request.user, page),
        "form": form,
        "may_create": request.user.is_authenticated or settings.DEBUG,
    }
    return render(request, "cells/home.html", context, status=status)


def _find(slug: str) -> Sheet | None:
    return Sheet.objects.select_related("owner").filter(slug=slug).first()


def _owned(request: HttpRequest, slug: str) -> Sheet | HttpResponse:
    """Return the sheet if the reader may share it, else the page that says why not."""
    sheet = _find(slug)
    if sheet is None:
        return _no_such_sheet(request)
    if role_of(request.user, sheet) != Role.OWNER:
        return _closed(request, sheet, to_share=True)
    return sheet


def _no_such_sheet(request: HttpRequest) -> HttpResponse:
    # Not Http404: with DEBUG that is Django's page for developers, and this is a reader's mistake.
    return render(request, "cells/no_such_sheet.html", status=404)


def _closed(request: HttpRequest, sheet: Sheet, *, to_share: bool = False) -> HttpResponse:
    if request.user.is_anonymous:
        return redirect_to_login(reverse("share" if to_share else "sheet", args=[sheet.slug]))
    return render(request, "cells/closed.html", {"sheet": sheet, "to_share": to_share}, status=403)


def _remember(request: HttpRequest, sheet: Sheet) -> None:
    """Keep a guest's name and the sheets that this browser opened; write only what is new."""
    if request.user.is_anonymous and "guest_name" not in request.session:
        request.session["guest_name"] = guest_name(secrets.token_hex())
    opened: list[str] = request.session.get("opened", [])
    if sheet.slug not in opened:
        request.session["opened"] = [sheet.slug, *opened][:MAX_OPENED]
