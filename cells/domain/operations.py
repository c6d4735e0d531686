"""Operations: the edits that a sheet knows, their one JSON form and their limits.

An *identity* operation names rows and columns by their ids: it is what browsers send and what
the log keeps. An *addressed* one names them by place or header, as programs do; services/commit
resolves it to an identity operation under the sheet's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from cells.domain.axes import AxisName
from cells.domain.errors import InvalidText, LimitExceeded, Malformed
from cells.domain.reordering import ReorderCells, parse_reordering
from cells.domain.runs import Runs, join_runs
from cells.domain.sizes import MAX_SIZE_PIXELS, MIN_SIZE_PIXELS
from cells.domain.styles import (
    Style,
    StyleChange,
    change_to_json,
    parse_change,
    parse_style,
    style_from_json,
    style_to_json,
)
from cells.domain.tombstones import Deaths
from cells.domain.values import SetValues, load_values, values_to_json

MAX_CELLS_PER_OPERATION = 10_000  # one transaction and one frame stay short
MAX_RUNS_PER_OPERATION = 10_000  # likewise; a selection is one run unless rows were moved about
MAX_INPUT_CHARACTERS = 32_767  # what Excel holds in a cell, so that files go both ways
MAX_FROZEN = 50  # rows or columns that stay in view; more would leave none to scroll
MAX_ID = 2**31 - 1  # what the database's integer column holds
MAX_REVISION = 2**63 - 1  # likewise, of its large ones

CellInput: TypeAlias = tuple[int, int, str]
"""Row id, column id, input; or positions, in an addressed operation."""

CellStyle: TypeAlias = tuple[int, int, Style]
"""Row id, column id, style."""

_NO_STYLES: Mapping[tuple[int, int], Style] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SetCells:
    """Give cells their input; empty text clears.

    `styles` are the whole styles of those cells that get one; "" takes it away. Each is of a cell
    in `cells`; the others keep their looks.

    `yielded` are what a stream would have written where a person's text, or newer news, stays.

    `new_rows` and `new_columns` are first added at the ends of the axes. Only an addressed
    operation that did not fit resolves to them: another author's insert could take the ids.
    """

    cells: tuple[CellInput, ...]
    new_rows: int = 0
    new_columns: int = 0
    styles: tuple[CellStyle, ...] = ()
    yielded: tuple[CellInput, ...] = ()


@dataclass(frozen=True, slots=True)
class SetStyles:
    """Change the looks of every cell in both `rows` and `columns`; their inputs stay."""

    rows: Runs
    columns: Runs
    change: StyleChange


@dataclass(frozen=True, slots=True)
class RestyleEach:
    """Give cells a whole style each, "" for none: what takes a SetStyles back."""

    styles: tuple[CellStyle, ...]


@dataclass(frozen=True, slots=True)
class Freeze:
    """Keep the first `rows` rows and `columns` columns in view; 0 lets all of them scroll."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Add `count` rows or columns in front of the id `before`, or at the end for None."""

    axis: AxisName
    before: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Turn rows or columns into tombstones; their cells stay, unseen.

    `deaths`, within Several, are of those that had died before: first id, count, next id then.
    """

    axis: AxisName
    runs: Runs
    deaths: Deaths = ()


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
    """Bring tombstones back to life where they stand: what takes a Delete back."""

    axis: AxisName
    runs: Runs


@dataclass(frozen=True, slots=True)
class PutBack:
    """Put each (first id, count) in front of an id, or at the end: what takes a Move back."""

    axis: AxisName
    pieces: tuple[tuple[int, int, int | None], ...]


@dataclass(frozen=True, slots=True)
class ResizeBack:
    """Give each (first id, count) its size, None for the default: what takes a Resize back."""

    axis: AxisName
    sizes: tuple[tuple[int, int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back one's own operation, or do again what was taken back.

    Names the operation itself either time. Resolves to an Undone.
    """

    operation_id: UUID
    is_redo: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """An Undo as the log keeps it: with what it came to, None where nothing was left to do."""

    operation_id: UUID
    is_redo: bool
    step: "Step | None"


