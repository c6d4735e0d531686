"""Accounts: made by their own people where operators allow it, and used to sign in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

SIGN_UP = "/accounts/sign-up/"
PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def may_sign_up(settings: Settings) -> None:
    settings.SIGN_UP = True


def account(username: str = "alice", **changed: str) -> dict[str, str]:
    return {"username": username, "password1": PASSWORD, "password2": PASSWORD, **changed}


def test_a_newcomer_signs_up_and_is_signed_in(client: Client) -> None:
    response = client.post(SIGN_UP, account())
    assert response.headers["Location"] == "/"
    alice = User.objects.get()
    assert (alice.username, alice.is_staff, alice.check_password(PASSWORD)) == (
        "alice",
        False,
        True,
    )
    assert client.get("/").context["user"] == alice


def test_signing_up_leads_on_to_where_one_was_going(client: Client) -> None:
    login = client.get("/accounts/login/?next=/sheets/plan/").content.decode()
    assert 'href="/accounts/sign-up/?next=/sheets/plan/"' in login
    page = client.get(f"{SIGN_UP}?next=/sheets/plan/").content.decode()
    assert '<input type="hidden" name="next" value="/sheets/plan/">' in page
    assert 'href="/accounts/login/?next=/sheets/plan/"' in page
    response = client.post(SIGN_UP, account(next="/sheets/plan/"))
    assert response.headers["Location"] == "/sheets/plan/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"],
)
def test_signing_up_leads_to_no_other_site(client: Client, elsewhere: str) -> None:
    assert "evil" not in client.get(SIGN_UP, {"next": elsewhere}).content.decode()
    response = client.post(SIGN_UP, account(next=elsewhere))
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (account("bob"), "A user with that username already exists."),
        (account("BOB"), "A user with that username already exists."),
        (account("bob@example.com"), "A username has no @"),
        (account(password2="another"), "The two password fields didn’t match."),
        (account("alice", password1="alice", password2="alice"), "too similar to the username"),
        (account(password1="12345678", password2="12345678"), "too common"),
        (account(""), "This field is required."),
    ],
)
def test_an_account_that_cannot_be_is_explained(
    client: Client, form: dict[str, str], problem: str
) -> None:
    User.objects.create_user("bob")
    response = client.post(SIGN_UP, form)
    assert response.status_code == 400
    assert problem in response.content.decode().replace("&#x27;", "'")
    assert User.objects.count() == 1


def test_who_is_signed_in_needs_no_account(client: Client) -> None:
    client.force_login(User.objects.create_user("alice"))
    assert client.get(f"{SIGN_UP}?next=/sheets/plan/").headers["Location"] == "/sheets/plan/"
    assert client.post(SIGN_UP, account("bob")).headers["Location"] == "/"
    assert User.objects.count() == 1


def test_operators_may_keep_accounts_to_themselves(client: Client, settings: Settings) -> None:
    settings.SIGN_UP = False
    assert SIGN_UP not in client.get("/accounts/login/").content.decode()
    assert client.get(SIGN_UP).status_code == 404
    response = client.post(SIGN_UP, account())
    assert response.status_code == 404
    assert b"Accounts are made by an administrator here" in response.content
    assert not User.objects.exists()


def test_signing_up_needs_a_form_of_our_own() -> None:
    assert Client(enforce_csrf_checks=True).post(SIGN_UP, account()).status_code == 403
