"""Reading a sheet as it stands: whole, since a revision, or through a window."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from cells.domain.axes import Axis
from cells.domain.deltas import CellState, Delta
from cells.domain.literals import text_of
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.values import value_text
from cells.models import Cell, Revision, Sheet
from cells.services.authors import label_of
from cells.services.sql import style_text, value_text_of

CELLS_PER_DELTA = 5_000  # about 100 kB a frame: soon painted, soon sent
CHARACTERS_PER_DELTA = 250_000  # and no more where the cells are long
# How far apart the clocks of two processes may be; a database is not restored within it.
CLOCKS_APART = timedelta(seconds=2)
AUTHORS_WITHIN_REVISIONS = 1_000  # beyond, nobody is told who typed what while they were away


TouchedCell = tuple[int, int, str, str | None, str | None, str | None, str | None]
"""Row id, column id, input, style and value as JSON text; who touched it, by kind and origin."""


@dataclass(frozen=True, slots=True)
class OpenedSheet:
    """A sheet's shape at revision `head`, its axes and sizes as the JSON text of their stored form.

    `filled` says how many of its cells are not empty.
    """

    id: int
    slug: str
    title: str
    head: int
    filled: int
    rows: str
    columns: str
    row_sizes: str
    column_sizes: str
    frozen_rows: int
    frozen_columns: int
    has_protections: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of a sheet: the texts of each row, and where its cells really are."""

    top: int
    left: int
    texts: list[list[str]]


def open_sheet(sheet_id: int) -> OpenedSheet:
    """Return a sheet's shape. Raises Sheet.DoesNotExist, for a deleted one too."""
    with connection.cursor() as cursor:
        # Not the ORM: it would decode axes that are only to be passed on.
        cursor.execute(
            "SELECT id, slug, title, head, filled, rows, columns, row_sizes, column_sizes, "
            "frozen_rows, frozen_columns, "
            "EXISTS (SELECT 1 FROM cells_protection WHERE sheet_id = cells_sheet.id) "
            "FROM cells_sheet WHERE id = %s AND deleted_at IS NULL",
            [sheet_id],
        )
        found = cursor.fetchone()
    if found is None:
        raise Sheet.DoesNotExist
    return OpenedSheet(*found)


def may_have_held(sheet_id: int, revision: int, seconds: float) -> bool:
    """Say whether a client can have had this log's `revision` for so long.

    It cannot where that was committed later: the client had another one of that number, in a log
    that a backup, or a standby that lacked the last commits, has taken the place of. Of a
    revision that was pruned nothing is known; it is old enough.
    """
    committed_at = (
        Revision.objects.filter(sheet_id=sheet_id, number=revision)
        .values_list("committed_at", flat=True)
        .first()
    )
    if committed_at is None:
        return True
    age = timezone.now() - committed_at
    return seconds <= (age + CLOCKS_APART).total_seconds()


def read_deltas(
    sheet_id: int, after: int, *, is_first_load: bool = False, living_only: bool = False
) -> Iterator[Delta]:
    """Yield the state at the head of every cell touched since `after`, in one or more deltas.

    All of them come from one snapshot of the database, so that the last one's `through` is
    exact. A first load leaves out what is empty, and who typed what; `living_only` leaves out what
    is in deleted rows and columns. Yields nothing when the sheet is gone. Consume it whole, or
    close it: the snapshot stays open meanwhile.
    """
    with one_state() as cursor:
        yield from read_deltas_at(
            cursor, sheet_id, after, is_first_load=is_first_load, living_only=living_only
        )


