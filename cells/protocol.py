"""The wire: frames of protocol version 1 and close codes, between bytes and values.

The contract is in docs/protocol.md; fields may be added to it, none may change.
"""

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec

from cells.domain.deltas import CellState, Delta
from cells.domain.errors import Malformed, SheetSyncError
from cells.domain.styles import Style, read_style
from cells.domain.tombstones import Deaths, told_apart

PROTOCOL = 1
SHEETS_PATH = "ws/sheets/"  # then a slug; below what the project is mounted at
MAX_FRAME_BYTES = 256 * 1024  # a paste of 10,000 short cells fits; a client splits what does not


class CloseCode(IntEnum):
    """Why the server closes a socket: RFC 6455, section 7.4, and IANA's registry of its codes."""

    MALFORMED = 4400
    NOT_SIGNED_IN = 4401
    FORBIDDEN = 4403
    NO_SUCH_SHEET = 4404
    TOO_SLOW = 4408
    TOO_MANY = 4429
    DRAINING = 1012
    TRY_AGAIN_LATER = 1013


_Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Revision = Annotated[int, msgspec.Meta(ge=0)]

# -- client to server ----------------------------------------------------------------------------


class Packing(StrEnum):
    """How a client takes a first load that is stored packed."""

    GZIP = "gzip"


class View(msgspec.Struct, frozen=True):
    """What a client shows: the position of the first row, and how many."""

    rows: tuple[_Id, _Count]


class SheetOpen(msgspec.Struct, frozen=True, tag="sheet.open", tag_field="type"):
    """Open the sheet, or catch up after a gap: everything since `revision`.

    `packed` names the packing that the client can read; one unknown here is not offered. The rows
    of `view` are sent ahead of a large first load. `user` is whose page it is that speaks.
    `held_ms` is how long ago the client came to `revision`.
    """

    protocol: int
    client_id: UUID
    revision: _Revision | None = None
    packed: str | None = None
    view: View | None = None
    user: str | None = None
    held_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None


class RowsLoad(msgspec.Struct, frozen=True, tag="rows.load", tag_field="type"):
    """Send rows, as runs of ids, ahead of the first load that is on its way."""

    rows: list[tuple[_Id, _Count]]


class OperationSubmit(msgspec.Struct, frozen=True, tag="operation.submit", tag_field="type"):
    """Commit one operation; `operation` is for cells.domain.operations to read.

    With `expected` only as the next revision after that one.
    """

    operation_id: UUID
    operation: Any = None
    expected: _Revision | None = None


class SetCellsFields(msgspec.Struct, frozen=True, tag="set_cells", tag_field="kind"):
    """The most frequent operation, its types checked while it was decoded."""

    cells: list[tuple[int, int, str]]


_NO_STYLE = msgspec.Raw(b"")


