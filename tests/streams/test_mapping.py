"""Foreign JSON becomes edits by a feed's mapping, or a refusal that says what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cells.domain.errors import SheetSyncError
from cells.domain.operations import AppendRecord, SetAddresses, UpsertRow
from cells.models import AuthorKind, FeedPolicy, FeedWrite
from cells.streams.mapping import Column, FeedSpec, InvalidMapping, Mapping, parse_moment
from cells.streams.messages import Message

MESSAGE = Message(
    topic="projects/demo/topics/ticks",
    subscription="projects/demo/subscriptions/ticks-sub",
    message_id="17",
    published_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    data=b"",
    attributes={"type": "trade"},
    ordering_key="EURUSD",
)
TICKS = FeedSpec(
    7,
    "Ticks",
    "prices",
    (
        Column("Symbol", "$.sym", is_key=True),
        Column("Bid", "$.px.bid"),
        Column("Last", "$.trades[-1].price"),
        Column("Kind", "attribute:type"),
    ),
)
TICK = {"sym": "EURUSD", "px": {"bid": 1.0842}, "trades": [{"price": 1}, {"price": 2}]}


def mapped(spec: FeedSpec, data: object, **changed: Any) -> list[Any]:
    raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
    message = replace(MESSAGE, data=raw, **changed)
    return [submission.operation for submission in Mapping(spec).map(message)]


def test_a_record_becomes_the_row_with_its_key() -> None:
    (submission,) = Mapping(TICKS).map(replace(MESSAGE, data=msgspec.json.encode(TICK)))
    assert submission.sheet == "prices"
    assert submission.operation == UpsertRow(
        (("Symbol", "EURUSD"),), (("Bid", "1.0842"), ("Last", "2"), ("Kind", "trade"))
    )
    assert (submission.author.kind, submission.author.name) == (AuthorKind.STREAM, "Ticks")
    assert submission.author.origin == f"{MESSAGE.subscription}/17"
    source = submission.source
    assert source is not None
    assert (source.feed_id, source.published_at, source.event_at) == (7, MESSAGE.published_at, None)


def test_numbers_keep_every_digit() -> None:
    raw = b'{"sym":"X","px":{"bid":0.12345678901234567890123,"big":12345678901234567890}}'
    columns = (*TICKS.columns[:2], Column("Big", "$.px.big"))
    (operation,) = mapped(replace(TICKS, columns=columns), raw)
    assert operation.values == (
        ("Bid", "0.12345678901234567890123"),
        ("Big", "12345678901234567890"),
    )


def test_what_a_message_does_not_say_is_left_alone_and_null_clears() -> None:
    (operation,) = mapped(TICKS, {"sym": "X", "px": {"bid": None}}, attributes={})
    assert operation == UpsertRow((("Symbol", "X"),), (("Bid", ""),))


def test_each_record_of_a_message_is_an_edit_of_its_own() -> None:
    spec = replace(TICKS, records="$.ticks[*]", columns=TICKS.columns[:2])
    data = {"ticks": [{"sym": "A", "px": {"bid": 1}}, {"sym": "B", "px": {"bid": 2}}]}
    mapping = Mapping(spec)
    message = replace(MESSAGE, data=msgspec.json.encode(data))
    first, second = mapping.map(message)
    assert isinstance(first.operation, UpsertRow)
    assert first.operation.key == (("Symbol", "A"),)
    assert first.operation_id != second.operation_id
    again = [submission.operation_id for submission in mapping.map(message)]
    assert again == [first.operation_id, second.operation_id], "a redelivery is the same edit"
    other = Mapping(replace(spec, id=8)).map(message)
    assert other[0].operation_id != first.operation_id, "another feed writes its own"


def test_a_filter_looks_at_the_record_and_at_the_attributes() -> None:
    spec = replace(
        TICKS,
        records="$[*]",
        columns=TICKS.columns[:2],
        filter="@.px.bid > 1.5 && $.attributes.type == 'trade'",
    )
    data = [{"sym": "A", "px": {"bid": 1.25}}, {"sym": "B", "px": {"bid": 1.75}}]
    (operation,) = mapped(spec, data)
    assert operation.key == (("Symbol", "B"),)
    assert mapped(spec, data, attributes={"type": "quote"}) == []
    assert mapped(spec, []) == []


def test_rows_are_appended_under_their_headers() -> None:
    columns = (
        Column("When", "message:publish_time"),
        Column("Id", "message:id"),
        Column("Key", "message:ordering_key"),
        Column("Text", "$['a name with spaces'][0]"),
    )
    spec = replace(TICKS, write=FeedWrite.APPEND, columns=columns)
    (operation,) = mapped(spec, {"a name with spaces": ["x"]})
    assert operation == AppendRecord(
        (("When", "2026-11-23T09:30:00+00:00"), ("Id", "17"), ("Key", "EURUSD"), ("Text", "x"))
    )


def test_fixed_cells_are_set() -> None:
    columns = (Column("B2", "$.px.bid"), Column("aa10", "$..price"))
    spec = replace(TICKS, write=FeedWrite.CELLS, columns=columns)
    (operation,) = mapped(spec, {"px": {"bid": 3}, "a": [{"price": True}]})
    assert operation == SetAddresses(((1, 1, "3"), (9, 26, "TRUE")))


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (b"\xff\xfe", "malformed", "UTF-8"),
        (b"[" * 10_000, "malformed", "JSON"),
        ({"px": {"bid": 1}}, "malformed", "is a key"),
        ({"sym": None}, "malformed", "is a key"),
        ({"sym": "X", "px": {"bid": {"a": 1}}}, "malformed", "$.px.bid for 'Bid'"),
        ({"sym": "X", "px": {"bid": "a\0b"}}, "invalid_text", "NUL"),
        (b'{"sym":"X","px":{"bid":1e400}}', "limit_exceeded", "digits"),
        ({"sym": "x" * 40_000}, "limit_exceeded", "characters"),
    ],
)
def test_what_cannot_become_an_edit_is_refused_with_its_place(
    data: object, reason: str, said: str
) -> None:
    with pytest.raises(SheetSyncError) as refusal:
        mapped(TICKS, data)
    assert refusal.value.code == reason
    assert said in str(refusal.value)


def test_of_several_records_the_wrong_one_is_named() -> None:
    spec = replace(TICKS, records="$[*]")
    with pytest.raises(SheetSyncError, match="record 2: there is nothing at"):
        mapped(spec, [{"sym": "A"}, {}])


def test_several_values_for_one_cell_and_too_many_cells_are_refused() -> None:
    spec = replace(TICKS, columns=(TICKS.columns[0], Column("Any", "$..price")))
    with pytest.raises(SheetSyncError, match="2 values"):
        mapped(spec, {"sym": "X", "a": {"price": 1}, "b": {"price": 2}})
    many = replace(TICKS, records="$[*]", columns=TICKS.columns[:2])
    with pytest.raises(SheetSyncError, match="10,000 cells"):
        mapped(many, [{"sym": str(number)} for number in range(5_001)])
    append = replace(TICKS, write=FeedWrite.APPEND, columns=(Column("Bid", "$.px.bid"),))
    with pytest.raises(SheetSyncError, match="any of the feed's paths"):
        mapped(append, {"px": {}})


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-23T10:30:00+01:00", "2026-11-23T09:30:00+00:00"),
        ("2026-11-23T09:30:00Z", "2026-11-23T09:30:00+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        (1_763_890_200, "2025-11-23T09:30:00+00:00"),
        (1_763_890_200_500, "2025-11-23T09:30:00.500000+00:00"),
    ],
)
def test_moments_are_read_as_people_write_them(value: object, moment: str) -> None:
    assert parse_moment(value).isoformat() == moment


@pytest.mark.parametrize("value", ["noon", "", True, [], 1e300, "0001-01-01T00:00+14:00"])
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(SheetSyncError, match="is no moment"):
        parse_moment(value)


def test_an_event_time_is_taken_from_the_record() -> None:
    spec = replace(TICKS, event_time="$.at", policy=FeedPolicy.NEWEST)
    message = replace(MESSAGE, data=msgspec.json.encode(TICK | {"at": "2026-11-23T09:00:00Z"}))
    (submission,) = Mapping(spec).map(message)
    assert submission.source is not None
    assert submission.source.moment == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert submission.source.policy is FeedPolicy.NEWEST
    (submission,) = Mapping(spec).map(replace(MESSAGE, data=msgspec.json.encode(TICK)))
    assert submission.source is not None
    assert submission.source.moment == MESSAGE.published_at
    with pytest.raises(SheetSyncError, match=r"\$\.at: 'noon' is no moment"):
        mapped(spec, TICK | {"at": "noon"})


@pytest.mark.parametrize(
    ("changed", "field", "column"),
    [
        ({"records": "ticks"}, "records", None),
        ({"filter": "@.a ="}, "filter", None),
        ({"event_time": "at"}, "event_time", None),
        ({"columns": ()}, "columns", None),
        ({"columns": (Column("Bid", "$.bid"),)}, "columns", None),
        ({"columns": (TICKS.columns[0], Column("Bid", "bid"))}, "source", 1),
        ({"columns": (TICKS.columns[0], Column("Bid", "message:size"))}, "source", 1),
        ({"write": FeedWrite.APPEND}, "is_key", 0),
        ({"write": FeedWrite.CELLS, "columns": (Column("Bid", "$.bid"),)}, "target", 0),
    ],
)
def test_a_mapping_that_cannot_work_is_told_by_its_field(
    changed: dict[str, Any], field: str, column: int | None
) -> None:
    with pytest.raises(InvalidMapping) as invalid:
        Mapping(replace(TICKS, **changed))
    assert (invalid.value.field, invalid.value.column) == (field, column)
