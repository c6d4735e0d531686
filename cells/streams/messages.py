"""One Pub/Sub message: its bytes and attributes become a submission, or a refusal that says why."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from cells.domain.addresses import parse_address
from cells.domain.errors import LimitExceeded, Malformed, SheetSyncError
from cells.domain.operations import (
    AddressedOperation,
    AppendRows,
    CellInput,
    SetAddresses,
    UpsertRow,
    check_cell_count,
    check_text,
)
from cells.models import AuthorKind, Sheet
from cells.services.authors import MAX_NAME_CHARACTERS, MAX_ORIGIN_CHARACTERS, Author, Source
from cells.services.commit import Submission
from cells.streams.values import Literal, decode_json, format_value

FORMS = '"edits", "append" or "upsert"'
EDIT_ID = "edit_id"
ORIGIN = "origin"

# Operation ids are UUIDv5 in this namespace. Another one would commit every message that is
# redelivered across the change a second time.
NAMESPACE = uuid.UUID("c32c8a56-8c96-48c4-9c3f-590bcdb2abc5")

MAX_SLUG_CHARACTERS: int = Sheet._meta.get_field("slug").max_length or 0


class Feed(Protocol):
    """What knows how to read messages that know nothing of sheets; see mapping.py."""

    @property
    def feed_id(self) -> int: ...

    def map(self, message: "Message") -> list[Submission]: ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a subscription delivered it, however it came here.

    `topic` and `subscription` are full resource names. A redelivery has the same `message_id`
    and `published_at`. `delivery_attempt` is 0 where Pub/Sub does not count. `feeds` read it;
    without any it is in the form that docs/streams.md describes.
    """

    topic: str
    subscription: str
    message_id: str
    published_at: datetime
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""
    delivery_attempt: int = 0
    feeds: tuple[Feed, ...] = ()

    @property
    def origin(self) -> str:
        return f"{self.subscription}/{self.message_id}"


class _Edit(msgspec.Struct):
    cell: str
    value: Any | UnsetType = UNSET
    input: str | UnsetType = UNSET

    def text(self) -> str:
        """Return what is to be typed: the input as it stands, or else what the value becomes."""
        if self.input is not UNSET:
            check_text(self.input)
            return self.input
        if self.value is UNSET:
            raise Malformed('an edit has a "value"; send null to clear the cell')
        return format_value(self.value)


class _Upsert(msgspec.Struct):
    key: dict[str, Any]
    set: dict[str, Any]


class _Body(msgspec.Struct):
    sheet: str
    edits: list[_Edit] | UnsetType = UNSET
    append: list[list[Any]] | UnsetType = UNSET
    upsert: _Upsert | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_Body, float_hook=Literal)


def decode_message(message: Message) -> Submission:
    """Return the submission that a message asks for.

    Raises Malformed, InvalidAddress, InvalidText or LimitExceeded: with the same bytes it always
    will, so such a message is a dead letter.
    """
    sheet, operation = decode_data(message.data)
    source = Source(message.published_at)
    return Submission(sheet, operation_id_of(message), operation, _author_of(message), source)


def decode_data(data: bytes) -> tuple[str, AddressedOperation]:
    """Return the slug and the operation in a message's bytes. Raises like decode_message."""
    body = _decode_body(data)
    if not 0 < len(body.sheet) <= MAX_SLUG_CHARACTERS:
        raise Malformed(
            f'"sheet" has {len(body.sheet):,} characters; it must be the slug in the sheet\'s '
            f"address, 1 to {MAX_SLUG_CHARACTERS} characters"
        )
    try:
        check_text(body.sheet)
    except SheetSyncError as error:
        raise at('"sheet"', error) from error
    return body.sheet, _operation_of(body)


