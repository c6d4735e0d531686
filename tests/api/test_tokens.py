"""Personal tokens: what opens the interface, and for how long."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cells.api import callers
from cells.domain.errors import LimitExceeded
from cells.models import ApiToken, Scope, Sheet
from cells.services import tokens
from cells.services.tokens import MAX_TOKENS, create_token

from .conftest import Program

pytestmark = pytest.mark.django_db


def test_a_token_is_stored_as_its_hash_alone(alice: User) -> None:
    token, text = create_token(alice, "nightly", Scope.READ)
    assert text.startswith("sst_")
    assert token.digest == sha256(text.encode()).hexdigest()
    assert text not in str(ApiToken.objects.values().get())


def test_without_a_token_nothing_is_told(alice: User) -> None:
    answer = Program().get("/sheets")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("wrong", ["sst_wrong", "x", "", "sst_\0", "sst_é"])
def test_a_wrong_token_is_refused_in_a_signed_in_browser_too(alice: User, wrong: str) -> None:
    browser = Client()
    browser.force_login(alice)
    assert Program(wrong, browser).get("/sheets").status_code == 401


def test_a_token_ends_when_it_is_revoked_expires_or_its_person_leaves(alice: User) -> None:
    token, text = create_token(alice, "nightly", Scope.READ)
    ours = ApiToken.objects.filter(pk=token.pk)
    assert Program(text).get("/sheets").status_code == 200
    ours.update(revoked_at=timezone.now())
    assert Program(text).get("/sheets").status_code == 401
    ours.update(revoked_at=None, expires_at=timezone.now() - timedelta(seconds=1))
    assert Program(text).get("/sheets").status_code == 401
    ours.update(expires_at=timezone.now() + timedelta(hours=1))
    assert Program(text).get("/sheets").status_code == 200
    User.objects.update(is_active=False)
    assert Program(text).get("/sheets").status_code == 401


def test_a_token_that_may_read_does_not_write(program_of: Callable[..., Program]) -> None:
    answer = program_of("alice", Scope.READ).call("POST", "/sheets", {"title": "Plan"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert not Sheet.objects.exists()


def test_a_use_is_written_at_most_once_a_minute(alice: User) -> None:
    token, text = create_token(alice, "nightly", Scope.READ)
    Program(text).get("/sheets")
    token.refresh_from_db()
    first = token.used_at
    assert first is not None
    Program(text).get("/sheets")
    token.refresh_from_db()
    assert token.used_at == first
    ApiToken.objects.update(used_at=first - timedelta(seconds=61))
    Program(text).get("/sheets")
    token.refresh_from_db()
    assert token.used_at >= first


def test_a_session_reads_and_writes_with_the_csrf_token_alone(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert Program(browser=browser).get("/sheets").status_code == 200
    body = {"title": "Plan"}
    refused = Program(browser=browser).call("POST", "/sheets", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    browser.get("/accounts/tokens/")
    proof = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    assert Program(browser=browser).call("POST", "/sheets", body, proof).status_code == 201


def test_requests_are_counted_by_token(
    settings: Settings, program_of: Callable[..., Program]
) -> None:
    settings.API_REQUESTS_A_MINUTE = 2
    alices, bobs = program_of("alice"), program_of("bob")
    answers = [alices.get("/sheets") for _ in range(5)]  # of which a minute's end may pardon two
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert bobs.get("/sheets").status_code == 200


def test_an_address_that_guesses_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "WRONG_TOKENS_AN_HOUR", 1)
    assert Program("sst_a").get("/sheets").status_code == 401
    statuses = [Program("sst_b").get("/sheets").status_code for _ in range(3)]
    assert statuses[-1] == 429


def test_a_person_makes_a_token_on_a_page_sees_it_once_and_revokes_it(alice: User) -> None:
    browser = Client()
    assert browser.get("/accounts/tokens/").status_code == 302
    browser.force_login(alice)
    page = browser.post("/accounts/tokens/", {"name": "nightly", "scope": "read", "days": "30"})
    text = page.context["made"]
    assert text in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert text not in browser.get("/accounts/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert token.scope == Scope.READ
    assert token.expires_at is not None
    assert Program(text).get("/sheets").status_code == 200
    browser.post(f"/accounts/tokens/{token.pk}/revoke/")
    assert Program(text).get("/sheets").status_code == 401
    assert "nightly" not in browser.get("/accounts/tokens/").content.decode()


def test_nobody_revokes_anothers_token(alice: User) -> None:
    token, text = create_token(alice, "nightly", Scope.READ)
    browser = Client()
    browser.force_login(User.objects.create_user("mallory"))
    browser.post(f"/accounts/tokens/{token.pk}/revoke/")
    assert Program(text).get("/sheets").status_code == 200


def test_a_person_has_so_many_tokens_at_the_most(alice: User) -> None:
    for number in range(MAX_TOKENS):
        create_token(alice, str(number), Scope.READ)
    browser = Client()
    browser.force_login(alice)
    page = browser.post("/accounts/tokens/", {"name": "more", "scope": "read", "days": ""})
    assert page.status_code == 400
    assert "Revoke one first" in page.content.decode()
    assert ApiToken.objects.count() == MAX_TOKENS


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_more_by_asking_many_times_at_once(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    begin = threading.Barrier(8)

    def ask(number: int) -> bool:
        try:
            begin.wait()
            create_token(alice, str(number), Scope.READ)
        except LimitExceeded:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 2


def test_operators_make_tokens_too(alice: User) -> None:
    out = StringIO()
    call_command("create_token", "alice", "--name", "cron", "--scope", "write", stdout=out)
    assert Program(out.getvalue().strip()).call("POST", "/sheets", {}).status_code == 201
    for wrong in (["nobody", "--name", "x"], ["alice", "--name", " "]):
        with pytest.raises(CommandError):
            call_command("create_token", *wrong)
    with pytest.raises(CommandError):
        call_command("create_token", "alice", "--name", "x", "--days", "0")


def test_administrators_revoke_tokens_and_delete_none(alice: User) -> None:
    token, text = create_token(alice, "nightly", Scope.READ)
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    listed = browser.get("/admin/cells/apitoken/").content.decode()
    assert "nightly" in listed
    assert "delete_selected" not in listed
    assert (
        token.digest
        not in browser.get(f"/admin/cells/apitoken/{token.pk}/change/").content.decode()
    )
    browser.post(
        "/admin/cells/apitoken/", {"action": "revoke_chosen", "_selected_action": [token.pk]}
    )
    assert Program(text).get("/sheets").status_code == 401
