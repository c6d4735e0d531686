"""The change feed: what is new in a sheet, asked for (and waited for), or sent as events."""

import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

import msgspec
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router, Schema
from ninja.params.functions import Header, Query
from pydantic import Field

from cells.api.callers import Caller, caller_of
from cells.api.cells import CACHING, CellRead, cell_json
from cells.api.found import find_sheet
from cells.api.interface import is_head
from cells.api.problems import READ_PROBLEMS, TooManyRequests, Unauthenticated, answers
from cells.domain.errors import Malformed, SheetSyncError
from cells.live.followers import get_followers
from cells.services.changes import Changes, read_changes
from cells.services.credentials import still_good
from cells.services.ranges import read_head

logger = logging.getLogger(__name__)

router = Router(tags=["Changes"])

MAX_WAIT_SECONDS = 25  # proxies give up after 30 or 60
EVENTS_SECONDS = 600  # then the stream ends, and its reader comes back where it was
BEAT_SECONDS = 15  # between two signs of life, which also show who has gone
RETRY_MS = 2_000  # before an event stream is opened again
MAX_WAITING = 20  # of one caller in one process: each has a connection and an idle thread
MAX_REVISION = 2**63 - 1  # what the database's column holds
EVENT_STREAM = "text/event-stream"

_waiting: Counter[str] = Counter()


class CellChanged(CellRead):
    """A cell that was touched, as it is now."""

    address: str


class ChangesRead(Schema):
    """What has changed since `after`, in the addresses that the sheet has at `through`."""

    after: int
    through: int = Field(description="What `after` is to be in the next request.")
    moved: bool = Field(
        description="Rows or columns came, went, moved or changed their size: addresses that you "
        "remember may be other cells' now."
    )
    is_reset: bool = Field(
        description="Too much has changed, or `after` is beyond the log: read the sheet anew."
    )
    cells: list[CellChanged]


EVENTS_DESCRIBED = {
    "responses": {
        200: {
            "content": {
                EVENT_STREAM: {
                    "schema": {
                        "type": "string",
                        "description": "For `Accept: text/event-stream`: events named `changes`, "
                        "whose data is the same object and whose id is `through`; `gone` is the "
                        "last one where the sheet cannot be read any more.",
                    }
                }
            }
        }
    }
}


