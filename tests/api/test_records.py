"""Records by header, structure by place, and the log."""

import pytest
from django.contrib.auth.models import User

from cells.models import Revision, Sheet
from cells.services.access import create_sheet

from .conftest import Program

pytestmark = pytest.mark.django_db

RECORDS = "/sheets/plan/records"
PRICES = [{"Symbol": "AAA", "Bid": 1}, {"Symbol": "BBB", "Bid": 2.50}]


@pytest.fixture
def plan(alice: User, program: Program) -> Sheet:
    sheet = create_sheet(alice, "Plan", slug="plan")
    headers = {"edits": [{"address": "A1", "input": "Symbol"}, {"address": "C1", "input": "Bid"}]}
    assert program.call("PATCH", "/sheets/plan/cells", headers).status_code == 200
    return sheet


def column(program: Program, range_: str) -> list[str]:
    rows = program.get(f"/sheets/plan/cells?range={range_}").json()["rows"]
    return ["|".join(cell["input"] for cell in row) for row in rows]


def test_records_are_appended_as_one_revision_and_read(plan: Sheet, program: Program) -> None:
    answer = program.call("POST", RECORDS, {"records": PRICES})
    assert answer.json()["revision"] == 2
    read = program.get(RECORDS)
    assert read.json() == {
        "revision": 2,
        "headers": ["Symbol", "Bid"],
        "records": [
            {
                "row": row,
                "cells": {
                    "Symbol": {"input": symbol, "value": symbol},
                    "Bid": {"input": text, "value": value},
                },
            }
            for row, symbol, text, value in ((2, "AAA", "1", 1), (3, "BBB", "2.5", 2.5))
        ],
        "next": None,
    }
    assert read.headers["ETag"] == '"2"'


def test_records_are_read_in_pages_and_empty_rows_are_left_out(
    plan: Sheet, program: Program
) -> None:
    edits = [{"address": f"A{row}", "input": row} for row in (3, 4, 7, 900, 950)]
    program.call("PATCH", "/sheets/plan/cells", {"edits": edits})
    rows: list[int] = []
    asked: list[int | None] = [1]
    while asked[-1] is not None:
        page = program.get(f"{RECORDS}?limit=2&after={asked[-1]}").json()
        rows += [record["row"] for record in page["records"]]
        asked.append(page["next"])
    assert rows == [3, 4, 7, 900, 950]
    assert asked == [1, 4, 900, None]


def test_rows_that_were_moved_are_read_where_they_stand(plan: Sheet, program: Program) -> None:
    program.call("POST", RECORDS, {"records": PRICES})
    program.call("POST", "/sheets/plan/rows/move", {"first": 3, "before": 2})
    symbols = [one["cells"]["Symbol"]["input"] for one in program.get(RECORDS).json()["records"]]
    assert symbols == ["BBB", "AAA"]


def test_a_record_is_found_by_its_key_and_else_appended(plan: Sheet, program: Program) -> None:
    program.call("POST", RECORDS, {"records": PRICES})
    body = {"key": {"Symbol": "AAA"}, "values": {"Bid": 9}}
    program.call("PUT", RECORDS, body)
    program.call("PUT", RECORDS, {"key": {"Symbol": "CCC"}, "values": {"Bid": True}})
    assert column(program, "A2:C5") == ["AAA||9", "BBB||2.5", "CCC||TRUE", "||"]


def test_an_appended_record_is_not_appended_again_by_a_retry(plan: Sheet, program: Program) -> None:
    key = {"Idempotency-Key": "1"}
    first = program.call("POST", RECORDS, {"records": PRICES}, key)
    program.call("POST", "/sheets/plan/columns/delete", {"first": 3})
    again = program.call("POST", RECORDS, {"records": PRICES}, key)  # though "Bid" is gone
    assert again.json() == first.json()
    assert Revision.objects.count() == 3


def test_an_unknown_header_is_told_and_nothing_is_written(plan: Sheet, program: Program) -> None:
    answer = program.call("POST", RECORDS, {"records": [*PRICES, {"Ask": 1}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "unknown_header")
    assert "Symbol" in answer.json()["detail"]
    assert program.get(RECORDS).json()["records"] == []


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"records": []}),
        ("POST", {"records": [{}]}),
        ("POST", {"records": [{"Bid": {}}]}),
        ("POST", {"records": [{"\0": 1}]}),
        ("PUT", {"key": {}, "values": {"Bid": 1}}),
        ("PUT", {"key": {"Symbol": ""}, "values": {"Bid": 1}}),
        ("PUT", {"key": {"Symbol": "AAA"}}),
    ],
)
def test_records_that_make_no_sense(
    plan: Sheet, program: Program, method: str, body: object
) -> None:
    assert program.call(method, RECORDS, body).status_code == 400
    assert Revision.objects.count() == 1


def test_rows_and_columns_are_inserted_deleted_and_moved(plan: Sheet, program: Program) -> None:
    program.call("POST", RECORDS, {"records": PRICES})
    program.call("POST", "/sheets/plan/rows/insert", {"before": 2, "count": 2})
    assert column(program, "A1:A5") == ["Symbol", "", "", "AAA", "BBB"]
    program.call("POST", "/sheets/plan/rows/delete", {"first": 2, "count": 3})
    assert column(program, "A1:A3") == ["Symbol", "BBB", ""]
    program.call("POST", "/sheets/plan/columns/move", {"first": 3, "before": 1})
    assert column(program, "A1:B2") == ["Bid|Symbol", "2.5|BBB"]
    program.call("POST", "/sheets/plan/rows/insert", {})
    assert program.get("/sheets/plan").json()["rows"] == 1000  # 1,000 + 2 - 3 + 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("rows/delete", {"first": 1000, "count": 2}, 409),
        ("rows/insert", {"before": 1002}, 409),
        ("rows/insert", {"count": 1_000_000}, 400),
        ("rows/insert", {"before": 0}, 400),
        ("rows/move", {"first": 1, "count": 3, "before": 2}, 400),
        ("cells/insert", {}, 400),
    ],
)
def test_places_that_are_not_there(
    plan: Sheet, program: Program, path: str, body: object, status: int
) -> None:
    assert program.call("POST", f"/sheets/plan/{path}", body).status_code == status
    assert Revision.objects.count() == 1


def test_the_log_is_read_in_pages(plan: Sheet, program: Program) -> None:
    for number in range(25):
        program.call("PATCH", "/sheets/plan/cells", {"edits": [{"address": "A2", "input": number}]})
    first = program.get("/sheets/plan/revisions").json()
    assert first["revisions"][0] | {"committed_at": ""} == {
        "revision": 26,
        "author": "alice (test)",
        "kind": "api",
        "what": "set A2 to “24”",
        "committed_at": "",
    }
    second = program.get(f"/sheets/plan/revisions?before={first['older']}").json()
    numbers = [line["revision"] for line in first["revisions"] + second["revisions"]]
    assert numbers == list(range(26, 0, -1))
    assert second["older"] is None
