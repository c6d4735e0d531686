"""The worked example of docs/streams.md, run exactly as it is printed."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tests.servers.databases import Databases
from tests.servers.process import ROOT, clean_environment, wait_until
from tests.servers.pubsub import PubsubEmulator
from tests.servers.sheetsync import WebServer, run_manage
from tests.servers.wire import open_sheet

HEADING = "## A worked example: market data beside people"
PRINTED = "127.0.0.1:8085"
PYTHON = ".venv/bin/python"
EURUSD = 1  # the demo's ids: a row, and columns
SYMBOL, BID, ASK, NOTE = 0, 1, 2, 6


def blocks(page: str) -> list[str]:
    """Return the shell blocks of the example, in order."""
    part = page.partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)


def test_it_does_what_the_page_says(
    new_database: Databases,
    tmp_path: Path,
    pubsub_emulator: PubsubEmulator,
    web_server: Callable[..., WebServer],
) -> None:
    setting_up, publishing, going_on = blocks((ROOT / "docs/streams.md").read_text())
    environment = {"DATABASE_URL": new_database("sqlite")}
    run_manage(environment, "prepare_demo")
    server = web_server(environment)
    said = tmp_path / "said.txt"

    def run(*some: str) -> subprocess.Popen[bytes]:
        script = (
            "\n".join(some).replace(PRINTED, pubsub_emulator.host).replace(PYTHON, sys.executable)
        )
        with said.open("ab") as output:
            process = subprocess.Popen(
                ["bash", "-e", "-c", script],
                cwd=ROOT,
                env=clean_environment(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # what it leaves in the background is ended with it
            )
        assert process.wait(60) == 0, said.read_text()
        return process

    with open_sheet(server.websocket_url, "demo") as person:
        background = run(setting_up)
        try:
            run(publishing)
            person.wait_for_cell((EURUSD, BID), "1.0851", seconds=30)
            row, _ = person.key(14, 0)
            person.wait_for_cell((row, SYMBOL), "NOKSEK", seconds=30)
            person.set_cell((EURUSD, NOTE), "watch the ECB")
            person.set_cell((EURUSD, BID), "1.0900")
            run(publishing.partition("\n\n")[0], going_on.replace("sleep 2\nwent_out\n", ""))
            person.wait_for_cell((EURUSD, ASK), "1.0863", seconds=30)
            assert person.replica.cells[EURUSD, BID] == "1.0900"
            head = person.replica.revision
            came: dict[int, dict[str, Any]] = {}  # nobody acknowledges: some come again

            def all_went_out() -> bool:
                before = said.stat().st_size
                run(publishing.partition("\n\n")[0], "went_out")
                lines = said.read_bytes()[before:].decode().splitlines()
                for line in (json.loads(line) for line in lines if line.startswith('{"sheet')):
                    came.setdefault(line["revision"], line)
                return head in came

            wait_until(all_went_out, "everything to go out")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(background.pid, signal.SIGKILL)

    assert list(came) == list(range(head - 4, head + 1))
    went_out = list(came.values())
    assert [line["author"] for line in went_out][:2] == ["Ticks", "Ticks"]
    edits = [line["edits"] for line in went_out]
    assert {"cell": "B2", "input": "1.0851", "value": 1.0851, "column": "Bid"} in edits[0]
    assert edits[2] == [
        {"cell": "G2", "input": "watch the ECB", "value": "watch the ECB", "column": "Note"}
    ]
    assert edits[3] == [{"cell": "B2", "input": "1.0900", "value": 1.09, "column": "Bid"}]
    assert {edit["column"] for edit in edits[4]} == {"Ask", "Updated"}
    database = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection:
        proposals = connection.execute('SELECT "row", "column", input FROM cells_proposal')
        assert proposals.fetchall() == [(EURUSD, BID, "1.0861")]
