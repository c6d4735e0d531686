"""What an engine's process is asked and answers: msgpack, with each frame's length before it."""

import struct

import msgspec

from cells.calc.engine import Content, Value

LENGTH = struct.Struct(">I")
OUT_OF_MEMORY = 77  # the process's exit code; no signal and no interpreter uses it
# What ends a process at work whose parent is gone; the parent's own limit comes well before.
ORPHAN_SECONDS = 60

Cell = tuple[int, int, Content]  # row and column, zero-based


class Load(msgspec.Struct, array_like=True, tag="load"):
    """Replace the whole sheet; answered by Done."""

    cells: list[Cell]


class Set(msgspec.Struct, array_like=True, tag="set"):
    """Change some cells; answered by Done."""

    cells: list[Cell]


class Evaluate(msgspec.Struct, array_like=True, tag="evaluate"):
    """Calculate what has changed at a moment (ISO 8601, with its zone); answered by Values."""

    now: str


class Walk(msgspec.Struct, array_like=True, tag="walk"):
    """Load the sheet and calculate one formula after the other; answered by At …, then Done."""

    cells: list[Cell]
    now: str


class Done(msgspec.Struct, array_like=True, tag="done"):
    """The request is done."""

    volatile: bool


class Values(msgspec.Struct, array_like=True, tag="values"):
    """The values that are new or differ."""

    values: list[tuple[int, int, Value]]
    volatile: bool


class At(msgspec.Struct, array_like=True, tag="at"):
    """Work on this formula begins; the process has used so many seconds of a processor by then."""

    row: int
    column: int
    seconds: float


Request = Load | Set | Evaluate | Walk
Answer = Done | Values | At


def encode(frame: Request | Answer) -> bytes:
    """Return a frame's bytes, its length first."""
    body = msgspec.msgpack.encode(frame)
    return LENGTH.pack(len(body)) + body
