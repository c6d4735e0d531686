"""History: a sheet's log, a page at a time."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Query
from pydantic import Field

from cells.api.callers import caller_of
from cells.api.found import find_sheet
from cells.api.problems import READ_PROBLEMS, answers
from cells.services.log import LINES_PER_PAGE, read_log

router = Router(tags=["History"])

MAX_REVISION = 2**63 - 1  # what the database's column holds


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


@router.get("/sheets/{slug}/revisions", response=answers(200, LogRead, READ_PROBLEMS))
def read_revisions(
    request: HttpRequest,
    slug: str,
    before: Annotated[int | None, Query(ge=1, le=MAX_REVISION)] = None,
) -> Any:
    sheet = find_sheet(caller_of(request), slug).sheet
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


read_revisions.__doc__ = f"""The log, {LINES_PER_PAGE} edits a page, the newest first."""
