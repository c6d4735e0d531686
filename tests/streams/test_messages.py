import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.errors import (
    InvalidAddress,
    InvalidText,
    LimitExceeded,
    Malformed,
    SheetSyncError,
)
from cells.domain.operations import AppendRows, SetAddresses, UpsertRow
from cells.models import AuthorKind
from cells.streams.messages import Message, decode_message
from cells.streams.values import format_value

MESSAGE = Message(
    topic="projects/demo/topics/edits",
    subscription="projects/demo/subscriptions/edits-sub",
    message_id="17",
    published_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    data=b"",
)


def message(body: object, **attributes: str) -> Message:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replace(MESSAGE, data=data, attributes=attributes)


def edit(value: object, cell: object = "B2") -> dict[str, Any]:
    return {"sheet": "demo", "edits": [{"cell": cell, "value": value}]}


def edit_bytes(value: bytes) -> bytes:
    return b'{"sheet":"demo","edits":[{"cell":"B2","value":' + value + b"}]}"


def test_edits_become_zero_based_positions() -> None:
    body = {
        "sheet": "demo",
        "edits": [{"cell": "B2", "value": "19.99"}, {"cell": "$AA$10", "value": 7}],
    }

    submission = decode_message(message(body))

    assert submission.sheet == "demo"
    assert submission.operation == SetAddresses(((1, 1, "19.99"), (9, 26, "7")))


def test_append_becomes_rows_of_inputs() -> None:
    body = {"sheet": "demo", "append": [["2026-11-23", "EURUSD", 1.0842], [None, True]]}

    operation = decode_message(message(body)).operation

    assert operation == AppendRows((("2026-11-23", "EURUSD", "1.0842"), ("", "TRUE")))


def test_upsert_becomes_headers_and_inputs() -> None:
    body = {"sheet": "demo", "upsert": {"key": {"Symbol": "EURUSD"}, "set": {"Bid": 1.0842}}}

    operation = decode_message(message(body)).operation

    assert operation == UpsertRow(key=(("Symbol", "EURUSD"),), values=(("Bid", "1.0842"),))


def test_unknown_fields_are_ignored() -> None:
    body = edit("1") | {"trace": {"id": [1, 2]}}

    assert decode_message(message(body)).operation == SetAddresses(((1, 1, "1"),))


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (b"1.0842", "1.0842"),
        (b"1e3", "1000"),
        (b"1E3", "1000"),
        (b"42", "42"),
        (b"-42", "-42"),
        (b"1.50", "1.5"),
        (b"1.0", "1"),
        (b"0.0", "0"),
        (b"-0.0", "0"),
        (b"-0", "0"),
        (b"0.000001", "0.000001"),
        (b"0.0000001", "1E-7"),
        (b"1.25e-9", "1.25E-9"),
        (b"-1e300", "-1E+300"),
        (b"12345678901234567890", "12345678901234567890"),
        (b"0.1234567890123456789", "0.1234567890123456789"),
        (b"true", "TRUE"),
        (b"false", "FALSE"),
        (b"null", ""),
        (b'""', ""),
        (b'" as typed "', " as typed "),
        (b'"=A1+1"', "=A1+1"),
        ('"日本 😀"'.encode(), "日本 😀"),
        (rb'"\ud83d\ude00"', "😀"),
    ],
)
def test_value_is_what_a_person_would_have_typed(literal: bytes, text: str) -> None:
    operation = decode_message(message(edit_bytes(literal))).operation

    assert operation == SetAddresses(((1, 1, text),))


def test_an_input_is_typed_as_it_is_whatever_its_value() -> None:
    """So that a mirror has "5.00" and "=A1*2", not what they amount to."""
    edits = [
        {"cell": "A1", "input": "5.00", "value": 5},
        {"cell": "A2", "input": ""},
        {"cell": "A3", "input": "5.00", "value": [1]},
    ]

    operation = decode_message(message({"sheet": "demo", "edits": edits})).operation

    assert operation == SetAddresses(((0, 0, "5.00"), (1, 0, ""), (2, 0, "5.00")))


