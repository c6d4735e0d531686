"""Histories: of a cell, and of a sheet; what a sheet was, and names for its versions.

Small answers in JSON for the sheet's page, and a past sheet as lines of JSON. For whoever may edit
the sheet: what was cleaned away before it was shared is not for those who may only look.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import islice
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cells import protocol
from cells.domain.errors import (
    Forbidden,
    InvalidText,
    KeptByName,
    LimitExceeded,
    Malformed,
    NoSuchSheet,
    Outdated,
    OwnerOnly,
    Pruned,
    SheetSyncError,
    Unavailable,
)
from cells.domain.layout import CellId
from cells.domain.operations import MAX_ID, MAX_REVISION
from cells.models import AuthorKind, Role, Sheet
from cells.sending import BYTES_IN_MEMORY, send_file
from cells.services.access import Admission, admit
from cells.services.audit import actor_of
from cells.services.authors import MAX_NAME_CHARACTERS, Author, file_of, source_of
from cells.services.cell_history import Change, ChangeSource, Content, read_changes_of
from cells.services.cell_index import fill_index
from cells.services.guests import color_of, colors_apart, guest_name
from cells.services.past_states import reach_of, read_touched
from cells.services.read import one_state
from cells.services.timeline import TimelinePage, Who, read_authors, read_steps, read_timeline
from cells.services.versions import name_version, read_version
from cells.services.work_turns import reading_turn

MAX_CHANGED = 10_000  # cells that a preview marks; more are only counted
NDJSON = "application/x-ndjson"

_STATUSES = {
    Malformed.code: 400,
    LimitExceeded.code: 400,
    InvalidText.code: 400,
    Forbidden.code: 403,
    NoSuchSheet.code: 404,
    Outdated.code: 404,
    OwnerOnly.code: 403,
    KeptByName.code: 409,
    Pruned.code: 410,
    Unavailable.code: 503,
}
RETRY_SECONDS = 5  # until a turn may be free

Answer = Callable[..., HttpResponseBase]


def _for_editors(answer: Answer) -> Callable[..., HttpResponseBase]:
    """Let in who may edit the sheet, and answer refusals."""

    @wraps(answer)
    def view(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        try:
            admission = admit(slug, request.user)
            if admission.role == Role.VIEWER:
                raise Forbidden("the history is for those who may edit this sheet; ask its owner")
            if kwargs.get("revision", 0) > MAX_REVISION:
                raise Outdated("there is no such revision yet")
            return answer(request, admission, **kwargs)
        except SheetSyncError as refusal:
            body = {"code": refusal.code, "message": str(refusal)}
            response = JsonResponse(body, status=_STATUSES[refusal.code])
            if isinstance(refusal, Unavailable):
                response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response

    return view


@require_safe
@never_cache
@_for_editors
def show_cell(request: HttpRequest, admission: Admission) -> HttpResponse:
    """Answer with a page of what changed a cell: `?row=&column=`, by ids."""
    key = _number(request, "row", MAX_ID), _number(request, "column", MAX_ID)
    if key[0] is None or key[1] is None:
        raise Malformed("name a cell by its ids: ?row=0&column=0")
    source = _source(request.GET.get("source", ""))
    progress = fill_index(admission.sheet_id)
    body: dict[str, Any] = {"changes": [], "before": None}
    if progress.is_done:
        page = read_changes_of(
            admission.sheet_id,
            (key[0], key[1]),
            source=source,
            before=_number(request, "before"),
        )
        body = {"changes": list(map(_change_to_json, page.changes)), "before": page.before}
    else:
        body["indexing"] = {"through": progress.through, "head": progress.head}
    return _json(body)


@require_safe
@never_cache
@_for_editors
def show_timeline(request: HttpRequest, admission: Admission) -> HttpResponse:
    """Answer with a page of the time line, the newest entries first.

    With `?first=&last=` the edits between them are told one by one.
    """
    sheet = Sheet.objects.get(pk=admission.sheet_id)
    page = _steps(request, sheet) or read_timeline(sheet, _number(request, "before"))
    entries = [
        {
            "first": entry.first,
            "last": entry.last,
            "started_at": entry.started_at,
            "ended_at": entry.ended_at,
            "authors": [_who_to_json(who) for who in entry.authors],
            "operations": entry.operations,
            "name": entry.name,
        }
        for entry in page.entries
    ]
    return _json(
        {"entries": entries, "before": page.before, "oldest": page.oldest, "head": sheet.head}
    )


def _steps(request: HttpRequest, sheet: Sheet) -> TimelinePage | None:
    first, last = _number(request, "first"), _number(request, "last")
    if first is None and last is None:
        return None
    if first is None or last is None or first > last:
        raise Malformed("name the first and the last revision: ?first=1&last=9")
    return read_steps(sheet, first, last)


@require_safe
@never_cache
@_for_editors
def show_revision(request: HttpRequest, admission: Admission, *, revision: int) -> HttpResponseBase:
    """Answer with the sheet as its readers saw it: lines of JSON.

    First what has changed since `?since=`, then the frames of a first load. They are written down
    before they are sent, like a download.
    """
    since = _number(request, "since")
    file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        with reading_turn():
            for line in _lines(admission.sheet_id, revision, since):
                file.write(line + b"\n")
    except BaseException:
        file.close()
        raise
    return send_file(request, file, NDJSON)


def _lines(sheet_id: int, revision: int, since: int | None) -> Iterator[bytes]:
    with one_state() as cursor:
        deltas = read_version(cursor, sheet_id, revision)
        first = next(deltas)  # what is not kept is refused ahead of what has changed
        head: dict[str, Any] = {"revision": revision}
        if since is not None and since > revision:
            raise Malformed("since must not be behind the revision")
        if since is not None and since >= reach_of(sheet_id, revision):
            head["since"] = since
            head |= _changed_to_json(sheet_id, read_touched(sheet_id, since, revision))
        yield msgspec.json.encode(head)
        yield protocol.encode_delta(first)
        for delta in deltas:
            yield protocol.encode_delta(delta)


def _changed_to_json(sheet_id: int, touched: Mapping[CellId, int]) -> dict[str, Any]:
    """Name each cell's last author by the place among the authors, who differ in their colours."""
    marked = dict(islice(touched.items(), MAX_CHANGED))
    made_by = read_authors(sheet_id, set(marked.values()))
    places: dict[Who, int] = {}
    changed = [
        (*key, places.setdefault(made_by[number], len(places))) for key, number in marked.items()
    ]
    authors = [_who_to_json(who) for who in places]
    for author, color in zip(authors, colors_apart([a.get("color") for a in authors]), strict=True):
        author["color"] = color
    return {"changed": changed, "changed_count": len(touched), "authors": authors}


