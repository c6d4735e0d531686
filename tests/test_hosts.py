"""The app in projects that are not ours."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
from django.conf import settings
from django.test import override_settings
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from cells.defaults import DEFAULTS
from cells.host_checks import check_host
from tests.servers.process import ROOT, clean_environment

STANDARD = sys.stdlib_module_names | {"django", "cells"}
# What is installed under another name than it is imported by, and what comes with something.
PACKAGES = {
    "google": "google-cloud-pubsub",
    "grpc": "google-cloud-pubsub",
    "asgiref": "django",
    "ninja": "django-ninja",
    "pydantic": "django-ninja",
}
# Of cells.storage, which a project names or does not; and of traces, which it wants or does not.
OPTIONAL = {"whitenoise", "minify", "opentelemetry"}


def requirements(*extras: str) -> dict[NormalizedName, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    wanted += [text for extra in extras for text in project["optional-dependencies"][extra]]
    return {canonicalize_name(Requirement(text).name): Requirement(text) for text in wanted}


def test_the_package_needs_what_the_app_imports() -> None:
    imported = set()
    for path in (ROOT / "cells").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    names = {PACKAGES.get(name, name) for name in imported - STANDARD - OPTIONAL}
    assert {canonicalize_name(name) for name in names} <= requirements().keys()


def test_the_pins_of_this_project_are_within_what_the_package_takes() -> None:
    lines = re.findall(r"^[\w\-\[\].]+==[^ ;]+", (ROOT / "requirements.txt").read_text(), re.M)
    pins = {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}
    for name, needed in requirements("deployed").items():
        (exact,) = pins[name].specifier
        assert exact.version in needed.specifier, name


def test_the_app_s_defaults_are_this_project_s() -> None:
    code = (
        "from sheetsync import settings; from cells.defaults import DEFAULTS; "
        "print([name for name in DEFAULTS if getattr(settings, name) != DEFAULTS[name]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean_environment({"DEBUG": "0", "SECRET_KEY": "x"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert DEFAULTS["API_REQUESTS_A_MINUTE"] == settings.API_REQUESTS_A_MINUTE


def test_people_without_usernames_do_in_their_project_what_people_do_here() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.hosts.by_email"],
        cwd=ROOT,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_project_hears_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_host() == []
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    with override_settings(
        MIDDLEWARE=[],
        ROOT_URLCONF="tests.hosts.no_urls",
        ASGI_APPLICATION=None,
        USE_TZ=False,
        CELLS_ROLE="tests.nothing.at_all",
    ):
        found = check_host()
    assert {message.id for message in found} == {
        *("cells.E002", "cells.E003", "cells.W011", "cells.W012", "cells.E005", "cells.E006")
    }
    assert all(message.hint for message in found)