BAD: list[tuple[str, object, type[SheetSyncError], str]] = [
    ("empty", b"", Malformed, "JSON"),
    ("not UTF-8", edit_bytes(b'"\xff"'), Malformed, "byte 0xff at 47"),
    ("not UTF-8 in a field that is ignored", b'{"sheet":"demo","x":"\xff"}', Malformed, "UTF-8"),
    ("UTF-16", json.dumps(edit("1")).encode("utf-16"), Malformed, "encode the JSON as UTF-8"),
    ("UTF-16 without a mark", json.dumps(edit("1")).encode("utf-16-le"), Malformed, "UTF-8"),
    ("surrogate in UTF-8", edit_bytes(b'"\xed\xa0\x80"'), Malformed, "byte 0xed"),
    ("not JSON", b"B2=42", Malformed, "one JSON object"),
    ("cut off", b'{"sheet":"demo","edits":[{"cell"', Malformed, "one JSON object"),
    ("two values", b'{"sheet":"demo"}{}', Malformed, "one JSON object"),
    ("a list", [], Malformed, "Expected `object`, got `array`"),
    ("a number", 5, Malformed, "Expected `object`"),
    ("null", None, Malformed, "Expected `object`"),
    ("deep list", b"[" * 5_000 + b"]" * 5_000, Malformed, "Expected `object`"),
    # Python 3.12 and later read 5,000 levels, and refuse what they are the value of.
    ("deep value", edit_bytes(b"[" * 5_000 + b"]" * 5_000), Malformed, ""),
    ("deepest value", edit_bytes(b"[" * 100_000 + b"]" * 100_000), Malformed, "nested too deeply"),
    ("deep object", b'{"sheet":' * 5_000 + b"1" + b"}" * 5_000, Malformed, "Expected `str`"),
    (
        "deep and ignored",
        b'{"sheet":"demo","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        Malformed,
        "nested too deeply",
    ),
    ("5,000 digits", edit_bytes(b"9" * 5_000), Malformed, "out of range"),
    ("400 digits", edit_bytes(b"9" * 400), LimitExceeded, "send it as a string"),
    ("5,000 digits and a fraction", edit_bytes(b"9" * 5_000 + b".5"), LimitExceeded, "309 digits"),
    ("number beyond a double", edit_bytes(b"1e400"), LimitExceeded, "309 digits"),
    ("endless exponent", edit_bytes(b"1e" + b"9" * 30), LimitExceeded, "309 digits"),
    ("endless fraction", edit_bytes(b"0." + b"1" * 40_000), LimitExceeded, "32,767 characters"),
    ("NaN", edit_bytes(b"NaN"), Malformed, "JSON has no NaN"),
    ("Infinity", edit_bytes(b"-Infinity"), Malformed, "JSON has no NaN"),
    ("NUL", edit("a\0b"), InvalidText, "edits[0]: a cell cannot hold the character NUL"),
    ("raw NUL", edit_bytes(b'"a\0b"'), Malformed, "one JSON object"),
    ("high surrogate", edit_bytes(rb'"\ud800"'), InvalidText, "half of a surrogate pair"),
    ("low surrogate", edit_bytes(rb'"x\uDC00x"'), InvalidText, "half of a surrogate pair"),
    ("NUL in an input", edit_bytes(b'1,"input":"\\u0000"'), InvalidText, "edits[0]"),
    ("an input of a number", edit_bytes(b'1,"input":1'), Malformed, "Expected `str`"),
    ("no sheet", {"edits": [{"cell": "B2", "value": 1}]}, Malformed, "missing required field"),
    ("sheet is a number", edit(1) | {"sheet": 5}, Malformed, "Expected `str`, got `int`"),
    ("sheet is empty", edit(1) | {"sheet": ""}, Malformed, "1 to 64 characters"),
    ("sheet is too long", edit(1) | {"sheet": "x" * 65}, Malformed, "has 65 characters"),
    ("NUL in sheet", edit(1) | {"sheet": "a\0"}, InvalidText, '"sheet"'),
    ("no form", {"sheet": "demo"}, Malformed, 'exactly one of "edits", "append" or "upsert"'),
    ("unknown form", {"sheet": "demo", "delete": ["B2"]}, Malformed, "exactly one of"),
    ("two forms", edit(1) | {"append": [[1]]}, Malformed, "not 2 of them"),
    ("edits is null", {"sheet": "demo", "edits": None}, Malformed, "`$.edits`"),
    ("edits is an object", {"sheet": "demo", "edits": {"B2": 1}}, Malformed, "`$.edits`"),
    ("no edits", {"sheet": "demo", "edits": []}, Malformed, "at least one cell"),
    ("edit without value", {"sheet": "demo", "edits": [{"cell": "B2"}]}, Malformed, "send null to"),
    ("cell is a number", edit(1, cell=22), Malformed, "`$.edits[0].cell`"),
    ("cell is no address", edit(1, cell="B-2"), InvalidAddress, "edits[0]: 'B-2'"),
    ("cell is a range", edit(1, cell="A1:B2"), InvalidAddress, "write one like B2"),
    ("row beyond the limit", edit(1, cell="A1000001"), InvalidAddress, "A1000001"),
    ("column beyond the limit", edit(1, cell="XFE1"), InvalidAddress, "XFE"),
    ("value is a list", edit([1]), Malformed, "must be a string, a number"),
    ("value is an object", edit({"a": 1}), Malformed, "must be a string, a number"),
    ("value is too long", edit("x" * 32_768), LimitExceeded, "32,767"),
    (
        "too many cells",
        {"sheet": "demo", "edits": [{"cell": "B2", "value": 1}] * 10_001},
        LimitExceeded,
        "10,000",
    ),
    ("too many appended", {"sheet": "demo", "append": [[1] * 10_001]}, LimitExceeded, "10,000"),
    ("no rows", {"sheet": "demo", "append": []}, Malformed, "at least one cell"),
    ("empty row", {"sheet": "demo", "append": [[1], []]}, Malformed, "append[1]: a row"),
    ("row is text", {"sheet": "demo", "append": ["abc"]}, Malformed, "`$.append[0]`"),
    ("upsert without key", {"sheet": "demo", "upsert": {"set": {"a": 1}}}, Malformed, "`key`"),
    (
        "upsert with empty key",
        {"sheet": "demo", "upsert": {"key": {}, "set": {"a": 1}}},
        Malformed,
        "at least one column",
    ),
    (
        "upsert with a key that has no value",
        {"sheet": "demo", "upsert": {"key": {"Symbol": None}, "set": {"a": 1}}},
        Malformed,
        "gives 'Symbol' no value",
    ),
    (
        "upsert with a column named twice",
        {"sheet": "demo", "upsert": {"key": {"a": 1}, "set": {"a": 2}}},
        Malformed,
        "'a' is in",
    ),
    (
        "upsert with a list",
        {"sheet": "demo", "upsert": {"key": {"a": 1}, "set": {"b": [2]}}},
        Malformed,
        "\"set\" 'b': a value must be",
    ),
    (
        "NUL in a header",
        {"sheet": "demo", "upsert": {"key": {"a\0": 1}, "set": {}}},
        InvalidText,
        '"key"',
    ),
]