@dataclass(frozen=True, slots=True)
class Several:
    """Steps that are one, in this order: what a RestoreTo comes to, and what takes that back."""

    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class RestoreTo:
    """Make a sheet what it was at a revision, or the cells of a range alone.

    `range` is two opposite corners, as row id, column id, row id, column id; what is between them
    is what was at that revision. Resolves to a Restored.
    """

    revision: int
    range: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """A RestoreTo as the log keeps it: with what it came to, None where all was so already."""

    revision: int
    range: tuple[int, int, int, int] | None
    step: Several | None


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
class AppendRecord:
    """Write (header, input) pairs into a row below the last used one, under their headers."""

    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AppendRecords:
    """Write several records as AppendRecord does, each into the row below the one before it."""

    records: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class UpsertRow:
    """Set cells of the row whose key columns hold the key; append such a row if there is none.

    Both are (header, input), the headers being the inputs of row 1.
    """

    key: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]


Step: TypeAlias = (
    SetCells
    | SetStyles
    | RestyleEach
    | ReorderCells
    | Insert
    | Delete
    | Move
    | Resize
    | Freeze
    | Restore
    | PutBack
    | ResizeBack
    | SetValues
    | Several
)
Operation: TypeAlias = Step | Undone | Restored
Intended: TypeAlias = Operation | Undo | RestoreTo
"""What a client may submit, and what that becomes."""

AddressedOperation: TypeAlias = SetAddresses | AppendRows | AppendRecord | AppendRecords | UpsertRow


def parse_operation(raw: object) -> Intended:
    """Read an operation from JSON that anybody may have sent.

    Raises Malformed, InvalidText or LimitExceeded. Unknown fields are ignored; whether the ids
    exist is for the sheet to say.
    """
    if not isinstance(raw, dict):
        raise Malformed("operation must be an object with a kind")
    kind = raw.get("kind")
    match kind:
        case "set_cells":
            return _parse_set_cells(raw.get("cells"))
        case "set_styles":
            rows, columns = _parse_runs(raw, AxisName.ROWS), _parse_runs(raw, AxisName.COLUMNS)
            check_cell_count(_total(rows) * _total(columns))
            return SetStyles(rows, columns, parse_change(raw.get("style")))
        case "reorder_cells":
            rows, columns = _parse_runs(raw, AxisName.ROWS), _parse_runs(raw, AxisName.COLUMNS)
            return parse_reordering(rows, columns, raw.get("order"))
        case "freeze":
            return Freeze(
                _parse_integer(raw, "rows", 0, MAX_FROZEN),
                _parse_integer(raw, "columns", 0, MAX_FROZEN),
            )
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
            axis = AxisName.ROWS if "rows" in raw else AxisName.COLUMNS
            return Resize(axis, _parse_runs(raw, axis), _parse_size(raw))
        case "undo" | "redo":
            return Undo(_parse_uuid(raw.get("operation_id")), is_redo=kind == "redo")
        case "restore":
            return RestoreTo(_parse_integer(raw, "revision", 0, MAX_REVISION), _parse_range(raw))
        case str():
            raise Malformed(f"operation kind {kind[:40]!r} is not known")
        case _:
            raise Malformed("operation must be an object with a kind")


def set_cells(
    cells: Sequence[CellInput], styles: Mapping[tuple[int, int], Style] = _NO_STYLES
) -> SetCells:
    """Return the operation that sets cells whose types are known to be right.

    `styles` are those of the cells that get one. Raises InvalidText, LimitExceeded, or Malformed
    for no cell at all.
    """
    checked = _checked_cells(cells)
    return SetCells(checked, styles=tuple((*key, style) for key, style in styles.items()))


def load_operation(raw: dict[str, Any]) -> Operation:
    """Read an operation from the log, where it may also say how the grid grew, or what was undone.

    Raises what parse_operation raises.
    """
    if raw.get("kind") in ("undo", "redo"):
        step = raw.get("step")
        return Undone(
            _parse_uuid(raw.get("operation_id")),
            is_redo=raw["kind"] == "redo",
            step=None if step is None else load_step(step),
        )
    if raw.get("kind") == "restore":
        step = raw.get("step")
        several = None if step is None else _load_several(step)
        return Restored(raw["revision"], _parse_range(raw), several)
    return load_step(raw)


