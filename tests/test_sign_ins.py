"""Guessing passwords: slowed down on every road, without keeping people out of their accounts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from cells.models import SignInTries, TriesOf
from cells.services import sign_ins
from cells.services.sign_ins import begin_try

SIGN_IN, ADMIN = "/accounts/login/", "/admin/login/"
RIGHT, WRONG = "a long pass phrase", "a guess"
HERE, THERE = "198.51.100.1", "203.0.113.7"


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # 20 tries a test
    few = {TriesOf.PAIR: 2, TriesOf.NETWORK: 4, TriesOf.ACCOUNT: 4}
    monkeypatch.setattr(sign_ins, "MOST_FAILURES", few)


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_superuser("alice", password=RIGHT)


def sign_in(
    password: str, *, name: str = "alice", address: str = HERE, page: str = SIGN_IN, told: str = ""
) -> Any:
    browser = Client(REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=told)
    return browser.post(page, {"username": name, "password": password})


def is_in(response: Any) -> bool:
    return bool(response.status_code == 302)


def test_who_fails_too_often_waits_and_then_is_let_in(alice: User) -> None:
    assert not is_in(sign_in(WRONG))
    assert is_in(sign_in(RIGHT))  # and what failed before it is forgotten
    for password in (WRONG, WRONG):
        assert sign_in(password).status_code == 200
    refused = sign_in(RIGHT, name="ALICE")
    assert refused.status_code == 429
    assert 890 <= int(refused.headers["Retry-After"]) <= 900
    assert "Try again in 15 minutes." in refused.content.decode()
    assert is_in(sign_in(RIGHT, address=THERE))
    SignInTries.objects.update(since=F("since") - timedelta(minutes=15))
    assert is_in(sign_in(RIGHT))


def test_a_name_that_nobody_has_is_refused_like_any_other(alice: User) -> None:
    told = [sign_in(WRONG, name="nobody").status_code for _ in range(3)]
    assert told == [200, 200, 429]
    assert "nobody" not in repr(list(SignInTries.objects.values()))  # it may be a password


def test_the_admin_counts_too_and_an_administrator_lets_people_in_again(alice: User) -> None:
    for page in (ADMIN, SIGN_IN):
        sign_in(WRONG, page=page)
    refused = sign_in(RIGHT, page=ADMIN)
    assert "Too many tries to sign in." in refused.content.decode()
    browser = Client()
    browser.force_login(User.objects.create_superuser("carol"))
    tries = "/admin/cells/signintries/"
    lines = SignInTries.objects.filter(user=alice)
    assert b"alice" in browser.get(f"{tries}?q=alice").content
    chosen = {"action": "forget_failures", "_selected_action": [line.pk for line in lines]}
    assert "2 may try again." in browser.post(tries, chosen, follow=True).content.decode()
    assert is_in(sign_in(RIGHT, page=ADMIN))


@pytest.mark.parametrize("is_believed", [True, False])
def test_only_a_proxy_that_is_believed_says_where_a_try_comes_from(
    alice: User, settings: Settings, is_believed: bool
) -> None:
    if is_believed:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for n in range(2):
        sign_in(WRONG, told=f"192.0.2.{n}, {HERE}")
    assert is_in(sign_in(RIGHT, told=f"192.0.2.9, {THERE}")) == is_believed
    assert not is_in(sign_in(RIGHT, told=f"192.0.2.9, {HERE}"))


def test_strangers_cannot_keep_somebody_out_from_where_they_sign_in(alice: User) -> None:
    sign_in(RIGHT)
    for n in range(5):
        sign_in(WRONG, address=f"192.0.2.{n}")
    assert sign_in(RIGHT, address=THERE).status_code == 429  # it may be a guesser with many hosts
    for name in ("bob", "carol", "dave", "erin", "frank"):
        sign_in(WRONG, name=name)
    assert sign_in(RIGHT, name="grace").status_code == 429  # a network that guesses many accounts
    assert is_in(sign_in(RIGHT))


@pytest.mark.django_db(transaction=True)
def test_of_tries_at_the_same_moment_no_more_are_let_through() -> None:
    def attempt(_: int) -> int:
        try:
            return begin_try("alice", HERE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(attempt, range(16)))
    assert waits.count(0) <= 2  # fewer where each sees what the others have counted already
    assert SignInTries.objects.get(tries_of=TriesOf.NETWORK).failures == 16  # none was lost