@pytest.mark.parametrize(
    ("body", "refusal", "hint"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD]
)
def test_bad_message_is_refused_with_a_sentence(
    body: object, refusal: type[SheetSyncError], hint: str
) -> None:
    with pytest.raises(refusal) as caught:
        decode_message(message(body))

    assert type(caught.value) is refusal
    assert hint in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.binary(max_size=200))
def test_any_bytes_are_a_submission_or_a_refusal(data: bytes) -> None:
    with pytest.raises(SheetSyncError):
        decode_message(message(data))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


json_messages = st.fixed_dictionaries(
    {"sheet": st.just("demo") | json_values},
    optional={
        "edits": st.lists(
            st.fixed_dictionaries({"cell": st.just("B2") | st.text(), "value": json_values}),
            max_size=3,
        ),
        "append": st.lists(st.lists(json_values, max_size=3), max_size=3) | json_values,
        "upsert": st.fixed_dictionaries(
            {
                "key": st.dictionaries(st.text(), json_values, max_size=2),
                "set": st.dictionaries(st.text(), json_values, max_size=2) | json_values,
            }
        ),
    },
)


@given(json_messages)
def test_any_json_is_a_submission_or_a_refusal(body: object) -> None:
    try:
        operation = decode_message(message(body)).operation
    except SheetSyncError:
        return
    assert isinstance(operation, SetAddresses | AppendRows | UpsertRow)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_keeps_its_value(number: float) -> None:
    operation = decode_message(message(edit(number))).operation

    assert isinstance(operation, SetAddresses)
    assert float(operation.edits[0][2]) == number or math.copysign(1, number) < 0 == number