def step_of(operation: Operation) -> Step | None:
    """Return what an operation of the log does; None where that is nothing."""
    return operation.step if isinstance(operation, (Undone, Restored)) else operation


def load_step(raw: dict[str, Any]) -> Step:
    """Read what an operation of the log does; see load_operation."""
    match raw.get("kind"):
        case "set_cells" if "yielded" in raw:
            cells, yielded = (
                tuple((row, column, text) for row, column, text in raw[name])
                for name in ("cells", "yielded")
            )
            new_rows, new_columns = raw.get("new_rows", 0), raw.get("new_columns", 0)
            return SetCells(cells, new_rows, new_columns, yielded=yielded)
        case "restore_rows" | "restore_columns" as kind:
            axis = AxisName(kind[8:])
            return Restore(axis, _parse_runs(raw, axis))
        case "put_back_rows" | "put_back_columns" as kind:
            axis = AxisName(kind[9:])
            return PutBack(axis, tuple((first, count, at) for first, count, at in raw[axis]))
        case "restyle_each":
            looks = tuple((row, col, style_from_json(style)) for row, col, style in raw["cells"])
            return RestyleEach(looks)
        case "set_values":
            return load_values(raw)
        case "several":
            return _load_several(raw)
        case "resize_back":
            axis = AxisName.ROWS if "rows" in raw else AxisName.COLUMNS
            return ResizeBack(axis, tuple((first, count, at) for first, count, at in raw[axis]))
    operation = parse_operation(raw)
    match operation:
        case SetCells(cells, styles=styles):
            return SetCells(cells, raw.get("new_rows", 0), raw.get("new_columns", 0), styles)
        case Undo() | Undone() | RestoreTo() | Restored():
            raise Malformed("an undo or a restore does not consist of another one")
        case _:
            return operation


def _load_several(raw: dict[str, Any]) -> Several:
    return Several(tuple(map(_load_part, raw["steps"])))


def _load_part(raw: dict[str, Any]) -> Step:
    """Read a step of several. It may be larger than what a client may send at once."""
    match raw["kind"]:
        case "set_cells":
            cells = tuple((row, column, text) for row, column, text, *_ in raw["cells"])
            looks = [(cell[0], cell[1], cell[3]) for cell in raw["cells"] if len(cell) > 3]
            styles = tuple((row, column, style_from_json(style)) for row, column, style in looks)
            return SetCells(cells, styles=styles)
        case "delete_rows" | "delete_columns" | "restore_rows" | "restore_columns" as kind:
            verb, _, name = kind.partition("_")
            runs = tuple((first, count) for first, count in raw[name])
            if verb == "restore":
                return Restore(AxisName(name), runs)
            deaths = tuple((first, count, at) for first, count, at in raw.get("deaths", ()))
            return Delete(AxisName(name), runs, deaths)
    return load_step(raw)


