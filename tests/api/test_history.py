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