@given(st.integers(min_value=-(10**308), max_value=10**308))
def test_whole_number_keeps_its_value(number: int) -> None:
    assert int(float(format_value(number))) == int(float(number))


def test_redelivery_has_the_same_operation_id() -> None:
    again = replace(message(edit(1)), delivery_attempt=3)

    assert decode_message(message(edit(1))).operation_id == decode_message(again).operation_id


def test_two_messages_have_two_operation_ids() -> None:
    other = replace(message(edit(1)), message_id="18")

    assert decode_message(message(edit(1))).operation_id != decode_message(other).operation_id


def test_message_id_that_a_restarted_emulator_gives_again_is_another_operation() -> None:
    later = replace(message(edit(1)), published_at=MESSAGE.published_at + timedelta(seconds=1))

    assert decode_message(message(edit(1))).operation_id != decode_message(later).operation_id


def test_same_message_of_two_subscriptions_is_one_operation() -> None:
    other = replace(message(edit(1)), subscription="projects/demo/subscriptions/second")

    assert decode_message(message(edit(1))).operation_id == decode_message(other).operation_id


def test_retry_with_the_same_edit_id_is_one_operation() -> None:
    first = message(edit(1), edit_id="order-7")
    retry = replace(first, message_id="18", published_at=MESSAGE.published_at + timedelta(hours=1))

    assert decode_message(first).operation_id == decode_message(retry).operation_id


def test_edit_id_is_never_taken_for_a_message_id() -> None:
    ids = {
        decode_message(message(edit(1), edit_id=edit_id)).operation_id
        for edit_id in ("17", "message projects/demo/topics/edits 17", "x" * 1024, "nul\0")
    }

    assert len(ids | {decode_message(message(edit(1))).operation_id}) == 5


def test_author_is_the_subscription_unless_the_publisher_names_itself() -> None:
    unnamed = decode_message(message(edit(1))).author
    named = decode_message(message(edit(1), origin="crm")).author

    assert (unnamed.kind, unnamed.name) == (AuthorKind.STREAM, "edits-sub")
    assert (named.kind, named.name) == (AuthorKind.STREAM, "crm")
    assert unnamed.origin == named.origin == "projects/demo/subscriptions/edits-sub/17"


@pytest.mark.parametrize(("origin", "refusal"), [("x" * 151, LimitExceeded), ("a\0", InvalidText)])
def test_origin_that_no_author_can_have_is_refused(
    origin: str, refusal: type[SheetSyncError]
) -> None:
    with pytest.raises(refusal, match="the attribute origin"):
        decode_message(message(edit(1), origin=origin))


def test_long_resource_names_fit_their_columns() -> None:
    longest = replace(
        message(edit(1)), subscription=f"projects/{'p' * 30}/subscriptions/{'s' * 255}"
    )

    author = decode_message(longest).author

    assert len(author.name) <= 150
    assert len(author.origin) <= 300
    assert author.origin.endswith("/17")
