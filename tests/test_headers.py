"""What pages tell browsers: what may run in them, and who may have them in a frame."""

import re
from base64 import b64encode
from hashlib import sha256

from django.test import Client, RequestFactory
from django.views.defaults import server_error
from pytest_django import Settings

from cells.models import LinkRole
from cells.services.access import create_sheet
from cells.services.guests import COLORS
from tests.servers.process import ROOT
from tests.servers.sheetsync import run_manage

SOUND = {
    "DEBUG": "0",
    "SECRET_KEY": "a-secret-of-this-deployment-and-no-other-1234567890",
    "ALLOWED_HOSTS": "sheets.example.com",
    "HTTPS_ONLY": "1",
    "TRUST_PROXY": "1",
    "DATABASE_URL": "postgres://user:password@db.internal/sheetsync",
    "REDIS_URL": "redis://redis.internal:6379/0",
}


def policy_of(path: str, client: Client | None = None) -> dict[str, set[str]]:
    said = (client or Client()).get(path).headers["Content-Security-Policy"]
    return {name: set(sources) for name, *sources in map(str.split, said.split(";"))}


def test_a_page_runs_and_loads_what_comes_from_here_and_what_has_its_nonce(db: None) -> None:
    create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)
    client = Client()
    nonces = set()
    for path in ("/sheets/prices/", "/sheets/prices/?embed", "/offline/"):
        response = client.get(path)
        policy = policy_of(path, client)
        assert policy.pop("default-src") == {"'none'"}
        for name in ("base-uri", "object-src"):
            assert policy.pop(name) == {"'none'"}
        assert policy.pop("script-src") > {"'self'"}
        assert policy.pop("img-src") == {"'self'", "data:"}
        allowed = {"'self'", "'none'"}
        for sources in policy.values():
            assert {one for one in sources if not re.match("'(nonce|sha256)-", one)} <= allowed
        (nonce,) = set(re.findall(r'<(?:script|style) nonce="([^"]+)"', response.text))
        assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        assert re.findall(r"<(?:script|style)>|\sstyle=|\son[a-z]+=", response.text) == []
        nonces.add(nonce)
    assert len(nonces) == 3
    assert "nonce" not in client.get("/").headers["Content-Security-Policy"]


def test_a_page_may_be_in_a_frame_as_its_older_header_says(db: None) -> None:
    create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)
    assert policy_of("/sheets/prices/")["frame-ancestors"] == {"'none'"}
    assert policy_of("/sheets/prices/?embed")["frame-ancestors"] == {"'self'"}
    assert policy_of("/sheets/none/?embed")["frame-ancestors"] == {"'self'"}


def test_the_page_of_a_failure_has_the_style_that_the_policy_knows(settings: Settings) -> None:
    page = server_error(RequestFactory().get("/")).content
    (style,) = re.findall(rb"<style>(.*?)</style>", page, re.DOTALL)
    hashed = b64encode(sha256(style).digest()).decode()
    assert f"'sha256-{hashed}'" in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["style-src"]


def test_people_on_the_list_have_their_colors_from_the_style_sheet() -> None:
    style = (ROOT / "cells/static/cells/pages.css").read_text()
    found = re.findall(r'\.live-person\[data-color="(.*?)"\] \{ background: (.*?) \}', style)
    assert found == [(color, color) for color in COLORS]


def test_answers_keep_to_themselves_what_browsers_would_pass_on(client: Client) -> None:
    headers = client.get("/offline/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "clipboard" not in headers["Permissions-Policy"]


def test_a_deployment_by_https_leaves_check_deploy_nothing_to_say() -> None:
    run_manage(SOUND, "check", "--deploy", "--fail-level", "WARNING")
    code = (
        "from django.test import Client; from django.conf import settings as s; "
        "there = Client().get('/offline/', secure=True, headers={'host': 'sheets.example.com'}); "
        "print(there.headers['Strict-Transport-Security'], "
        "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.LANGUAGE_COOKIE_SECURE)"
    )
    said = run_manage(SOUND, "shell", "-v", "0", "-c", code)
    assert said.split() == ["max-age=31536000", "True", "True", "True"]
