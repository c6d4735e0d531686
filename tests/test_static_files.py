"""What production serves of the browser's modules, and how a page asks for them."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.template import Context, Template
from django.test import override_settings

from cells.storage import minified
from sheetsync.static import Receive, Scope, Send, StaticFiles
from tests.servers.missing import missing_service
from tests.servers.process import ROOT

HASHED = {"staticfiles": {"BACKEND": "cells.storage.HashedModuleStorage"}}
SOURCES = ROOT / "cells" / "static" / "cells"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder, STORAGES=HASHED, DEBUG=False):
        call_command("collectstatic", "--noinput", verbosity=0)
        yield folder


def served(collected: Path) -> list[Path]:
    hashed = re.compile(r"\.[0-9a-f]{12}\.js$")
    return [file for file in collected.glob("cells/**/*.js") if hashed.search(file.name)]


def test_modules_are_served_without_comments_under_names_that_change_with_them(
    collected: Path,
) -> None:
    files = served(collected)
    assert len(files) == len(list(SOURCES.glob("**/*.js")))
    for file in files:
        text = file.read_text()
        assert "/**" not in text, file.name
        for url in re.findall(r"""(?:\bfrom|\bimport\(|\bimport)\s*["'](\.[^"']+)["']""", text):
            assert re.search(r"\.[0-9a-f]{12}\.js$", url), f"{file.name} imports {url}"
            assert (file.parent / url).exists(), f"{file.name} imports {url}"


def test_a_sheet_s_modules_come_in_two_files(collected: Path) -> None:
    page, late = (
        next(file for file in served(collected) if file.name.startswith(f"{name}."))
        for name in ("sheet", "equipment")
    )
    wanted = re.findall(r"""(?:\bfrom|\bimport\()\s*["']\./([^"']+)["']""", page.read_text())
    assert wanted == [f"ui/{late.name}"]
    assert not re.search(r"""\bfrom\s*["']|(?<!["'])\bimport\b""", late.read_text())
    for words in ("operation.submit", "aria-rowindex"):
        assert words in page.read_text()
        assert words not in late.read_text()
    assert "DOMParser" in late.read_text()  # pasting
    assert "DOMParser" not in page.read_text()


def test_a_sheet_s_style_comes_in_one_file(collected: Path) -> None:
    (style,) = (file for file in collected.glob("cells/sheet.*.css"))
    text = style.read_text()
    assert "@import" not in text
    parts = re.findall(r'^@import "\./(.+)";$', (SOURCES / "sheet.css").read_text(), re.MULTILINE)
    assert len(parts) > 3
    places = [text.index((SOURCES / part).read_text().strip()) for part in parts]
    assert places == sorted(places)


def test_minified_modules_pass_the_tests_of_their_sources(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        missing_service("Node.js", "install version 20 or newer from https://nodejs.org/.")
    shutil.copytree(ROOT / "tests" / "js", tmp_path / "tests" / "js")
    shutil.copytree(ROOT / "tests" / "vectors", tmp_path / "tests" / "vectors")
    for source in SOURCES.glob("**/*.js"):
        to = tmp_path / source.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(minified(source.read_text()))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    # In one process: tests/test_javascript.py says that each file stands alone.
    files = sorted(file.name for file in (tmp_path / "tests/js").glob("*.test.mjs"))
    everything = tmp_path / "everything.mjs"
    everything.write_text("".join(f'import "./tests/js/{name}";\n' for name in files))
    ended = subprocess.run(
        ["node", everything], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_page_names_each_module_that_it_needs_to_start_where_they_are_not_bundled() -> None:
    page = Template('{% load modules %}{% preload_modules "cells/sheet.js" %}')
    with override_settings(DEBUG=True):
        html = page.render(Context())
    names = re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', html)
    assert len(names) == len(set(names))
    assert "cells/sheet.js" in names
    for name in names:
        source = (SOURCES.parent / name).read_text()
        for url in re.findall(
            r"""^} from "(\.[^"]+)";|^import .* from "(\.[^"]+)";""", source, re.M
        ):
            imported = (SOURCES.parent / name).parent / "".join(url)
            assert str(imported.resolve().relative_to(SOURCES.parent)) in names
    with override_settings(DEBUG=False):
        assert page.render(Context()) == ""


async def test_static_files_are_answered_ahead_of_django(collected: Path) -> None:
    passed_on: list[str] = []

    async def django(scope: Scope, receive: Receive, send: Send) -> None:
        passed_on.append(scope["path"])

    async def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
        sent: list[Any] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> None:
            raise AssertionError("A file needs no request's body.")

        asked = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        await application(
            {"type": "http", "method": method, "path": path, "headers": asked}, receive, send
        )
        if not sent:
            return 0, {}, b""
        start, body = sent
        return start["status"], dict(start["headers"]), body["body"]

    with override_settings(WHITENOISE_AUTOREFRESH=False, WHITENOISE_USE_FINDERS=False):
        application = StaticFiles(django)
    file = next(file for file in served(collected) if file.name.startswith("sheet."))
    path = f"/static/{file.relative_to(collected)}"
    status, headers, body = await ask(path, accept_encoding="gzip, br")
    assert status == 200
    assert headers[b"content-encoding"] == b"gzip"
    assert b"immutable" in headers[b"cache-control"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert gzip.decompress(body) == file.read_bytes()
    assert (await ask(path))[2] == file.read_bytes()
    assert (await ask(path, "HEAD"))[2] == b""
    assert (await ask(path, if_none_match=headers[b"etag"].decode()))[0] == 304
    assert passed_on == []
    await ask("/static/cells/../../settings.py")
    await ask(path, "POST")
    assert len(passed_on) == 2
