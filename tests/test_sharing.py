"""The share page: people found by name or address, and roles changed in place."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from cells.models import Role, Sheet, SheetAccess
from cells.services.access import create_sheet, role_of
from cells.services.people import SeveralPeopleError, find_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", email="bob@example.com")


@pytest.fixture
def budget(alice: User) -> Sheet:
    return create_sheet(alice, "Budget")


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def roles(sheet: Sheet) -> dict[str, str]:
    return dict(sheet.access.values_list("user__username", "role"))


def test_people_are_found_by_name_and_by_address(bob: User) -> None:
    assert find_person("bob") == find_person("Bob@Example.com") == bob
    assert find_person("bo") is find_person("b@example.com") is find_person("") is None


def test_who_left_is_not_found(bob: User) -> None:
    User.objects.update(is_active=False)
    assert find_person("bob") is find_person("bob@example.com") is None


def test_an_address_of_two_people_is_nobodys(bob: User) -> None:
    User.objects.create_user("robert", email="BOB@example.com")
    with pytest.raises(SeveralPeopleError):
        find_person("bob@example.com")


def test_a_name_like_anothers_address_is_nobodys(bob: User) -> None:
    User.objects.create_user("bob@example.com")
    with pytest.raises(SeveralPeopleError):
        find_person("bob@example.com")


def test_alice_shares_by_address(budget: Sheet, alice: User, bob: User) -> None:
    form = {"username": " bob@example.com ", "role": "viewer"}
    page = signed_in(alice).post(f"/sheets/{budget.slug}/share/", form, follow=True)
    assert "Shared with bob." in page.content.decode()
    assert roles(budget) == {"bob": "viewer"}


def test_an_address_that_nobody_has_points_to_the_link(budget: Sheet, alice: User) -> None:
    form = {"username": "carol@example.com", "role": "viewer"}
    page = signed_in(alice).post(f"/sheets/{budget.slug}/share/", form)
    assert page.status_code == 400
    assert "Try their username, or send them the link below." in page.content.decode()
    assert 'value="carol@example.com"' in page.content.decode()


def test_a_role_is_changed_in_place(budget: Sheet, alice: User, bob: User) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.VIEWER)
    browser, address = signed_in(alice), f"/sheets/{budget.slug}/share/{bob.pk}/"
    changed = browser.post(address, {"role": "editor"}, follow=True)
    assert "Changed the role." in changed.content.decode()
    refused = browser.post(address, {"role": "king"}, follow=True)
    assert "Choose one of the roles." in refused.content.decode()
    assert roles(budget) == {"bob": "editor"}


def test_a_role_that_was_taken_away_is_not_changed(budget: Sheet, alice: User, bob: User) -> None:
    page = signed_in(alice).post(
        f"/sheets/{budget.slug}/share/{bob.pk}/", {"role": "editor"}, follow=True
    )
    assert "no longer shared with them" in page.content.decode()
    assert roles(budget) == {}


def test_only_an_owner_changes_a_role(budget: Sheet, bob: User) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    address = f"/sheets/{budget.slug}/share/{bob.pk}/"
    assert signed_in(bob).post(address, {"role": "owner"}).status_code == 403
    assert roles(budget) == {"bob": "editor"}


def test_an_owner_who_steps_down_leaves_the_page(budget: Sheet, bob: User) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.OWNER)
    response = signed_in(bob).post(f"/sheets/{budget.slug}/share/{bob.pk}/", {"role": "viewer"})
    assert response.headers["Location"] == "/"
    assert roles(budget) == {"bob": "viewer"}


def test_a_sheet_is_shared_with_a_group_and_is_on_the_list_of_its_people(
    budget: Sheet, alice: User, bob: User
) -> None:
    team = Group.objects.create(name="Team")
    bob.groups.add(team)
    hers, his = signed_in(alice), signed_in(bob)
    shared = hers.post(
        f"/sheets/{budget.slug}/share/", {"username": "Team", "role": "editor"}, follow=True
    )
    assert "Shared with Team." in shared.content.decode()
    assert "Budget" in his.get("/").content.decode()
    assert role_of(bob, budget) == Role.EDITOR
    line = f"/sheets/{budget.slug}/share/groups/{team.pk}/"
    assert f'action="{line}"' in shared.content.decode()
    hers.post(line, {"role": "viewer"})
    assert role_of(bob, budget) == Role.VIEWER
    hers.post(f"{line}remove/")
    assert role_of(bob, budget) is None
    assert "Budget" not in his.get("/").content.decode()


def test_a_group_that_is_called_like_a_person_is_not_guessed(
    budget: Sheet, alice: User, bob: User
) -> None:
    Group.objects.create(name="bob")
    page = signed_in(alice).post(
        f"/sheets/{budget.slug}/share/", {"username": "bob", "role": "viewer"}
    )
    assert page.status_code == 400
    assert "“bob” is a person and a group." in page.content.decode()
    assert roles(budget) == {}
