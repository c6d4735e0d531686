import pytest

from cells.domain.axes import AxisName
from cells.domain.operations import (
    AppendRows,
    Delete,
    Insert,
    Move,
    SetCells,
    UpsertRow,
)
from cells.models import Sheet
from cells.services.commit import Refused, commit
from tests.services.prices import assert_log_is_whole, do, put, submit, texts

pytestmark = pytest.mark.django_db


def test_addresses_mean_what_they_mean_at_the_commit(sheet: Sheet) -> None:
    do(put("A1", "top"))
    do(Insert(AxisName.ROWS, 0, 2), put("A1", "new top"), SetCells(((0, 1, "beside"),)))
    assert texts() == {"A1": "new top", "A3": "top", "B3": "beside"}
    assert_log_is_whole("prices", 4)


def test_an_address_beyond_the_grid_makes_it_grow(sheet: Sheet) -> None:
    result = do(put("AC1002", "far"))
    assert texts() == {"AC1002": "far"}
    assert result.deltas[sheet.id].rows == [[0, 1002]]
    assert result.deltas[sheet.id].columns == [[0, 29]]
    assert_log_is_whole("prices", 1)


def test_append_goes_below_the_last_used_row(sheet: Sheet) -> None:
    do(AppendRows((("a", "1"), ("b", "2"))))
    do(put("C5", "lower"), AppendRows((("c", "3"),)), AppendRows((("d",),)))
    assert texts() == {
        "A1": "a", "B1": "1", "A2": "b", "B2": "2", "C5": "lower",
        "A6": "c", "B6": "3", "A7": "d",
    }  # fmt: skip
    do(Delete(AxisName.ROWS, ((6, 1),)), AppendRows((("e",),)))
    assert texts()["A7"] == "e"
    do(put("A7", ""))
    do(AppendRows((("f",),)))
    assert texts()["A7"] == "f"
    assert_log_is_whole("prices", 8)


def test_append_below_moved_rows_goes_by_place_not_by_id(sheet: Sheet) -> None:
    do(put("A1", "1"), put("A2", "2"), Move(AxisName.ROWS, ((0, 1),), 20))
    assert texts() == {"A1": "2", "A20": "1"}
    do(AppendRows((("3",),)))
    assert texts()["A21"] == "3"


def test_append_to_a_full_grid_makes_it_grow(sheet: Sheet) -> None:
    do(put("A1000", "last"))
    do(AppendRows((("a",), ("b",))))
    assert texts() == {"A1000": "last", "A1001": "a", "A1002": "b"}
    assert_log_is_whole("prices", 2)


def test_upsert_finds_its_row_or_appends_one(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("C1", "Bid"))
    eur = UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1.08"),))
    do(eur)
    assert texts() == {"A1": "Symbol", "C1": "Bid", "A2": "EURUSD", "C2": "1.08"}
    do(
        UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1.09"),)),
        UpsertRow((("Symbol", "GBPUSD"),), (("Bid", "1.2"),)),
        UpsertRow((("Symbol", "GBPUSD"),), (("Bid", "1.3"),)),
    )
    assert texts() == {
        "A1": "Symbol", "C1": "Bid", "A2": "EURUSD", "C2": "1.09", "A3": "GBPUSD", "C3": "1.3",
    }  # fmt: skip
    assert_log_is_whole("prices", 6)


def test_names_and_keys_are_what_texts_say(sheet: Sheet) -> None:
    do(put("A1", "'2024"), put("B1", "Bid"), put("A2", "'007"))
    do(UpsertRow((("2024", "007"),), (("Bid", "1"),)))
    do(put("A3", "8"), UpsertRow((("2024", "'8"),), (("Bid", "2"),)))
    assert texts() == {
        "A1": "'2024", "B1": "Bid", "A2": "'007", "B2": "1", "A3": "8", "B3": "2",
    }  # fmt: skip


def test_upsert_by_two_keys_wants_both(sheet: Sheet) -> None:
    do(*[put(a1, t) for a1, t in (("A1", "Day"), ("B1", "Symbol"), ("C1", "Bid"))])
    do(AppendRows((("Mon", "EUR", "1"), ("Tue", "EUR", "2"), ("Mon", "GBP", "3"))))
    do(UpsertRow((("Day", "Mon"), ("Symbol", "GBP")), (("Bid", "9"),)))
    assert texts()["C4"] == "9"
    do(UpsertRow((("Day", "Tue"), ("Symbol", "GBP")), (("Bid", "7"),)))
    assert (texts()["A5"], texts()["B5"], texts()["C5"]) == ("Tue", "GBP", "7")


def test_upsert_sees_what_its_own_batch_did_before(sheet: Sheet) -> None:
    do(put("A1", "Old"), put("A2", "x"))
    do(
        put("A1", "Key"),
        put("B1", "Value"),
        put("A2", "renamed"),
        UpsertRow((("Key", "x"),), (("Value", "1"),)),
        Insert(AxisName.ROWS, 0, 1),
        put("A1", "Moved"),
        UpsertRow((("Moved", "Key"),), (("Moved", "found"),)),
    )
    assert texts() == {
        "A1": "Moved", "A2": "found", "B2": "Value", "A3": "renamed", "A4": "x", "B4": "1",
    }  # fmt: skip


def test_a_missing_header_is_refused_with_those_that_there_are(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("B1", "Bid"))
    (outcome,) = commit([submit(UpsertRow((("Symbol", "x"),), (("Ask", "1"),)))]).outcomes
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "unknown_header"
    assert "'Ask'" in str(outcome.error)
    assert "Symbol, Bid" in str(outcome.error)


def test_upsert_into_a_sheet_without_rows_is_refused(sheet: Sheet) -> None:
    do(Delete(AxisName.ROWS, ((0, 1000),)))
    outcomes = commit([submit(UpsertRow((("A", "x"),), ())), submit(put("A1", "y"))]).outcomes
    assert isinstance(outcomes[0], Refused)
    assert texts() == {"A1": "y"}


def test_upsert_finds_its_row_though_the_header_came_in_the_same_batch(sheet: Sheet) -> None:
    do(put("A2", "EURUSD"))
    do(
        put("A1", "Symbol"),
        put("B1", "Bid"),
        UpsertRow((("Symbol", "EURUSD"),), (("Bid", "1"),)),
    )
    assert texts() == {"A1": "Symbol", "B1": "Bid", "A2": "EURUSD", "B2": "1"}


def test_an_operation_that_sets_nothing_leaves_no_revision(sheet: Sheet) -> None:
    do(put("A1", "Symbol"), put("A2", "EURUSD"))
    outcomes = commit([submit(AppendRows(())), submit(AppendRows(((),)))]).outcomes
    assert [o.error.code for o in outcomes if isinstance(o, Refused)] == ["malformed"] * 2
    do(UpsertRow((("Symbol", "EURUSD"),), ()), UpsertRow((("Symbol", "GBPUSD"),), ()))
    assert texts() == {"A1": "Symbol", "A2": "EURUSD", "A3": "GBPUSD"}
    assert_log_is_whole("prices", 4)
