"""History: a sheet's log, its time line, a cell's changes, and the way back."""

from contextlib import ExitStack
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Query
from pydantic import Field, WithJsonSchema

from cells.api.callers import caller_of
from cells.api.found import find_sheet
from cells.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, RequestBody, answers
from cells.api.writing import IdempotencyKey, IfMatch, Written, write
from cells.domain.addresses import parse_address, parse_range
from cells.domain.errors import Malformed
from cells.domain.operations import MAX_REVISION, RestoreTo
from cells.domain.references import Axes, is_formula, to_shown
from cells.models import Role, Sheet
from cells.services.authors import file_of, source_of
from cells.services.cell_history import CHANGES_PER_PAGE, ChangeSource, read_changes_of
from cells.services.cell_index import fill_index
from cells.services.log import LINES_PER_PAGE, read_log
from cells.services.ranges import read_axes
from cells.services.timeline import ENTRIES_PER_PAGE, read_timeline
from cells.services.work_turns import reading_turn

router = Router(tags=["History"])

Before = Annotated[
    int | None,
    Query(ge=1, le=MAX_REVISION),
    # An address cannot say null: what may be left out is a number where it is there.
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_REVISION}),
]


class LogLine(Schema):
    """One edit: who, when and, in a sentence, what."""

    revision: int
    author: str
    kind: str = Field(description="user, guest, stream, api, admin or calculator")
    what: str = Field(description="In English, in the addresses that the sheet has now.")
    committed_at: datetime


class LogRead(Schema):
    """A page of the log, the newest edit first."""

    revisions: list[LogLine]
    older: int | None = Field(description="What `before` is to be for older ones; null: none.")


def _sheet_with_past(request: HttpRequest, slug: str) -> Sheet:
    """Return a sheet whose past the caller may read: a cleaned sheet is shown without it."""
    to = "read the history of"
    return find_sheet(caller_of(request), slug, at_least=Role.EDITOR, to=to).sheet


@router.get("/sheets/{slug}/revisions", response=answers(200, LogRead, READ_PROBLEMS))
def read_revisions(
    request: HttpRequest,
    slug: str,
    before: Before = None,
) -> Any:
    sheet = _sheet_with_past(request, slug)
    page = read_log(sheet, before=before)
    return {
        "revisions": [
            {
                "revision": line.number,
                "author": line.who,
                "kind": line.kind,
                "what": line.what,
                "committed_at": line.committed_at,
            }
            for line in page.lines
        ],
        "older": page.older,
    }


read_revisions.__doc__ = (
    f"""The log, {LINES_PER_PAGE} edits a page, the newest first. For editors."""
)


class TimelineEntry(Schema):
    """Edits without a pause between them, by people who worked at the same time."""

    first: int
    last: int = Field(description="What the sheet was at the end of it: the revision to restore.")
    started_at: datetime
    ended_at: datetime
    authors: list[str]
    operations: int
    name: str | None = Field(description="Of its last revision, where somebody gave it one.")


class TimelineRead(Schema):
    """A page of the time line, the newest entry first."""

    entries: list[TimelineEntry]
    older: int | None = Field(description="What `before` is to be for older ones; null: none.")
    oldest: int = Field(description="The oldest revision that can be restored, but for named ones.")


@router.get("/sheets/{slug}/timeline", response=answers(200, TimelineRead, READ_PROBLEMS))
def read_time_line(request: HttpRequest, slug: str, before: Before = None) -> Any:
    page = read_timeline(_sheet_with_past(request, slug), before)
    entries = [
        {
            "first": entry.first,
            "last": entry.last,
            "started_at": entry.started_at,
            "ended_at": entry.ended_at,
            "authors": [who.name for who in entry.authors],
            "operations": entry.operations,
            "name": entry.name,
        }
        for entry in page.entries
    ]
    return {"entries": entries, "older": page.before, "oldest": page.oldest}


read_time_line.__doc__ = (
    f"""Who was at work and when, {ENTRIES_PER_PAGE} entries a page. For editors."""
)