def operation_id_of(message: Message) -> uuid.UUID:
    """Return the id that makes redeliveries and a publisher's own retries harmless.

    The publish time is part of a message's identity because the emulator counts its message ids
    from 1 again after every start.
    """
    edit_id = message.attributes.get(EDIT_ID)
    if edit_id:
        return uuid.uuid5(NAMESPACE, f"edit_id {edit_id}")
    published_ms = int(message.published_at.timestamp() * 1000)
    return uuid.uuid5(NAMESPACE, f"message {message.topic} {message.message_id} {published_ms}")


def _decode_body(data: bytes) -> _Body:
    try:
        return decode_json(_decoder, data)
    except msgspec.ValidationError as error:
        raise Malformed(f'{error}; a message has the text "sheet" and {FORMS}') from error


def _operation_of(body: _Body) -> AddressedOperation:
    count = sum(form is not UNSET for form in (body.edits, body.append, body.upsert))
    if count == 1:
        if isinstance(body.edits, list):
            return _set_addresses(body.edits)
        if isinstance(body.append, list):
            return _append_rows(body.append)
        if isinstance(body.upsert, _Upsert):
            return _upsert_row(body.upsert)
    raise Malformed(f"a message has exactly one of {FORMS}, not {count} of them")


def _set_addresses(edits: list[_Edit]) -> SetAddresses:
    check_cell_count(len(edits))
    cells: list[CellInput] = []
    try:
        for edit in edits:
            row, column = parse_address(edit.cell)
            cells.append((row, column, edit.text()))
    except SheetSyncError as error:
        raise at(f"edits[{len(cells)}]", error) from error
    return SetAddresses(tuple(cells))


def _append_rows(rows: list[list[Any]]) -> AppendRows:
    check_cell_count(sum(map(len, rows)))
    inputs: list[tuple[str, ...]] = []
    try:
        for row in rows:
            if not row:
                raise Malformed("a row must have at least one value; leave an empty one out")
            inputs.append(tuple(map(format_value, row)))
    except SheetSyncError as error:
        raise at(f"append[{len(inputs)}]", error) from error
    return AppendRows(tuple(inputs))


def _upsert_row(upsert: _Upsert) -> UpsertRow:
    if not upsert.key:
        raise Malformed('"key" must name at least one column by its header in row 1')
    check_cell_count(len(upsert.key) + len(upsert.set))
    both = sorted(upsert.key.keys() & upsert.set.keys())
    if both:
        raise Malformed(f'the column {both[0]!r:.60} is in "key" and in "set"; name it once')
    key = _format_columns("key", upsert.key)
    for header, text in key:
        if not text:
            raise Malformed(f'"key" gives {header!r:.60} no value; every key column needs one')
    return UpsertRow(key=key, values=_format_columns("set", upsert.set))


def _format_columns(part: str, columns: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    header = ""
    try:
        for header, value in columns.items():
            if not header:
                raise Malformed("a column's header must not be empty")
            check_text(header)
            pairs.append((header, format_value(value)))
    except SheetSyncError as error:
        raise at(f'"{part}" {header!r:.60}', error) from error
    return tuple(pairs)


def _author_of(message: Message) -> Author:
    # The end of the origin holds the message id, so that is what a long one keeps.
    origin = message.origin[-MAX_ORIGIN_CHARACTERS:]
    name = message.attributes.get(ORIGIN)
    if not name:
        subscription = message.subscription.rpartition("/")[2]
        return Author(AuthorKind.STREAM, subscription[:MAX_NAME_CHARACTERS], origin=origin)
    if len(name) > MAX_NAME_CHARACTERS:
        raise LimitExceeded(
            f"the attribute {ORIGIN} has {len(name):,} characters; the author's name that it "
            f"becomes has at most {MAX_NAME_CHARACTERS}"
        )
    try:
        check_text(name)
    except SheetSyncError as error:
        raise at(f"the attribute {ORIGIN}", error) from error
    return Author(AuthorKind.STREAM, name, origin=origin)


def at(place: str, error: SheetSyncError) -> SheetSyncError:
    """Return the refusal with the part of the message that it is about."""
    return type(error)(f"{place}: {error}")
