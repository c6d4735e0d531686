"""Sheets as wholes: listed, made, read, renamed, copied, deleted."""

from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.params.functions import Header, Query
from pydantic import Field

from cells.api.callers import actor_of_call, caller_of
from cells.api.found import Found, find_sheet
from cells.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, RequestBody, answers
from cells.api.writing import MAX_KEY_CHARACTERS, author_of, slug_of
from cells.domain.axes import Axis
from cells.domain.errors import Malformed
from cells.domain.operations import check_text
from cells.models import LinkRole, Role, Sheet
from cells.models.sheets import validate_time_zone
from cells.services.access import create_sheet, create_sheet_once
from cells.services.copying import copy_sheet
from cells.services.listing import listed_sheets, with_roles
from cells.services.shelf import delete_sheet, rename_sheet

router = Router(tags=["Sheets"])

MAX_TITLE_CHARACTERS = 200  # Sheet.title's column
MAX_PAGE_SIZE = 100
MAX_PAGES = 1_000_000

Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE_CHARACTERS)]


NewSheetKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=MAX_KEY_CHARACTERS,
        description="Your name for the new sheet: sent again, it makes none and answers with that.",
    ),
]


class SheetLine(Schema):
    """A sheet, and what you may do there."""

    slug: str
    title: str
    role: Role
    owner: str | None = Field(description="The username of its owner.")
    revision: int = Field(description="The number of its newest edit; 0 for none yet.")
    created_at: datetime
    updated_at: datetime | None


class SheetShape(SheetLine):
    """A sheet with its size, as a grid of living rows and columns."""

    rows: int
    columns: int
    filled_cells: int
    frozen_rows: int
    frozen_columns: int
    link_role: LinkRole = Field(description="What anybody who has the address may do.")
    time_zone: str


class SheetList(Schema):
    """A page of sheets, the newest edit first."""

    sheets: list[SheetLine]
    page: int
    pages: int
    count: int


class NewSheet(RequestBody):
    """What a new sheet begins with."""

    title: Title = "Untitled sheet"
    time_zone: str = Field("", max_length=64, description="Of TODAY() and NOW(): Europe/Berlin.")


class NewTitle(RequestBody):
    """Another title."""

    title: Title


class Copy(RequestBody):
    """The title of a copy; without one it is that of the sheet."""

    title: Title | None = None


@router.get("/sheets", response=answers(200, SheetList, READ_PROBLEMS), summary="List sheets")
def list_sheets(
    request: HttpRequest,
    search: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=MAX_PAGES)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = 25,
) -> Any:
    """Own and shared sheets, and the demo sheet where there is one.

    `search` are words of the title or of the owner's name.
    """
    caller = caller_of(request)
    check_text(search)
    pages = Paginator(listed_sheets(caller.user, (), search), page_size)
    found = with_roles(caller.user, pages.page(page)) if page <= pages.num_pages else []
    return {
        "sheets": [_line(Found(one.sheet, one.role)) for one in found],
        "page": page,
        "pages": pages.num_pages,
        "count": pages.count,
    }


@router.post("/sheets", response=answers(201, SheetShape, WRITE_PROBLEMS), summary="Make a sheet")
def make_sheet(request: HttpRequest, body: NewSheet, idempotency_key: NewSheetKey = None) -> Any:
    """Make an empty sheet that you own."""
    caller = caller_of(request)
    check_text(body.title)
    if body.time_zone:
        _check_time_zone(body.time_zone)
    if idempotency_key is None:
        sheet = create_sheet(caller.user, body.title, time_zone=body.time_zone)
        return Status(201, _shape(Found(sheet, Role.OWNER)))
    slug = slug_of(caller, idempotency_key)
    create_sheet_once(caller.user, body.title, slug, time_zone=body.time_zone)
    return Status(201, _shape(find_sheet(caller, slug)))


@router.get(
    "/sheets/{slug}", response=answers(200, SheetShape, READ_PROBLEMS), summary="Read a sheet"
)
def read_sheet(request: HttpRequest, slug: str) -> Any:
    """Its title, its size and its newest revision; the cells are at `…/cells`."""
    return _shape(find_sheet(caller_of(request), slug))


@router.patch(
    "/sheets/{slug}", response=answers(200, SheetShape, WRITE_PROBLEMS), summary="Rename a sheet"
)
def rename(request: HttpRequest, slug: str, body: NewTitle) -> Any:
    """Give a sheet another title; its owners may."""
    check_text(body.title)
    found = find_sheet(caller_of(request), slug, at_least=Role.OWNER)
    rename_sheet(found.sheet, body.title, actor_of_call(request))
    return _shape(found)


@router.delete("/sheets/{slug}", response=answers(204, None, WRITE_PROBLEMS), summary="Delete")
def delete(request: HttpRequest, slug: str) -> Any:
    """Take a sheet off its people's lists; its owners may, and can bring it back for 30 days."""
    sheet = find_sheet(caller_of(request), slug, at_least=Role.OWNER).sheet
    delete_sheet(sheet, actor_of_call(request))
    return HttpResponse(status=204)


@router.post(
    "/sheets/{slug}/duplicate",
    response=answers(201, SheetShape, WRITE_PROBLEMS),
    summary="Duplicate a sheet",
)
def duplicate(request: HttpRequest, slug: str, body: Copy) -> Any:
    """Copy a sheet that you may see into one of your own: cells and looks, no people, no log."""
    caller = caller_of(request)
    found = find_sheet(caller, slug)
    title = body.title or found.sheet.title
    check_text(title)
    copy = copy_sheet(
        found.sheet,
        title,
        owner=caller.user,
        author=author_of(caller),
        by=actor_of_call(request),
    )
    copy.refresh_from_db()
    return Status(201, _shape(Found(copy, Role.OWNER)))


def _check_time_zone(name: str) -> None:
    try:
        validate_time_zone(name)
    except ValidationError as error:
        raise Malformed(" ".join(error.messages)) from error


def _line(found: Found) -> dict[str, Any]:
    sheet = found.sheet
    return {
        "slug": sheet.slug,
        "title": sheet.title,
        "role": found.role,
        "owner": None if sheet.owner is None else sheet.owner.get_username(),
        "revision": sheet.head,
        "created_at": sheet.created_at,
        "updated_at": sheet.updated_at,
    }


def _shape(found: Found) -> dict[str, Any]:
    sheet: Sheet = found.sheet
    return {
        **_line(found),
        "rows": len(Axis.from_runs(sheet.rows)),
        "columns": len(Axis.from_runs(sheet.columns)),
        "filled_cells": sheet.filled,
        "frozen_rows": sheet.frozen_rows,
        "frozen_columns": sheet.frozen_columns,
        "link_role": sheet.link_role,
        "time_zone": sheet.time_zone,
    }
