"""Dead letters: stream messages that could not become edits, with their bytes made readable."""

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from cells.admin.bounded import ReadOnlyAdmin, in_box, json_in_box
from cells.models import DeadLetter

MAX_DECODED_BYTES = 16_000  # each may become four characters; a message may have 10 MB


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    """Dead letters, the newest first."""

    list_display = ("received_at", "reason", "detail_start", "ordering_key", "message_id")
    ordering = ("-pk",)
    fields = (
        "reason",
        "detail",
        "readable_data",
        "readable_attributes",
        "ordering_key",
        "subscription",
        "message_id",
        "delivery_attempt",
        "published_at",
        "received_at",
    )
    search_help_text = (
        "A message id; of another subscription than this server's: its full name and the id"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return super().get_queryset(request).defer("data")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        project, name = settings.PUBSUB_PROJECT, settings.PUBSUB_SUBSCRIPTION
        subscription = words[0] if len(words) > 1 else f"projects/{project}/subscriptions/{name}"
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


def readable(data: bytes) -> str:
    r"""Return bytes as text; what is not UTF-8, or would act instead of show, as `\xff`.

    That includes marks that turn the direction of writing: they make a text look like another.
    """
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode()
        for sign in data.decode(errors="backslashreplace")
    )
