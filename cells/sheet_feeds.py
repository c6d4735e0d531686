"""What a sheet's page asks about its streams, again and again: small answers in JSON.

For whoever may open the sheet; a proposal is dismissed by who may edit it.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cells.domain.errors import (
    Forbidden,
    InvalidText,
    LimitExceeded,
    Malformed,
    NoSuchSheet,
    Protected,
    SheetSyncError,
)
from cells.domain.operations import check_text
from cells.models import Role, Sheet
from cells.services.access import Admission, admit
from cells.services.feed_status import (
    dismiss_proposal,
    read_feeds,
    read_owned,
    read_proposals,
)
from cells.services.guarding import require_cell
from cells.services.read import living_now

MAX_ROWS = 200  # a screen's

_STATUSES = {
    Malformed.code: 400,
    LimitExceeded.code: 400,
    InvalidText.code: 400,
    Forbidden.code: 403,
    Protected.code: 403,
    NoSuchSheet.code: 404,
}

# Ids from the first to the last; they are 32-bit in the database.
_SPAN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})", re.ASCII)


_Id = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class _Dismissal(msgspec.Struct):
    row: _Id
    column: _Id
    input: str


_dismissals = msgspec.json.Decoder(_Dismissal)

Answer = Callable[[HttpRequest, Admission], HttpResponse]


def _for_visitors(answer: Answer) -> Callable[[HttpRequest, str], HttpResponse]:
    """Let in whom the sheet's page lets in, and answer refusals."""

    @wraps(answer)
    def view(request: HttpRequest, slug: str) -> HttpResponse:
        try:
            return answer(request, admit(slug, request.user))
        except SheetSyncError as refusal:
            body = {"code": refusal.code, "message": str(refusal)}
            return JsonResponse(body, status=_STATUSES[refusal.code])

    return view


@require_safe
@never_cache
@_for_visitors
def show(request: HttpRequest, admission: Admission) -> HttpResponse:
    """Answer with the enabled feeds, and with what they propose."""
    feeds = [
        {
            "name": feed.name,
            "columns": feed.columns,
            "is_stale": feed.is_stale,
            "seconds": feed.seconds,
            "trouble": feed.has_trouble,
            "policy": feed.policy,
        }
        for feed in read_feeds(admission.sheet_id)
    ]
    proposals = read_proposals(admission.sheet_id) if feeds else []
    if proposals and admission.role == Role.VIEWER:
        is_living = living_now(admission.sheet_id)
        proposals = [one for one in proposals if is_living(one.row, one.column)]
    return JsonResponse({"feeds": feeds, "proposals": proposals})


@require_safe
@never_cache
@_for_visitors
def show_owned(request: HttpRequest, admission: Admission) -> HttpResponse:
    """Answer with the cells that streams wrote last: `?rows=0-39&rows=70-72&columns=0-25`."""
    rows = _rows_of(request.GET)
    columns = _span_of(request.GET.get("columns", ""))
    return JsonResponse({"owned": read_owned(admission.sheet_id, rows, columns)})


@require_POST
@never_cache
@_for_visitors
def dismiss(request: HttpRequest, admission: Admission) -> HttpResponse:
    """Take back what a stream proposes: `{"row", "column", "input"}`, by ids."""
    if admission.role == Role.VIEWER:
        raise Forbidden("you can look at this sheet, not change it; ask its owner")
    try:
        asked = _dismissals.decode(request.body)
    except msgspec.MsgspecError as error:
        raise Malformed(f'send {{"row", "column", "input"}} in JSON: {error}') from error
    check_text(asked.input)
    # It is taken from who may edit the cell, and would have taken it in.
    sheet = Sheet.objects.only("owner_id").get(pk=admission.sheet_id)
    require_cell(sheet, request.user.pk, asked.row, asked.column)
    is_gone = dismiss_proposal(admission.sheet_id, asked.row, asked.column, asked.input)
    return JsonResponse({"dismissed": is_gone})


def _rows_of(query: QueryDict) -> set[int]:
    """Return the row ids that are asked about. Raises Malformed or LimitExceeded."""
    rows: set[int] = set()
    for text in query.getlist("rows"):
        first, last = _span_of(text)
        if last - first >= MAX_ROWS or len(rows) + last - first >= MAX_ROWS:
            raise LimitExceeded(f"ask about {MAX_ROWS} rows at the most")
        rows.update(range(first, last + 1))
    return rows


def _span_of(text: str) -> tuple[int, int]:
    """Return the first and the last id of a span. Raises Malformed."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise Malformed("rows and columns are ids from the first to the last, such as 0-25")
    return int(found[1]), int(found[2])
