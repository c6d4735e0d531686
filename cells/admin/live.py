"""Live sheets in the admin: which are open, who is in them, where, and what the streams do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from cells.admin.bounded import ReadOnlyAdmin
from cells.models import Calculation, Feed, ListenerBeat, ProcessBeat, Publication, Sheet
from cells.services.beats import FRESH_SECONDS
from cells.services.process_beats import (
    BEAT_SECONDS,
    Process,
    living_processes,
    missed_processes,
)

MAX_LISTED = 100  # of everything on the page
MAX_NAMED = 20  # of the people on a sheet


@dataclass(slots=True)
class OpenSheet:
    """A sheet that people have open, in all processes together."""

    sheet: Sheet
    sockets: int = 0
    people: int = 0
    backlog_bytes: int = 0
    names: dict[str, None] = field(default_factory=dict)  # in order, each once
    processes: list[str] = field(default_factory=list)

    @property
    def named(self) -> list[str]:
        return list(self.names)[:MAX_NAMED]

    @property
    def unnamed(self) -> int:
        return max(self.people - len(self.named), 0)


@admin.register(ProcessBeat)
class ProcessBeatAdmin(ReadOnlyAdmin[ProcessBeat]):
    """One page instead of a list; what it shows is a few seconds old."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        processes = living_processes()
        sheets = open_sheets(processes)
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": "Live sheets",
            "opts": self.opts,
            "beat_seconds": BEAT_SECONDS,
            "sheets": sheets[:MAX_LISTED],
            "more_sheets": max(len(sheets) - MAX_LISTED, 0),
            "processes": [(one.beat, one.told) for one in processes],
            "missed": missed_processes(),
            "listeners": [(beat, _hears(beat, now)) for beat in ListenerBeat.objects.all()],
            "feeds": Feed.objects.select_related("sheet")[:MAX_LISTED],
            "publications": _publications()[:MAX_LISTED],
            "calculated": _calculations().count(),
            "behind": _calculations().exclude(revision=F("sheet__head")).count(),
            "failing": _calculations().exclude(problem="")[:MAX_LISTED],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/cells/processbeat/change_list.html", context)


def open_sheets(processes: Iterable[Process]) -> list[OpenSheet]:
    """Put together what all processes tell of each sheet; the most crowded come first."""
    told: dict[int, list[tuple[str, Any]]] = {}
    for process in processes:
        for one in process.told.live.busiest:
            told.setdefault(one.sheet_id, []).append((process.beat.name, one))
    found = []
    for sheet in _sheets(list(told)):
        opened = OpenSheet(sheet)
        for process_name, one in told[sheet.pk]:
            opened.sockets += one.sockets
            opened.people += one.people  # who has it open in two processes counts in both
            opened.backlog_bytes += one.backlog_bytes
            opened.names |= dict.fromkeys(one.names)
            opened.processes.append(f"{process_name} ({one.sockets})")
        found.append(opened)
    return sorted(found, key=lambda one: (-one.sockets, one.sheet.slug))


def _sheets(ids: Sequence[int]) -> Iterable[Sheet]:
    return Sheet.objects.filter(pk__in=ids).only("pk", "slug", "title", "head")


def _publications() -> QuerySet[Publication]:
    found = Publication.objects.filter(sheet__deleted_at=None).select_related("sheet")
    return found.defer("sheet__rows", "sheet__columns")


def _calculations() -> QuerySet[Calculation]:
    found = Calculation.objects.filter(sheet__deleted_at=None).select_related("sheet")
    return found.defer("sheet__rows", "sheet__columns", "left_out")


def _hears(beat: ListenerBeat, now: datetime) -> bool:
    return (now - beat.beat_at).total_seconds() < FRESH_SECONDS and not beat.trouble
