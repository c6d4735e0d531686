"""The audit log: who did what that is no edit; to be read, and taken along as CSV."""

import csv
import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from cells.admin.bounded import MAX_LISTED, ReadOnlyAdmin, in_box
from cells.domain.defusing import defused
from cells.models import AuditEntry
from cells.services.audit import Action, Place

PERIODS = {1: "Last 24 hours", 7: "Last 7 days", 30: "Last 30 days", 365: "Last year"}


class ActionFilter(admin.SimpleListFilter):
    """All actions there are, without a look into the table for them."""

    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(action), str(action)) for action in Action]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class PlaceFilter(ActionFilter):
    """Where from."""

    title = parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(place), str(place)) for place in Place]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(place=self.value()) if self.value() else queryset


class PeriodFilter(ActionFilter):
    """How long ago at the most."""

    title = parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), label) for days, label in PERIODS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        days = self.value() or ""
        if days not in map(str, PERIODS):
            return queryset
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(days)))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """A line an act, the newest first. Nobody adds, changes or deletes one here."""

    list_display = ("at", "action", "actor_name", "place", "address", "slug", "what")
    list_filter = (ActionFilter, PlaceFilter, PeriodFilter)
    ordering = ("-pk",)
    fields = (
        *("at", "action", "actor", "actor_name", "place", "address"),
        *("sheet", "slug", "title", "all_details"),
    )
    actions = ("export_chosen",)
    search_help_text = "A sheet's slug, or the username of who did it"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        word = search_term.strip()
        if not word:
            return queryset, False
        people = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: word})
        by_them = queryset.filter(actor__in=people) | queryset.filter(actor_name=word)
        return queryset.filter(slug=word) | by_them, False

    @admin.display(description="details")
    def what(self, obj: AuditEntry) -> str:
        return Truncator(", ".join(_told(obj))).chars(120)

    @admin.display(description="details")
    def all_details(self, obj: AuditEntry) -> SafeString:
        return in_box("\n".join(_told(obj)))

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> HttpResponse:
        """Answer with the chosen entries, all of the list by "select all"."""
        return _as_csv(queryset)


def _told(entry: AuditEntry) -> list[str]:
    """Return the details, each as it reads; what has parts as JSON."""
    return [
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in entry.details.items()
    ]


def _as_csv(entries: QuerySet[AuditEntry]) -> HttpResponse:
    """Return a file of the newest entries, MAX_LISTED at the most, with nothing that runs."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    names = ("at", "action", "actor_id", "actor_name", "place", "address", "slug", "title")
    writer = csv.writer(response)
    writer.writerow((*names, "details"))
    for entry in entries.order_by("-pk")[:MAX_LISTED]:
        row = [entry.at.isoformat(), *(getattr(entry, name) for name in names[1:])]
        details = json.dumps(entry.details, ensure_ascii=False)
        writer.writerow([defused(str("" if one is None else one)) for one in (*row, details)])
    return response
