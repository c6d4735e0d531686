"""What a sheet's page may ask about the past, and who may."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from cells.domain.operations import SetAddresses, SetCells
from cells.domain.reordering import ReorderCells
from cells.models import AuthorKind, LinkRole, NamedVersion, Revision, Role, Sheet
from cells.services import versions, work_turns
from cells.services.access import create_sheet
from cells.services.authors import Author, Source, import_origin
from cells.services.commit import Committed, Submission, commit

pytestmark = pytest.mark.django_db

STREAM = Author(AuthorKind.STREAM, "Ticks", origin="projects/p/subscriptions/ticks/17")


@pytest.fixture
def prices() -> Sheet:
    """Alice's sheet: bob edits it, carol looks at it, dave is a stranger."""
    alice, bob, carol, _ = map(User.objects.create_user, ("alice", "bob", "carol", "dave"))
    sheet = create_sheet(alice, "Prices", slug="prices")
    sheet.access.create(user=bob, role=Role.EDITOR)
    sheet.access.create(user=carol, role=Role.VIEWER)
    user = Author(AuthorKind.USER, "Alice", alice.pk, str(uuid.uuid4()))
    file = Author(AuthorKind.USER, "Bob", bob.pk, import_origin("old: prices.csv"))
    source = Source(datetime(2026, 11, 1, tzinfo=UTC))
    for operation, author, whence in (
        (SetCells(((0, 0, "b"), (1, 0, "a"))), user, None),
        (SetCells(((0, 0, "2"),)), file, None),
        (SetAddresses(((0, 0, "3"),)), STREAM, source),
        (ReorderCells(((0, 2),), ((0, 1),), (1, 0)), user, None),
    ):
        submission = Submission("prices", uuid.uuid4(), operation, author, whence)
        (outcome,) = commit([submission]).outcomes
        assert isinstance(outcome, Committed)
    return sheet


Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask() -> Ask:
    """Ask as somebody; the body of what is no single JSON is a list of lines."""

    def ask(name: str, path: str, data: dict[str, str] | None = None) -> tuple[int, Any]:
        browser = Client()
        if name:
            browser.force_login(User.objects.get(username=name))
        address = f"/sheets/prices/history/{path}"
        response = browser.get(address) if data is None else browser.post(address, data)
        content = response.getvalue()
        if response.headers["Content-Type"] == "application/x-ndjson":
            return response.status_code, [json.loads(line) for line in content.splitlines()]
        return response.status_code, json.loads(content)

    return ask


def test_a_cell_tells_who_changed_it_and_from_where(prices: Sheet, ask: Ask) -> None:
    status, body = ask("bob", "cell/?row=0&column=0")
    assert status == 200
    assert [(change["old"], change["new"]) for change in body["changes"]] == [
        ({"input": "3", "style": ""}, {"input": "a", "style": ""}),
        ({"input": "2"}, {"input": "3"}),
        ({"input": "b"}, {"input": "2"}),
        ({"input": ""}, {"input": "b"}),
    ]
    kinds = [(change["author"]["kind"], change["kind"]) for change in body["changes"]]
    assert kinds == [
        ("user", "reorder_cells"),
        ("stream", "set_cells"),
        ("import", "set_cells"),
        ("user", "set_cells"),
    ]
    assert [change["source"] for change in body["changes"]][1:3] == [
        {
            "subscription": "projects/p/subscriptions/ticks",
            "message_id": "17",
            "published_at": "2026-11-01T00:00:00Z",
        },
        {"file": "old: prices.csv"},
    ]
    for source, revisions in (("user", [4, 1]), ("import", [2]), ("stream", [3]), ("api", [])):
        _, body = ask("bob", f"cell/?row=0&column=0&source={source}")
        assert [change["revision"] for change in body["changes"]] == revisions


def test_a_past_sheet_comes_as_frames_with_what_was_changed(prices: Sheet, ask: Ask) -> None:
    status, (head, frame) = ask("bob", "2/?since=1")
    assert (status, head["changed"], head["changed_count"]) == (200, [[0, 0, 0]], 1)
    assert (frame["type"], frame["after"], frame["through"]) == ("cells.changed", 0, 2)
    assert frame["changes"] == [[None, [[0, 0, "2"], [1, 0, "a"]]]]
    assert frame["rows"] == [[0, 1000]]
    status, body = ask("bob", "5/")
    assert (status, body["code"]) == (404, "outdated")


def test_each_changed_cell_tells_who_changed_it_last_in_a_colour_of_their_own(
    prices: Sheet, ask: Ask
) -> None:
    _, (head, _) = ask("bob", "3/?since=0")
    names = [author["name"] for author in head["authors"]]
    by = {(row, column): names[place] for row, column, place in head["changed"]}
    assert by == {(0, 0): "Ticks", (1, 0): "Alice"}  # what Bob wrote in between is no more
    ticks, alice = head["authors"]
    _, line = ask("bob", "")
    assert alice in line["entries"][0]["authors"]  # with the colour of her cursor
    assert ticks["kind"] == "stream"
    assert ticks["color"] not in (None, alice["color"])
    _, (head, _) = ask("bob", "4/?since=0")  # the sort touched both
    assert [author["name"] for author in head["authors"]] == ["Alice"]
    _, (head, _) = ask("bob", "4/?since=4")
    assert (head["changed"], head["authors"]) == ([], [])


