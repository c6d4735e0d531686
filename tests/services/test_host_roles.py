"""A project's own rule decides beside owners and shares, wherever roles are asked for."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser, User
from pytest_django import Settings

from cells.domain.errors import Forbidden
from cells.domain.operations import set_cells
from cells.models import AuthorKind, LinkRole, Role, Sheet
from cells.services.access import admit, create_sheet, role_of, roles_now
from cells.services.authors import Author
from cells.services.commit import Committed, Refused, Submission, commit
from cells.services.listing import listed_sheets, with_roles

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule(settings: Settings) -> None:
    settings.CELLS_ROLE = "tests.services.rules.staff_edit"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def carol() -> User:
    return User.objects.create_user("carol", is_staff=True)


@pytest.fixture
def prices(alice: User) -> Sheet:
    return create_sheet(alice, "Prices", slug="prices")


def edit(sheet: Sheet, user: User | None) -> Committed | Refused:
    kind = AuthorKind.GUEST if user is None else AuthorKind.USER
    author = Author(kind, "somebody", None if user is None else user.pk)
    operation = set_cells([(0, 0, "1")])
    return commit([Submission(sheet.slug, uuid4(), operation, author)]).outcomes[0]


def test_the_rule_gives_a_role_until_it_no_longer_does(prices: Sheet, carol: User) -> None:
    assert role_of(carol, prices) == Role.EDITOR
    assert admit("prices", carol).role == Role.EDITOR
    assert isinstance(edit(prices, carol), Committed)
    assert roles_now([(prices.pk, carol.pk)]) == {(prices.pk, carol.pk): Role.EDITOR}
    User.objects.filter(pk=carol.pk).update(is_staff=False)
    assert roles_now([(prices.pk, carol.pk)]) == {(prices.pk, carol.pk): None}
    outcome = edit(prices, carol)
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, Forbidden)


def test_who_is_not_active_is_a_guest_to_the_rule(prices: Sheet, carol: User) -> None:
    User.objects.filter(pk=carol.pk).update(is_active=False)
    carol.refresh_from_db()
    assert role_of(carol, prices) is None
    assert roles_now([(prices.pk, carol.pk)]) == {(prices.pk, carol.pk): None}
    assert isinstance(edit(prices, carol), Refused)


def test_a_refusal_counts_for_owners_and_guests_alike(alice: User) -> None:
    secret = create_sheet(alice, "Secret", slug="secret", link_role=LinkRole.EDITOR)
    assert role_of(alice, secret) is None
    assert role_of(AnonymousUser(), secret) is None
    people = [(secret.pk, alice.pk), (secret.pk, None)]
    assert roles_now(people) == dict.fromkeys(people)
    assert isinstance(edit(secret, alice), Refused)
    assert isinstance(edit(secret, None), Refused)
    assert with_roles(alice, listed_sheets(alice, ["secret"])) == []


@pytest.mark.parametrize("name", ["broken", "gone"])
def test_a_rule_that_fails_refuses_and_sinks_nobody_else(
    prices: Sheet, alice: User, settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    settings.CELLS_ROLE = f"tests.services.rules.{name}"
    assert role_of(alice, prices) is None
    assert isinstance(edit(prices, alice), Refused)
    assert f"tests.services.rules.{name} failed; nobody is let in" in caplog.text


def test_what_the_rule_lets_in_is_listed_once_it_was_opened(prices: Sheet, carol: User) -> None:
    assert list(listed_sheets(carol, [])) == []
    (line,) = with_roles(carol, listed_sheets(carol, ["prices"]))
    assert (line.sheet, line.role) == (prices, Role.EDITOR)
