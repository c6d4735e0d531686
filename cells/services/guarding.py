"""Whether an operation of a batch touches what others have protected, asked under the locks."""

from collections.abc import Iterable
from dataclasses import replace

from cells.domain.errors import Protected, ProtectedEnd
from cells.domain.layout import Layout
from cells.domain.operations import Operation, SetCells
from cells.domain.protecting import Fence, follow, format_area, moved_by, spans_of
from cells.domain.references import MISSING
from cells.models import AuthorKind, Sheet
from cells.services import sql
from cells.services.authors import Author, Source
from cells.services.protections import (
    Guard,
    find_guards,
    find_permitted,
    layout_of,
    whom_to_ask,
)
from cells.services.transactions import Cursor


class Guards:
    """The protections of a batch's sheets, and who of its authors may edit them.

    Without any it costs nothing; else one statement, and some more once a person touches one.
    """

    def __init__(self, asked: Iterable[tuple[sql.SheetRow, Author]]) -> None:
        """Read the protections of the sheets that have some."""
        self._asked = [(sheet, author) for sheet, author in asked if sheet.has_protections]
        self._by_sheet: dict[int, list[Guard]] = {}
        self._permitted: set[tuple[int, int]] | None = None
        self._fences: dict[int, Fence] = {}
        self._followed: dict[int, Guard] = {}
        if self._asked:
            self._by_sheet = find_guards({sheet.id for sheet, _ in self._asked})

    def require(
        self,
        sheet: sql.SheetRow,
        layout: Layout,
        operation: Operation,
        author: Author,
        source: Source | None,
    ) -> None:
        """Raise Protected for an operation, yet to be applied, on what its author may not edit."""
        for guard in self._by_sheet.get(sheet.id, ()):
            fence = self._fences.get(guard.id)
            if fence is None or not fence.is_true:
                fence = self._fences[guard.id] = Fence(guard.area, layout)
            if fence.is_touched(operation) and not self._may(guard, author, source):
                raise refusal(guard, sheet.owner_id, layout)

    def follow(self, sheet: sql.SheetRow, layout: Layout, operation: Operation) -> None:
        """Let areas follow what an operation moves, that is about to be applied and may be.

        Raises ProtectedEnd where one cannot, and what the operation raises.
        """
        guards = self._by_sheet.get(sheet.id)
        moved = moved_by(operation) if guards else None
        if not guards or not moved:
            return
        after = layout.copy()
        after.apply(operation)
        for place, guard in enumerate(guards):
            try:
                area = follow(guard.area, layout, after, moved)
            except ProtectedEnd:
                raise _torn(guard, layout) from None
            if area != guard.area:
                guards[place] = self._followed[guard.id] = replace(guard, area=area)

    def save(self, cursor: Cursor) -> None:
        """Write the areas that have other ends now."""
        areas = [(id_, guard.area) for id_, guard in self._followed.items()]
        if areas:
            sql.update_areas(cursor, [(id_, area.rows, area.columns) for id_, area in areas])

    def _may(self, guard: Guard, author: Author, source: Source | None) -> bool:
        if author.kind == AuthorKind.CALCULATOR:
            return True
        if author.kind == AuthorKind.STREAM:
            feed_id = None if source is None else source.feed_id
            return guard.takes_messages if feed_id is None else feed_id in guard.feeds
        if author.user_id is None:
            return False
        if self._permitted is None:
            guards = [guard for guards in self._by_sheet.values() for guard in guards]
            people = {(sheet.id, author.user_id) for sheet, author in self._asked}
            self._permitted = find_permitted(
                guards, {(id_, user_id) for id_, user_id in people if user_id is not None}
            )
        return (guard.id, author.user_id) in self._permitted


def require_unprotected(
    sheet: Sheet, author: Author, within: tuple[range, range], places: Iterable[tuple[int, int]]
) -> None:
    """Raise Protected where one of these positions is, now, in what the author may not edit.

    `within` are the rows and columns that hold them all: only what is protected there is asked.
    For what takes several commits, and should not be refused halfway; each commit asks for itself.
    """
    guards = _closed_to(author.user_id, sheet.pk)
    if not guards:
        return
    layout = layout_of(sheet)
    spans = [
        (guard, found)
        for guard in guards
        if all(map(_overlap, within, found := spans_of(guard.area, layout)))
    ]
    if not spans:
        return
    for row, column in places:
        for guard, (rows, columns) in spans:
            if row in rows and column in columns:
                raise refusal(guard, sheet.owner_id, layout)


def require_cell(sheet: Sheet, user_id: int | None, row: int, column: int) -> None:
    """Raise Protected where a cell, by its ids, is in what a person, or a guest, may not edit."""
    guards = _closed_to(user_id, sheet.pk)
    if guards:
        layout = layout_of(sheet)
        for guard in guards:
            if Fence(guard.area, layout).is_touched(SetCells(((row, column, ""),))):
                raise refusal(guard, sheet.owner_id, layout)


def _closed_to(user_id: int | None, sheet_id: int) -> list[Guard]:
    guards = find_guards([sheet_id]).get(sheet_id, [])
    if not guards or user_id is None:
        return guards
    permitted = find_permitted(guards, [(sheet_id, user_id)])
    return [guard for guard in guards if (guard.id, user_id) not in permitted]


def _overlap(one: range, other: range) -> bool:
    return max(one.start, other.start) < min(one.stop, other.stop)


def _torn(guard: Guard, layout: Layout) -> ProtectedEnd:
    """Return what says which range would be torn, and what to do first."""
    return ProtectedEnd(
        f"this would move an end of the protected range {format_area(guard.area, layout)} away "
        "from the rest of it; move all of it, or let an owner of the sheet change the range first"
    )


def refusal(guard: Guard, owner_id: int | None, layout: Layout) -> Protected:
    """Return what says what is protected, and whom to ask."""
    range_ = format_area(guard.area, layout)
    what = {"": "this sheet", MISSING: "a range that is deleted now"}.get(range_, range_)
    described = f" (“{guard.description}”)" if guard.description else ""
    name = whom_to_ask(owner_id)
    whom = f"{name}, the sheet's owner," if name else "an administrator"
    return Protected(f"{what}{described} is protected; ask {whom} to let you edit it")
