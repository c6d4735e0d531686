"""docs/api.md, run against a real server exactly as it is printed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.databases import Databases
from tests.servers.missing import missing_service
from tests.servers.process import ROOT, clean_environment
from tests.servers.sheetsync import WebServer, run_manage

PRINTED = "http://127.0.0.1:8000"
PYTHON = ".venv/bin/python manage.py"
END = "---- the end of a block ----"


def steps(page: str) -> list[tuple[str, str, str]]:
    """Return each shell block with the block of what it prints behind it, and that one's kind."""
    found = re.findall(r"```sh\n(.*?)```\n(?:```(json|text)\n(.*?)```)?", page, re.DOTALL)
    return [(script, kind, printed) for script, kind, printed in found]


def is_like(said: Any, printed: Any) -> bool:
    """Say whether JSON is what is printed, where "…" stands for anything."""
    match printed:
        case "…":
            return True
        case dict():
            return (
                isinstance(said, dict)
                and said.keys() == printed.keys()
                and all(is_like(said[key], printed[key]) for key in printed)
            )
        case list():
            return len(said) == len(printed) and all(map(is_like, said, printed))
        case _:
            return bool(said == printed)


def test_the_guide_does_what_it_says(
    new_database: Databases, web_server: Callable[..., WebServer], tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        missing_service("curl", "apt install curl")
    environment = {"DATABASE_URL": new_database("sqlite"), "EMBEDDED_CALCULATION": "0"}
    password = {"DJANGO_SUPERUSER_PASSWORD": "a long pass phrase"}
    run_manage(
        {**environment, **password},
        *("createsuperuser", "--noinput", "--username", "alice", "--email", "a@example.com"),
    )
    server = web_server(environment)
    guide = steps((ROOT / "docs/api.md").read_text())
    assert len(guide) > 10
    script = "".join(f"{block}\necho\necho '{END}'\n" for block, _, _ in guide)
    script = script.replace(PRINTED, server.url).replace(
        PYTHON, f"{sys.executable} {ROOT}/manage.py"
    )
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split(f"{END}\n")
    for (block, kind, printed), answer in zip(guide, said, strict=False):
        if kind == "json":
            assert is_like(json.loads(answer), json.loads(printed)), f"{block}\n{answer}"
        elif kind == "text":
            assert answer.strip() == printed.strip(), block


@pytest.mark.parametrize(
    ("said", "printed", "is_so"),
    [
        ({"a": [1, "x"]}, {"a": [1, "…"]}, True),
        ({"a": [1]}, {"a": [2]}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1], [1, 2], False),
    ],
)
def test_the_comparison_sees_differences(said: Any, printed: Any, *, is_so: bool) -> None:
    assert is_like(said, printed) is is_so
