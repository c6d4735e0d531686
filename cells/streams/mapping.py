"""A feed's mapping: what of a JSON message that knows nothing of sheets becomes which edit.

Paths and filters are JSONPath (RFC 9535). They are compiled once, when a feed is loaded.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jsonpath_rfc9535
import msgspec
from jsonpath_rfc9535 import JSONPathError, JSONPathQuery

from cells.domain.addresses import parse_address
from cells.domain.errors import Malformed, SheetSyncError
from cells.domain.operations import (
    AddressedOperation,
    AppendRecord,
    CellInput,
    SetAddresses,
    UpsertRow,
    check_cell_count,
    check_text,
)
from cells.models import AuthorKind, FeedPolicy, FeedWrite
from cells.services.authors import MAX_ORIGIN_CHARACTERS, Author, Source
from cells.services.commit import Submission
from cells.streams.messages import NAMESPACE, Message, at, operation_id_of
from cells.streams.values import Literal, decode_json, format_value

ATTRIBUTE = "attribute:"
MESSAGE = "message:"
MILLISECONDS_FROM = 1e11  # as seconds that is in the year 5138

_MISSING = object()
_decoder = msgspec.json.Decoder(float_hook=Literal)

_Getter = Callable[[Message, Any], Any]
"""Takes a message and a record of it; returns a JSON value, or _MISSING."""


@dataclass(frozen=True, slots=True)
class Column:
    """One line of a mapping: the value at `source` goes to `target`."""

    target: str
    source: str
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A feed as a person wrote it down; see models.Feed for what each field means."""

    id: int
    name: str
    sheet: str
    columns: tuple[Column, ...]
    write: str = FeedWrite.UPSERT
    records: str = ""
    filter: str = ""
    event_time: str = ""
    policy: str = FeedPolicy.STREAM


class InvalidMapping(Exception):
    """A mapping that cannot work: `field` of the feed, or of the column `column`, is wrong."""

    def __init__(self, field: str, sentence: str, column: int | None = None) -> None:
        super().__init__(sentence)
        self.field = field
        self.column = column


class Mapping:
    """A feed, ready to turn messages into submissions."""

    def __init__(self, spec: FeedSpec) -> None:
        """Compile `spec`, or raise InvalidMapping."""
        self.spec = spec
        self._records = _compile(spec.records, "records") if spec.records else None
        self._filter = _compile_filter(spec.filter) if spec.filter else None
        self._event_time = _getter(spec.event_time, "event_time") if spec.event_time else None
        self._columns = _compile_columns(spec)

    @property
    def feed_id(self) -> int:
        return self.spec.id

    def map(self, message: Message) -> list[Submission]:
        """Return the edits of a message, a record each; none where the filter takes none.

        Raises Malformed, InvalidText or LimitExceeded: with the same bytes it always will.
        """
        data = decode_json(_decoder, message.data)
        records = [data] if self._records is None else self._records.find(data).values()
        origin = message.origin[-MAX_ORIGIN_CHARACTERS:]
        author = Author(AuthorKind.STREAM, self.spec.name, origin=origin)
        submissions = []
        cells = 0
        for place, record in enumerate(records):
            if not self._takes(message, record):
                continue
            try:
                operation = self._operation(message, record)
                source = Source(
                    message.published_at,
                    self._event_at(message, record),
                    self.spec.id,
                    FeedPolicy(self.spec.policy),
                )
            except SheetSyncError as error:
                raise (at(f"record {place + 1}", error) if len(records) > 1 else error) from error
            cells += len(self._columns)
            operation_id = uuid.uuid5(
                NAMESPACE, f"feed {self.spec.id} {operation_id_of(message)} {place}"
            )
            submissions.append(Submission(self.spec.sheet, operation_id, operation, author, source))
        if submissions:
            check_cell_count(cells)  # of all: one message must not hold the sheet for long
        return submissions

    def _takes(self, message: Message, record: Any) -> bool:
        if self._filter is None:
            return True
        root = {"records": [record], "attributes": dict(message.attributes)}
        return bool(self._filter.find(root))

    def _operation(self, message: Message, record: Any) -> AddressedOperation:
        key: list[tuple[str, str]] = []
        values: list[tuple[str, str]] = []
        cells: list[CellInput] = []
        for column, get, position in self._columns:
            try:
                value = get(message, record)
                text = "" if value is _MISSING else format_value(value)
            except SheetSyncError as error:
                raise at(f"{column.source} for {column.target!r:.60}", error) from error
            if column.is_key:
                if not text:
                    raise Malformed(
                        f"there is nothing at {column.source}, and {column.target!r:.60} is a key: "
                        "every record needs it; filter the others out"
                    )
                key.append((column.target, text))
            elif value is _MISSING:
                continue  # a message that says nothing of a column leaves it alone
            elif position is not None:
                cells.append((*position, text))
            else:
                values.append((column.target, text))
        if key:
            return UpsertRow(tuple(key), tuple(values))
        if not cells and not values:
            raise Malformed("there is nothing at any of the feed's paths; filter such records out")
        return SetAddresses(tuple(cells)) if cells else AppendRecord(tuple(values))

    def _event_at(self, message: Message, record: Any) -> datetime | None:
        if self._event_time is None:
            return None
        value = self._event_time(message, record)
        if value is _MISSING or value is None:
            return None
        try:
            return parse_moment(value)
        except SheetSyncError as error:
            raise at(self.spec.event_time, error) from error


