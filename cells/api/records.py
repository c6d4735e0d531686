"""Records: rows under the headers of row 1, by name instead of by address."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja.params.functions import Query
from pydantic import Field

from cells.api.callers import caller_of
from cells.api.cells import CACHING, MAX_CELLS_READ, CellRead, Input, cell_json
from cells.api.found import find_sheet
from cells.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, RequestBody, answers
from cells.api.writing import IdempotencyKey, IfMatch, Written, etag_of, write
from cells.domain.axes import MAX_ROWS
from cells.domain.errors import Malformed
from cells.domain.operations import AppendRecords, UpsertRow, check_cell_count, check_text
from cells.services.ranges import read_records
from cells.streams.values import format_value

router = Router(tags=["Records"])

MAX_RECORDS = 1_000

# Header and input.
Fields = Annotated[dict[str, Input], Field(min_length=1, max_length=1_000)]


class RecordRead(Schema):
    """A row that holds something, by the headers of row 1."""

    row: int = Field(description="Where it stands at this revision: 2 is below the headers.")
    cells: dict[str, CellRead]


class RecordsRead(Schema):
    """A page of records, from the top, as of one revision."""

    revision: int
    headers: list[str] = Field(description="From left to right; of two of one name the left one.")
    records: list[RecordRead]
    next: int | None = Field(description="What `after` is to be for more; null at the end.")


class NewRecords(RequestBody):
    """Records that become the rows below the last used one, all or none."""

    records: list[Fields] = Field(min_length=1, max_length=MAX_RECORDS)


class Upsert(RequestBody):
    """The record whose columns hold `key` gets `values`; without one, such a row is appended."""

    key: Fields
    values: dict[str, Input] = Field(max_length=1_000)


@router.get(
    "/sheets/{slug}/records", response=answers(200, RecordsRead, READ_PROBLEMS), summary="Read"
)
def read(
    request: HttpRequest,
    slug: str,
    response: HttpResponse,
    after: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 1,
    limit: Annotated[int, Query(ge=1, le=MAX_RECORDS)] = 100,
) -> Any:
    """Rows below row `after` that hold something, empty ones left out.

    A page may have fewer than `limit`. Where `revision` is another one than the last page's, rows
    may have moved in between.
    """
    sheet = find_sheet(caller_of(request), slug).sheet
    found = read_records(sheet.pk, after - 1, limit, MAX_CELLS_READ)
    for name, value in {"ETag": etag_of(found.revision), **CACHING}.items():
        response.headers[name] = value
    return {
        "revision": found.revision,
        "headers": found.headers,
        "records": [
            {
                "row": position + 1,
                "cells": {header: cell_json(cell) for header, cell in cells.items()},
            }
            for position, cells in found.records
        ],
        "next": None if found.next is None else found.next + 1,
    }


@router.post(
    "/sheets/{slug}/records", response=answers(200, Written, WRITE_PROBLEMS), summary="Append"
)
def append(
    request: HttpRequest,
    slug: str,
    body: NewRecords,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Write records below the last used row, as one revision, wherever that row is by then."""
    check_cell_count(sum(map(len, body.records)))
    operation = AppendRecords(tuple(_pairs(record) for record in body.records))
    return write(request, slug, lambda _: operation, key=idempotency_key, if_match=if_match)


@router.put(
    "/sheets/{slug}/records", response=answers(200, Written, WRITE_PROBLEMS), summary="Upsert"
)
def upsert(
    request: HttpRequest,
    slug: str,
    body: Upsert,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Set cells of the topmost row whose key columns hold the key, as texts; else append it."""
    check_cell_count(len(body.key) + len(body.values))
    key = _pairs(body.key)
    if not all(text for _, text in key):
        raise Malformed("a key is not empty: every empty row would be meant")
    operation = UpsertRow(key, _pairs(body.values))
    return write(request, slug, lambda _: operation, key=idempotency_key, if_match=if_match)


def _pairs(record: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return (header, input). Raises what a cell cannot hold."""
    for header in record:
        check_text(header)
    return tuple((header, format_value(value)) for header, value in record.items())
