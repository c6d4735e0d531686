"""What `manage.py check` says of a project that the app was put into: what it still lacks."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

NEEDED_APPS = ("auth", "contenttypes", "messages", "sessions", "staticfiles")
NEEDED_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)


def check_host(
    app_configs: Iterable[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Return what keeps live sheets from working in this project, each with what to do."""
    return [*_installed(), *_served(), *_stored(), *_ruled()]


def _installed() -> Iterator[checks.CheckMessage]:
    missing = [name for name in NEEDED_APPS if not apps.is_installed(f"django.contrib.{name}")]
    missing = [f"django.contrib.{name}" for name in missing]
    missing += [name for name in NEEDED_MIDDLEWARE if not _has_middleware(name)]
    if missing:
        yield checks.Error(
            f"Live sheets need {', '.join(missing)}.",
            hint="Add them to INSTALLED_APPS and to MIDDLEWARE, as django-admin startproject does.",
            id="cells.E002",
        )
    order = [config.name for config in apps.get_app_configs()]
    servers = ("cells", "daphne", "django.contrib.staticfiles")  # each has a runserver
    if next(name for name in order if name in servers) == "django.contrib.staticfiles":
        yield checks.Warning(
            '"cells" comes behind "django.contrib.staticfiles": `manage.py runserver` is the one '
            "that does not speak WebSocket.",
            hint='Put "cells" before "django.contrib.staticfiles" in INSTALLED_APPS.',
            id="cells.W010",
        )


def _has_middleware(name: str) -> bool:
    """Say whether the project has a middleware, or one of its own that is made of it."""
    wanted = import_string(name)
    found = [import_string(path) for path in settings.MIDDLEWARE]
    return any(isinstance(one, type) and issubclass(one, wanted) for one in found)


def _served() -> Iterator[checks.CheckMessage]:
    try:
        reverse("cells:home")
    except NoReverseMatch:
        yield checks.Error(
            "The addresses of live sheets are not in ROOT_URLCONF.",
            hint='Add path("sheets/", include("cells.urls")), at any address, to its urlpatterns.',
            id="cells.E003",
        )
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield checks.Warning(
            "ASGI_APPLICATION is not set: `manage.py runserver` cannot serve live sheets.",
            hint="Name the application of the project's asgi.py, such as "
            '"mysite.asgi.application", and wrap it there with cells.asgi.with_live_sheets.',
            id="cells.W011",
        )


def _stored() -> Iterator[checks.CheckMessage]:
    key = get_user_model()._meta.pk
    if not isinstance(key, models.IntegerField):
        yield checks.Error(
            f"The key of {settings.AUTH_USER_MODEL} is no number, and the log of a sheet writes "
            "users down by number.",
            hint="Use a user model with an AutoField or a BigAutoField as its key.",
            id="cells.E004",
        )
    if not settings.USE_TZ:
        yield checks.Error(
            "USE_TZ is off: the log of a sheet has moments in UTC.",
            hint="Set USE_TZ = True.",
            id="cells.E005",
        )
    database = settings.DATABASES.get("default", {})
    is_sqlite = database.get("ENGINE") == "django.db.backends.sqlite3"
    if is_sqlite and database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        yield checks.Warning(
            'SQLite begins transactions as readers: two people who edit at once meet "database '
            'is locked".',
            hint='Set DATABASES["default"]["OPTIONS"] to cells.defaults.SQLITE_OPTIONS.',
            id="cells.W012",
        )


def _ruled() -> Iterator[checks.CheckMessage]:
    if settings.CELLS_ROLE is None:
        return
    try:
        is_callable = callable(import_string(settings.CELLS_ROLE))
    except (ImportError, TypeError, AttributeError):
        is_callable = False
    if not is_callable:
        yield checks.Error(
            f"CELLS_ROLE is {settings.CELLS_ROLE!r}, which names no function: nobody could open a "
            "sheet.",
            hint='Name a function of a user and a sheet, such as "mysite.sheets.role", or leave '
            "CELLS_ROLE out.",
            id="cells.E006",
        )
