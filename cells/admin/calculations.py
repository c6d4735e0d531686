"""Which sheets have formulas, and how their calculation does: read-only."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from cells.admin.bounded import ReadOnlyAdmin, link_to
from cells.models import Calculation


@admin.register(Calculation)
class CalculationAdmin(ReadOnlyAdmin[Calculation]):
    """A line a sheet that has, or had, formulas."""

    list_display = (
        *("in_sheet", "formulas", "revision", "head", "calculated_at", "is_volatile"),
        *("is_held", "problem"),
    )
    list_select_related = ("sheet",)
    list_filter = ("is_volatile",)
    search_help_text = "A part of the sheet's slug or title"
    ordering = ("-calculated_at", "-pk")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("sheet__slug", "sheet__title")

    @admin.display(description="sheet")
    def in_sheet(self, obj: Calculation) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="log's head")
    def head(self, obj: Calculation) -> int:
        return obj.sheet.head

    @admin.display(description="being calculated", boolean=True)
    def is_held(self, obj: Calculation) -> bool:
        return obj.held_by is not None