def read_deltas_at(
    cursor: CursorWrapper,
    sheet_id: int,
    after: int,
    *,
    is_first_load: bool = False,
    living_only: bool = False,
) -> Iterator[Delta]:
    """Do what read_deltas does, in the state of the database that `cursor` sees."""
    cursor.execute(
        "SELECT head, rows, columns, row_sizes, column_sizes, rows_revision, columns_revision, "
        "frozen_rows, frozen_columns FROM cells_sheet WHERE id = %s",
        [sheet_id],
    )
    shape = cursor.fetchone()
    if shape is None:
        return
    head, rows, columns, row_sizes, column_sizes, rows_revision, columns_revision, *frozen = shape
    found = filled_cells(sheet_id) if is_first_load else _touched(cursor, sheet_id, after, head)
    decode = msgspec.json.decode
    if living_only:
        is_living = _living_on(decode(rows), decode(columns))
        found = ([cell for cell in cells if is_living(cell[0], cell[1])] for cells in found)
    portions = _portions(found)
    last = next(portions)
    for portion in portions:
        yield Delta(after, head, changes_of(last), has_more=True)
        last = portion
    has_rows, has_columns = rows_revision > after, columns_revision > after
    yield Delta(
        after,
        head,
        changes_of(last),
        rows=decode(rows) if has_rows else None,
        columns=decode(columns) if has_columns else None,
        row_sizes=decode(row_sizes) if has_rows else None,
        column_sizes=decode(column_sizes) if has_columns else None,
        frozen=(frozen[0], frozen[1]) if has_rows else None,
    )


def living_now(sheet_id: int) -> Callable[[int, int], bool]:
    """Return what says of a cell's ids whether neither its row nor its column is deleted.

    Raises Sheet.DoesNotExist.
    """
    return _living_on(*Sheet.objects.values_list("rows", "columns").get(pk=sheet_id))


def _living_on(rows: Any, columns: Any) -> Callable[[int, int], bool]:
    # Bounded: a sheet may have a million rows, and cells come row by row.
    is_row, is_column = (
        lru_cache(1_024)(Axis.from_runs(runs).is_alive) for runs in (rows, columns)
    )
    return lambda row, column: is_row(row) and is_column(column)


def read_whole(sheet_id: int) -> tuple[Axes, list[Delta]] | None:
    """Return a sheet's axes and its first load, in one state; None when the sheet is gone."""
    with one_state() as cursor:
        cursor.execute("SELECT rows, columns FROM cells_sheet WHERE id = %s", [sheet_id])
        found = cursor.fetchone()
        if found is None:
            return None
        rows, columns = (Axis.from_runs(msgspec.json.decode(text)) for text in found)
        return Axes(rows, columns), list(read_deltas_at(cursor, sheet_id, 0, is_first_load=True))


def cell_state(
    row: int, column: int, text: str, style: str | None, value: str | None = None
) -> CellState:
    """Return a cell in the form of a delta; style and value are JSON text, where it has them."""
    if value is not None:
        look = msgspec.Raw(style.encode()) if style else ""
        return (row, column, text, look, msgspec.Raw(value.encode()))
    return (row, column, text, msgspec.Raw(style.encode())) if style else (row, column, text)


def read_window(sheet: Sheet, top: int, left: int, height: int, width: int) -> Window:
    """Return what a rectangle of positions says, clipped to the sheet: texts, or values.

    A formula that has not been calculated is shown as it reads.
    """
    axes = Axes(Axis.from_runs(sheet.rows), Axis.from_runs(sheet.columns))
    rows = axes.rows.ids_between(top, top + height)
    columns = axes.columns.ids_between(left, left + width)
    found = Cell.objects.filter(sheet=sheet, row__in=rows, column__in=columns)
    texts = {
        (row, column): _shown(text, value, axes) if is_formula(text) else text_of(text)
        for row, column, text, value in found.values_list("row", "column", "input", "value")
    }
    return Window(top, left, [[texts.get((row, column), "") for column in columns] for row in rows])


