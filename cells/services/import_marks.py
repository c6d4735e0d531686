"""Marks: what the log keeps, in an import's origins, so that it can go on when it is sent again."""

import re
from typing import NamedTuple
from uuid import UUID, uuid5

from cells.domain.axes import AxisName
from cells.domain.errors import ImportOvertaken, Pruned
from cells.domain.references import Axes
from cells.models import Revision, Sheet
from cells.services.authors import Author
from cells.services.past import read_axes_at
from cells.services.past_states import check_reach, read_head
from cells.services.read import one_state

_MARK = re.compile(r" after (\d+)(?: laid (\d+) without (\d+))? [0-9a-f]+$", re.ASCII)


class Mark(NamedTuple):
    """How far an operation has brought its import.

    `before` is the revision ahead of the import, `laid` the one whose rows and columns it goes
    to (None for an import of an earlier release), `left_out` the cells so far whose rows or columns
    had died by the time.
    """

    before: int
    laid: int | None
    left_out: int


class ImportKey(NamedTuple):
    """The names of an import's operations in the log of its sheet.

    `origin` is the beginning of their origins, `fingerprint` their end. The last operation, which
    says that all is there, is `last_id`; the others are numbered below it, from 0 without a gap.
    """

    sheet: Sheet
    last_id: UUID
    origin: str
    fingerprint: str

    def operation_id(self, number: int | None) -> UUID:
        """Return the id of an operation by its number, None for the last one."""
        return self.last_id if number is None else uuid5(self.last_id, str(number))

    def origin_of(self, mark: Mark) -> str:
        """Return the origin of an operation that is to be read by mark_of."""
        before, laid, left_out = mark
        told = f"after {before} laid {laid} without {left_out}"
        return f"{self.origin} {told} {self.fingerprint}"

    def find(self, operation_id: UUID) -> tuple[int, Mark] | None:
        """Return the revision and the mark of an operation that is in the log."""
        logged = Revision.objects.filter(sheet=self.sheet, operation_id=operation_id)
        found = logged.values_list("number", "origin").first()
        return None if found is None else (found[0], mark_of(found[1]))


def mark_of(origin: str) -> Mark:
    """Return what an origin says."""
    found = _MARK.search(origin)
    if found is None:
        return Mark(0, None, 0)
    before, laid, left_out = found.groups()
    return Mark(int(before), None if laid is None else int(laid), int(left_out or 0))


def read_laid_axes(sheet: Sheet, mark: Mark) -> Axes:
    """Return the rows and columns as an import found them when it began.

    Raises NoSuchSheet, and ImportOvertaken where the log does not tell any more.
    """
    untold = (
        f"the log does not tell where the rows of this import began; {_what_to_do(mark.before)}"
    )
    if mark.laid is None:
        raise ImportOvertaken(untold)
    with one_state() as cursor:
        head, _ = read_head(cursor, sheet.pk)
        try:
            check_reach(sheet.pk, mark.laid, head)
        except Pruned as error:
            raise ImportOvertaken(untold) from error
        axes = read_axes_at(cursor, sheet.pk, mark.laid)
    return Axes(axes[AxisName.ROWS], axes[AxisName.COLUMNS])


def check_not_restored(sheet: Sheet, mark: Mark, after: int, until: int, author: Author) -> None:
    """Raise ImportOvertaken if the whole sheet was restored between two revisions of an import.

    What was committed of it by then is gone, and what follows would be a part of the file.
    """
    log = Revision.objects.filter(sheet=sheet, number__gt=after, number__lt=until)
    others = log.exclude(author_kind=author.kind, origin__startswith=author.origin)
    restores = others.filter(operation__kind="restore").values_list("number", "operation__range")
    for number, range_ in restores:
        if range_ is None:
            raise ImportOvertaken(
                f"revision {number:,} has restored the sheet while the file was imported; "
                f"{_what_to_do(mark.before)}"
            )


def _what_to_do(before: int) -> str:
    return (
        f"restore revision {before:,} to take back what there is of it, and send the file again, "
        "under a new Idempotency-Key if it has one"
    )
