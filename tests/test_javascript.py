"""The browser's own tests, each file of tests/js as one test here, so that one suite says all."""

import shutil
import subprocess

import pytest

from tests.servers.missing import missing_service
from tests.servers.process import ROOT

FILES = sorted((ROOT / "tests/js").glob("*.test.mjs"))


@pytest.mark.parametrize("name", [file.name for file in FILES])
def test_javascript(name: str) -> None:
    node = shutil.which("node")
    if node is None:
        missing_service("Node.js", "install version 20 or newer from https://nodejs.org/.")
    ended = subprocess.run(
        [node, f"tests/js/{name}"],  # not --test, which starts another node for each file
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if ended.returncode:
        pytest.fail(f"{ended.stdout}{ended.stderr}", pytrace=False)
