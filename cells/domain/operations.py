"""Operations: the edits that a sheet knows, their one JSON form and their limits.

An *identity* operation names rows and columns by their ids: it is what browsers send and what
the log keeps. An *addressed* one names them by place or header, as programs do; services/commit
resolves it to an identity operation under the sheet's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from cells.domain.axes import AxisName, AxisPiece
from cells.domain.errors import InvalidText, LimitExceeded, Malformed
from cells.domain.runs import Runs
from cells.domain.sizes import MAX_SIZE_PIXELS, MIN_SIZE_PIXELS, Sized

MAX_CELLS_PER_OPERATION = 10_000  # one transaction and one frame stay short
MAX_RUNS_PER_OPERATION = 10_000  # likewise; a selection is one run unless rows were moved about
MAX_INPUT_CHARACTERS = 32_767  # what Excel holds in a cell, so that files go both ways
MAX_ID = 2**31 - 1  # what the database's integer column holds

CellInput: TypeAlias = tuple[int, int, str]
"""Row id, column id, input; or positions, in an addressed operation."""


@dataclass(frozen=True, slots=True)
class SetCells:
    """Give cells their input; empty text clears.

    `new_rows` and `new_columns` are first added at the ends of the axes. Only an addressed
    operation that did not fit resolves to them: another author's insert could take the ids.
    """

    cells: tuple[CellInput, ...]
    new_rows: int = 0
    new_columns: int = 0


@dataclass(frozen=True, slots=True)
class Insert:
    """Add `count` rows or columns in front of the id `before`, or at the end for None."""

    axis: AxisName
    before: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Turn rows or columns into tombstones; their cells stay, unseen."""

    axis: AxisName
    runs: Runs


@dataclass(frozen=True, slots=True)
class Move:
    """Put rows or columns in front of the id `before`, or at the end for None."""

    axis: AxisName
    runs: Runs
    before: int | None


@dataclass(frozen=True, slots=True)
class Resize:
    """Give rows a height or columns a width in CSS pixels; None is the default size."""

    axis: AxisName
    runs: Runs
    size: int | None


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring deleted rows or columns back to life where they stand; only undo and redo do."""

    axis: AxisName
    runs: Runs


@dataclass(frozen=True, slots=True)
class Place:
    """Put pieces of an axis in front of what stood behind them; only undo and redo do."""

    axis: AxisName
    pieces: tuple[AxisPiece, ...]


@dataclass(frozen=True, slots=True)
class ResizeEach:
    """Give rows or columns sizes of their own, each run one; only undo and redo do."""

    axis: AxisName
    sizes: tuple[Sized, ...]


Change: TypeAlias = Insert | Delete | Move | Resize | Restore | Place | ResizeEach
"""What changes an axis or its sizes, and no cell."""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Undo or redo an operation, as the log keeps it: all that a replay needs to know.

    `revisions` are those whose states the cells come back to, one for each; 0 is a cell that was
    never written. `left` is how many cells were left alone, written by somebody else since.
    """

    operation_id: UUID
    is_redo: bool = False
    cells: tuple[CellInput, ...] = ()
    revisions: tuple[int, ...] = ()
    change: Change | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back one's own operation of this id; services/history says what that means."""

    operation_id: UUID


@dataclass(frozen=True, slots=True)
class Redo:
    """Do one's own operation of this id again, which has been taken back."""

    operation_id: UUID


@dataclass(frozen=True, slots=True)
class SetAddresses:
    """Give cells at zero-based (row position, column position) their input.

    What lies beyond the grid makes it grow, up to the limits.
    """

    edits: tuple[CellInput, ...]


