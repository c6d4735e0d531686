"""Imports: the rows of a file, set down whole and checked, and then committed by portions."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid4

import msgspec

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import LimitExceeded, NoSuchSheet
from cells.domain.operations import (
    MAX_CELLS_PER_OPERATION,
    MAX_FROZEN,
    AddressedOperation,
    Freeze,
    Insert,
    Intended,
    Resize,
    set_cells,
)
from cells.domain.references import Axes, is_formula, to_stored
from cells.models import Sheet
from cells.services.announce import announce_committed
from cells.services.authors import Author
from cells.services.commit import Refused, Submission, commit

MAX_CELLS = 2_000_000  # of a file; some minutes' work
CELLS_PER_COMMIT = 5_000  # one transaction stays short: others edit in between
CHARACTERS_PER_COMMIT = 250_000
BYTES_IN_MEMORY = 1024 * 1024  # of what was set down; more of it waits on the disk


class FileCell(NamedTuple):
    """A cell of a file at a column's position: its input as it reads, its style as JSON text."""

    column: int
    text: str
    style: str = ""


class FileRow(NamedTuple):
    """A row of a file at its position, with the cells that hold or show something."""

    position: int
    cells: list[FileCell]


@dataclass(slots=True)
class Shape:
    """What a file says of its rows and columns: sizes as (first, count, pixels), what is frozen."""

    row_sizes: list[tuple[int, int, int]] = field(default_factory=list)
    column_sizes: list[tuple[int, int, int]] = field(default_factory=list)
    frozen: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come: rows of the file, and cells.

    `revision` is the newest of its commits, `operation_ids` those since the last word of it.
    """

    rows: int
    cells: int
    of_rows: int
    revision: int
    operation_ids: list[UUID]


Naming = Callable[[int | None], UUID]
"""The id of an import's operation, by its number; None for the last one, which says all is there.

What makes the sheet larger has none of these: that is done as far as it is needed.
"""

T = TypeVar("T")


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[FileRow])


class Contents:
    """What a file holds, read to its end and kept in a temporary file until it is imported.

    So a file that turns out to be broken has changed nothing, and the size that a sheet needs is
    known before the first formula refers to its last row.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.cells = 0
        self.shape = Shape()
        self._packed = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115

    def __enter__(self) -> "Contents":
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.close()

    def take(self, rows: Iterable[FileRow]) -> Iterator[int]:
        """Take all rows, from the top; yield now and then how many. Raises LimitExceeded."""
        for portion in _portions(rows):
            data = _encoder.encode(portion)
            self._packed.write(len(data).to_bytes(4, "big") + data)
            self.rows = portion[-1].position + 1
            self.columns = max(self.columns, *(row.cells[-1].column + 1 for row in portion))
            self.cells += sum(len(row.cells) for row in portion)
            _check_size(self.rows, self.columns, self.cells)
            yield self.rows

    def portions(self) -> Iterator[list[FileRow]]:
        """Yield what was taken, a commit's worth at a time."""
        self._packed.seek(0)
        while length := self._packed.read(4):
            yield _decoder.decode(self._packed.read(int.from_bytes(length, "big")))


def run_import(
    sheet: Sheet,
    contents: Contents,
    author: Author,
    *,
    at: tuple[int, int] = (0, 0),
    has_looks: bool = True,
    naming: Naming = lambda _: uuid4(),
) -> Iterator[Progress]:
    """Commit a file's cells with its first one `at` a position; yield after each commit.

    Cells that are empty in the file stay as they are. The sheet grows where it has to; a row
    that somebody moves meanwhile takes its cells along. Where it is ended early, what has been
    committed stays. `has_looks` brings sizes and what is frozen along. With names of its own the
    same import, run again, commits what is missing.

    Raises what commit refuses, NoSuchSheet for a deleted sheet, LimitExceeded for one that would
    be too large.
    """
    committing = _Committing(sheet, author, naming)
    _grow(sheet, contents, at, committing)
    axes = _axes_of(sheet)
    if has_looks:
        for operation in _shaping(contents.shape, axes, at):
            committing.submit(operation)
    row_ids = axes.rows.ids_between(at[0], at[0] + contents.rows)
    column_ids = axes.columns.ids_between(at[1], at[1] + contents.columns)
    # A formula of the file counts from the file's first cell.
    seen = Axes(_from(axes.rows, at[0]), _from(axes.columns, at[1]))
    done = 0
    for portion, is_last in _marking_last(contents.portions()):
        cells, styles = [], {}
        for row in portion:
            row_id = row_ids[row.position]
            for cell in row.cells:
                column_id = column_ids[cell.column]
                text = cell.text
                if is_formula(text):
                    text = to_stored(text, seen)
                cells.append((row_id, column_id, text))
                if cell.style:
                    styles[row_id, column_id] = cell.style
        for first in range(0, len(cells), MAX_CELLS_PER_OPERATION):
            some = cells[first : first + MAX_CELLS_PER_OPERATION]
            looks = styles
            if len(some) < len(cells):
                keys = {(row_id, column_id) for row_id, column_id, _ in some}
                looks = {key: style for key, style in styles.items() if key in keys}
            ends = is_last and first + MAX_CELLS_PER_OPERATION >= len(cells)
            committing.submit(set_cells(some, looks), ends=ends)
        done += len(cells)
        yield Progress(
            portion[-1].position + 1, done, contents.rows, committing.revision, committing.taken()
        )


