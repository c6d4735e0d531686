"""The listeners as they are now, and what feeds propose where people have edited: read-only."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from cells.admin.bounded import ReadOnlyAdmin, link_to
from cells.models import ListenerBeat, Proposal
from cells.services.beats import FRESH_SECONDS
from cells.services.log import Describer


@admin.register(ListenerBeat)
class ListenerBeatAdmin(ReadOnlyAdmin[ListenerBeat]):
    """Listeners that live, and those that were killed within the last day."""

    list_display = (
        *("name", "hears", "subscription", "lag_seconds", "messages", "edits", "repeated"),
        *("skipped", "dead", "started_at", "beat_at", "trouble"),
    )

    @admin.display(boolean=True)
    def hears(self, obj: ListenerBeat) -> bool:
        age = (timezone.now() - obj.beat_at).total_seconds()
        return age < FRESH_SECONDS and not obj.trouble


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin[Proposal]):
    """What streams would have written; the sheet's own page is where people accept it."""

    list_display = ("cell", "in_sheet", "input", "feed", "proposed_at")
    list_select_related = ("feed", "sheet")
    list_filter = ("feed",)
    ordering = ("-pk",)

    @admin.display(description="cell")
    def cell(self, obj: Proposal) -> str:
        return Describer(obj.sheet).address(obj.row, obj.column)

    @admin.display(description="sheet")
    def in_sheet(self, obj: Proposal) -> SafeString:
        return link_to(obj.sheet)
