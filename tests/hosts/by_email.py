"""A project whose people sign in by e-mail address, at an address of its own; run as a program.

It has what startproject writes, and of live sheets nothing but what docs/embedding.md asks for.
"""

from typing import Any, cast

import django
from django.conf import settings

from cells.defaults import SQLITE_OPTIONS

settings.configure(
    DEBUG=False,
    SECRET_KEY="a-secret-of-this-test-and-no-other-0123456789-0123456789",
    ALLOWED_HOSTS=[],
    ROOT_URLCONF="tests.hosts.urls",
    ASGI_APPLICATION="tests.hosts.asgi.application",
    AUTH_USER_MODEL="hosts.Person",
    LOGIN_URL="/enter/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    STATIC_URL="static/",
    INSTALLED_APPS=[
        "cells",
        "tests.hosts",
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            "OPTIONS": SQLITE_OPTIONS,
        }
    },
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from cells.models import Sheet  # noqa: E402
from tests.hosts.models import Person  # noqa: E402


def browser(person: Person | None = None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(cast(Any, person))
    return client


def visit() -> None:
    """Do on the pages what people do there; what does not work is an AssertionError."""
    ada = Person.objects.create_user("ada@example.com", is_staff=True)
    bob = Person.objects.create_user("bob@example.com")
    hers, his = browser(ada), browser(bob)

    made = hers.post("/tables/sheets/", {"title": "Prices"})
    sheet = Sheet.objects.get()
    assert made["Location"] == f"/tables/sheets/{sheet.slug}/"
    assert hers.get(made["Location"]).status_code == 200
    assert his.get(made["Location"]).status_code == 403
    assert "ada@example.com" in his.get(f"{made['Location']}?embed").text
    entered = browser().get(made["Location"])
    assert entered["Location"] == f"/enter/?next={made['Location']}"

    share = f"{made['Location']}share/"
    assert hers.post(share, {"username": "eve@example.com", "role": "viewer"}).status_code == 400
    assert hers.post(share, {"username": "bob@example.com", "role": "editor"}).status_code == 302
    assert "bob@example.com" in hers.get(share).text
    assert his.get(made["Location"]).status_code == 200
    listed = his.get("/tables/?q=ada").text
    assert "Prices" in listed
    assert "ada@example.com" in listed

    token = his.post("/tables/accounts/tokens/", {"name": "x", "scope": "write", "days": "30"})
    assert "http://testserver/tables/api/v1" in token.text
    text = token.context["made"]
    program = {"authorization": f"Bearer {text}"}
    cells = f"/tables/api/v1/sheets/{sheet.slug}/cells"
    body = {"edits": [{"address": "A1", "input": "1"}]}
    written = Client().patch(cells, body, content_type="application/json", headers=program)
    assert written.status_code == 200, written.text
    assert hers.get("/tables/api/v1/docs").status_code == 200

    for page in ("sheet/", f"sheet/{sheet.pk}/change/", "revision/", "apitoken/"):
        assert hers.get(f"/admin/cells/{page}").status_code == 200, page
    assert "bob@example.com" in hers.get("/admin/cells/revision/").text
    hers.get("/tables/words.js")
    worker = hers.get("/tables/service-worker.js").text
    assert 'const PAGE = "/tables/offline/";' in worker


if __name__ == "__main__":
    call_command("check", fail_level="WARNING")
    call_command("migrate", run_syncdb=True, verbosity=0)
    setup_test_environment()  # keeps what templates were given
    visit()
