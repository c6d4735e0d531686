"""Cells by range and by address: one revision, one ETag, one edit a key."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection

from cells.domain.axes import AxisName
from cells.domain.operations import Insert, SetAddresses
from cells.domain.values import SetValues
from cells.models import AuthorKind, Cell, Revision, Role, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.sharing import grant, revoke

from .conftest import Program, token_for

pytestmark = pytest.mark.django_db

CELLS = "/sheets/plan/cells"


@pytest.fixture
def plan(alice: User) -> Sheet:
    return create_sheet(alice, "Plan", slug="plan")


def edits(*pairs: tuple[str, object]) -> dict[str, object]:
    return {"edits": [{"address": address, "input": text} for address, text in pairs]}


def test_what_is_written_is_read_with_its_values(plan: Sheet, program: Program) -> None:
    written = program.call(
        "PATCH",
        CELLS,
        edits(("A1", "Bid"), ("B1", 19.50), ("C1", True), ("A2", "$1,000"), ("B2", "=b1*2")),
    )
    assert (written.status_code, written.json()["revision"]) == (200, 1)
    read = program.get(f"{CELLS}?range=A1:C2")
    assert read.headers["ETag"] == '"1"'
    assert read.json() == {
        "revision": 1,
        "range": "A1:C2",
        "rows": [
            [
                {"input": "Bid", "value": "Bid"},
                {"input": "19.5", "value": 19.5},
                {"input": "TRUE", "value": True},
            ],
            [
                {"input": "$1,000", "value": 1000},
                {"input": "=B1*2", "value": None},
                {"input": "", "value": None},
            ],
        ],
    }


def test_formulas_read_as_they_stand_now_with_their_values(plan: Sheet, program: Program) -> None:
    program.call("PATCH", CELLS, edits(("A1", 1), ("A2", "=A1*2"), ("A3", "=1/0")))
    calculator = Author(AuthorKind.CALCULATOR, "calculator")
    values = SetValues(1, ((1, 0, 2.0), (2, 0, {"error": "#DIV/0!", "reason": "division"})))
    above = Insert(AxisName.ROWS, before=0, count=1)
    for operation in (values, above):
        commit([Submission("plan", uuid4(), operation, calculator)])
    rows = program.get(f"{CELLS}?range=A2:A4").json()["rows"]
    assert rows[0] == [{"input": "1", "value": 1}]
    assert rows[1] == [{"input": "=A2*2", "value": 2}]
    assert rows[2][0]["value"]["error"] == "#DIV/0!"


def test_a_range_is_clipped_to_the_sheet(plan: Sheet, program: Program) -> None:
    read = program.get(f"{CELLS}?range=Y999:AB1002").json()
    assert read["range"] == "Y999:Z1000"
    assert [len(row) for row in read["rows"]] == [2, 2]
    beyond = program.get(f"{CELLS}?range=AAA1:AAB2").json()
    assert (beyond["range"], beyond["rows"]) == (None, [])


def test_an_etag_saves_reading_until_the_sheet_changes(plan: Sheet, program: Program) -> None:
    program.call("PATCH", CELLS, edits(("A1", "x")))
    address = f"{CELLS}?range=A1"
    tag = program.get(address).headers["ETag"]
    for asked in (tag, f'"0", {tag}', f"W/{tag}", "*"):
        answer = program.get(address, {"If-None-Match": asked})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    program.call("PATCH", CELLS, edits(("Z9", "y")))
    assert program.get(address, {"If-None-Match": tag}).status_code == 200


def test_a_key_commits_once_and_answers_the_same(plan: Sheet, program: Program) -> None:
    key = {"Idempotency-Key": "monday"}
    first = program.call("PATCH", CELLS, edits(("A1", "x")), key)
    program.call("PATCH", CELLS, edits(("A1", "y")))
    again = program.call("PATCH", CELLS, edits(("A1", "x")), key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert Revision.objects.count() == 2
    assert Cell.objects.get().input == "y"
    other = program.call("PATCH", CELLS, edits(("A1", "z")), key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_keys_of_two_programs_are_two(plan: Sheet, alice: User, program: Program) -> None:
    key = {"Idempotency-Key": "monday"}
    program.call("PATCH", CELLS, edits(("A1", "x")), key)
    other = Program(token_for(alice)).call("PATCH", CELLS, edits(("A2", "x")), key)
    assert other.json()["revision"] == 2


def test_if_match_refuses_what_was_read_too_early(plan: Sheet, program: Program) -> None:
    tag = program.get(f"{CELLS}?range=A1").headers["ETag"]
    key = {"Idempotency-Key": "monday"}
    first = program.call("PATCH", CELLS, edits(("A1", "x")), {"If-Match": tag, **key})
    assert first.json()["revision"] == 1
    late = program.call("PATCH", CELLS, edits(("A1", "y")), {"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "outdated")
    # A retry of what was committed is no new edit, however far the sheet is by now.
    again = program.call("PATCH", CELLS, edits(("A1", "x")), {"If-Match": tag, **key})
    assert again.json() == first.json()
    wrong = program.call("PATCH", CELLS, edits(("A1", "x")), {"If-Match": "1"})
    assert wrong.json()["code"] == "malformed"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_with_one_etag_one_is_committed(alice: User, plan: Sheet) -> None:
    token = token_for(alice)
    answers = at_once(
        8,
        lambda number: (
            Program(token)
            .call("PATCH", CELLS, edits(("A1", str(number))), {"If-Match": '"0"'})
            .status_code
        ),
    )
    assert sorted(map(str, answers)) == ["200"] + ["412"] * 7
    assert Revision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_one_key_are_one_edit(alice: User, plan: Sheet) -> None:
    token, key = token_for(alice), {"Idempotency-Key": "once"}
    answers = at_once(
        8, lambda _: Program(token).call("PATCH", CELLS, edits(("A1", "x")), key).content
    )
    assert len(set(answers)) == 1
    assert Revision.objects.count() == 1


def test_who_acts_is_in_the_log(plan: Sheet, program: Program) -> None:
    program.call("PATCH", CELLS, edits(("A1", "x")))
    line = Revision.objects.get()
    assert (line.author_kind, line.author_name) == (AuthorKind.API, "alice (test)")
    assert line.user == plan.owner


@pytest.mark.django_db(transaction=True)
def test_a_role_that_is_taken_away_counts_at_once(
    plan: Sheet, program_of: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role is asked for again under the sheet's lock."""
    bobs = program_of("bob")
    bob = User.objects.get(username="bob")
    grant(plan, bob, Role.EDITOR)
    author = Author(AuthorKind.API, "bob", bob.pk)
    operation = SetAddresses(((0, 0, "x"),))
    assert bobs.call("PATCH", CELLS, edits(("A1", "x"))).status_code == 200
    revoke(plan, bob.pk)
    [outcome] = commit([Submission("plan", uuid4(), operation, author)]).outcomes
    assert "change" in str(getattr(outcome, "error", ""))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"edits": []}, "malformed"),
        ({"edits": [{"address": "A0", "input": "x"}]}, "invalid_address"),
        ({"edits": [{"address": "A1", "input": ["x"]}]}, "malformed"),
        ({"edits": [{"address": "A1"}]}, "malformed"),
        ({"edits": [{"address": "A1", "input": "x", "style": {}}]}, "malformed"),
        ({"edits": [{"address": "A1", "input": "\0"}]}, "invalid_text"),
        ({"edits": [{"address": "A1", "input": "\ud800"}]}, "invalid_text"),
        ({"edits": [{"address": "A1", "input": "x" * 32_768}]}, "limit_exceeded"),
        ([], "malformed"),
        (None, "malformed"),
    ],
)
def test_nonsense_is_refused(plan: Sheet, program: Program, body: object, code: str) -> None:
    answer = program.call("PATCH", CELLS, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Revision.objects.exists()


@pytest.mark.parametrize("number", ["1e400", "-1E999999999", "9" * 5_000, "1" * 400])
def test_numbers_that_no_cell_holds_are_refused(plan: Sheet, program: Program, number: str) -> None:
    body = f'{{"edits": [{{"address": "A1", "input": {number}}}]}}'
    answer = program.send("PATCH", CELLS, body.encode())
    assert answer.status_code == 400
    assert not Revision.objects.exists()


@pytest.mark.parametrize(
    ("asked", "code"),
    [("", "malformed"), ("?range=A", "invalid_address"), ("?range=A1:Z1000", "limit_exceeded")],
)
def test_ranges_that_cannot_be_read(plan: Sheet, program: Program, asked: str, code: str) -> None:
    answer = program.get(CELLS + asked)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def at_once(count: int, ask: Callable[[int], object]) -> list[object]:
    """Ask from so many threads at the same moment, and return what each got."""
    begin = threading.Barrier(count)
    answers: list[object] = []

    def run(number: int) -> None:
        try:
            begin.wait()
            answers.append(ask(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers
