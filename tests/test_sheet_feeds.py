"""What a sheet's page may ask about its streams, and who may."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cells.domain.axes import AxisName
from cells.domain.operations import Delete, SetAddresses, SetCells
from cells.models import AuthorKind, Feed, FeedPolicy, LinkRole, Proposal, Role, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author, Source
from cells.services.commit import Submission, commit
from tests.services.protected import protect

pytestmark = pytest.mark.django_db

SignedIn = Callable[[str], Client]
STREAM = Author(AuthorKind.STREAM, "Ticks")
BOB = Author(AuthorKind.ADMIN, "Bob")


@pytest.fixture
def prices() -> Sheet:
    """Alice's sheet: bob edits it, carol looks at it, dave is a stranger. One proposal is open."""
    alice, bob, carol, _ = map(User.objects.create_user, ("alice", "bob", "carol", "dave"))
    sheet = create_sheet(alice, "Prices", slug="prices")
    sheet.access.create(user=bob, role=Role.EDITOR)
    sheet.access.create(user=carol, role=Role.VIEWER)
    feed = Feed.objects.create(name="Ticks", sheet=sheet, subscription="ticks-sub")
    source = Source(datetime.now(UTC), None, feed.pk, FeedPolicy.PROPOSE)
    ticks = SetAddresses(((0, 0, "1.09"), (0, 1, "1.09")))
    commit([Submission("prices", uuid.uuid4(), SetCells(((0, 0, "2"),)), BOB)])
    commit([Submission("prices", uuid.uuid4(), ticks, STREAM, source)])
    return sheet


@pytest.fixture
def as_() -> SignedIn:
    def signed_in(name: str) -> Client:
        browser = Client(enforce_csrf_checks=True)
        if name:
            browser.force_login(User.objects.get(username=name))
        return browser

    return signed_in


def dismiss(browser: Client, **fields: object) -> Any:
    """Dismiss as the page does, with the token that it was given."""
    page = browser.get("/sheets/prices/")
    token = page.context["csrf_token"] if page.status_code == 200 else ""
    return browser.post(
        "/sheets/prices/feeds/dismiss/",
        {"row": 0, "column": 0, "input": "1.09"} | fields,
        content_type="application/json",
        headers={"X-CSRFToken": str(token)},
    )


@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_who_may_look_is_told_how_feeds_are_and_what_they_propose(
    prices: Sheet, as_: SignedIn, name: str
) -> None:
    answer = as_(name).get("/sheets/prices/feeds/")
    assert json.loads(answer.content) == {
        "feeds": [
            {
                "name": "Ticks",
                "columns": [],
                "is_stale": False,
                "seconds": None,
                "trouble": False,
                "policy": "stream",
            }
        ],
        "proposals": [[0, 0, "1.09", "Ticks"]],
    }
    assert "no-store" in answer.headers["Cache-Control"]


def test_who_may_only_look_is_told_of_no_proposal_in_a_deleted_row(
    prices: Sheet, as_: SignedIn
) -> None:
    commit([Submission("prices", uuid.uuid4(), Delete(AxisName.ROWS, ((0, 1),)), BOB)])
    for name, told in (("bob", 1), ("carol", 0)):
        answer = as_(name).get("/sheets/prices/feeds/")
        assert len(json.loads(answer.content)["proposals"]) == told


def test_cells_of_streams_are_told_for_rows_and_columns(prices: Sheet, as_: SignedIn) -> None:
    address = "/sheets/prices/feeds/owned/"
    answer = as_("carol").get(f"{address}?rows=0-39&rows=70-72&columns=0-25")
    assert json.loads(answer.content) == {"owned": [[0, 1, "Ticks"]]}
    assert "no-store" in answer.headers["Cache-Control"]
    answer = as_("carol").get(f"{address}?rows=0-39&columns=2-25")
    assert json.loads(answer.content) == {"owned": []}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("rows=0-39", "malformed"),
        ("rows=0-39&columns=A-B", "malformed"),
        ("rows=-1-39&columns=0-5", "malformed"),
        ("rows=0-9999999999&columns=0-5", "malformed"),
        ("rows=0-200&columns=0-5", "limit_exceeded"),
        ("rows=0-150&rows=300-400&columns=0-5", "limit_exceeded"),
    ],
)
def test_a_question_without_meaning_is_refused(
    prices: Sheet, as_: SignedIn, query: str, code: str
) -> None:
    answer = as_("carol").get(f"/sheets/prices/feeds/owned/?{query}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, code)


@pytest.mark.parametrize("address", ["", "owned/?rows=0-1&columns=0-1"])
def test_strangers_are_told_nothing(prices: Sheet, as_: SignedIn, address: str) -> None:
    for name in ("dave", ""):
        answer = as_(name).get(f"/sheets/prices/feeds/{address}")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "forbidden")
    answer = as_("alice").get(f"/sheets/none/feeds/{address}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "no_such_sheet")
    Sheet.objects.update(deleted_at=timezone.now())
    assert as_("alice").get(f"/sheets/prices/feeds/{address}").status_code == 404


def test_who_may_edit_dismisses_a_proposal(prices: Sheet, as_: SignedIn) -> None:
    assert json.loads(dismiss(as_("bob"), input="1.08").content) == {"dismissed": False}
    assert Proposal.objects.exists(), "it is another one than the reader saw"
    assert json.loads(dismiss(as_("bob")).content) == {"dismissed": True}
    assert not Proposal.objects.exists()


def test_a_guest_with_the_link_of_an_editor_may_too(prices: Sheet, as_: SignedIn) -> None:
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    assert json.loads(dismiss(as_("")).content) == {"dismissed": True}


def test_what_is_proposed_for_a_protected_cell_is_for_those_who_may_edit_it(
    prices: Sheet, as_: SignedIn
) -> None:
    protect(prices, "A1")
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    for name in ("bob", ""):
        answer = dismiss(as_(name))
        assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "protected")
    assert json.loads(dismiss(as_("alice")).content) == {"dismissed": True}


def test_who_may_only_look_dismisses_nothing(prices: Sheet, as_: SignedIn) -> None:
    for name in ("carol", "dave", ""):
        assert dismiss(as_(name)).status_code == 403
    assert Proposal.objects.exists()


def test_a_page_of_another_site_dismisses_nothing(prices: Sheet, as_: SignedIn) -> None:
    body = {"row": 0, "column": 0, "input": "1.09"}
    bob = as_("bob")
    answer = bob.post("/sheets/prices/feeds/dismiss/", body, content_type="application/json")
    assert answer.status_code == 403
    assert Proposal.objects.exists()
    assert bob.get("/sheets/prices/feeds/dismiss/").status_code == 405


@pytest.mark.parametrize("wrong", [{"row": 10**30}, {"column": -1}, {"input": 5}, {"input": "\0"}])
def test_a_dismissal_without_meaning_is_refused(
    prices: Sheet, as_: SignedIn, wrong: dict[str, object]
) -> None:
    assert dismiss(as_("bob"), **wrong).status_code == 400
