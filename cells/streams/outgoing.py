"""What a revision becomes on its way out: one message, or several where it is large."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cells.domain.operations import MAX_CELLS_PER_OPERATION
from cells.streams.messages import EDIT_ID, NAMESPACE, ORIGIN
from cells.streams.origins import KIND, origin_of

REVISION = "revision"

# What the message of another SheetSync may hold, and a tenth of what Pub/Sub takes.
# https://cloud.google.com/pubsub/quotas#resource_limits
MAX_DATA_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sheet's log, and the SheetSync and sheet that it is of."""

    installation: str
    sheet: str
    number: int
    operation_id: uuid.UUID
    author_kind: str
    author_name: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is to be published."""

    data: bytes
    attributes: dict[str, str]

    @property
    def size_bytes(self) -> int:
        # Each attribute and the envelope take a few bytes more than their texts.
        return len(self.data) + 100 + sum(len(text) * 4 for text in self.attributes.values())


class Edit(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A cell as a revision left it: address, input, value, and its header in row 1, if any.

    A formula has no value until it is calculated, and that revision has no input.
    """

    cell: str
    input: str | UnsetType = UNSET
    value: Any = UNSET
    column: str | None = None


def edit_messages(line: Line, edits: Sequence[Edit], kind: str = "") -> list[Outgoing]:
    """Return the messages that set cells; another SheetSync can commit each of them.

    With a `kind` it does not, for it calculates the values of formulas by itself.
    """
    parts = list(_parts(edits))
    messages = []
    for place, part in enumerate(parts, 1):
        head = _head(line) | ({"operation": {"kind": kind}} if kind else {})
        if len(parts) > 1:
            head |= {"part": place, "parts": len(parts)}
        data = msgspec.json.encode(head)[:-1] + b',"edits":[' + b",".join(part) + b"]}"
        attributes = _attributes(line, f"{place}/{len(parts)}")
        messages.append(Outgoing(data, attributes | ({KIND: kind} if kind else {})))
    return messages


def notice(line: Line, operation: dict[str, Any]) -> Outgoing:
    """Return the message that tells of an operation which no edits can repeat."""
    data = msgspec.json.encode(_head(line) | {"operation": operation})
    return Outgoing(data, _attributes(line, "1/1") | {KIND: operation["kind"]})


def _head(line: Line) -> dict[str, Any]:
    return {
        "sheet": line.sheet,
        "revision": line.number,
        "author": line.author_name,
        "committed_at": line.committed_at,
    }


def _attributes(line: Line, part: str) -> dict[str, str]:
    # The operation's id, too: a database that was restored gives a number a second time.
    name = f"{line.installation} {line.sheet} {line.number} {line.operation_id} {part}"
    return {
        EDIT_ID: str(uuid.uuid5(NAMESPACE, f"revision {name}")),
        REVISION: str(line.number),
        ORIGIN: origin_of(line.author_kind, line.author_name, line.installation),
    }


def _parts(edits: Sequence[Edit]) -> Iterator[list[bytes]]:
    """Yield encoded edits in portions of a message each."""
    part: list[bytes] = []
    size = 0
    for edit in edits:
        encoded = msgspec.json.encode(edit)
        size += len(encoded) + 1
        if part and (len(part) == MAX_CELLS_PER_OPERATION or size > MAX_DATA_BYTES):
            yield part
            part, size = [], len(encoded) + 1
        part.append(encoded)
    yield part
