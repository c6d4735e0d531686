"""Imports: the rows of a file, set down whole and checked, and then committed by portions."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid4

import msgspec

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import Deleted, LimitExceeded, NoSuchSheet
from cells.domain.operations import (
    MAX_CELLS_PER_OPERATION,
    MAX_FROZEN,
    CellInput,
    Freeze,
    Insert,
    Operation,
    Resize,
    Several,
    set_cells,
)
from cells.domain.references import Axes, is_formula, to_stored
from cells.models import Sheet
from cells.services.announce import announce
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from cells.services.fullness import require_room
from cells.services.guarding import require_unprotected
from cells.services.import_marks import ImportKey, Mark, check_not_restored, read_laid_axes

MAX_CELLS = 2_000_000  # of a file; some minutes' work
# Of all cells together: a text that a workbook has once may stand in each of them, and what is set
# down would fill the disk.
MAX_CHARACTERS = 500_000_000
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
    """How far an import has come: rows of the file, and cells that were written.

    `left_out` are the cells that were not, for somebody had deleted their rows or columns.
    `revision` is the newest of its commits, `operation_ids` those since the last word of it.
    """

    rows: int
    cells: int
    left_out: int
    of_rows: int
    revision: int
    operation_ids: list[UUID]


@dataclass(slots=True)
class Written:
    """What one run of an import has committed itself, at any moment of it."""

    operations: int = 0
    cells: int = 0
    revision: int = 0  # the newest


class AlreadyBegunError(Exception):
    """Another request with the same key has committed the first operation: go on from there."""


_Cells = list[CellInput]
_Looks = dict[tuple[int, int], str]

T = TypeVar("T")


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[FileRow])


class Contents:
    """What a file holds, read to its end and kept in a temporary file until it is imported.

    So a file that turns out to be broken has changed nothing, and the size that a sheet needs is
    known before the first formula refers to its last row.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.cells = self.texts = self.characters = 0
        self.shape = Shape()
        self._packed = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115

    def __enter__(self) -> "Contents":
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.close()

    def take(self, rows: Iterable[FileRow]) -> Iterator[int]:
        """Take all rows, from the top; yield now and then how many. Raises LimitExceeded."""
        for portion in _portions(rows):
            self.characters += _characters_of(portion)
            if self.characters > MAX_CHARACTERS:
                raise LimitExceeded(
                    f"the file's cells have more than {MAX_CHARACTERS:,} characters; split it"
                )
            data = _encoder.encode(portion)
            self._packed.write(len(data).to_bytes(4, "big") + data)
            self.rows = portion[-1].position + 1
            self.columns = max(self.columns, *(row.cells[-1].column + 1 for row in portion))
            self.cells += sum(len(row.cells) for row in portion)
            self.texts += sum(bool(cell.text) for row in portion for cell in row.cells)
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
    key: ImportKey | None = None,
    begun: Mark | None = None,
    before: int = 0,
    written: Written | None = None,
) -> Iterator[Progress]:
    """Commit a file's cells with its first one `at` a position; yield after each commit.

    Cells that are empty in the file stay as they are. The sheet grows where it has to; a row
    that somebody moves meanwhile takes its cells along, one that somebody deletes goes without.
    Where it is ended early, what has been committed stays. `has_looks` brings sizes and what is
    frozen along.

    With a `key` the same import, run again with the mark of its first operation (`begun`), commits
    what is missing, to the rows and columns that it was laid on; `before` is the revision ahead
    of it. `written` is kept up with each commit.

    What is protected is looked at ahead, and how full the sheet would be, so that a file that would
    be refused has changed nothing; where others fill the sheet meanwhile, the error says how far it
    came.

    Raises what commit refuses, NoSuchSheet for a deleted sheet, LimitExceeded for one that would
    be too large, ImportOvertaken, and AlreadyBegunError where the key's first operation is in the
    log and `begun` was not told.
    """
    grown: list[UUID] = []
    written = Written() if written is None else written
    if begun is None:
        within = range(at[0], at[0] + contents.rows), range(at[1], at[1] + contents.columns)
        require_unprotected(sheet, author, within, _places(contents, at))
        require_room(sheet, contents.texts, _laid(sheet, contents, at))
        laid, axes = _room(sheet, contents, at, author, grown, written)
        mark = Mark(before, laid, 0)
    else:
        mark, axes = begun._replace(left_out=0), read_laid_axes(sheet, begun)
    committing = _Committing(
        *(sheet, author, key, mark, axes, grown, written), is_begun=begun is not None
    )
    if has_looks:
        for operation in _shaping(contents.shape, axes, at):
            committing.submit(operation)
    row_ids = axes.rows.ids_between(at[0], at[0] + contents.rows)
    column_ids = axes.columns.ids_between(at[1], at[1] + contents.columns)
    # A formula of the file counts from the file's first cell.
    seen = Axes(_from(axes.rows, at[0]), _from(axes.columns, at[1]))
    done = 0
    for portion, is_last in _marking_last(contents.portions()):
        cells: _Cells = []
        styles: _Looks = {}
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
            ends = is_last and first + MAX_CELLS_PER_OPERATION >= len(cells)
            try:
                committing.set_cells(some, styles, ends=ends)
            except LimitExceeded as error:
                raise (_filled_meanwhile(error, done) if done else error) from None
            done += len(some)
        yield committing.progress(portion[-1].position + 1, done, contents.rows)
    if not done and key is not None:
        committing.submit(Several(()), ends=True)  # so that the key stands for this file
        yield committing.progress(0, 0, 0)


def _filled_meanwhile(error: LimitExceeded, done: int) -> LimitExceeded:
    return LimitExceeded(
        f"{error}. The first {done:,} cells of the file are in it by now: make room and import the "
        "file again, which writes them once more, or restore the version before the import"
    )


def _places(contents: Contents, at: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the position of each cell of a file that is laid at a position."""
    for portion in contents.portions():
        for row in portion:
            for cell in row.cells:
                yield at[0] + row.position, at[1] + cell.column


def _laid(
    sheet: Sheet, contents: Contents, at: tuple[int, int]
) -> Iterator[list[tuple[int | None, int | None, str]]]:
    """Yield the cells of a file by the ids of where they come to stand, None for new ones."""
    _, (rows, columns) = _axes_of(sheet)
    row_ids = dict(enumerate(rows.ids_between(at[0], at[0] + contents.rows)))
    column_ids = dict(enumerate(columns.ids_between(at[1], at[1] + contents.columns)))
    for portion in contents.portions():
        yield [
            (row_ids.get(row.position), column_ids.get(cell.column), cell.text)
            for row in portion
            for cell in row.cells
        ]


class _Committing:
    """Commits the operations of an import one by one, each under its name if it has a key."""

    def __init__(
        self,
        sheet: Sheet,
        author: Author,
        key: ImportKey | None,
        mark: Mark,
        axes: Axes,
        committed: list[UUID],
        written: Written,
        *,
        is_begun: bool,
    ) -> None:
        self._sheet, self._author, self._key, self._mark = sheet, author, key, mark
        self._axes = axes  # as far as is known; the sheet's own may have changed
        self._is_begun = is_begun
        self._revision = 0
        self._seen = mark.laid or 0  # up to there nobody has restored the sheet
        self._number = 0
        self._committed, self._written = committed, written

    def submit(self, operation: Operation, *, ends: bool = False) -> None:
        operation_id = self._next_id(ends=ends)
        if not self._is_logged(operation_id):
            self._commit(operation_id, operation, self._mark.left_out)

    def set_cells(self, cells: _Cells, styles: _Looks, *, ends: bool) -> None:
        """Set those of the cells whose rows and columns live; nothing where none does."""
        operation_id = self._next_id(ends=ends)
        if self._is_logged(operation_id):
            return
        while True:
            living = self._living(cells)
            keys = {(row_id, column_id) for row_id, column_id, _ in living} if styles else set()
            looks = {key: style for key, style in styles.items() if key in keys}
            left_out = self._mark.left_out + len(cells) - len(living)
            # One without a cell, too: an import without gaps in its numbers can be resumed.
            operation = set_cells(living, looks) if living else Several(())
            try:
                self._commit(operation_id, operation, left_out, len(living))
            except Deleted:
                _, self._axes = _axes_of(self._sheet)
            else:
                return

    def _living(self, cells: _Cells) -> _Cells:
        rows, columns = self._axes
        dead_rows = {id_ for id_ in {cell[0] for cell in cells} if not rows.is_alive(id_)}
        dead_columns = {id_ for id_ in {cell[1] for cell in cells} if not columns.is_alive(id_)}
        if not dead_rows and not dead_columns:
            return cells
        return [c for c in cells if c[0] not in dead_rows and c[1] not in dead_columns]

    def progress(self, rows: int, cells: int, of_rows: int) -> Progress:
        """Return how far it has come, with the operations since this was last asked for."""
        ids, self._committed = self._committed, []
        left_out = self._mark.left_out
        return Progress(rows, cells - left_out, left_out, of_rows, self._revision, ids)

    def _next_id(self, *, ends: bool) -> UUID:
        number = None if ends else self._number
        self._number += 1
        return uuid4() if self._key is None else self._key.operation_id(number)

    def _is_logged(self, operation_id: UUID) -> bool:
        """Look whether an earlier request has committed this, and take over what it says."""
        if not self._is_begun or self._key is None:
            return False
        found = self._key.find(operation_id)
        if found is None:
            return False
        revision, self._mark = found
        self._note(operation_id, revision)
        return True

    def _commit(
        self, operation_id: UUID, operation: Operation, left_out: int, cells: int = 0
    ) -> None:
        mark, author = self._mark._replace(left_out=left_out), self._author
        if self._key is not None:
            author = replace(author, origin=self._key.origin_of(mark))
        outcome = _commit(self._sheet, operation_id, operation, author, self._written, cells)
        if outcome.is_new:
            self._mark = mark
            self._note(operation_id, outcome.revision)
        elif not self._is_begun and self._number == 1:
            raise AlreadyBegunError
        else:
            self._is_begun = True
            self._is_logged(operation_id)

    def _note(self, operation_id: UUID, revision: int) -> None:
        self._committed.append(operation_id)
        self._revision = max(self._revision, revision)
        if revision > self._seen + 1:
            check_not_restored(self._sheet, self._mark, self._seen, revision, self._author)
        self._seen = max(self._seen, revision)


def _commit(
    sheet: Sheet,
    operation_id: UUID,
    operation: Operation,
    author: Author,
    written: Written,
    cells: int = 0,
) -> Committed:
    result = commit([Submission(sheet.slug, operation_id, operation, author)])
    outcome = result.outcomes[0]
    if isinstance(outcome, Refused):
        raise outcome.error
    if outcome.is_new:
        written.operations += 1
        written.cells += cells
        written.revision = outcome.revision
    for sheet_id, delta in result.deltas.items():
        announce(sheet_id, delta, result.trace)  # without its frame, which would be too large
    return outcome


def _marking_last(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, False
            item = following
        yield item, True


def _room(
    sheet: Sheet,
    contents: Contents,
    at: tuple[int, int],
    author: Author,
    grown: list[UUID],
    written: Written,
) -> tuple[int, Axes]:
    """Make room for a file, by operations that are added to `grown`.

    Return a revision, and the axes as they are then.
    """
    while True:
        head, axes = _axes_of(sheet)
        is_large_enough = True
        for name, axis, needed in (
            (AxisName.ROWS, axes.rows, at[0] + contents.rows),
            (AxisName.COLUMNS, axes.columns, at[1] + contents.columns),
        ):
            if needed > name.limit:
                raise LimitExceeded(
                    f"the sheet would have {needed:,} {name.value}, and has room for {name.limit:,}"
                )
            if needed > len(axis):
                grown.append(uuid4())
                _commit(sheet, grown[-1], Insert(name, None, needed - len(axis)), author, written)
                is_large_enough = False
        if is_large_enough:
            return head, axes


def _axes_of(sheet: Sheet) -> tuple[int, Axes]:
    live = Sheet.objects.filter(pk=sheet.pk, deleted_at=None)
    for head, rows, columns in live.values_list("head", "rows", "columns"):
        return head, Axes(Axis.from_runs(rows), Axis.from_runs(columns))
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


def _shaping(shape: Shape, axes: Axes, at: tuple[int, int]) -> Iterator[Operation]:
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
        characters += _characters_of([row])
        if cells >= CELLS_PER_COMMIT or characters >= CHARACTERS_PER_COMMIT:
            yield portion
            portion, cells, characters = [], 0, 0
    if portion:
        yield portion


def _characters_of(rows: Iterable[FileRow]) -> int:
    return sum(len(cell.text) + len(cell.style) for row in rows for cell in row.cells)


def _check_size(rows: int, columns: int, cells: int) -> None:
    for name, length in ((AxisName.ROWS, rows), (AxisName.COLUMNS, columns)):
        if length > name.limit:
            raise LimitExceeded(f"the file has more than {name.limit:,} {name.value}; split it")
    if cells > MAX_CELLS:
        raise LimitExceeded(f"the file has more than {MAX_CELLS:,} cells; split it")
