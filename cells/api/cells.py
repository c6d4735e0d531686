"""Cells: read by range, written by address."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja.params.functions import Header, Query
from pydantic import Field, WithJsonSchema

from cells.api.callers import caller_of
from cells.api.found import find_sheet
from cells.api.problems import READ_PROBLEMS, WRITE_PROBLEMS, RequestBody, answers
from cells.api.writing import IdempotencyKey, IfMatch, Written, etag_of, has_etag, write
from cells.domain.addresses import Range, format_range, parse_address, parse_range
from cells.domain.errors import LimitExceeded
from cells.domain.operations import MAX_CELLS_PER_OPERATION, SetAddresses, check_cell_count
from cells.services.ranges import ReadCell, read_head, read_range
from cells.streams.values import format_value

router = Router(tags=["Cells"])

MAX_CELLS_READ = 20_000  # some megabytes of JSON

A1_PATTERN = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"  # told, not checked: the refusal is clearer

RangeText = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "pattern": f"^{A1_PATTERN}(:{A1_PATTERN})?$", "examples": ["A1:C9"]}
    ),
]
# What a person could type, or what JSON says of it.
Input = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")],
            "description": 'As typed: "=A1*2" is a formula; null clears.',
        }
    ),
]
# What a cell comes to.
Value = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "number"},
                {"type": "boolean"},
                {
                    "type": "object",
                    "properties": {"error": {"type": "string"}, "reason": {"type": "string"}},
                    "required": ["error"],
                },
                {"type": "null"},
            ],
            "description": "null: empty, or a formula that is being calculated.",
        }
    ),
]


class CellRead(Schema):
    """A cell: the text as typed, and what it comes to."""

    input: str
    value: Value = None


class RangeRead(Schema):
    """A rectangle, row by row, as of one revision."""

    revision: int
    range: str | None = Field(description="What of it the sheet has; null for nothing.")
    rows: list[list[CellRead]]


class CellEdit(RequestBody):
    """What one cell is given."""

    address: str = Field(
        max_length=20, examples=["B2"], json_schema_extra={"pattern": f"^{A1_PATTERN}$"}
    )
    input: Input


class CellEdits(RequestBody):
    """Edits that become one revision, all or none."""

    edits: list[CellEdit] = Field(min_length=1, max_length=MAX_CELLS_PER_OPERATION)


@router.get(
    "/sheets/{slug}/cells",
    response={**answers(200, RangeRead, READ_PROBLEMS), 304: None},
    summary="Read a range",
)
def read_cells(
    request: HttpRequest,
    slug: str,
    response: HttpResponse,
    range_: Annotated[RangeText, Query(alias="range", max_length=40)],
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Any:
    """Cells as of one revision, which is the ETag.

    Formulas read as they do in the sheet's present order of rows and columns. What lies beyond
    the sheet is left out.
    """
    sheet = find_sheet(caller_of(request), slug).sheet
    wanted = parse_range(range_)
    check_size(wanted)
    if if_none_match is not None:
        head = read_head(sheet.pk)
        if has_etag(if_none_match, head):
            return HttpResponse(status=304, headers={"ETag": etag_of(head), **CACHING})
    found = read_range(sheet.pk, wanted)
    for name, value in {"ETag": etag_of(found.revision), **CACHING}.items():
        response.headers[name] = value
    return {
        "revision": found.revision,
        "range": None if found.range is None else format_range(found.range),
        "rows": [[cell_json(cell) for cell in row] for row in found.rows],
    }


@router.patch(
    "/sheets/{slug}/cells", response=answers(200, Written, WRITE_PROBLEMS), summary="Write cells"
)
def write_cells(
    request: HttpRequest,
    slug: str,
    body: CellEdits,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Give cells their input, as one revision.

    The sheet grows where an address is beyond it. Formulas name cells as they stand now.
    """
    check_cell_count(len(body.edits))
    edits = [(*parse_address(edit.address), format_value(edit.input)) for edit in body.edits]
    operation = SetAddresses(tuple(edits))
    return write(request, slug, lambda _: operation, key=idempotency_key, if_match=if_match)


# To be kept by who asked, and to be asked for again each time.
CACHING = {"Cache-Control": "private, no-cache"}


def check_size(wanted: Range) -> None:
    """Raise LimitExceeded for more cells than one answer has."""
    count = (wanted.bottom - wanted.top + 1) * (wanted.right - wanted.left + 1)
    if count > MAX_CELLS_READ:
        raise LimitExceeded(f"a range has at most {MAX_CELLS_READ:,} cells; read it in parts")


def cell_json(cell: ReadCell) -> dict[str, Any]:
    """Return the JSON form of a cell."""
    return {"input": cell.input, "value": cell.value}
