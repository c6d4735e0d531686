"""Feeds in the admin: a mapping that is checked as it is saved, and a dry run on a sample."""

from datetime import UTC
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from cells.admin.bounded import ModelAdmin, link_to
from cells.admin.samples import as_json, parse_attributes, readable
from cells.models import Feed, FeedColumn, FeedWrite
from cells.services.audit import Place, actor_of
from cells.services.audited_streams import facts_of, note_deleted, note_feed
from cells.services.read import read_window
from cells.streams.feeds import forget_feeds, spec_of
from cells.streams.mapping import Column, FeedSpec, InvalidMapping, Mapping
from cells.streams.messages import Message
from cells.streams.names import PubsubSetupError, check_subscription_name, subscription_path
from cells.streams.trial import try_message

if TYPE_CHECKING:
    ColumnTabularInline = admin.TabularInline[FeedColumn, Feed]
    FeedModelForm = forms.ModelForm[Feed]
    ColumnFormSetBase = BaseInlineFormSet[FeedColumn, Feed, forms.ModelForm[FeedColumn]]
else:
    ColumnTabularInline = admin.TabularInline
    FeedModelForm = forms.ModelForm
    ColumnFormSetBase = BaseInlineFormSet

MAX_SAMPLE_CHARACTERS = 1_000_000
# What lets the fields of a feed be checked without its columns.
_ANY_COLUMN = {
    FeedWrite.UPSERT: Column("A", "$", is_key=True),
    FeedWrite.APPEND: Column("A", "$"),
    FeedWrite.CELLS: Column("A1", "$"),
}


class FeedForm(FeedModelForm):
    """A feed's own fields; the columns are checked by their form set."""

    class Meta:
        model = Feed
        fields = (
            *("name", "is_enabled", "sheet", "subscription", "write"),
            *("records", "filter", "event_time", "policy", "stale_after_seconds"),
        )
        widgets = {"filter": forms.Textarea(attrs={"rows": 2, "cols": 80})}

    def clean_subscription(self) -> str:
        name: str = self.cleaned_data["subscription"].strip()
        try:
            check_subscription_name(subscription_path(name))
        except PubsubSetupError as error:
            raise forms.ValidationError(str(error)) from error
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        write = cleaned.get("write", FeedWrite.UPSERT)
        texts = {name: cleaned.get(name, "") for name in ("records", "filter", "event_time")}
        try:
            Mapping(FeedSpec(0, "", "", (_ANY_COLUMN[FeedWrite(write)],), write, **texts))
        except InvalidMapping as error:
            self.add_error(error.field, str(error))
        return cleaned


