"""Sheets in the admin: who may open one, what is in it, what happened to it, and one cell set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST

from cells.admin.audited import note_changed, note_shares
from cells.admin.bounded import BoundedPaginator, FindsPeople, ModelAdmin
from cells.announcing import announce_committed
from cells.domain.addresses import (
    Address,
    Range,
    format_address,
    format_column,
    format_range,
    parse_address,
    parse_range,
)
from cells.domain.axes import Axis
from cells.domain.errors import InvalidAddress, SheetSyncError
from cells.domain.operations import SetAddresses, check_text
from cells.models import AuthorKind, Sheet, SheetAccess, SheetGroupAccess
from cells.services import snapshots
from cells.services.audit import Action, Place, actor_of, note
from cells.services.commit import Author, Committed, Refused, Submission, commit
from cells.services.log import read_log
from cells.services.read import read_window
from cells.services.shelf import bring_back

if TYPE_CHECKING:
    AccessTabularInline = admin.TabularInline[SheetAccess, Sheet]
    GroupAccessTabularInline = admin.TabularInline[SheetGroupAccess, Sheet]
else:
    AccessTabularInline = GroupAccessTabularInline = admin.TabularInline

PREVIEW_ROWS = 50
PREVIEW_COLUMNS = 26


class SheetAccessInline(FindsPeople, AccessTabularInline):
    """The people whom a sheet is shared with."""

    model = SheetAccess
    people = ("user",)
    raw_id_fields = people
    extra = 0
    verbose_name = "person"
    verbose_name_plural = "Shared with"


class SheetGroupAccessInline(GroupAccessTabularInline):
    """The groups that a sheet is shared with."""

    model = SheetGroupAccess
    extra = 0
    verbose_name = "group"
    verbose_name_plural = "Shared with groups"


class SetCellForm(forms.Form):
    """One edit by hand; its operation id makes a double click harmless."""

    address = forms.CharField(
        label="Cell", max_length=16, widget=forms.TextInput(attrs={"size": 8, "placeholder": "B2"})
    )
    input = forms.CharField(
        label="Input", required=False, strip=False, widget=forms.TextInput(attrs={"size": 40})
    )
    operation_id = forms.UUIDField(widget=forms.HiddenInput)

    def clean_address(self) -> Address:
        try:
            return parse_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise forms.ValidationError(str(error)) from error

    def clean_input(self) -> str:
        text: str = self.cleaned_data["input"]
        try:
            check_text(text)
        except SheetSyncError as error:
            raise forms.ValidationError(str(error)) from error
        return text


@admin.register(Sheet)
class SheetAdmin(FindsPeople, ModelAdmin[Sheet]):
    """The list of sheets, and a page for each."""

    list_display = (
        "title",
        "slug",
        "owner",
        "revision",
        "cells",
        "last_edit",
        "link_role",
        "deleted",
    )
    list_select_related = ("owner",)
    search_fields = ("slug", "title")
    search_help_text = "A part of the slug or of the title"
    ordering = (F("updated_at").desc(nulls_last=True), "-pk")
    show_full_result_count = False
    paginator = BoundedPaginator
    people = ("owner",)
    raw_id_fields = people
    inlines = (SheetAccessInline, SheetGroupAccessInline)
    actions = ("bring_back",)

    @admin.display(description="revision", ordering="head")
    def revision(self, obj: Sheet) -> str:
        return f"{obj.head:,}"

    @admin.display(description="cells", ordering="filled")
    def cells(self, obj: Sheet) -> str:
        return f"{obj.filled:,}"

    @admin.display(description="snapshot", empty_value="none")
    def packed(self, obj: Sheet) -> str | None:
        found = snapshots.find(obj.pk)
        if found is None:
            return None
        at = date_format(localtime(found.packed_at), "DATETIME_FORMAT")
        return f"revision {found.revision:,}: {found.cells:,} cells in {found.bytes:,} bytes, {at}"

    @admin.display(description="last edit", ordering="updated_at", empty_value="never")
    def last_edit(self, obj: Sheet) -> object:
        return obj.updated_at

    @admin.display(description="deleted", ordering="deleted_at", empty_value="–")
    def deleted(self, obj: Sheet) -> object:
        return obj.deleted_at

    @admin.action(description="Bring back deleted sheets", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Sheet]) -> None:
        by = actor_of(request, Place.ADMIN)
        messages.success(request, f"Brought back: {bring_back(queryset, by):,}.")

    def get_fields(self, request: HttpRequest, obj: Sheet | None = None) -> tuple[str, ...]:
        fields = ("title", "slug", "owner", "link_role", "time_zone")
        return fields if obj is None else (*fields, *self._facts)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Sheet | None = None
    ) -> tuple[str, ...]:
        # A slug stands in people's bookmarks and in programs' messages.
        return () if obj is None else ("slug", *self._facts)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Sheet | None = None
    ) -> dict[str, Sequence[str]]:
        return {"slug": ("title",)} if obj is None else {}

    def save_model(self, request: HttpRequest, obj: Sheet, form: Any, change: bool) -> None:
        """Write what the form changed and nothing else: commits go on while a person types."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)
            note_changed(obj, form.initial, form.changed_data, actor_of(request, Place.ADMIN))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save who it is shared with, and note each that is new, another, or gone."""
        super().save_formset(request, form, formset, change)
        note_shares(formset, actor_of(request, Place.ADMIN))

    def delete_model(self, request: HttpRequest, obj: Sheet) -> None:
        by = actor_of(request, Place.ADMIN)
        note(Action.THROWN_AWAY, by, obj, cells=obj.filled, revisions=obj.head)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Sheet]) -> None:
        with transaction.atomic():
            for sheet in queryset:
                self.delete_model(request, sheet)

    def view_on_site(self, obj: Sheet) -> str:
        return reverse("cells:sheet", args=[obj.slug])

    def get_urls(self) -> list[URLPattern]:
        set_cell = require_POST(self.admin_site.admin_view(self.set_cell))
        return [
            path("<int:sheet_id>/set-cell/", set_cell, name="cells_sheet_set_cell"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        sheet = self.get_object(request, object_id)
        if sheet is not None and self.has_view_or_change_permission(request, sheet):
            extra_context = {**(extra_context or {}), **self._content(request, sheet)}
        return super().change_view(request, object_id, form_url, extra_context)

    def set_cell(self, request: HttpRequest, sheet_id: int) -> HttpResponse:
        """Set one cell through the write path, and go back to the page that it was set from."""
        sheet = self.get_object(request, str(sheet_id))
        if sheet is None:
            raise Http404
        if not self.has_change_permission(request, sheet):
            raise PermissionDenied
        form = SetCellForm(request.POST)
        if form.is_valid():
            _set_cell(request, sheet, form)
        for errors in form.errors.values():
            messages.error(request, f"Nothing was changed. {' '.join(map(str, errors))}")
        query = urlencode({"range": request.POST.get("range", "A1")})
        return redirect(f"{reverse('admin:cells_sheet_change', args=[sheet_id])}?{query}")

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Say what goes with a sheet without loading it; Django would fetch every cell."""
        sheets: list[Sheet] = list(objs)
        may_delete = all(self.has_delete_permission(request, sheet) for sheet in sheets)
        return (
            [
                f"Sheet “{sheet.title}” ({sheet.slug}) with {sheet.filled:,} cells "
                f"and {sheet.head:,} revisions"
                for sheet in sheets
            ],
            {
                "sheets": len(sheets),
                "filled cells": sum(sheet.filled for sheet in sheets),
                "revisions": sum(sheet.head for sheet in sheets),
            },
            set() if may_delete else {"sheet"},
            [],
        )

    _facts = ("revision", "cells", "updated_at", "created_at", "packed", "deleted")

    def _content(self, request: HttpRequest, sheet: Sheet) -> dict[str, Any]:
        """Return what the page shows besides the form: a part of the grid, a page of the log."""
        shown = _shown_range(request)
        height, width = shown.bottom - shown.top + 1, shown.right - shown.left + 1
        window = read_window(sheet, shown.top, shown.left, height, width)
        columns = max(map(len, window.texts), default=0)
        return {
            "range": format_range(shown),
            "columns": [format_column(shown.left + place) for place in range(columns)],
            "rows": [(shown.top + place + 1, texts) for place, texts in enumerate(window.texts)],
            "height": len(Axis.from_runs(sheet.rows)),
            "width": len(Axis.from_runs(sheet.columns)),
            "may_set_cell": self.has_change_permission(request, sheet),
            "set_cell_form": SetCellForm(initial={"operation_id": uuid4()}),
            "log": read_log(
                sheet, before=_number(request, "before"), after=_number(request, "after")
            ),
        }