@contextmanager
def one_state() -> Iterator[CursorWrapper]:
    """Open a cursor whose statements all see one state of the database, and take no lock."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            yield cursor
        elif connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield cursor
        else:
            # Not atomic(): it would begin an immediate transaction, which is a writer's.
            cursor.execute("BEGIN DEFERRED")
            try:
                yield cursor
            finally:
                cursor.execute("ROLLBACK")


def _shown(formula: str, value: Any, axes: Axes) -> str:
    return to_shown(formula, axes) if value is None else value_text(value)


def filled_cells(sheet_id: int) -> Iterator[list[TouchedCell]]:
    """Yield the cells that are not empty, some at a time; no author is told.

    On PostgreSQL through a cursor of the server's: any other brings the whole sheet into memory
    before the first cell can be had.
    """
    looks = f"{style_text('cells_cell')}, {value_text_of('cells_cell')}"
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f'SELECT "row", "column", input, {looks}, NULL, NULL '  # noqa: S608
            "FROM cells_cell WHERE sheet_id = %s AND (input <> '' OR style IS NOT NULL)",
            [sheet_id],
        )
        yield from _fetched(cursor)


def deltas_of(through: int, cells: Iterable[list[TouchedCell]], shape: Delta) -> Iterator[Delta]:
    """Yield deltas that give an empty replica `cells`, and with the last one the axes of `shape`.

    All of them are from 0 through a revision.
    """
    portions = _portions(cells)
    last = next(portions)
    for portion in portions:
        yield Delta(0, through, changes_of(last), has_more=True)
        last = portion
    yield replace(shape, after=0, through=through, changes=changes_of(last))


def _touched(
    cursor: CursorWrapper, sheet_id: int, after: int, head: int
) -> Iterator[list[TouchedCell]]:
    """Yield the cells touched since, and then those that were only calculated."""
    looks = f"cell.input, {style_text('cell')}, {value_text_of('cell')}"
    if head - after > AUTHORS_WITHIN_REVISIONS:
        cursor.execute(
            f'SELECT cell."row", cell."column", {looks}, NULL, NULL '  # noqa: S608
            "FROM cells_cell AS cell WHERE cell.sheet_id = %s AND cell.revision > %s",
            [sheet_id, after],
        )
    else:
        cursor.execute(
            f'SELECT cell."row", cell."column", {looks}, '  # noqa: S608
            "log.author_kind, log.origin FROM cells_cell AS cell LEFT JOIN cells_revision AS log "
            "ON log.sheet_id = cell.sheet_id AND log.number = cell.revision "
            "WHERE cell.sheet_id = %s AND cell.revision > %s ORDER BY cell.revision, "
            'cell."row", cell."column"',
            [sheet_id, after],
        )
    yield from _fetched(cursor)
    cursor.execute(
        f'SELECT cell."row", cell."column", {looks}, NULL, NULL '  # noqa: S608
        "FROM cells_cell AS cell WHERE cell.sheet_id = %s AND cell.value_revision > %s "
        "AND cell.revision <= %s",
        [sheet_id, after, after],
    )
    yield from _fetched(cursor)


def _fetched(cursor: CursorWrapper) -> Iterator[list[TouchedCell]]:
    while cells := cursor.fetchmany(CELLS_PER_DELTA):
        yield cells


def _portions(fetched: Iterable[list[TouchedCell]]) -> Iterator[list[TouchedCell]]:
    """Yield cells in portions of a frame each; an empty one if there are none."""
    portion: list[TouchedCell] = []
    characters = 0
    for cells in fetched:
        for cell in cells:
            if len(portion) >= CELLS_PER_DELTA or characters >= CHARACTERS_PER_DELTA:
                yield portion
                portion, characters = [], 0
            portion.append(cell)
            characters += len(cell[2]) + len(cell[3] or "") + len(cell[4] or "")
    yield portion


def changes_of(cells: Iterable[TouchedCell]) -> list[tuple[str | None, list[CellState]]]:
    by_author: dict[str | None, list[CellState]] = defaultdict(list)
    for row, column, text, style, value, kind, origin in cells:
        author = None if kind is None else label_of(kind, origin or "")
        by_author[author].append(cell_state(row, column, text, style, value))
    return list(by_author.items())
