"""A dry run: what a feed would make of a message, found out by doing it and taking it back."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from django.db import transaction

from cells.domain.addresses import format_address
from cells.domain.axes import Axis
from cells.models import Sheet
from cells.services.commit import Committed
from cells.streams.batches import commit_messages, read_message
from cells.streams.mapping import Mapping
from cells.streams.messages import EDIT_ID, Message

MAX_SHOWN = 200  # cells


@dataclass(frozen=True, slots=True)
class TriedCell:
    """A cell that would be written, or that would give way to a person's text."""

    address: str
    before: str
    after: str
    yields: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen: the first cells, whether there are more, and what would be refused."""

    cells: list[TriedCell]
    has_more: bool
    refusal: str = ""
    reason: str = ""

    @property
    def is_skipped(self) -> bool:
        """Nothing is wanted of this message."""
        return not self.cells and not self.refusal


def try_message(mapping: Mapping, message: Message) -> Trial:
    """Return what the feed would change in its sheet as it is now; nothing is changed.

    It takes the sheet's lock for as long as a commit does. The message is taken for a new one,
    whether or not it was committed before. Raises django.db.Error.
    """
    attributes = {name: text for name, text in message.attributes.items() if name != EDIT_ID}
    new = replace(message, message_id=str(uuid.uuid4()), attributes=attributes, feeds=(mapping,))
    with transaction.atomic():
        done = commit_messages([read_message(new)])
        numbers = [one.revision for one in done.result.outcomes if isinstance(one, Committed)]
        cells = list(islice(_cells(mapping.spec.sheet, numbers), MAX_SHOWN + 1))
        transaction.set_rollback(True)
    refused = done.refused.get(0)
    return Trial(
        cells[:MAX_SHOWN],
        len(cells) > MAX_SHOWN,
        "" if refused is None else refused.detail,
        "" if refused is None else refused.reason,
    )


def _cells(slug: str, numbers: list[int]) -> Iterator[TriedCell]:
    """Yield what revisions of these numbers, one after the other, have in them."""
    if not numbers:
        return
    sheet = Sheet.objects.get(slug=slug)
    rows, columns = Axis.from_runs(sheet.rows), Axis.from_runs(sheet.columns)
    lines = sheet.revisions.filter(number__range=(numbers[0], numbers[-1])).order_by("number")
    for line in lines:
        past = {(row, column): text for row, column, text in line.before.get("cells", ())}
        for name in ("cells", "yielded"):
            for row, column, text in line.operation.get(name, ()):
                is_yielded = name == "yielded"
                before = _input(sheet, row, column) if is_yielded else past[row, column]
                address = format_address(rows.position_of(row), columns.position_of(column))
                yield TriedCell(address, before, text, is_yielded)


def _input(sheet: Sheet, row: int, column: int) -> str:
    found = sheet.cells.filter(row=row, column=column).values_list("input", flat=True).first()
    return found or ""
