"""`make run`: one command from a clone to a sheet in the browser, and sentences when it cannot."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from tests.servers.process import ROOT, clean_environment, free_port
from tests.servers.sheetsync import WebServer


def make_run(folder: Path, port: int) -> WebServer:
    """Return `make run` with this virtual environment and a database of its own."""
    return WebServer(
        environment(folder),
        log=folder / "make.log",
        command=["make", "run", f"PORT={port}", f"VENV={sys.prefix}"],
        port=port,
        name="make run",
    )


def environment(folder: Path) -> dict[str, str]:
    # The make that runs the tests would hand its own arguments down.
    return {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "MAKEFLAGS": "", "MAKELEVEL": ""}


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=clean_environment(environment(folder)),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_run_serves_the_demo_sheet_and_says_where(tmp_path: Path) -> None:
    port = free_port()
    server = make_run(tmp_path, port).start()
    try:
        address = f"http://127.0.0.1:{port}/sheets/demo/"
        assert address in server.output()
        with urlopen(address) as page:
            assert page.status == 200
    finally:
        server.stop()


def test_the_second_run_finds_everything_made(tmp_path: Path) -> None:
    server = make_run(tmp_path, free_port())
    server.start().stop()
    second = server.start().output()
    server.stop()
    assert "/sheets/demo/" in second
    for work in ("Installing", "Prepared the database", "Made the demo sheet"):
        assert work not in second


def test_busy_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as busy:
        port = busy.getsockname()[1]
        ended = make(tmp_path, "run", f"PORT={port}", f"VENV={sys.prefix}")
    assert ended.returncode != 0
    sentences = [line for line in ended.stderr.splitlines() if not line.startswith("make")]
    assert len(sentences) == 1, ended.stderr
    assert str(port) in sentences[0]
    assert "Traceback" not in ended.stdout


def test_python_that_is_too_old_is_one_clear_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    ended = make(tmp_path, "run", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    sentence, complaint = ended.stderr.splitlines()
    assert sentence == (
        f"PYTHON={old} is not Python 3.11 or newer with the venv module, which SheetSync needs."
    )
    assert complaint.startswith("make: ***")


def test_messages_without_gettext_says_what_to_install(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    command = shutil.which("make")
    assert command
    ended = subprocess.run(
        [command, "messages", f"VENV={sys.prefix}"],
        cwd=ROOT,
        env={**clean_environment(environment(tmp_path)), "PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode != 0
    sentence, complaint = ended.stderr.splitlines()
    assert sentence.startswith("GNU gettext is not installed (xgettext is missing): install it")
    assert complaint.startswith("make: ***")
