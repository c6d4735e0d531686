"""Export: a sheet as a file, in one moment."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from ninja.params.functions import Header, Query

from cells.api.callers import actor_of_call, caller_of
from cells.api.cells import CACHING
from cells.api.found import find_sheet
from cells.api.interface import is_head
from cells.api.problems import READ_PROBLEMS, answers
from cells.api.writing import etag_of, has_etag
from cells.attachments import CSV, XLSX, Attachment, csv_attachment, xlsx_attachment
from cells.models import Sheet
from cells.services.ranges import read_head

router = Router(tags=["Files"])

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=1000)]


def _file(media_type: str) -> dict[str, Any]:
    """Return what the description says of an answer that is a file."""
    schema = {"type": "string", "format": "binary"}
    return {"responses": {200: {"content": {media_type: {"schema": schema}}}}}


@router.get(
    "/sheets/{slug}/export.csv",
    response={**answers(200, None, READ_PROBLEMS), 304: None},
    summary="Export as CSV",
    openapi_extra=_file(CSV),
)
def export_csv(
    request: HttpRequest,
    slug: str,
    formulas: Annotated[bool, Query()] = False,
    if_none_match: IfNoneMatch = None,
) -> Any:
    """UTF-8 with a byte order mark, commas; formulas as what they come to, nothing as a formula.

    With `formulas` everything is as it reads: formulas as formulas, and nothing defused.
    """
    sheet = find_sheet(caller_of(request), slug).sheet
    found = _known(request, sheet, if_none_match)
    return found or _answer(
        csv_attachment(request, sheet, actor_of_call(request), formulas=formulas)
    )


@router.get(
    "/sheets/{slug}/export.xlsx",
    response={**answers(200, None, READ_PROBLEMS), 304: None},
    summary="Export as XLSX",
    openapi_extra=_file(XLSX),
)
def export_xlsx(request: HttpRequest, slug: str, if_none_match: IfNoneMatch = None) -> Any:
    """Formulas with their values, looks, widths, and what is frozen."""
    sheet = find_sheet(caller_of(request), slug).sheet
    return _known(request, sheet, if_none_match) or _answer(
        xlsx_attachment(request, sheet, actor_of_call(request))
    )


def _known(request: HttpRequest, sheet: Sheet, if_none_match: str | None) -> HttpResponse | None:
    """Return the answer that needs no file: the caller has it, or wants no body."""
    if if_none_match is None and not is_head(request):
        return None
    head = read_head(sheet.pk)
    is_same = has_etag(if_none_match, head)
    if not is_same and not is_head(request):
        return None
    headers = {"ETag": etag_of(head), **CACHING}
    return HttpResponse(status=304 if is_same else 200, headers=headers)


def _answer(attachment: Attachment) -> HttpResponseBase:
    response, revision = attachment
    for name, value in {"ETag": etag_of(revision), **CACHING}.items():
        response.headers[name] = value
    return response