class CellChangeRead(Schema):
    """One change of a cell's input or looks."""

    revision: int
    author: str
    source: str = Field(description="user, guest, stream, api, admin or import")
    origin: str = Field(
        description="Of a stream the subscription and the message's id, of an import its file."
    )
    kind: str = Field(description="What was done: set_cells, reorder_cells, undo, restore, …")
    old: str | None = Field(description="The input before; null where looks alone were changed.")
    new: str | None = Field(description="The input since; formulas in the addresses of now.")
    committed_at: datetime


class CellChangesRead(Schema):
    """A page of a cell's changes, the newest first."""

    changes: list[CellChangeRead]
    older: int | None = Field(description="What `before` is to be for older ones; null: none.")
    is_complete: bool = Field(
        description="False while a long log is being read for the first time: ask again."
    )


@router.get("/sheets/{slug}/cells/changes", response=answers(200, CellChangesRead, READ_PROBLEMS))
def read_cell_changes(
    request: HttpRequest,
    slug: str,
    address: Annotated[str, Query(description="Of one cell, such as B2.", max_length=16)],
    source: ChangeSource | None = None,
    before: Before = None,
) -> Any:
    sheet = _sheet_with_past(request, slug)
    row, column = parse_address(address)
    axes = read_axes(sheet.pk)
    key = axes.rows.id_at(row), axes.columns.id_at(column)
    if not fill_index(sheet.pk).is_done:
        return {"changes": [], "older": None, "is_complete": False}
    page = read_changes_of(sheet.pk, key, source=source, before=before)
    changes = [
        {
            "revision": change.revision,
            "author": change.author_name,
            "source": (source_ := source_of(change.author_kind, change.origin)),
            "origin": _told_origin(source_, change.origin),
            "kind": change.kind,
            "old": _shown(change.old.input, axes),
            "new": _shown(change.new.input, axes),
            "committed_at": change.committed_at,
        }
        for change in page.changes
    ]
    return {"changes": changes, "older": page.before, "is_complete": True}


read_cell_changes.__doc__ = (
    f"""Who changed a cell, {CHANGES_PER_PAGE} changes a page. For editors."""
)


def _told_origin(source: str, origin: str) -> str:
    match source:
        case "stream":
            return origin
        case "import":
            return file_of(origin)
        case _:
            return ""


def _shown(text: str | None, axes: Axes) -> str | None:
    return to_shown(text, axes) if text is not None and is_formula(text) else text


def _corners(sheet: Sheet, text: str) -> tuple[int, int, int, int]:
    """Return the ids of a range's corners. Raises InvalidAddress; UnknownId beyond the sheet."""
    range_ = parse_range(text)
    axes = read_axes(sheet.pk)
    return (
        axes.rows.id_at(range_.top),
        axes.columns.id_at(range_.left),
        axes.rows.id_at(range_.bottom),
        axes.columns.id_at(range_.right),
    )


class Restoration(RequestBody):
    """The revision that the sheet, or a range of it, is to be again."""

    revision: int = Field(ge=0, le=MAX_REVISION)
    range: str | None = Field(
        None,
        max_length=32,
        description="That alone, such as A1:C9, as the sheet stands now; null: the whole sheet.",
    )


@router.post(
    "/sheets/{slug}/restore",
    response=answers(200, Written, (*WRITE_PROBLEMS, 410)),
    summary="Restore a revision",
)
def restore(
    request: HttpRequest,
    slug: str,
    body: Restoration,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Make the whole sheet what it was at a revision, or a range of it, as a new one.

    Of a range the cells come back; rows and columns stay as they are.
    """
    with ExitStack() as turn:

        def make(sheet: Sheet) -> RestoreTo:
            if body.revision > sheet.head:
                raise Malformed(
                    f"the sheet is at revision {sheet.head:,}; there is no revision "
                    f"{body.revision:,} yet"
                )
            corners = None if body.range is None else _corners(sheet, body.range)
            turn.enter_context(reading_turn())  # until it is committed
            return RestoreTo(body.revision, corners)

        return write(request, slug, make, key=idempotency_key, if_match=if_match)
