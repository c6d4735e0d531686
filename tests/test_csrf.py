"""What other sites could have a signed-in browser do here: nothing."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from cells.models import Sheet
from cells.services.access import create_sheet

pytestmark = pytest.mark.django_db

IDS = ("user_id", "group_id", "revision", "token_id", "protection_id")
ARGUMENTS = {"slug": "prices", **dict.fromkeys(IDS, 1)}
WITHOUT_SESSIONS = {"pubsub_push"}  # Google's token says who calls


def named_pages() -> Iterator[tuple[str, str]]:
    """Return the name and the address of every page, also of those that come later."""
    for found in get_resolver().url_patterns:
        inside = found.url_patterns if isinstance(found, URLResolver) else [found]
        prefix = "cells:" if getattr(found, "namespace", None) == "cells" else ""
        if getattr(found, "namespace", None) == "admin":
            continue
        for page in inside:
            if isinstance(page, URLPattern) and page.name and page.name not in WITHOUT_SESSIONS:
                names = page.pattern.regex.groupindex
                given = {name: ARGUMENTS[name] for name in names if name in ARGUMENTS}
                yield page.name, reverse(prefix + page.name, kwargs=given)


def test_no_page_takes_a_form_without_the_token_of_ours() -> None:
    alice = User.objects.create_user("alice")
    create_sheet(alice, "Prices", slug="prices")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    pages = dict(named_pages())
    assert {"new_sheet", "delete", "share_role", "import_run", "login", "set_language"} <= set(
        pages
    )
    for name, address in pages.items():
        assert browser.post(address, {"title": "x", "name": "x"}).status_code == 403, name
    assert Sheet.objects.get().title == "Prices"


def test_signing_in_gives_the_session_another_key() -> None:
    User.objects.create_user("alice", password="alice")
    browser = Client()
    browser.get(reverse("sign_up"))
    session = browser.session
    session["guest_name"] = "Heron"
    session.save()
    planted = session.session_key
    browser.cookies["sessionid"] = planted or ""
    browser.post(reverse("login"), {"username": "alice", "password": "alice"})
    assert browser.session.session_key not in (None, planted)
    stranger = Client()
    stranger.cookies["sessionid"] = planted or ""
    assert stranger.get(reverse("cells:tokens")).status_code == 302


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "https:evil"],
)
def test_signing_in_leads_to_no_other_site(elsewhere: str) -> None:
    User.objects.create_user("alice", password="alice")
    form = {"username": "alice", "password": "alice", "next": elsewhere}
    answer = Client().post(reverse("login"), form)
    assert answer.headers["Location"] == reverse("cells:home")
