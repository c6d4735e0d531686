"""Answers: what the server says, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CellError:
    """What a formula came to that has no value: `error` is `#DIV/0!` or another of these."""

    error: str
    reason: str = ""

    def __str__(self) -> str:
        return self.error


Value: TypeAlias = str | int | float | bool | CellError | None
"""What a cell comes to; None: nothing, or a formula that is being calculated."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: the text as typed, and what it comes to."""

    input: str
    value: Value

    @classmethod
    def from_json(cls, cell: Mapping[str, Any]) -> Self:
        return cls(cell["input"], _value(cell["value"]))


@dataclass(frozen=True, slots=True)
class CellRange:
    """A rectangle, row by row, as of one revision; `range` is what of it the sheet has."""

    revision: int
    range: str | None
    rows: list[list[Cell]]

    @property
    def values(self) -> list[list[Value]]:
        """What the cells come to."""
        return [[cell.value for cell in row] for row in self.rows]

    @property
    def inputs(self) -> list[list[str]]:
        """The cells as typed."""
        return [[cell.input for cell in row] for row in self.rows]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        rows = [[Cell.from_json(cell) for cell in row] for row in body["rows"]]
        return cls(body["revision"], body["range"], rows)


@dataclass(frozen=True, slots=True)
class Record:
    """A row below the headers: where it stands, counted from 1, and its cells by header."""

    row: int
    cells: dict[str, Cell]

    @property
    def values(self) -> dict[str, Value]:
        """What the cells come to, by header."""
        return {header: cell.value for header, cell in self.cells.items()}


@dataclass(frozen=True, slots=True)
class Records:
    """A page of records as of one revision; `next` is what `after` is to be for more."""

    revision: int
    headers: list[str]
    records: list[Record]
    next: int | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        records = [
            Record(
                found["row"],
                {header: Cell.from_json(cell) for header, cell in found["cells"].items()},
            )
            for found in body["records"]
        ]
        return cls(body["revision"], body["headers"], records, body["next"])


@dataclass(frozen=True, slots=True)
class Written:
    """The edit is in the sheet's log, exactly once."""

    revision: int
    operation_id: UUID

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(body["revision"], UUID(body["operation_id"]))


@dataclass(frozen=True, slots=True)
class Imported:
    """A file is in the sheet; `before` is the sheet's revision ahead of it.

    `left_out` are cells that were not written: somebody had deleted their rows or columns.
    """

    slug: str
    before: int
    revision: int
    rows: int
    cells: int
    left_out: int = 0

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        slug, before, revision, rows, cells = (
            body[name] for name in ("slug", "before", "revision", "rows", "cells")
        )
        # A server of an earlier release does not tell what was left out.
        return cls(slug, before, revision, rows, cells, body.get("left_out", 0))


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A sheet, and what the token's person may do there: `viewer`, `editor` or `owner`."""

    slug: str
    title: str
    role: str
    owner: str | None
    revision: int
    created_at: datetime
    updated_at: datetime | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        updated = body["updated_at"]
        return cls(
            body["slug"],
            body["title"],
            body["role"],
            body["owner"],
            body["revision"],
            datetime.fromisoformat(body["created_at"]),
            None if updated is None else datetime.fromisoformat(updated),
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One edit of a sheet's log: who, by what kind of program, when, and what in a sentence."""

    revision: int
    author: str
    kind: str
    what: str
    committed_at: datetime

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        moment = datetime.fromisoformat(line["committed_at"])
        return cls(line["revision"], line["author"], line["kind"], line["what"], moment)


@dataclass(frozen=True, slots=True)
class ChangedCell(Cell):
    """A cell that was touched, as it is now, where it stands now."""

    address: str

    @classmethod
    def from_json(cls, cell: Mapping[str, Any]) -> Self:
        return cls(cell["input"], _value(cell["value"]), cell["address"])


@dataclass(frozen=True, slots=True)
class Change:
    """What the revisions behind `after`, up to `through`, have made of the sheet.

    `moved`: rows or columns came, went, moved or changed their size, so that addresses of before
    may be other cells' now. `is_reset`: there is too much to tell; read the sheet anew.
    """

    after: int
    through: int
    moved: bool
    is_reset: bool
    cells: list[ChangedCell]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        cells = [ChangedCell.from_json(cell) for cell in body["cells"]]
        return cls(body["after"], body["through"], body["moved"], body["is_reset"], cells)


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        return CellError(value["error"], value.get("reason", ""))
    found: Value = value
    return found
