"""Structure: rows and columns inserted, deleted and moved, by the places where they stand."""

from typing import Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from cells.api.problems import WRITE_PROBLEMS, RequestBody, answers
from cells.api.writing import IdempotencyKey, IfMatch, Written, write
from cells.domain.axes import MAX_ROWS, Axis, AxisName
from cells.domain.errors import LimitExceeded, UnknownId
from cells.domain.operations import MAX_RUNS_PER_OPERATION, Delete, Insert, Intended, Move
from cells.domain.runs import Runs, runs_of
from cells.models import Sheet
from cells.services.ranges import read_axes

router = Router(tags=["Structure"])

AxisPath = Literal["rows", "columns"]


class Insertion(RequestBody):
    """New rows or columns."""

    before: int | None = Field(
        None, ge=1, le=MAX_ROWS, description="Counted from 1, columns too; null: at the end."
    )
    count: int = Field(1, ge=1, le=MAX_ROWS)


class Deletion(RequestBody):
    """Rows or columns that stand together."""

    first: int = Field(ge=1, le=MAX_ROWS, description="Counted from 1, columns too: 3 is C.")
    count: int = Field(1, ge=1, le=MAX_ROWS)


class Relocation(Deletion):
    """Rows or columns that stand together, and where they go."""

    before: int | None = Field(None, ge=1, le=MAX_ROWS, description="null: at the end.")


@router.post(
    "/sheets/{slug}/{axis}/insert",
    response=answers(200, Written, WRITE_PROBLEMS),
    summary="Insert rows or columns",
)
def insert(
    request: HttpRequest,
    slug: str,
    axis: AxisPath,
    body: Insertion,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Add empty rows or columns.

    Places are read just ahead of the commit; with If-Match they are those of that revision.
    """
    name = AxisName(axis)

    def make(sheet: Sheet) -> Intended:
        return Insert(name, _id_at(_axis(sheet, name), body.before, name), body.count)

    return write(request, slug, make, key=idempotency_key, if_match=if_match)


@router.post(
    "/sheets/{slug}/{axis}/delete",
    response=answers(200, Written, WRITE_PROBLEMS),
    summary="Delete rows or columns",
)
def delete(
    request: HttpRequest,
    slug: str,
    axis: AxisPath,
    body: Deletion,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Delete rows or columns with their cells."""
    name = AxisName(axis)

    def make(sheet: Sheet) -> Intended:
        return Delete(name, _runs(_axis(sheet, name), body, name))

    return write(request, slug, make, key=idempotency_key, if_match=if_match)


@router.post(
    "/sheets/{slug}/{axis}/move",
    response=answers(200, Written, WRITE_PROBLEMS),
    summary="Move rows or columns",
)
def move(
    request: HttpRequest,
    slug: str,
    axis: AxisPath,
    body: Relocation,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Written:
    """Put rows or columns in front of another one, in their present order."""
    name = AxisName(axis)

    def make(sheet: Sheet) -> Intended:
        found = _axis(sheet, name)
        return Move(name, _runs(found, body, name), _id_at(found, body.before, name))

    return write(request, slug, make, key=idempotency_key, if_match=if_match)


def _axis(sheet: Sheet, name: AxisName) -> Axis:
    axes = read_axes(sheet.pk)
    return axes.rows if name is AxisName.ROWS else axes.columns


def _runs(axis: Axis, body: Deletion, name: AxisName) -> Runs:
    """Return the ids at places counted from 1.

    Raises UnknownId unless all are there, LimitExceeded where they were moved about too much.
    """
    last = body.first + body.count - 1
    if last > len(axis):
        raise UnknownId(f"the sheet has {len(axis):,} {name}, and no number {last:,}")
    runs = tuple(runs_of(sorted(axis.ids_between(body.first - 1, last))))
    if len(runs) > MAX_RUNS_PER_OPERATION:
        raise LimitExceeded(f"these {name} are too many pieces for one edit; send several")
    return runs


def _id_at(axis: Axis, place: int | None, name: AxisName) -> int | None:
    """Return the id in front of which something goes; None for the end. Raises UnknownId."""
    if place is None or place == len(axis) + 1:
        return None
    if place > len(axis):
        raise UnknownId(f"the sheet has {len(axis):,} {name}, and no number {place:,}")
    return axis.id_at(place - 1)