def parse_moment(value: object) -> datetime:
    """Return the moment that ISO 8601, or seconds or milliseconds since 1970, say.

    Without an offset it is UTC. Raises Malformed.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1_000 if abs(value) >= MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Malformed(
        f"{value!r:.60} is no moment; send ISO 8601, or seconds or milliseconds since 1970"
    )


def _compile_columns(
    spec: FeedSpec,
) -> Sequence[tuple[Column, _Getter, tuple[int, int] | None]]:
    compiled = []
    for place, column in enumerate(spec.columns):
        position = None
        if spec.write == FeedWrite.CELLS:
            try:
                position = parse_address(column.target)
            except SheetSyncError as error:
                raise InvalidMapping("target", str(error), place) from error
        if column.is_key and spec.write != FeedWrite.UPSERT:
            raise InvalidMapping(
                "is_key", "Only a feed that sets the row with the same key has keys.", place
            )
        try:
            check_text(column.target)
        except SheetSyncError as error:
            raise InvalidMapping("target", str(error), place) from error
        compiled.append((column, _getter(column.source, "source", place), position))
    if not compiled:
        raise InvalidMapping("columns", "A feed needs at least one column.")
    if spec.write == FeedWrite.UPSERT and not any(column.is_key for column in spec.columns):
        raise InvalidMapping(
            "columns", "To find the row to set, at least one column has to be a key."
        )
    return compiled


def _getter(source: str, field: str, column: int | None = None) -> _Getter:
    """Compile a source: attribute:NAME, message:… or a JSONPath. Raises InvalidMapping."""
    if source.startswith(ATTRIBUTE):
        name = source.removeprefix(ATTRIBUTE)
        return lambda message, _: message.attributes.get(name, _MISSING)
    if source.startswith(MESSAGE):
        known: dict[str, _Getter] = {
            "id": lambda message, _: message.message_id,
            "publish_time": lambda message, _: message.published_at.isoformat(),
            "ordering_key": lambda message, _: message.ordering_key,
        }
        get = known.get(source.removeprefix(MESSAGE))
        if get is None:
            names = ", ".join(MESSAGE + name for name in known)
            raise InvalidMapping(field, f"{source} is unknown; there are {names}.", column)
        return get
    query = _compile(source, field, column)
    if query.singular_query():
        # A name or an index a step: walked here, ten times as fast as by the general way.
        steps = [
            getattr(selector, "name", getattr(selector, "index", None))
            for segment in query.segments
            for selector in segment.selectors
        ]
        return lambda _, record: _walk(record, steps)

    def only(_: Message, record: Any) -> Any:
        found = query.find(record).values()
        if len(found) > 1:
            raise Malformed(f"there are {len(found):,} values, and a cell takes one")
        return found[0] if found else _MISSING

    return only


def _walk(value: Any, steps: Sequence[str | int | None]) -> Any:
    for step in steps:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step, _MISSING)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return _MISSING
    return value


def _compile(path: str, field: str, column: int | None = None) -> JSONPathQuery:
    try:
        return jsonpath_rfc9535.compile(path)
    except JSONPathError as error:
        raise InvalidMapping(
            field, f"This is no JSONPath (RFC 9535), such as $.price: {error}.", column
        ) from error


def _compile_filter(text: str) -> JSONPathQuery:
    try:
        return jsonpath_rfc9535.compile(f"$.records[?{text}]")
    except JSONPathError as error:
        raise InvalidMapping(
            "filter",
            f"This is no filter of JSONPath (RFC 9535), such as @.price > 0: {error}.",
        ) from error
