"""Protected ranges in the admin: which part of which sheet, and who may edit it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.safestring import SafeString

from cells.admin.bounded import FindsPeople, ModelAdmin, link_to
from cells.domain.errors import InvalidAddress, LimitExceeded, NotProtected
from cells.domain.protecting import format_area, parse_area
from cells.models import Protection, ProtectionEditor
from cells.services.audit import Place, actor_of
from cells.services.protections import (
    area_of,
    check_count,
    facts_of,
    held,
    layout_of,
    note_protected,
    note_unprotected,
    place,
)

if TYPE_CHECKING:
    EditorTabularInline = admin.TabularInline[ProtectionEditor, Protection]
    ProtectionModelForm = forms.ModelForm[Protection]
else:
    EditorTabularInline = admin.TabularInline
    ProtectionModelForm = forms.ModelForm


class ProtectionForm(ProtectionModelForm):
    """A protection with its range as people read it, where its rows and columns stand now."""

    range = forms.CharField(
        required=False,
        max_length=40,
        help_text="B2:C5, whole columns B:C, whole rows 2:5; empty for the whole sheet. "
        "It goes along with its rows and columns.",
    )

    class Meta:
        model = Protection
        fields = ("sheet", "range", "description", "takes_messages")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["range"] = _range_of(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_new = self.instance.pk is None
        sheet = cleaned.get("sheet") if is_new else self.instance.sheet
        if sheet is not None and (is_new or "range" in self.changed_data):
            try:
                place(self.instance, parse_area(cleaned.get("range", ""), layout_of(sheet)))
                if is_new:
                    check_count(sheet)
            except (InvalidAddress, LimitExceeded) as error:
                self.add_error("range", str(error))
        return cleaned


class ProtectionEditorInline(FindsPeople, EditorTabularInline):
    """Who may edit a protected range besides its sheet's owners."""

    model = ProtectionEditor
    people = ("user",)
    raw_id_fields = people
    extra = 1
    verbose_name = "person, group or feed"
    verbose_name_plural = "Who may edit it, besides the sheet's owners"


@admin.register(Protection)
class ProtectionAdmin(ModelAdmin[Protection]):
    """All protected ranges, by sheet."""

    form = ProtectionForm
    list_display = ("protected", "in_sheet", "description", "takes_messages", "made_at")
    list_select_related = ("sheet",)
    search_fields = ("sheet__slug", "sheet__title", "description")
    search_help_text = "A part of the sheet's slug or title, or of the description"
    autocomplete_fields = ("sheet",)
    inlines = (ProtectionEditorInline,)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Protection]:
        return super().get_queryset(request).order_by("-pk")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Protection | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("sheet",)

    def save_model(self, request: HttpRequest, obj: Protection, form: Any, change: bool) -> None:
        form.facts_before = None
        if change:
            try:
                now = held(obj.sheet, obj.pk)
            except NotProtected as error:
                raise Http404(str(error)) from None
            form.facts_before = facts_of(now)
            if "range" not in form.changed_data:
                place(obj, area_of(now))
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        note_protected(form.instance, form.facts_before, actor_of(request, Place.ADMIN))

    def delete_model(self, request: HttpRequest, obj: Protection) -> None:
        note_unprotected(obj, actor_of(request, Place.ADMIN))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Protection]) -> None:
        with transaction.atomic():
            for protection in queryset:
                self.delete_model(request, protection)

    @admin.display(description="range")
    def protected(self, obj: Protection) -> str:
        return _range_of(obj) or "the whole sheet"

    @admin.display(description="sheet")
    def in_sheet(self, obj: Protection) -> SafeString:
        return link_to(obj.sheet)


def _range_of(protection: Protection) -> str:
    return format_area(area_of(protection), layout_of(protection.sheet))