@require_POST
@never_cache
@_for_editors
def give_name(request: HttpRequest, admission: Admission, *, revision: int) -> HttpResponse:
    """Give a revision the name in `name`; an empty one takes it away.

    With `gone=1` the owner takes it from a version that nothing else keeps.
    """
    sheet = Sheet.objects.get(pk=admission.sheet_id)
    author = _author(request)
    name = name_version(
        sheet,
        revision,
        request.POST.get("name", ""),
        author,
        is_owner=admission.role == Role.OWNER,
        may_be_gone=request.POST.get("gone") == "1",
        by=actor_of(request, name=author.name),
    )
    return _json({"revision": revision, "name": name or None})


def _author(request: HttpRequest) -> Author:
    user = request.user
    if not user.is_authenticated:
        name = request.session.get("guest_name") or guest_name(request.session.session_key or "")
        return Author(AuthorKind.GUEST, name)
    name = user.get_full_name() or user.get_username()
    return Author(AuthorKind.USER, name[:MAX_NAME_CHARACTERS], user.pk)


def _change_to_json(change: Change) -> dict[str, Any]:
    kind = source_of(change.author_kind, change.origin)
    return {
        "revision": change.revision,
        "at": change.committed_at,
        "author": _who_to_json(Who(kind, change.author_name, change.user_id)),
        "source": _source_to_json(change),
        "kind": change.kind,
        "old": _content_to_json(change.old),
        "new": _content_to_json(change.new),
    }


def _who_to_json(who: Who) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": who.kind, "name": who.name}
    if who.kind == AuthorKind.USER and who.user_id is not None:
        body["color"] = color_of(f"user {who.user_id}")  # as their cursor has it
    return body


def _source_to_json(change: Change) -> dict[str, Any] | None:
    if change.author_kind == AuthorKind.STREAM:
        subscription, _, message_id = change.origin.rpartition("/")
        return {
            "subscription": subscription,
            "message_id": message_id,
            "published_at": change.published_at,
        }
    if source_of(change.author_kind, change.origin) == "import":
        return {"file": file_of(change.origin)}
    return None


def _content_to_json(content: Content) -> dict[str, Any]:
    """Leave out what the change is not about."""
    return {name: value for name, value in content._asdict().items() if value is not None}


def _json(body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def _source(text: str) -> ChangeSource | None:
    if not text:
        return None
    try:
        return ChangeSource(text)
    except ValueError:
        raise Malformed(f"source must be one of {', '.join(ChangeSource)}") from None


def _number(request: HttpRequest, name: str, most: int = MAX_REVISION) -> int | None:
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= most):
        raise Malformed(f"{name} must be a whole number from 0 to {most:,}")
    return int(text)
