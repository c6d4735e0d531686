"""Publications in the admin: which sheets go to which topics, and how far each of them is."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from cells.admin.bounded import BoundedPaginator, ModelAdmin, link_to
from cells.models import Publication
from cells.services.audit import Place, actor_of
from cells.services.audited_streams import facts_of, note_deleted, note_publication
from cells.streams.names import PubsubSetupError, Route

# Of a sheet only what a list shows: its axes may have 250 kB each.
_SHEET = ("sheet__slug", "sheet__title", "sheet__head")


class PublicationForm(forms.ModelForm):  # type: ignore[type-arg] # Django's is not generic when it runs
    """A publication begins where the sheet is, unless the whole log is wanted."""

    from_beginning = forms.BooleanField(
        label="From the beginning",
        required=False,
        help_text="Publish the whole log first; otherwise what is committed from now on.",
    )

    def clean_topic(self) -> str:
        topic: str = self.cleaned_data["topic"]
        if topic:
            try:
                Route.from_settings(topic=topic)
            except PubsubSetupError as error:
                raise forms.ValidationError(
                    "A topic has 3 to 255 letters, digits and -._~+% and starts with a letter."
                ) from error
        return topic


@admin.register(Publication)
class PublicationAdmin(ModelAdmin[Publication]):
    """What `manage.py pubsub_publisher` publishes."""

    form = PublicationForm
    list_display = (
        "in_sheet",
        "to",
        "is_enabled",
        "published",
        "behind",
        "published_at",
        "trouble",
    )
    list_display_links = ("to",)
    list_filter = ("is_enabled",)
    ordering = ("pk",)
    search_fields = ("sheet__slug", "sheet__title", "topic")
    search_help_text = "A part of the sheet's slug or title, or of the topic"
    show_full_result_count = False
    paginator = BoundedPaginator
    autocomplete_fields = ("sheet",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        fields = [field.name for field in Publication._meta.concrete_fields]
        return super().get_queryset(request).select_related("sheet").only(*fields, *_SHEET)

    def get_fields(self, request: HttpRequest, obj: Publication | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("sheet", "topic", "is_enabled", "from_beginning")
        return ("sheet", "topic", "is_enabled", *self._facts)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Publication | None = None
    ) -> tuple[str, ...]:
        # The cursor is of one sheet and one topic.
        return () if obj is None else ("sheet", "topic", *self._facts)

    def save_model(self, request: HttpRequest, obj: Publication, form: Any, change: bool) -> None:
        """Write what the form changed and nothing else: a publisher moves the cursor meanwhile."""
        before = facts_of(Publication.objects.get(pk=obj.pk)) if change else None
        if change:
            obj.save(update_fields=["is_enabled"])
        else:
            obj.published = 0 if form.cleaned_data["from_beginning"] else obj.sheet.head
            super().save_model(request, obj, form, change)
        note_publication(obj, before, actor_of(request, Place.ADMIN))

    def delete_model(self, request: HttpRequest, obj: Publication) -> None:
        note_deleted(obj, actor_of(request, Place.ADMIN))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Publication]) -> None:
        with transaction.atomic():
            for publication in queryset:
                self.delete_model(request, publication)

    _facts = ("published", "behind", "published_at", "error", "created_at")

    @admin.display(description="sheet", ordering="sheet__slug")
    def in_sheet(self, obj: Publication) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="topic", ordering="topic")
    def to(self, obj: Publication) -> str:
        return obj.topic or "the usual one"

    @admin.display(description="revisions behind")
    def behind(self, obj: Publication) -> str:
        return f"{obj.sheet.head - obj.published:,}"

    @admin.display(description="trouble", empty_value="–")
    def trouble(self, obj: Publication) -> str | None:
        return Truncator(obj.error).chars(120) or None
