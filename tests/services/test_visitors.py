import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from cells.services.access import create_sheet
from cells.services.visitors import visitor_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="secret")


def cookies_of(client: Client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def test_a_visitor_without_a_session_is_a_guest_and_costs_no_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        visitors = [visitor_of(""), visitor_of("theme=dark; sessionid=")]
    assert all(visitor.is_guest and visitor.session_key is None for visitor in visitors)


def test_who_signed_in_is_known(client: Client, alice: User) -> None:
    client.force_login(alice)
    visitor = visitor_of(cookies_of(client))
    assert (visitor.user, visitor.name) == (alice, "alice")
    assert not visitor.is_guest


def test_a_guest_keeps_the_name_that_a_page_gave(client: Client) -> None:
    create_sheet(None, "Prices", slug="prices", link_role="editor")  # type: ignore[arg-type]
    client.get(reverse("cells:sheet", args=["prices"]))
    visitor = visitor_of(cookies_of(client))
    assert visitor.is_guest
    assert visitor.name == client.session["guest_name"]
    assert visitor.session_key == client.session.session_key


def test_a_session_that_there_is_no_more_is_a_guests(client: Client, alice: User) -> None:
    client.force_login(alice)
    cookies = cookies_of(client)
    Session.objects.all().delete()
    assert visitor_of(cookies).is_guest


def test_a_changed_password_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    alice.set_password("another")
    alice.save()
    assert visitor_of(cookies_of(client)).is_guest
    assert Session.objects.count() == 1  # to end it is for the next page


def test_a_closed_account_is_a_guest(client: Client, alice: User) -> None:
    client.force_login(alice)
    User.objects.update(is_active=False)
    assert visitor_of(cookies_of(client)).is_guest


def test_a_rotated_key_keeps_the_session_while_it_is_a_fallback(
    client: Client, alice: User, settings: Settings
) -> None:
    client.force_login(alice)
    cookies = cookies_of(client)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new one"
    assert visitor_of(cookies).is_guest
    settings.SECRET_KEY_FALLBACKS = [old]
    assert visitor_of(cookies).user == alice
