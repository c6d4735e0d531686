"""Accounts: made by their own people where operators allow it, and used to sign in."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from cells.accounts import SIGN_UPS_AN_HOUR
from cells.forms import SignUpForm
from cells.services import quotas
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.django_db

SIGN_UP = "/accounts/sign-up/"
PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def may_sign_up(settings: Settings) -> None:
    settings.SIGN_UP = True
    cache.clear()


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
        (account("Finance"), "A user with that username already exists."),
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
    Group.objects.create(name="Finance")
    response = client.post(SIGN_UP, form)
    assert response.status_code == 400
    assert problem in response.content.decode().replace("&#x27;", "'")
    assert User.objects.count() == 1


def test_a_name_that_is_taken_at_the_same_moment_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = SignUpForm.save

    def save_late(form: SignUpForm) -> User:
        User.objects.create_user("alice")
        return save(form)

    monkeypatch.setattr(SignUpForm, "save", save_late)
    response = client.post(SIGN_UP, account("alice"))
    assert response.status_code == 400
    assert "A user with that username already exists." in response.content.decode()


def test_who_is_signed_in_needs_no_account(client: Client) -> None:
    client.force_login(User.objects.create_user("alice"))
    assert client.get(f"{SIGN_UP}?next=/sheets/plan/").headers["Location"] == "/sheets/plan/"
    assert client.get(f"{SIGN_UP}?next=plan").headers["Location"] == "plan"
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


# -- how often ------------------------------------------------------------------------------------


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stop the clock of the quotas at noon; call it to set it to so many seconds later."""
    clock = [1_800_014_400.0]
    monkeypatch.setattr(quotas, "time", SimpleNamespace(time=lambda: clock[0]))

    def later(seconds: float) -> None:
        clock[0] = 1_800_014_400.0 + seconds

    return later


def sign_up_often(client: Client, **headers: Any) -> None:
    for _ in range(SIGN_UPS_AN_HOUR):
        assert client.post(SIGN_UP, account(password2="another"), **headers).status_code == 400


def test_one_address_signs_up_so_often_an_hour_and_then_is_told_when_again(
    client: Client, noon: Callable[[float], None]
) -> None:
    noon(900)
    sign_up_often(client)
    refused = client.post(SIGN_UP, account())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2701")
    assert "Try again in 46 minutes." in refused.content.decode()
    assert not User.objects.exists()
    assert client.get(SIGN_UP).status_code == 200
    assert client.post(SIGN_UP, account(), REMOTE_ADDR="192.0.2.7").status_code == 302
    noon(3600)
    assert Client().post(SIGN_UP, account("bob")).status_code == 302


def test_a_household_has_one_quota_however_many_addresses(client: Client) -> None:
    sign_up_often(client, REMOTE_ADDR="2001:db8:0:1::1")
    assert client.post(SIGN_UP, account(), REMOTE_ADDR="2001:db8:0:1:f::2").status_code == 429
    assert client.post(SIGN_UP, account(), REMOTE_ADDR="2001:db8:0:2::1").status_code == 302


def test_the_address_is_a_proxys_word_only_where_that_is_believed(
    client: Client, settings: Settings
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    sign_up_often(client, HTTP_X_FORWARDED_FOR="192.0.2.1")
    made_up = "198.51.100.1, 192.0.2.2"
    assert client.post(SIGN_UP, account(), HTTP_X_FORWARDED_FOR=made_up).status_code == 429
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    sign_up_often(client, HTTP_X_FORWARDED_FOR=made_up)
    made_up = "203.0.113.9, 192.0.2.2"
    assert client.post(SIGN_UP, account(), HTTP_X_FORWARDED_FOR=made_up).status_code == 429


def test_processes_count_together_and_without_redis_nobody_is_refused(
    client: Client, settings: Settings, redis_server: RedisServer
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_server.url,
        }
    }
    sign_up_often(client)
    assert client.post(SIGN_UP, account()).status_code == 429
    settings.CACHES["default"]["LOCATION"] = "redis://127.0.0.1:1/0"
    settings.CACHES = {**settings.CACHES}
    assert client.post(SIGN_UP, account()).status_code == 302
