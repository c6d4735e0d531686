"""Whose text stays where a feed writes what a person has edited since, or what newer news are of.

Decided under the sheet's lock, within commit. What gives way stays in the log's line, so that
a redelivery finds its operation there, and a person what the stream had to say.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cells.domain.layout import Effect
from cells.domain.operations import CellInput, SetCells
from cells.models import AuthorKind, FeedPolicy
from cells.services import sql_past
from cells.services.authors import Author, Source
from cells.services.drafts import Draft
from cells.services.sql import CellKey
from cells.services.transactions import Cursor

PEOPLE = frozenset((AuthorKind.USER, AuthorKind.GUEST, AuthorKind.ADMIN))


class Yielding:
    """The last touch of each cell that a feed with a policy is about, kept up through a batch."""

    def __init__(self, cursor: Cursor, drafts: Iterable[Draft]) -> None:
        """Read what the database knows of the cells that feeds with a policy are about."""
        keys = {
            (draft.row.id, row, column)
            for draft in drafts
            for line in draft.planned
            if line.source is not None and line.source.policy != FeedPolicy.STREAM
            for row, column, _ in line.effect.cells
        }
        self._touches = sql_past.read_touches(cursor, keys) if keys else {}
        self.is_needed = bool(keys)
        self.proposals: dict[CellKey, tuple[str, int | None, int]] = {}

    def settle(
        self, sheet_id: int, number: int, source: Source, operation: SetCells, effect: Effect
    ) -> tuple[SetCells, Effect]:
        """Return an edit and its effect without the cells that stay as they are."""
        if source.policy == FeedPolicy.STREAM:
            return operation, effect
        kept: list[CellInput] = []
        yielded: list[CellInput] = []
        for cell in effect.cells:
            touch = self._touches.get((sheet_id, cell[0], cell[1]))
            (yielded if touch is not None and _stays(touch, source) else kept).append(cell)
        if not yielded:
            return operation, effect
        if source.policy == FeedPolicy.PROPOSE:
            for row, column, text in yielded:
                self.proposals[sheet_id, row, column] = (text, source.feed_id, number)
        settled = replace(operation, cells=tuple(kept), yielded=tuple(yielded))
        return settled, effect._replace(cells=tuple(kept))

    def note(
        self, sheet_id: int, author: Author, source: Source | None, effect: Effect, now: datetime
    ) -> None:
        """Remember an edit of this batch: it is the last touch of its cells."""
        touch = sql_past.Touch(author.kind, now if source is None else source.moment)
        for row, column, _ in effect.cells:
            self._touches[sheet_id, row, column] = touch


def _stays(touch: sql_past.Touch, source: Source) -> bool:
    if source.policy == FeedPolicy.NEWEST:
        return touch.moment > source.moment
    return touch.author_kind in PEOPLE
