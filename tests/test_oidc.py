"""Signing in by an OpenID Connect provider: a real one, small, and a real server."""

import re
from collections.abc import Iterator

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.databases import Databases
from tests.servers.oidc import CLIENT_ID, CLIENT_SECRET, Provider
from tests.servers.process import ServerFailedError
from tests.servers.sheetsync import WebServer, run_manage

CREDENTIALS = {"OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}
ALICE = """
from django.contrib.auth.models import User
User.objects.create_user("alice", "alice@example.com", "a long pass phrase")
"""
CONNECT = """
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
alice = User.objects.get(username="alice")
SocialAccount.objects.create(user=alice, provider="oidc", uid="alice herself")
"""
CONNECT_FRANK = """
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
frank = User.objects.create_user("frank")
SocialAccount.objects.create(user=frank, provider="oidc", uid="frank himself", extra_data={})
"""
PEOPLE = """
from django.contrib.auth.models import User
print([(u.username, u.email, u.has_usable_password()) for u in User.objects.order_by("pk")])
"""


@pytest.fixture(scope="module")
def started(
    new_database: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WebServer, Provider]]:
    provider = Provider()
    environment = {
        "DATABASE_URL": new_database("sqlite"),
        "EMBEDDED_CALCULATION": "0",
        "OIDC_SERVER_URL": provider.url,
        "OIDC_NAME": "Example Ltd",
        **CREDENTIALS,
    }
    run_manage(environment, "migrate", "-v0")
    run_manage(environment, "shell", "-v0", "-c", ALICE)
    server = WebServer(environment, log=tmp_path_factory.mktemp("oidc") / "web.log").start()
    yield server, provider
    server.kill()
    provider.stop()


@pytest.fixture
def provider(started: tuple[WebServer, Provider]) -> Provider:
    provider = started[1]
    provider.person, provider.lies, provider.key = {}, {}, provider.real_key
    provider.issuer = provider.url
    return provider


@pytest.fixture
def server(started: tuple[WebServer, Provider]) -> WebServer:
    return started[0]


def leave(browser: requests.Session, server: WebServer, next_page: str = "") -> requests.Response:
    """Press the button of the log-in page; return what the browser comes to in the end."""
    page = browser.get(f"{server.url}/accounts/login/", params={"next": next_page})
    assert "Sign in with Example Ltd" in page.text
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[-1]
    form = {"csrfmiddlewaretoken": token, "next": next_page}
    return browser.post(f"{server.url}/accounts/oidc/login/", form)


def is_signed_in(browser: requests.Session, server: WebServer) -> bool:
    page = browser.get(f"{server.url}/accounts/tokens/", allow_redirects=False)
    return page.status_code == 200


def people(server: WebServer) -> str:
    return run_manage(server.environment, "shell", "-v0", "-c", PEOPLE)


def test_a_first_sign_in_makes_an_account_and_the_next_finds_it(
    server: WebServer, provider: Provider
) -> None:
    provider.person = {
        "sub": "42",
        "preferred_username": "bob",
        "name": "Bob Builder",
        "email": "bob@example.com",
        "email_verified": True,
    }
    for next_page, comes_to in (("/import/", "/import/"), ("https://evil.example/", "/")):
        browser = requests.Session()
        answer = leave(browser, server, next_page)
        assert answer.url == f"{server.url}{comes_to}", answer.text
        assert is_signed_in(browser, server)
    assert people(server).count("bob@example.com") == 1
    assert "('bob', 'bob@example.com', False)" in people(server)


def test_nobody_is_called_by_the_address_of_another(server: WebServer, provider: Provider) -> None:
    provider.person = {"sub": "66", "preferred_username": "victim@example.com"}
    browser = requests.Session()
    leave(browser, server)
    assert is_signed_in(browser, server)
    assert "victim@example.com" not in people(server)


@pytest.mark.parametrize("lie", ["nonce", "aud", "iss", "exp", "sub"])
def test_an_id_token_that_proves_nothing_is_refused(
    server: WebServer, provider: Provider, lie: str
) -> None:
    provider.person = {"sub": "77", "preferred_username": "mallory"}
    provider.lies = {lie: 1 if lie == "exp" else "another"}
    browser = requests.Session()
    answer = leave(browser, server)
    assert answer.status_code == 403
    assert "Signing in did not work" in answer.text
    assert not is_signed_in(browser, server)
    assert "mallory" not in people(server)