@router.get(
    "/sheets/{slug}/changes",
    response=answers(200, ChangesRead, READ_PROBLEMS),
    summary="Follow a sheet",
    openapi_extra=EVENTS_DESCRIBED,
)
def follow(
    request: HttpRequest,
    slug: str,
    after: Annotated[int | None, Query(ge=0, le=MAX_REVISION)] = None,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = MAX_WAIT_SECONDS,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> Any:
    """Cells touched since revision `after`, as they are now, values of formulas included.

    Waits for `wait` seconds if there is nothing; without `after` it answers at once where the
    sheet is. With `Accept: text/event-stream` it goes on as server-sent events.
    """
    caller = caller_of(request)
    sheet_id = find_sheet(caller, slug).sheet.pk
    wants_events = EVENT_STREAM in request.headers.get("Accept", "") and not is_head(request)
    if wants_events and last_event_id is not None:
        after = _revision_of(last_event_id)
    if after is None:
        after = read_head(sheet_id)
        wait = 0
    if is_head(request):
        wait = 0  # there is nothing to wait for in an answer without a body
    if wants_events:
        return _streamed(_events(caller, slug, sheet_id, after), EVENT_STREAM, caller)
    changes = read_changes(sheet_id, after)
    if changes.through != after or wait == 0:
        return HttpResponse(_encode(changes), content_type="application/json", headers=CACHING)
    return _streamed(_one_answer(caller, slug, sheet_id, after, wait), "application/json", caller)


def _revision_of(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        raise Malformed("Last-Event-ID is the id of an event of this stream, a number")
    return min(int(last_event_id), MAX_REVISION)


def _streamed(body: AsyncIterator[bytes], content_type: str, caller: Caller) -> HttpResponseBase:
    """Return an answer that the event loop goes on with, when this thread has done its part."""
    if _waiting[caller.identity] >= MAX_WAITING:
        raise TooManyRequests(
            f"you wait for changes {MAX_WAITING} times already; follow fewer sheets", BEAT_SECONDS
        )
    if not connection.in_atomic_block:
        # Else it would stay open for as long as the answer lasts.
        connection.close()
    response = StreamingHttpResponse(body, content_type=content_type, headers=CACHING)
    response.headers["X-Accel-Buffering"] = "no"  # nginx hands on what comes as it comes
    return response


async def _one_answer(
    caller: Caller, slug: str, sheet_id: int, after: int, wait: float
) -> AsyncIterator[bytes]:
    """Yield the answer of a long poll, late: what has come by then, or nothing."""
    found = Changes(after, after, moved=False, is_reset=False, cells=[])
    try:
        async with aclosing(_changes(caller, slug, sheet_id, after, wait)) as coming:
            async for changes in coming:
                if changes is not None:
                    found = changes
                    break
    except (SheetSyncError, DatabaseError) as error:
        # The status has been sent; the next request hears why.
        logger.info("a wait for changes of sheet=%s ends: %s", slug, error)
    yield _encode(found)


async def _events(caller: Caller, slug: str, sheet_id: int, after: int) -> AsyncIterator[bytes]:
    """Yield server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    yield b"retry: %d\n\n" % RETRY_MS
    try:
        async with aclosing(_changes(caller, slug, sheet_id, after, EVENTS_SECONDS)) as coming:
            async for changes in coming:
                yield b": \n\n" if changes is None else _event(changes)
    except SheetSyncError as refusal:
        yield b"event: gone\ndata: %s\n\n" % msgspec.json.encode({"code": refusal.code})
    except DatabaseError as error:
        logger.warning("events of sheet=%s end with an outage: %s", slug, error)


async def _changes(
    caller: Caller, slug: str, sheet_id: int, after: int, seconds: float
) -> AsyncGenerator[Changes | None, None]:
    """Yield changes as they come, and None as a sign of life, for so long.

    With each look the caller's token or session and their role are asked for again: raises what
    these refuse.
    """
    followers, until = get_followers(), time.monotonic() + seconds
    _waiting[caller.identity] += 1
    try:
        with followers.following(sheet_id, caller.credentials) as follower:
            while not followers.is_draining:
                changes = await followers.readers.run(_read, caller, slug, sheet_id, after)
                if changes.through != after:
                    after = changes.through
                    yield changes
                left = until - time.monotonic()
                if left <= 0:
                    return
                if not await follower.wait(min(left, BEAT_SECONDS)):
                    yield None
    finally:
        _waiting[caller.identity] -= 1
        if not _waiting[caller.identity]:
            del _waiting[caller.identity]


def _read(caller: Caller, slug: str, sheet_id: int, after: int) -> Changes:
    changes = read_changes(sheet_id, after)
    # Only then: what was written after a role or a token was taken away is not told.
    if caller.credentials not in still_good([caller.credentials]):
        if caller.token is not None:
            raise Unauthenticated("this token has been revoked or has expired")
        raise Unauthenticated("you are signed out; sign in again")
    find_sheet(caller, slug)
    return changes


def _event(changes: Changes) -> bytes:
    event = b"id: %d\nevent: changes\ndata: %s\n\n"
    return event % (changes.through, _encode(changes))


def _encode(changes: Changes) -> bytes:
    return msgspec.json.encode(
        {
            "after": changes.after,
            "through": changes.through,
            "moved": changes.moved,
            "is_reset": changes.is_reset,
            "cells": [{"address": address, **cell_json(cell)} for address, cell in changes.cells],
        }
    )