class _Committing:
    """Commits the operations of an import one by one, each under its name."""

    def __init__(self, sheet: Sheet, author: Author, naming: Naming) -> None:
        self.revision = 0
        self._sheet, self._author, self._naming = sheet, author, naming
        self._number = 0
        self._committed: list[UUID] = []

    def submit(self, operation: Intended | AddressedOperation, *, ends: bool = False) -> None:
        operation_id = self._naming(None if ends else self._number)
        self._number += 1
        self._commit(operation_id, operation)

    def grow(self, operation: Insert) -> None:
        self._commit(uuid4(), operation)

    def taken(self) -> list[UUID]:
        """Return the ids of what has been committed since it was last asked for."""
        taken, self._committed = self._committed, []
        return taken

    def _commit(self, operation_id: UUID, operation: Intended | AddressedOperation) -> None:
        result = commit([Submission(self._sheet.slug, operation_id, operation, self._author)])
        outcome = result.outcomes[0]
        if isinstance(outcome, Refused):
            raise outcome.error
        announce_committed(result)
        self.revision = max(self.revision, outcome.revision)
        self._committed.append(operation_id)


def _marking_last(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, False
            item = following
        yield item, True


def _grow(sheet: Sheet, contents: Contents, at: tuple[int, int], committing: _Committing) -> None:
    axes = _axes_of(sheet)
    for name, axis, needed in (
        (AxisName.ROWS, axes.rows, at[0] + contents.rows),
        (AxisName.COLUMNS, axes.columns, at[1] + contents.columns),
    ):
        if needed > name.limit:
            raise LimitExceeded(
                f"the sheet would have {needed:,} {name.value}, and has room for {name.limit:,}"
            )
        if needed > len(axis):
            committing.grow(Insert(name, None, needed - len(axis)))


def _axes_of(sheet: Sheet) -> Axes:
    found = Sheet.objects.filter(pk=sheet.pk, deleted_at=None).values_list("rows", "columns")
    for rows, columns in found:
        return Axes(Axis.from_runs(rows), Axis.from_runs(columns))
    raise NoSuchSheet(f"there is no sheet {sheet.slug!r} any more")


def _from(axis: Axis, position: int) -> Axis:
    """Return the living ids from a position on."""
    runs = []
    for run in axis.runs:
        if run.is_alive:
            skipped = min(position, run.length)
            position -= skipped
            if skipped < run.length:
                runs.append((run.first + skipped, run.length - skipped))
    return Axis.from_runs(runs)


def _shaping(shape: Shape, axes: Axes, at: tuple[int, int]) -> Iterator[Intended]:
    for name, axis, sizes, offset in (
        (AxisName.ROWS, axes.rows, shape.row_sizes, at[0]),
        (AxisName.COLUMNS, axes.columns, shape.column_sizes, at[1]),
    ):
        by_size: dict[int, list[tuple[int, int]]] = {}
        for first, count, pixels in sizes:
            for id_ in axis.ids_between(first + offset, first + offset + count):
                by_size.setdefault(pixels, []).append((id_, 1))
        for pixels, runs in by_size.items():
            for start in range(0, len(runs), MAX_CELLS_PER_OPERATION):
                yield Resize(name, tuple(runs[start : start + MAX_CELLS_PER_OPERATION]), pixels)
    rows, columns = shape.frozen
    if any(shape.frozen) and not any(at):
        yield Freeze(min(rows, MAX_FROZEN), min(columns, MAX_FROZEN))


def _portions(rows: Iterable[FileRow]) -> Iterator[list[FileRow]]:
    """Yield rows by portions of a commit each."""
    portion: list[FileRow] = []
    cells = characters = 0
    for row in rows:
        portion.append(row)
        cells += len(row.cells)
        characters += sum(len(cell.text) + len(cell.style) for cell in row.cells)
        if cells >= CELLS_PER_COMMIT or characters >= CHARACTERS_PER_COMMIT:
            yield portion
            portion, cells, characters = [], 0, 0
    if portion:
        yield portion


def _check_size(rows: int, columns: int, cells: int) -> None:
    for name, length in ((AxisName.ROWS, rows), (AxisName.COLUMNS, columns)):
        if length > name.limit:
            raise LimitExceeded(f"the file has more than {name.limit:,} {name.value}; split it")
    if cells > MAX_CELLS:
        raise LimitExceeded(f"the file has more than {MAX_CELLS:,} cells; split it")