class ColumnFormSet(ColumnFormSetBase):
    """The lines of a mapping, which have to work together."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        filled = [form for form in self.forms if form.cleaned_data]
        lines = [form for form in filled if not form.cleaned_data.get("DELETE")]
        names = ("target", "source", "is_key")
        columns = tuple(Column(*map(form.cleaned_data.__getitem__, names)) for form in lines)
        write = self.instance.write
        if write not in FeedWrite.values:
            return  # the feed's own form says so
        try:
            Mapping(FeedSpec(0, "", "", columns, write))
        except InvalidMapping as error:
            if error.column is None:
                raise forms.ValidationError(str(error)) from error
            lines[error.column].add_error(error.field, str(error))


class ColumnInline(ColumnTabularInline):
    """What of a record goes where."""

    model = FeedColumn
    formset = ColumnFormSet
    extra = 3
    verbose_name_plural = "Mapping"


class TrialForm(forms.Form):
    """A sample message, pasted."""

    sample = forms.CharField(
        label="Data",
        max_length=MAX_SAMPLE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 10, "cols": 90, "spellcheck": "false"}),
    )
    attributes = forms.CharField(
        label="Attributes, a JSON object of texts",
        required=False,
        initial="{}",
        widget=forms.TextInput(attrs={"size": 90}),
    )

    def clean_attributes(self) -> dict[str, str]:
        return parse_attributes(self.cleaned_data["attributes"])


@admin.register(Feed)
class FeedAdmin(ModelAdmin[Feed]):
    """The list of feeds, a page for each, and its dry run."""

    form = FeedForm
    inlines = (ColumnInline,)
    autocomplete_fields = ("sheet",)
    list_display = (
        *("name", "is_enabled", "in_sheet", "subscription", "policy", "last_message_at"),
        *("messages", "edits", "waiting", "trouble"),
    )
    list_filter = ("is_enabled",)
    search_fields = ("name", "subscription", "sheet__slug")
    change_form_template = "admin/cells/feed/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feed]:
        waiting = Count("dead_letters", filter=Q(dead_letters__outcome=""))
        return super().get_queryset(request).select_related("sheet").annotate(waiting=waiting)

    def get_readonly_fields(self, request: HttpRequest, obj: Feed | None = None) -> tuple[str, ...]:
        facts = ("last_message_at", "messages", "edits", "waiting", "trouble")
        return () if obj is None else facts

    @admin.display(description="sheet")
    def in_sheet(self, obj: Feed) -> SafeString:
        return link_to(obj.sheet)

    @admin.display(description="dead letters that wait")
    def waiting(self, obj: Feed) -> SafeString | str:
        count: int = getattr(obj, "waiting", 0)
        if not count:
            return "0"
        url = reverse("admin:cells_deadletter_changelist")
        return format_html('<a href="{}?feed={}">{}</a>', url, obj.pk, f"{count:,}")

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        """Write what the form changed and nothing else: listeners count while a person types."""
        form.facts_before = facts_of(Feed.objects.get(pk=obj.pk)) if change else None
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        note_feed(form.instance, form.facts_before, actor_of(request, Place.ADMIN))
        forget_feeds()
        missing = _missing_headers(form.instance)
        if missing:
            names = ", ".join(f"“{name}”" for name in missing)
            messages.warning(
                request,
                f"Row 1 of {form.instance.sheet.slug} has no header {names} yet: until it has, "
                "messages for it become dead letters.",
            )

    def delete_model(self, request: HttpRequest, obj: Feed) -> None:
        note_deleted(obj, actor_of(request, Place.ADMIN))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        with transaction.atomic():
            for feed in queryset:
                self.delete_model(request, feed)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("<int:feed_id>/try/", view, name="cells_feed_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest, feed_id: int) -> HttpResponse:
        """Show what the saved feed would make of a message that is pasted, or pulled."""
        feed = self.get_object(request, str(feed_id))
        if feed is None:
            raise Http404
        if not self.has_change_permission(request, feed):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Try {feed.name}",
            "opts": self.opts,
            "original": feed,
            "form": TrialForm(),
        }
        if request.method == "POST" and "pull" in request.POST:
            context["form"] = _pulled_form(request, feed)
        elif request.method == "POST":
            form = context["form"] = TrialForm(request.POST)
            if form.is_valid():
                context["trial"] = _try(request, feed, form.cleaned_data)
        return TemplateResponse(request, "admin/cells/feed/try.html", context)


def _pulled_form(request: HttpRequest, feed: Feed) -> TrialForm:
    """Return the form with a message of the subscription's own, which stays there."""
    # Google's client takes 50 MB: only a process in which somebody asks for a sample pays.
    from cells.streams.samples import pull_sample

    try:
        message = pull_sample(subscription_path(feed.subscription))
    except PubsubSetupError as error:
        messages.error(request, str(error))
        return TrialForm()
    if message is None:
        messages.warning(request, "The subscription has no message now. Paste one instead.")
        return TrialForm()
    messages.success(
        request, "This message waits in the subscription, and still does. Look at it, then try it."
    )
    return TrialForm(
        initial={
            "sample": readable(message.data),
            "attributes": as_json(message.attributes),
        }
    )


def _try(request: HttpRequest, feed: Feed, sample: dict[str, Any]) -> object:
    subscription = subscription_path(feed.subscription)
    message = Message(
        topic="",
        subscription=subscription,
        message_id="",
        published_at=now().astimezone(UTC),
        data=sample["sample"].encode(errors="surrogatepass"),
        attributes=sample["attributes"],
    )
    try:
        return try_message(Mapping(spec_of(feed)), message)
    except InvalidMapping as error:
        messages.error(request, f"The mapping cannot work: {error.field}: {error}")
    except DatabaseError:
        messages.error(request, "Nothing was tried: the database does not answer. Try again.")
    return None


def _missing_headers(feed: Feed) -> list[str]:
    """Return the targets that row 1 of the sheet does not have."""
    if feed.write == FeedWrite.CELLS:
        return []
    (texts,) = read_window(feed.sheet, 0, 0, 1, 16_384).texts or [[]]
    return [column.target for column in feed.columns.all() if column.target not in texts]
