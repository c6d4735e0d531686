"""All cells and all revisions, read-only: for somebody who follows one value through the tables."""

from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from cells.admin.bounded import ReadOnlyAdmin, in_box, json_in_box, link_to
from cells.domain.errors import SheetSyncError
from cells.models import Cell, Revision, Sheet
from cells.services.log import Describer

MAX_BIGINT_DIGITS = 18


@admin.register(Cell)
class CellAdmin(ReadOnlyAdmin[Cell]):
    """Cells by sheet, found by their address."""

    list_display = ("address", "in_sheet", "input_start", "revision")
    ordering = ("sheet_id", "row", "column")  # the index cell_once
    fields = ("in_sheet", "address", "whole_input", "value", "style", "revision", "row", "column")
    search_help_text = "A sheet's slug and, if you like, a cell's address: demo B2"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cell]:
        # Not select_related: the cells of a sheet share one copy of it, and of its axes.
        return super().get_queryset(request).prefetch_related("sheet")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Cell], search_term: str
    ) -> tuple[QuerySet[Cell], bool]:
        slug, address = _words(search_term)
        if not slug:
            return queryset, False
        sheet = Sheet.objects.filter(slug=slug).first()
        if sheet is None:
            return queryset.none(), False
        queryset = queryset.filter(sheet_id=sheet.pk)
        if not address:
            return queryset, False
        try:
            row, column = Describer(sheet).ids_at(address)
        except SheetSyncError as error:
            messages.warning(request, str(error))
            return queryset.none(), False
        return queryset.filter(row=row, column=column), False

    @admin.display(description="cell")
    def address(self, obj: Cell) -> str:
        return _describer_of(obj.sheet).address(obj.row, obj.column)

    @admin.display(description="sheet")
    def in_sheet(self, obj: Cell) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="input")
    def input_start(self, obj: Cell) -> str:
        return Truncator(obj.input).chars(80)

    @admin.display(description="input")
    def whole_input(self, obj: Cell) -> SafeString:
        return in_box(obj.input)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    """The logs of all sheets, newest commit first."""

    list_display = (
        "number",
        "in_sheet",
        "committed_at",
        "who",
        "what",
        "origin",
    )
    fields = (
        "in_sheet",
        "number",
        "what",
        "author_name",
        "author_kind",
        "user",
        "origin",
        "operation_id",
        "committed_at",
        "whole_operation",
        "whole_before",
    )
    search_help_text = (
        "A sheet's slug and, if you like, a revision's number or an operation id: demo 17"
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # An index each: revision_number_once within a sheet, the primary key among all.
        return ("-sheet_id", "-number") if request.GET.get("q") else ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return super().get_queryset(request).prefetch_related("sheet").defer("before")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Revision], search_term: str
    ) -> tuple[QuerySet[Revision], bool]:
        slug, wanted = _words(search_term)
        if not slug:
            return queryset, False
        sheet = Sheet.objects.filter(slug=slug).first()
        if sheet is None:
            return queryset.none(), False
        queryset = queryset.filter(sheet_id=sheet.pk)
        if not wanted:
            return queryset, False
        number = wanted.replace(",", "")
        if number.isascii() and number.isdigit() and len(number) <= MAX_BIGINT_DIGITS:
            return queryset.filter(number=int(number)), False
        try:
            return queryset.filter(operation_id=UUID(wanted)), False
        except ValueError:
            messages.warning(request, f"“{wanted}” is neither a number nor an operation id.")
            return queryset.none(), False

    @admin.display(description="sheet")
    def in_sheet(self, obj: Revision) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="who")
    def who(self, obj: Revision) -> str:
        return f"{obj.author_name} ({obj.author_kind})"

    @admin.display(description="what")
    def what(self, obj: Revision) -> str:
        return _describer_of(obj.sheet).describe(obj.operation)

    @admin.display(description="operation")
    def whole_operation(self, obj: Revision) -> SafeString:
        return json_in_box(obj.operation)

    @admin.display(description="what undo needs")
    def whole_before(self, obj: Revision) -> SafeString:
        return json_in_box(obj.before)


def _words(search_term: str) -> tuple[str, str]:
    slug, _, rest = search_term.strip().partition(" ")
    return slug, rest.strip()


def _describer_of(sheet: Sheet) -> Describer:
    """Return the describer of a sheet, made once for all the lines that share the sheet."""
    kept = vars(sheet)
    if "_describer" not in kept:
        kept["_describer"] = Describer(sheet)
    describer: Describer = kept["_describer"]
    return describer
