"""The pages of whom a sheet is shared with: its owners give, change and take roles."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cells.forms import GrantForm, LinkRoleForm, RoleForm
from cells.models import LinkRole, Role, Sheet
from cells.services.access import role_of
from cells.services.audit import actor_of
from cells.services.granted import groups_of
from cells.services.sharing import (
    access_list,
    change_group_role,
    change_role,
    grant,
    grant_group,
    group_access_list,
    revoke,
    revoke_group,
    set_link_role,
)
from cells.views import owned


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """Show whom a sheet is shared with; POST gives one person, or a group, a role."""
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = GrantForm(sheet, request.POST or None)
    if request.method == "POST" and form.is_valid():
        grantee, role = form.cleaned_data["username"], Role(form.cleaned_data["role"])
        if isinstance(grantee, Group):
            grant_group(sheet, grantee, role, actor_of(request))
        else:
            grant(sheet, grantee, role, actor_of(request))
        messages.success(request, _("Shared with %(username)s.") % form.cleaned_data)
        return redirect("cells:share", slug)
    context = {
        "sheet": sheet,
        "address": request.build_absolute_uri(reverse("cells:sheet", args=[slug])),
        "access_list": access_list(sheet),
        "group_access_list": group_access_list(sheet),
        "own_groups": groups_of(request.user.pk) if request.user.pk is not None else (),
        "link_form": LinkRoleForm(initial={"link_role": sheet.link_role}),
        "grant_form": form,
    }
    return render(request, "cells/share.html", context, status=400 if form.errors else 200)


@require_POST
def share_link(request: HttpRequest, slug: str) -> HttpResponse:
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = LinkRoleForm(request.POST)
    if form.is_valid():
        set_link_role(sheet, LinkRole(form.cleaned_data["link_role"]), actor_of(request))
        messages.success(request, _("Changed what the link allows."))
    else:
        messages.error(request, _("Choose what the link allows."))
    return redirect("cells:share", slug)


@require_POST
def share_role(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Change the role of one person whom the sheet is shared with."""
    by = actor_of(request)
    return _share_again(request, slug, lambda sheet, role: change_role(sheet, user_id, role, by))


@require_POST
def share_group_role(request: HttpRequest, slug: str, group_id: int) -> HttpResponse:
    """Change the role of one group that the sheet is shared with."""
    by = actor_of(request)
    return _share_again(
        request, slug, lambda sheet, role: change_group_role(sheet, group_id, role, by)
    )


@require_POST
def unshare(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    return _unshare(request, slug, lambda sheet: revoke(sheet, user_id, actor_of(request)))


@require_POST
def unshare_group(request: HttpRequest, slug: str, group_id: int) -> HttpResponse:
    return _unshare(request, slug, lambda sheet: revoke_group(sheet, group_id, actor_of(request)))


def _share_again(
    request: HttpRequest, slug: str, change: Callable[[Sheet, Role], bool]
) -> HttpResponse:
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
    elif change(sheet, Role(form.cleaned_data["role"])):
        messages.success(request, _("Changed the role."))
    else:
        messages.error(request, _("The sheet is no longer shared with them. Add them again below."))
    return _back_to_share(request, sheet)


def _unshare(request: HttpRequest, slug: str, take: Callable[[Sheet], None]) -> HttpResponse:
    sheet = owned(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    take(sheet)
    messages.success(request, _("Removed."))
    return _back_to_share(request, sheet)


def _back_to_share(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    if role_of(request.user, sheet) != Role.OWNER:  # their own role, it was
        return redirect("cells:home")
    return redirect("cells:share", sheet.slug)
