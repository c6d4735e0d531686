"""Versions with names, read-only but for the name: the sheet's page is where they are made."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from cells.admin.bounded import ModelAdmin, link_to
from cells.models import NamedVersion
from cells.services.audit import Place, actor_of
from cells.services.versions import note_named, note_taken


@admin.register(NamedVersion)
class NamedVersionAdmin(ModelAdmin[NamedVersion]):
    """Which revisions have a name, who gave it, and whether they are kept by themselves."""

    list_display = ("name", "in_sheet", "revision", "committed_at", "author_name", "is_packed")
    search_fields = ("name", "sheet__slug")
    search_help_text = "A part of the name or of the sheet's slug"
    ordering = ("-pk",)
    fields = ("name", "in_sheet", "revision", "committed_at", "author_name", "user", "named_at")
    readonly_fields = fields[1:]

    def get_queryset(self, request: HttpRequest) -> QuerySet[NamedVersion]:
        return super().get_queryset(request).select_related("sheet").defer("data")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: NamedVersion, form: Any, change: bool) -> None:
        """Write the name alone, and note it."""
        if "name" in form.changed_data:
            obj.save(update_fields=["name"])
            by = actor_of(request, Place.ADMIN)
            note_named(obj.sheet, obj.revision, form.initial["name"], obj.name, by)

    def delete_model(self, request: HttpRequest, obj: NamedVersion) -> None:
        note_taken(obj.sheet, obj.revision, obj.name, actor_of(request, Place.ADMIN))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[NamedVersion]) -> None:
        with transaction.atomic():
            for version in queryset:
                self.delete_model(request, version)

    @admin.display(description="sheet")
    def in_sheet(self, obj: NamedVersion) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="without the log", boolean=True)
    def is_packed(self, obj: NamedVersion) -> bool:
        return obj.format is not None
