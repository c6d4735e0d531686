"""The past for programs: what is restored, and what is refused."""

from contextlib import ExitStack

import pytest
from django.contrib.auth.models import User

from cells.models import Sheet
from cells.services import work_turns
from cells.services.access import create_sheet
from tests.services.prices import texts

from .conftest import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def prices(alice: User, program: Program) -> Sheet:
    sheet = create_sheet(alice, "Prices", slug="prices")
    for text in ("old", "new"):
        edits = [{"address": address, "input": text} for address in ("A1", "B2", "C3")]
        assert program.call("PATCH", "/sheets/prices/cells", {"edits": edits}).status_code == 200
    return sheet


def test_a_restore_waits_for_a_turn_and_comes_again(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_turns, "READING_PATIENCE_SECONDS", 0.01)
    with ExitStack() as turns:
        for _ in range(work_turns.READINGS_AT_ONCE):
            turns.enter_context(work_turns.reading_turn())
        answer = program.call("POST", "/sheets/prices/restore", {"revision": 1})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
    answer = program.call("POST", "/sheets/prices/restore", {"revision": 1})
    assert answer.json()["revision"] == 3
    assert texts() == {"A1": "old", "B2": "old", "C3": "old"}


def test_a_range_is_restored_by_its_address_of_now(prices: Sheet, program: Program) -> None:
    path = "/sheets/prices/restore"
    insert = program.call("POST", "/sheets/prices/rows/insert", {"before": 1, "count": 1})
    assert insert.status_code == 200
    answer = program.call("POST", path, {"revision": 1, "range": "C3:A2"})
    assert (answer.status_code, answer.json()["revision"]) == (200, 4)
    assert texts() == {"A2": "old", "B3": "old", "C4": "new"}
    for body, status, code in (
        ({"revision": 9}, 400, "malformed"),
        ({"revision": 1, "range": "A"}, 400, "invalid_address"),
        ({"revision": 1, "range": "A1:ZZ9"}, 409, "unknown_id"),
        ({"revision": 1, "range": "A1"}, 409, "unknown_id"),  # a row of later
    ):
        refused = program.call("POST", path, body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), body
