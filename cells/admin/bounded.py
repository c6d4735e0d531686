"""What every list of a large table shares: it is read-only, and no page of it reads the table."""

import json
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cells.models import Sheet

MAX_LISTED = 10_000  # two hundred pages; nobody turns more, and the search goes further
MAX_SHOWN_CHARACTERS = 64 * 1024  # of one value; a browser stays quick, and the rest is in the log

ModelT = TypeVar("ModelT", bound=Model)

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
    ModelAdmin = admin.ModelAdmin
else:
    AnyPaginator = Paginator

    class ModelAdmin(admin.ModelAdmin):
        """Django's own, generic for the type checker, with the looks of the app's pages."""

        class Media:
            css = {"all": ["cells/admin_pages.css"]}

        def __class_getitem__(cls, model):
            return cls


class FindsPeople:
    """Finds a person by typing, where the project's admin lets people be searched; by key else."""

    people: tuple[str, ...] = ()
    admin_site: admin.AdminSite

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        model = get_user_model()
        if not self.admin_site.is_registered(model):
            return ()
        found = self.admin_site.get_model_admin(model).get_search_fields(request)
        return self.people if found else ()


class BoundedPaginator(AnyPaginator):
    """A paginator that counts and shows the first MAX_LISTED rows."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        # Without an order: which rows are counted does not matter, and sorting them costs.
        return rows.order_by()[:MAX_LISTED].count()

    @property
    def is_cut(self) -> bool:
        """There may be more rows than these."""
        return self.count == MAX_LISTED


class ReadOnlyAdmin(ModelAdmin[ModelT]):
    """Rows that only the write path and the streams make."""

    actions: tuple[str, ...] | None = None
    sortable_by = ()  # any other order than an index's would sort the table
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each is a count over the whole table
    paginator = BoundedPaginator
    search_fields = ("pk",)  # shows the box; get_search_results uses an index

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        """Say that a row is deleted with what it belongs to, a person or a feed, never by itself.

        The page that deletes these asks for each row that goes along, and is refused with 403.
        """
        at = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        return obj is not None and at is not None and not (at.url_name or "").startswith(own)


def link_to(sheet: Sheet) -> SafeString:
    """Return a link to a sheet's page in the admin."""
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:cells_sheet_change", args=[sheet.pk]), sheet.slug
    )


def in_box(text: str) -> SafeString:
    """Return text as it is, in a box that scrolls, cut where it would be too much for a page."""
    cut = text[:MAX_SHOWN_CHARACTERS]
    rest = f"\n… and {len(text) - len(cut):,} more characters" if len(text) > len(cut) else ""
    return format_html('<pre class="raw" tabindex="0">{}{}</pre>', cut, rest)


def json_in_box(value: object) -> SafeString:
    """Return a JSON value, indented where it is short enough to be read."""
    flat = json.dumps(value, ensure_ascii=False)
    return in_box(flat if len(flat) > 2_000 else json.dumps(value, ensure_ascii=False, indent=2))