class _StyledCell(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    row: int
    column: int
    input: str
    style: msgspec.Raw = _NO_STYLE


class StyledCellsFields(msgspec.Struct, frozen=True, tag="set_cells", tag_field="kind"):
    """Likewise, where cells come with their styles: these are still to be read."""

    cells: list[_StyledCell]

    def inputs(self) -> list[tuple[int, int, str]]:
        return [(cell.row, cell.column, cell.input) for cell in self.cells]

    def styles(self) -> dict[tuple[int, int], Style]:
        """Return those of the cells that have one. Raises Malformed."""
        return {
            (cell.row, cell.column): read_style(bytes(cell.style).decode())
            for cell in self.cells
            if cell.style is not _NO_STYLE
        }


class _StyledCellsSubmit(msgspec.Struct, frozen=True, tag="operation.submit", tag_field="type"):
    operation_id: UUID
    operation: StyledCellsFields
    expected: _Revision | None = None


class _SetCellsSubmit(msgspec.Struct, frozen=True, tag="operation.submit", tag_field="type"):
    operation_id: UUID
    operation: SetCellsFields
    expected: _Revision | None = None


class PresenceUpdate(msgspec.Struct, frozen=True, tag="presence.update", tag_field="type"):
    """Say where this client is: its cell, its selected range (both by ids), whether it types."""

    cell: tuple[_Id, _Id] | None = None
    range: tuple[_Id, _Id, _Id, _Id] | None = None
    editing: bool = False


ClientFrame: TypeAlias = SheetOpen | OperationSubmit | PresenceUpdate | RowsLoad

_decoder = msgspec.json.Decoder(ClientFrame)
# The most frequent first; what fits none is told by its first field, in less than a microsecond.
_submission_decoders: tuple[msgspec.json.Decoder[_SetCellsSubmit | _StyledCellsSubmit], ...] = (
    msgspec.json.Decoder(_SetCellsSubmit),
    msgspec.json.Decoder(_StyledCellsSubmit),
)


def decode_frame(text: str | bytes | None) -> ClientFrame:
    """Read what a client sent, as text or its UTF-8; None is a binary frame. Raises Malformed.

    Of a submission of set_cells that has the right types, `operation` is a SetCellsFields, or a
    StyledCellsFields where it has styles.
    """
    if text is None:
        raise Malformed("frames must be text, not binary")
    if len(text) > MAX_FRAME_BYTES or (
        isinstance(text, str)
        and len(text) * 4 > MAX_FRAME_BYTES
        and len(text.encode("utf-8", "replace")) > MAX_FRAME_BYTES
    ):
        raise Malformed(f"a frame holds at most {MAX_FRAME_BYTES:,} bytes; send several")
    for decoder in _submission_decoders:
        try:
            submitted = decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            continue  # it is something else, or wrong: read again, to say what
        return OperationSubmit(submitted.operation_id, submitted.operation, submitted.expected)
    try:
        frame: ClientFrame = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        return _decode_submission(text, error)
    return frame


def _decode_submission(text: str | bytes, error: Exception) -> OperationSubmit:
    """Read a submission that strict JSON refuses, if its id can be told; else raise Malformed.

    Its author is waiting for an answer about that id: a lone surrogate or a number out of range
    must become a rejection of the operation, not an error of no operation at all.
    """
    try:
        raw = json.loads(text, parse_int=_parse_int)
        if isinstance(raw, dict) and raw.get("type") == "operation.submit":
            return OperationSubmit(
                UUID(raw["operation_id"]), raw.get("operation"), _expected(raw.get("expected"))
            )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    raise Malformed(f"not a frame of this protocol: {reason}")


def _expected(raw: object) -> int | None:
    if raw is None or (type(raw) is int and raw >= 0):
        return raw
    raise Malformed("expected must be a revision: a whole number from 0 on; or leave it out")


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else float(digits)


# -- server to client ----------------------------------------------------------------------------


class You(msgspec.Struct, frozen=True):
    """Who the server takes a client for."""

    client_id: str
    name: str
    color: str


class SheetName(msgspec.Struct, frozen=True):
    slug: str
    title: str


class SheetOpened(
    msgspec.Struct, frozen=True, tag="sheet.opened", tag_field="type", omit_defaults=True
):
    """The answer to sheet.open: the sheet's shape at `head`; its cells follow.

    Axes and sizes are JSON already, as axis_on_wire returns them and as the database has them.
    `filled` is how many cells are not empty: how long a first load will be. `afresh`: the revision
    that the client holds is not of this log, and the whole sheet follows.
    """

    protocol: int
    sheet: SheetName
    role: str
    you: You
    head: int
    filled: int
    rows: msgspec.Raw
    columns: msgspec.Raw
    row_sizes: msgspec.Raw
    column_sizes: msgspec.Raw
    frozen: tuple[int, int]
    row_deaths: Deaths = ()
    column_deaths: Deaths = ()
    afresh: bool = False


class RoleChanged(msgspec.Struct, frozen=True, tag="role.changed", tag_field="type"):
    """The client may do something else from now on than sheet.opened said."""

    role: str


class ProtectedRange(msgspec.Struct, frozen=True):
    """A protected part of the sheet: from corner to corner by ids, None from edge to edge."""

    id: int
    rows: tuple[int, int] | None
    columns: tuple[int, int] | None
    description: str
    may_edit: bool


class ProtectionsChanged(msgspec.Struct, frozen=True, tag="protections.changed", tag_field="type"):
    """What of the sheet is protected, and what of it this client may edit; `ask` names an owner."""

    protections: tuple[ProtectedRange, ...]
    ask: str


class CellsPacked(msgspec.Struct, frozen=True, tag="cells.packed", tag_field="type"):
    """The first load from `after` to `through` follows as `bytes` bytes in binary messages.

    Unpacked as `encoding` says, they are the lines of one `cells.changed` frame each.
    """

    after: int
    through: int
    encoding: Packing
    cells: int
    bytes: int


class RowsLoaded(msgspec.Struct, frozen=True, tag="rows.loaded", tag_field="type"):
    """All cells of some rows, as runs of ids, at revision `at`: ahead of a first load."""

    at: int
    rows: list[tuple[int, int]]
    cells: list[CellState]


class ClientPresence(msgspec.Struct, frozen=True):
    """Where one client is, as all others see it."""

    client_id: str
    name: str
    color: str
    cell: tuple[int, int] | None = None
    range: tuple[int, int, int, int] | None = None
    editing: bool = False


class PresenceChanged(
    msgspec.Struct, frozen=True, tag="presence.changed", tag_field="type", omit_defaults=True
):
    """Who is where; with `full`, nobody else is here."""

    clients: list[ClientPresence]
    gone: list[str]
    full: bool = False


class _CellsChanged(
    msgspec.Struct, frozen=True, tag="cells.changed", tag_field="type", omit_defaults=True
):
    after: int
    through: int
    changes: list[Any]
    rows: list[list[int]] | None = None
    columns: list[list[int]] | None = None
    row_sizes: list[list[int]] | None = None
    column_sizes: list[list[int]] | None = None
    frozen: tuple[int, int] | None = None
    row_deaths: Deaths = ()
    column_deaths: Deaths = ()
    more: bool = False


class _OperationsCommitted(
    msgspec.Struct,
    frozen=True,
    tag="operations.committed",
    tag_field="type",
    omit_defaults=True,
):
    operations: list[tuple[str, int]]
    left: dict[str, int] = {}


class _OperationRejected(msgspec.Struct, frozen=True, tag="operation.rejected", tag_field="type"):
    operation_id: str
    code: str
    message: str
    retryable: bool


class _Heartbeat(msgspec.Struct, frozen=True, tag="sheet.heartbeat", tag_field="type"):
    head: int


class _Error(msgspec.Struct, frozen=True, tag="error", tag_field="type"):
    code: str
    message: str


def encode_frame(frame: msgspec.Struct) -> bytes:
    """Return a frame's text, in UTF-8."""
    return msgspec.json.encode(frame)


def encode_delta(delta: Delta) -> bytes:
    """Return the `cells.changed` frame of a delta."""
    rows, row_deaths = (None, ()) if delta.rows is None else told_apart(delta.rows)
    columns, column_deaths = (None, ()) if delta.columns is None else told_apart(delta.columns)
    return encode_frame(
        _CellsChanged(
            delta.after,
            delta.through,
            delta.changes,
            rows,
            columns,
            delta.row_sizes,
            delta.column_sizes,
            delta.frozen,
            row_deaths,
            column_deaths,
            delta.has_more,
        )
    )


@lru_cache(maxsize=64)  # many open a sheet at once, and thousands of runs take milliseconds
def axis_on_wire(stored: str) -> tuple[msgspec.Raw, Deaths]:
    """Return the runs of an axis, from the JSON text that the database has, and its deaths.

    An axis without deaths is passed on as it is, be it as long as it may.
    """
    # Only what tells a death has a count of 0; SQLite's text may have no space, PostgreSQL's has.
    if ",0]" not in stored and ", 0]" not in stored:
        return msgspec.Raw(stored.encode()), ()
    runs, deaths = told_apart(msgspec.json.decode(stored, type=list[list[int]]))
    return msgspec.Raw(msgspec.json.encode(runs)), deaths


def encode_committed(
    operations: Iterable[tuple[UUID, int]], left: Mapping[UUID, int] = MappingProxyType({})
) -> bytes:
    """Return the `operations.committed` frame of (operation id, revision)s.

    `left` is how many cells each undo had to leave alone.
    """
    return encode_frame(
        _OperationsCommitted(
            [(str(operation_id), number) for operation_id, number in operations],
            {str(operation_id): count for operation_id, count in left.items()},
        )
    )


def encode_rejected(operation_id: UUID, error: SheetSyncError) -> bytes:
    """Return the `operation.rejected` frame of a refusal."""
    return encode_frame(
        _OperationRejected(str(operation_id), error.code, str(error), error.retryable)
    )


def encode_heartbeat(head: int) -> bytes:
    """Return the `sheet.heartbeat` frame."""
    return encode_frame(_Heartbeat(head))


def encode_error(error: SheetSyncError) -> bytes:
    """Return the `error` frame of a frame that could not be read."""
    return encode_frame(_Error(error.code, str(error)))