def test_the_time_line_has_names_that_editors_give(prices: Sheet, ask: Ask) -> None:
    status, body = ask("bob", "2/name/", {"name": "  As  sent "})
    assert (status, body) == (200, {"revision": 2, "name": "As sent"})
    _, line = ask("bob", "")
    entries = [(one["first"], one["last"], one["name"]) for one in line["entries"]]
    assert entries == [(3, 4, None), (1, 2, "As sent")]
    authors = [[who["name"] for who in one["authors"]] for one in line["entries"]]
    assert authors == [["Alice", "Ticks"], ["Bob", "Alice"]]
    assert (line["before"], line["oldest"], line["head"]) == (None, 0, 4)
    _, steps = ask("bob", "?first=3&last=4")
    assert [(one["first"], one["last"]) for one in steps["entries"]] == [(4, 4), (3, 3)]
    assert ask("bob", "2/name/", {"name": ""})[1] == {"revision": 2, "name": None}
    assert not NamedVersion.objects.exists()


def test_names_are_names_and_not_too_many(
    prices: Sheet, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MAX_NAMES", 1)
    for name, code in (("x" * 40_000, "limit_exceeded"), ("a\0b", "invalid_text")):
        status, body = ask("bob", "2/name/", {"name": name})
        assert (status, body["code"]) == (400, code)
        assert body["message"].startswith("a name")
    assert ask("bob", "2/name/", {"name": "One"})[0] == 200
    status, body = ask("bob", "3/name/", {"name": "Two"})
    assert (status, body["code"]) == (400, "limit_exceeded")
    assert "take the name from one" in body["message"]
    assert ask("bob", "2/name/", {"name": "The one"})[0] == 200


def test_of_what_was_pruned_the_versions_with_names_are_shown(prices: Sheet, ask: Ask) -> None:
    assert ask("bob", "2/name/", {"name": "As sent"})[0] == 200
    old = timezone.now() - timedelta(days=200)
    Revision.objects.filter(number__lte=3).update(committed_at=old)
    call_command("prune_revisions", stdout=StringIO())
    status, (head, frame) = ask("bob", "2/?since=1")
    assert (status, head) == (200, {"revision": 2})
    assert frame["changes"] == [[None, [[0, 0, "2"], [1, 0, "a"]]]]
    status, body = ask("bob", "1/")
    assert (status, body["code"]) == (410, "pruned")
    # With its name it would be gone: that is the owner's, who has to say so.
    status, body = ask("bob", "2/name/", {"name": "", "gone": "1"})
    assert (status, body["code"]) == (403, "owner_only")
    status, body = ask("alice", "2/name/", {"name": ""})
    assert (status, body["code"]) == (409, "kept_by_name")
    assert ask("bob", "2/")[0] == 200
    assert ask("alice", "2/name/", {"name": "", "gone": "1"})[0] == 200
    assert ask("bob", "2/")[0] == 410


def test_the_past_is_for_editors(prices: Sheet, ask: Ask) -> None:
    """Or a sheet that is cleaned, and then shared, would still tell what was in it."""
    asked = [(path, None) for path in ("", "cell/?row=0&column=0", "2/")]
    for path, data in [*asked, ("2/name/", {"name": "x"})]:
        for link_role in (LinkRole.NONE, LinkRole.VIEWER):
            Sheet.objects.update(link_role=link_role)
            for name in ("carol", "dave", ""):
                status, body = ask(name, path, data)
                assert (status, body["code"]) == (403, "forbidden"), (path, name, link_role)
        Sheet.objects.update(link_role=LinkRole.EDITOR)
        assert ask("", path, data)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "cell/",
        "cell/?row=0&column=x",
        "cell/?row=0&column=0&source=me",
        "2/?since=3",
        "?first=3&last=2",
        "?last=2",
    ],
)
def test_what_has_no_meaning_is_refused(prices: Sheet, ask: Ask, path: str) -> None:
    status, body = ask("alice", path)
    assert (status, body["code"]) == (400, "malformed")


def test_so_many_whole_sheets_are_read_at_once_and_others_are_told_to_come_again(
    prices: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_turns, "READING_PATIENCE_SECONDS", 0.01)
    browser = Client()
    browser.force_login(User.objects.get(username="bob"))
    addresses = ("history/1/", "export.csv", "export.xlsx")
    with ExitStack() as turns:
        for _ in range(work_turns.READINGS_AT_ONCE):
            turns.enter_context(work_turns.reading_turn())
        answers = [browser.get(f"/sheets/prices/{address}") for address in addresses]
        assert [answer.status_code for answer in answers] == [503] * 3
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert answers[0].json()["code"] == "unavailable"
    for address in addresses:
        answer: Any = browser.get(f"/sheets/prices/{address}")
        assert answer.status_code == 200
        answer.getvalue()