@dataclass(frozen=True, slots=True)
class AppendRows:
    """Write rows of inputs, from the first column on, below the last used row."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class UpsertRow:
    """Set cells of the row whose key columns hold the key; append such a row if there is none.

    Both are (header, input), the headers being the inputs of row 1.
    """

    key: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]


LoggedOperation: TypeAlias = SetCells | Change | TakeBack
Operation: TypeAlias = SetCells | Change | Undo | Redo
AddressedOperation: TypeAlias = SetAddresses | AppendRows | UpsertRow


def parse_operation(raw: object) -> Operation:
    """Read an operation from JSON that anybody may have sent.

    Raises Malformed, InvalidText or LimitExceeded. Unknown fields are ignored; whether the ids
    exist is for the sheet to say.
    """
    if not isinstance(raw, dict):
        raise Malformed("operation must be an object with a kind")
    match raw.get("kind"):
        case "set_cells":
            return SetCells(_parse_cells(raw.get("cells")))
        case "undo":
            return Undo(_parse_operation_id(raw))
        case "redo":
            return Redo(_parse_operation_id(raw))
        case str(kind):
            return _parse_change(kind, raw)
        case _:
            raise Malformed("operation must be an object with a kind")


def _parse_change(kind: str, raw: dict[str, Any]) -> Change:
    match kind:
        case "insert_rows" | "insert_columns":
            count = _parse_integer(raw, "count", 1, MAX_ID)
            return Insert(AxisName(kind[7:]), _parse_before(raw), count)
        case "delete_rows" | "delete_columns":
            axis = AxisName(kind[7:])
            return Delete(axis, _parse_runs(raw, axis))
        case "move_rows" | "move_columns":
            axis = AxisName(kind[5:])
            return Move(axis, _parse_runs(raw, axis), _parse_before(raw))
        case "resize":
            if ("rows" in raw) == ("columns" in raw):
                raise Malformed("resize names either rows or columns")
            axis = _axis_of(raw)
            return Resize(axis, _parse_runs(raw, axis), _parse_size(raw))
        case _:
            raise Malformed(f"operation kind {kind[:40]!r} is not known")


def set_cells(cells: Sequence[CellInput]) -> SetCells:
    """Return the operation that sets cells whose types are known to be right.

    Raises InvalidText, LimitExceeded, or Malformed for no cell at all.
    """
    return SetCells(_checked_cells(cells))


def load_operation(raw: dict[str, Any]) -> LoggedOperation:
    """Read an operation from the log, where it may also say how the grid grew."""
    match raw.get("kind"):
        case "set_cells":
            cells = _parse_cells(raw.get("cells"))
            return SetCells(cells, raw.get("new_rows", 0), raw.get("new_columns", 0))
        case "undo" | "redo" as kind:
            cells = tuple(tuple(cell) for cell in raw.get("cells", ()))
            return TakeBack(
                _parse_operation_id(raw),
                kind == "redo",
                cells,
                tuple(raw.get("revisions", (0,) * len(cells))),
                _load_change(raw["change"]) if "change" in raw else None,
                raw.get("left", 0),
            )
        case _:
            return _load_change(raw)


def _load_change(raw: dict[str, Any]) -> Change:
    """Read a change from the log, where it may also be one that only undo and redo make."""
    match raw.get("kind"):
        case "restore_rows" | "restore_columns":
            axis = _axis_of(raw)
            return Restore(axis, tuple((first, count) for first, count in raw[axis]))
        case "place_rows" | "place_columns":
            axis = _axis_of(raw)
            return Place(axis, tuple((first, count, behind) for first, count, behind in raw[axis]))
        case "resize_each":
            axis = _axis_of(raw)
            return ResizeEach(axis, tuple(Sized(*size) for size in raw[axis]))
        case kind:
            return _parse_change(str(kind), raw)


def operation_to_json(operation: LoggedOperation) -> dict[str, Any]:
    """Return the JSON form that parse_operation and load_operation read."""
    match operation:
        case SetCells(cells, new_rows, new_columns):
            raw: dict[str, Any] = {"kind": "set_cells", "cells": cells}
            if new_rows:
                raw["new_rows"] = new_rows
            if new_columns:
                raw["new_columns"] = new_columns
            return raw
        case Insert(axis, before, count):
            return {"kind": f"insert_{axis}", "before": before, "count": count}
        case Delete(axis, runs):
            return {"kind": f"delete_{axis}", axis.value: runs}
        case Move(axis, runs, before):
            return {"kind": f"move_{axis}", axis.value: runs, "before": before}
        case Resize(axis, runs, size):
            return {"kind": "resize", axis.value: runs, "size": size}
        case Restore(axis, runs):
            return {"kind": f"restore_{axis}", axis.value: runs}
        case Place(axis, pieces):
            return {"kind": f"place_{axis}", axis.value: pieces}
        case ResizeEach(axis, sizes):
            return {"kind": "resize_each", axis.value: sizes}
        case TakeBack():
            return _take_back_to_json(operation)


def _take_back_to_json(operation: TakeBack) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "kind": "redo" if operation.is_redo else "undo",
        "operation_id": str(operation.operation_id),
    }
    if operation.cells:
        raw["cells"] = operation.cells
    if any(operation.revisions):
        raw["revisions"] = operation.revisions
    if operation.change is not None:
        raw["change"] = operation_to_json(operation.change)
    if operation.left:
        raw["left"] = operation.left
    return raw


def check_text(text: str) -> None:
    """Raise InvalidText for text no database holds, LimitExceeded for more than a cell holds."""
    if len(text) > MAX_INPUT_CHARACTERS:
        raise LimitExceeded(
            f"a cell holds at most {MAX_INPUT_CHARACTERS:,} characters, not {len(text):,}"
        )
    if "\0" in text:
        raise InvalidText("a cell cannot hold the character NUL (U+0000); remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidText(
                "a cell cannot hold half of a surrogate pair "
                f"(U+{ord(text[error.start]):04X}); send whole characters"
            ) from error


def check_cell_count(count: int) -> None:
    """Raise LimitExceeded above what one operation may touch, Malformed for nothing at all."""
    if count > MAX_CELLS_PER_OPERATION:
        raise LimitExceeded(
            f"an operation sets at most {MAX_CELLS_PER_OPERATION:,} cells, not {count:,}; "
            "send several"
        )
    if count == 0:
        raise Malformed("an operation must set at least one cell")


def _parse_cells(raw: object) -> tuple[CellInput, ...]:
    if not isinstance(raw, list):
        raise Malformed("cells must be a list of [row_id, column_id, input]")
    cells: list[CellInput] = []
    for cell in raw:
        if not isinstance(cell, list) or len(cell) != 3:
            raise Malformed("each cell must be [row_id, column_id, input]")
        row, column, text = cell
        if type(row) is not int or type(column) is not int or type(text) is not str:
            raise Malformed("each cell must be [row_id, column_id, input]")
        cells.append((row, column, text))
    return _checked_cells(cells)


def _checked_cells(cells: Sequence[CellInput]) -> tuple[CellInput, ...]:
    check_cell_count(len(cells))
    for _, _, text in cells:
        # The call alone costs more than to see that there is nothing to look at.
        if len(text) > MAX_INPUT_CHARACTERS or "\0" in text or not text.isascii():
            check_text(text)
    return tuple(cells)


def _parse_runs(raw: dict[str, Any], axis: AxisName) -> Runs:
    runs = raw.get(axis)
    if not isinstance(runs, list) or not runs:
        raise Malformed(f"{axis} must be a list of [first_id, count]")
    if len(runs) > MAX_RUNS_PER_OPERATION:
        raise LimitExceeded(
            f"an operation names at most {MAX_RUNS_PER_OPERATION:,} runs, not {len(runs):,}; "
            "send several"
        )
    parsed = []
    for run in runs:
        if not isinstance(run, list) or len(run) != 2 or any(type(part) is not int for part in run):
            raise Malformed(f"{axis} must be a list of [first_id, count]")
        parsed.append((run[0], run[1]))
    return tuple(parsed)


def _axis_of(raw: dict[str, Any]) -> AxisName:
    return AxisName.ROWS if "rows" in raw else AxisName.COLUMNS


def _parse_operation_id(raw: dict[str, Any]) -> UUID:
    try:
        return UUID(raw.get("operation_id"))
    except (ValueError, TypeError, AttributeError) as error:
        raise Malformed("operation_id must be the UUID of an operation") from error


def _parse_before(raw: dict[str, Any]) -> int | None:
    return None if raw.get("before") is None else _parse_integer(raw, "before", 0, MAX_ID)


def _parse_size(raw: dict[str, Any]) -> int | None:
    if raw.get("size") is None:
        return None
    return _parse_integer(raw, "size", MIN_SIZE_PIXELS, MAX_SIZE_PIXELS)


def _parse_integer(raw: dict[str, Any], name: str, least: int, most: int) -> int:
    number = raw.get(name)
    if type(number) is not int:
        raise Malformed(f"{name} must be a whole number")
    if not least <= number <= most:
        raise LimitExceeded(f"{name} must be from {least:,} to {most:,}")
    return number