def _set_cell(request: HttpRequest, sheet: Sheet, form: SetCellForm) -> None:
    """Commit the edit and tell the open browsers; say in a message what became of it."""
    address: Address = form.cleaned_data["address"]
    submission = Submission(
        sheet.slug,
        form.cleaned_data["operation_id"],
        SetAddresses(((address.row, address.column, form.cleaned_data["input"]),)),
        Author(AuthorKind.ADMIN, request.user.get_username(), request.user.pk, origin="admin"),
    )
    try:
        result = commit([submission])
    except DatabaseError:
        messages.error(request, "Nothing was changed: the database does not answer. Try again.")
        return
    announce_committed(result)
    match result.outcomes[0]:
        case Committed(revision=revision):
            messages.success(request, f"Set {format_address(*address)} in revision {revision:,}.")
        case Refused(error=error):
            messages.error(request, f"Nothing was changed: {error}")


def _shown_range(request: HttpRequest) -> Range:
    """Return the part of the grid that is asked for, at most a preview's size."""
    asked = request.GET.get("range", "").strip() or "A1"
    try:
        top, left, bottom, right = parse_range(asked)
    except InvalidAddress as error:
        messages.error(request, str(error))
        top = left = bottom = right = 0
    if ":" not in asked or (top, left) == (bottom, right):
        bottom, right = top + PREVIEW_ROWS - 1, left + PREVIEW_COLUMNS - 1
    return Range(
        top, left, min(bottom, top + PREVIEW_ROWS - 1), min(right, left + PREVIEW_COLUMNS - 1)
    )


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