def test_a_signature_of_another_key_and_a_state_of_nobody_are_refused(
    server: WebServer, provider: Provider
) -> None:
    provider.person = {"sub": "77", "preferred_username": "mallory"}
    provider.key = rsa.generate_private_key(65537, 2048)
    browser = requests.Session()
    assert "Signing in did not work" in leave(browser, server).text
    forged = {"code": "a code", "state": "made up"}
    answer = browser.get(f"{server.url}/accounts/oidc/callback/", params=forged)
    assert (answer.status_code, "Signing in did not work" in answer.text) == (403, True)
    assert not is_signed_in(browser, server)


@pytest.mark.parametrize("is_verified", [True, False])
def test_nobody_is_alice_by_her_address_alone(
    server: WebServer, provider: Provider, is_verified: bool
) -> None:
    provider.person = {
        "sub": f"alice {is_verified}",
        "preferred_username": "alice",
        "email": "Alice@example.com",
        "email_verified": is_verified,
    }
    browser = requests.Session()
    answer = leave(browser, server)
    assert is_signed_in(browser, server) is not is_verified
    if is_verified:
        assert "There is an account with this e-mail address already" in answer.text
    found = people(server)
    assert found.lower().count("alice@example.com") == 1  # her own; no other account claims it
    assert "('alice', 'alice@example.com', True)" in found


def test_an_account_that_was_connected_is_found_by_the_providers_id(
    server: WebServer, provider: Provider
) -> None:
    run_manage(server.environment, "shell", "-v0", "-c", CONNECT)
    provider.person = {"sub": "alice herself", "email": "a@example.org", "email_verified": False}
    browser = requests.Session()
    leave(browser, server)
    assert "alice" in browser.get(server.url).text
    assert "a@example.org" not in people(server)


@pytest.mark.parametrize("is_first_sign_in", [True, False])
def test_another_issuers_person_of_the_same_id_is_nobody_here(
    server: WebServer, provider: Provider, is_first_sign_in: bool
) -> None:
    if is_first_sign_in:
        provider.person = {"sub": "88", "preferred_username": "erin"}
    else:  # connected by hand, without an issuer, and used once
        provider.person = {"sub": "frank himself"}
        run_manage(server.environment, "shell", "-v0", "-c", CONNECT_FRANK)
    for issuer, may_sign_in in (
        (provider.url, True),
        ("https://id.example.com", False),
        (provider.url, True),  # what was refused has changed nothing
    ):
        provider.issuer = issuer
        browser = requests.Session()
        answer = leave(browser, server)
        assert is_signed_in(browser, server) is may_sign_in
        assert ("connected to another site" in answer.text) is not may_sign_in


def test_an_account_that_was_connected_with_another_issuer_waits_for_that(
    server: WebServer, provider: Provider
) -> None:
    code = CONNECT_FRANK.replace("{}", '{"iss": "https://id.example.com"}').replace("frank", "gina")
    run_manage(server.environment, "shell", "-v0", "-c", code)
    provider.person = {"sub": "gina himself"}
    browser = requests.Session()
    assert leave(browser, server).status_code == 403
    provider.issuer = "https://id.example.com"
    leave(browser, server)
    assert is_signed_in(browser, server)


def test_only_a_form_with_its_token_leads_there(server: WebServer) -> None:
    address = f"{server.url}/accounts/oidc/login/"
    assert requests.get(address).status_code == 405
    assert requests.post(address).status_code == 403
    policy = requests.get(f"{server.url}/accounts/login/").headers["Content-Security-Policy"]
    assert re.search(r"form-action 'self' http://127\.0\.0\.1:\d+(;|$)", policy)


def test_half_a_configuration_is_refused_with_a_sentence() -> None:
    with pytest.raises(ServerFailedError, match="go together"):
        run_manage({"OIDC_SERVER_URL": "https://id.example.com"}, "check")
    with pytest.raises(ServerFailedError, match="https:// address"):
        run_manage({"OIDC_SERVER_URL": "http://id.example.com", **CREDENTIALS}, "check")
