"""The dead-letter inbox: what became no edit, made readable, mended, replayed or discarded."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.http import require_POST

from cells.admin.bounded import ReadOnlyAdmin, in_box, json_in_box
from cells.admin.samples import as_json, parse_attributes, readable
from cells.models import DeadLetter, DeadLetterOutcome
from cells.services.audit import Place, actor_of
from cells.streams.names import subscription_path
from cells.streams.replaying import discard, replay

MAX_DECODED_BYTES = 16_000  # each may become four characters; a message may have 10 MB
MAX_EDITED_BYTES = 100_000  # more than a person mends in a box
MAX_AT_ONCE = 1_000  # of an action: a page that answers within seconds


class OutcomeFilter(admin.SimpleListFilter):
    """What waits, unless something else is asked for."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in DeadLetterOutcome.choices]

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        yield {**first, "display": "Waiting"}
        yield from rest

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        return queryset.filter(outcome=self.value() or "")


class MendForm(forms.Form):
    """A letter's bytes and attributes, as a person wants them to be read."""

    content = forms.CharField(
        label="Data",
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12, "cols": 90, "spellcheck": "false"}),
    )
    attributes = forms.CharField(
        label="Attributes, a JSON object of texts",
        required=False,
        widget=forms.TextInput(attrs={"size": 90}),
    )

    def clean_attributes(self) -> dict[str, str]:
        return parse_attributes(self.cleaned_data["attributes"])


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    """Dead letters, the newest first."""

    list_display = ("received_at", "reason", "detail_start", "feed", "ordering_key", "message_id")
    list_select_related = ("feed",)
    list_filter = (OutcomeFilter, "feed")
    ordering = ("-pk",)
    actions = ("replay_chosen", "discard_chosen")
    change_form_template = "admin/cells/deadletter/change_form.html"
    fields = (
        *("reason", "detail", "readable_data", "readable_attributes", "feed", "ordering_key"),
        *("subscription", "message_id", "delivery_attempt", "published_at", "received_at"),
        *("forwarded_at", "outcome", "settled_at", "settled_by"),
    )
    search_help_text = (
        "A message id; of another subscription than this server's: its name and the id"
    )

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("cells.change_deadletter")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return super().get_queryset(request).defer("data", "edited_data")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        name = words[0] if len(words) > 1 else settings.PUBSUB_SUBSCRIPTION
        subscription = subscription_path(name)
        return queryset.filter(subscription=subscription, message_id=words[-1]), False

    @admin.display(description="detail")
    def detail_start(self, obj: DeadLetter) -> str:
        return Truncator(obj.detail).chars(160)

    @admin.display(description="data")
    def readable_data(self, obj: DeadLetter) -> SafeString:
        data = bytes(obj.data)
        more = len(data) - MAX_DECODED_BYTES
        rest = f"\n… and {more:,} more bytes" if more > 0 else ""
        return in_box(readable(data[:MAX_DECODED_BYTES]) + rest)

    @admin.display(description="attributes")
    def readable_attributes(self, obj: DeadLetter) -> SafeString:
        return json_in_box(obj.attributes)

    @admin.action(description="Replay", permissions=["settle"])
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        _replay(request, queryset)

    @admin.action(description="Discard", permissions=["settle"])
    def discard_chosen(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        letters = list(queryset.select_related("feed__sheet")[:MAX_AT_ONCE])
        _say_settled(request, "Discarded", discard(letters, actor_of(request, Place.ADMIN)))

    def get_urls(self) -> list[URLPattern]:
        settle = require_POST(self.admin_site.admin_view(self.settle))
        return [
            path("<int:letter_id>/settle/", settle, name="cells_deadletter_settle"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        letter = self.get_object(request, object_id)
        if letter is not None and self.has_settle_permission(request) and not letter.outcome:
            extra_context = {
                **(extra_context or {}),
                "may_settle": True,
                "mend_form": _mend_form(letter),
            }
        return super().change_view(request, object_id, form_url, extra_context)

    def settle(self, request: HttpRequest, letter_id: int) -> HttpResponse:
        """Replay one letter, as it is or as it was mended, or discard it; go back to it."""
        letter = self.get_object(request, str(letter_id))
        if letter is None:
            raise Http404
        if not self.has_settle_permission(request):
            raise PermissionDenied
        if "discard" in request.POST:
            _say_settled(request, "Discarded", discard([letter], actor_of(request, Place.ADMIN)))
        elif _mend(request, letter):
            _replay(request, DeadLetter.objects.filter(pk=letter.pk))
        return redirect(reverse("admin:cells_deadletter_change", args=[letter_id]))


def _mend_form(letter: DeadLetter) -> MendForm | None:
    """Return a form with the letter's text; None for what is too long to be mended in a box."""
    data = bytes(letter.data if letter.edited_data is None else letter.edited_data)
    if len(data) > MAX_EDITED_BYTES:
        return None
    edited = letter.edited_attributes
    attributes = letter.attributes if edited is None else edited
    return MendForm(
        initial={"content": data.decode(errors="replace"), "attributes": as_json(attributes)}
    )


def _mend(request: HttpRequest, letter: DeadLetter) -> bool:
    """Keep what a person made of the letter, beside what came; say in a message what is wrong."""
    if "content" not in request.POST:
        return True  # too long to be shown: it is replayed as it is
    form = MendForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, f"Nothing was replayed. {' '.join(map(str, errors))}")
        return False
    # A browser sends line ends as CR LF; what was not touched must not change by that.
    text: str = form.cleaned_data["content"].replace("\r\n", "\n")
    came = bytes(letter.data).decode(errors="replace").replace("\r\n", "\n")
    attributes = form.cleaned_data["attributes"]
    letter.edited_data = None if text == came else text.encode(errors="surrogatepass")
    letter.edited_attributes = None if attributes == letter.attributes else attributes
    letter.save(update_fields=("edited_data", "edited_attributes"))
    return True


def _replay(request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
    chosen = queryset.defer(None).select_related("feed__sheet").order_by("published_at", "pk")
    try:
        done = replay(list(chosen[:MAX_AT_ONCE]), actor_of(request, Place.ADMIN))
    except DatabaseError:
        messages.error(request, "The database does not answer; what was replayed stays so. Again?")
        return
    if done.replayed:
        _say_settled(request, "Replayed", done.replayed)
    if done.dead:
        what = "letter is" if done.dead == 1 else "letters are"
        messages.warning(request, f"{done.dead:,} {what} dead still; the reason is in the detail.")


def _say_settled(request: HttpRequest, what: str, count: int) -> None:
    letters = "letter" if count == 1 else "letters"
    messages.success(request, f"{what} {count:,} {letters}.")