def operation_to_json(operation: Operation) -> dict[str, Any]:
    """Return the JSON form that load_operation reads, and parse_operation of what clients send."""
    match operation:
        case SetCells(cells, new_rows, new_columns, styles, yielded):
            raw: dict[str, Any] = {"kind": "set_cells", "cells": cells}
            if yielded:
                raw["yielded"] = yielded
            if styles:
                raw["cells"] = _with_styles(cells, styles)
            if new_rows:
                raw["new_rows"] = new_rows
            if new_columns:
                raw["new_columns"] = new_columns
            return raw
        case SetStyles(rows, columns, change):
            return {
                "kind": "set_styles",
                "rows": rows,
                "columns": columns,
                "style": change_to_json(change),
            }
        case RestyleEach(styles):
            looks = [(row, column, style_to_json(style)) for row, column, style in styles]
            return {"kind": "restyle_each", "cells": looks}
        case ReorderCells(rows, columns, order):
            return {"kind": "reorder_cells", "rows": rows, "columns": columns, "order": order}
        case Freeze(frozen_rows, frozen_columns):
            return {"kind": "freeze", "rows": frozen_rows, "columns": frozen_columns}
        case Insert(axis, before, count):
            return {"kind": f"insert_{axis}", "before": before, "count": count}
        case Delete(axis, runs, deaths):
            raw = {"kind": f"delete_{axis}", axis.value: runs}
            return raw | {"deaths": deaths} if deaths else raw
        case Move(axis, runs, before):
            return {"kind": f"move_{axis}", axis.value: runs, "before": before}
        case Resize(axis, runs, size):
            return {"kind": "resize", axis.value: runs, "size": size}
        case Restore(axis, runs):
            return {"kind": f"restore_{axis}", axis.value: runs}
        case PutBack(axis, pieces):
            return {"kind": f"put_back_{axis}", axis.value: pieces}
        case ResizeBack(axis, sizes):
            return {"kind": "resize_back", axis.value: sizes}
        case SetValues():
            return values_to_json(operation)
        case Undone(operation_id, is_redo, step):
            return {
                "kind": "redo" if is_redo else "undo",
                "operation_id": str(operation_id),
                "step": None if step is None else operation_to_json(step),
            }
        case Several(steps):
            return {"kind": "several", "steps": [operation_to_json(step) for step in steps]}
        case Restored(revision, range_, step):
            raw = {"kind": "restore", "revision": revision}
            if range_ is not None:
                raw["range"] = range_
            return raw | {"step": None if step is None else operation_to_json(step)}


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


def _parse_set_cells(raw: object) -> SetCells:
    if not isinstance(raw, list):
        raise Malformed("cells must be a list of [row_id, column_id, input]")
    cells: list[CellInput] = []
    styles: dict[tuple[int, int], Style] = {}
    for cell in raw:
        if not isinstance(cell, list) or len(cell) not in (3, 4):
            raise Malformed("each cell must be [row_id, column_id, input] or have a style as well")
        row, column, text = cell[:3]
        if type(row) is not int or type(column) is not int or type(text) is not str:
            raise Malformed("each cell must be [row_id, column_id, input]")
        cells.append((row, column, text))
        if len(cell) == 4:
            styles[row, column] = parse_style(cell[3])
    return set_cells(cells, styles)


def _with_styles(
    cells: Sequence[CellInput], styles: Sequence[CellStyle]
) -> list[tuple[int, int, str] | tuple[int, int, str, Any]]:
    by_cell = {(row, column): style for row, column, style in styles}
    return [
        (row, column, text)
        if (style := by_cell.get((row, column))) is None
        else (row, column, text, style_to_json(style))
        for row, column, text in cells
    ]


def _total(runs: Runs) -> int:
    return sum(stop - first for first, stop in join_runs(runs))


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


def _parse_before(raw: dict[str, Any]) -> int | None:
    return None if raw.get("before") is None else _parse_integer(raw, "before", 0, MAX_ID)


def _parse_size(raw: dict[str, Any]) -> int | None:
    if raw.get("size") is None:
        return None
    return _parse_integer(raw, "size", MIN_SIZE_PIXELS, MAX_SIZE_PIXELS)


def _parse_uuid(raw: object) -> UUID:
    try:
        return UUID(raw if isinstance(raw, str) else "")
    except ValueError:
        raise Malformed("operation_id must be the UUID of an operation") from None


def _parse_range(raw: dict[str, Any]) -> tuple[int, int, int, int] | None:
    corners = raw.get("range")
    if corners is None:
        return None
    if (
        not isinstance(corners, list)
        or len(corners) != 4
        or any(type(id_) is not int or not 0 <= id_ <= MAX_ID for id_ in corners)
    ):
        raise Malformed("range must be [row_id, column_id, row_id, column_id]")
    return (corners[0], corners[1], corners[2], corners[3])


def _parse_integer(raw: dict[str, Any], name: str, least: int, most: int) -> int:
    number = raw.get(name)
    if type(number) is not int:
        raise Malformed(f"{name} must be a whole number")
    if not least <= number <= most:
        raise LimitExceeded(f"{name} must be from {least:,} to {most:,}")
    return number
