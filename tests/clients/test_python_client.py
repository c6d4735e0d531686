"""The Python client beside a real server, whose answers get lost and which is killed."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sheetsync_client import (
    CellError,
    Change,
    Client,
    Conflict,
    InvalidRequest,
    NoSuchSheet,
    NotAllowed,
    Outdated,
    Sheet,
    SheetSyncError,
    Unavailable,
)
from sheetsync_client.connection import Connection

from tests.faults.proxy import Link, Proxy
from tests.servers.process import ROOT, clean_environment, wait_until

from .conftest import Service

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.core]  # they share a server

SOURCE = ROOT / "clients/python"
SECONDS = 60.0  # until a test that waits for what does not come has failed


@pytest.fixture
def link(service: Service) -> Iterator[Link]:
    """Stand between a client and the server."""
    with Proxy() as proxy:
        yield proxy.link("client", service.server.port)


class Program:
    """Something that a test lets run beside it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._found: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._found.append(work()), daemon=True)
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(SECONDS)
        assert self._found, "the program has not ended"
        return self._found[0]


def refusal_of(work: Callable[[], Any]) -> SheetSyncError:
    with pytest.raises(SheetSyncError) as caught:
        work()
    return caught.value


def log_of(sheet: Sheet) -> list[int]:
    return [line.revision for line in sheet.revisions()]


# -- the guide ------------------------------------------------------------------------------------


def test_the_guide_does_what_it_says(service: Service, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    assert len(blocks) > 6
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=clean_environment(
            {
                "PYTHONPATH": str(SOURCE / "src"),
                "SHEETSYNC_URL": service.server.url,
                "SHEETSYNC_TOKEN": service.token,
            }
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("{'A9': '=1+1'}\n")


def test_it_installs_and_imports_without_the_server(tmp_path: Path) -> None:
    install = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--target", str(tmp_path), str(SOURCE)),
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    look = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import sheetsync_client; "
        "print(sheetsync_client.__file__, {'django', 'cells'} & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-c", look], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert said == f"{tmp_path}/sheetsync_client/__init__.py set()\n"
    assert (tmp_path / "sheetsync_client/py.typed").exists()


# -- what the server says -------------------------------------------------------------------------


CALCULATE = """
from uuid import uuid4
from cells.domain.values import SetValues
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
values = SetValues(1, ((1, 0, {"error": "#DIV/0!"}),))
commit([Submission("SLUG", uuid4(), values, Author(AuthorKind.CALCULATOR, "calculator"))])
"""


def test_sheets_cells_and_refusals(service: Service, client: Client) -> None:
    sheet = client.create("Plan", key="once")
    assert client.create("Plan", key="once").slug == sheet.slug
    sheet.rename("Budget")
    copy = sheet.duplicate()
    found = [(info.title, info.role) for info in client.sheets("budget")]
    assert found == [("Budget", "owner")] * 2
    copy.delete()
    assert [info.slug for info in client.sheets("budget")] == [sheet.slug]

    sheet.write({"A1": "Name", "B1": True, "A2": "=1/0", "A3": None})
    assert sheet.read("A1:B2").inputs == [["Name", "TRUE"], ["=1/0", ""]]
    assert sheet.read("A1:B2").values == [["Name", True], [None, None]]
    service.run(CALCULATE.replace("SLUG", sheet.slug))
    assert sheet.read("A2").values == [[CellError("#DIV/0!")]]

    refusals: list[tuple[Callable[[], Any], type[SheetSyncError], str]] = [
        (lambda: sheet.append([{"Ask": 1}]), Conflict, "unknown_header"),
        (lambda: sheet.remove("rows", 5_000), Conflict, "unknown_id"),
        (lambda: sheet.write({"A1": 1}, expected_revision=1), Outdated, "outdated"),
        (lambda: sheet.read("nowhere"), InvalidRequest, "invalid_address"),
        (copy.info, NoSuchSheet, "no_such_sheet"),
        (copy.delete, NoSuchSheet, "no_such_sheet"),
        (lambda: next(copy.watch(after=0)), NoSuchSheet, "no_such_sheet"),
        (service.client(token="sst_wrong").create, NotAllowed, "unauthenticated"),
    ]
    for call, kind, code in refusals:
        with pytest.raises(kind) as caught:
            call()
        assert (caught.value.code, caught.value.retryable) == (code, False)


def test_a_write_whose_answer_is_lost_is_committed_once(
    service: Service, client: Client, link: Link
) -> None:
    sheet = client.create("Lost")
    sheet.write({"A1": "Name"})
    distant = service.client(f"http://127.0.0.1:{link.port}").sheet(sheet.slug)

    def with_lost_answer(work: Callable[[], Any], is_done: Callable[[], bool]) -> Any:
        distant.info()  # a connection that is open
        link.lose_answers()
        working = Program(work)
        wait_until(is_done, "what was asked for")
        link.cut()
        link.resume()
        return working.result()

    def appended() -> int:
        return distant.append([{"Name": "x"}]).revision

    def written() -> int:
        return distant.write({"A9": 1}, expected_revision=2).revision

    assert with_lost_answer(appended, lambda: sheet.info().revision == 2) == 2
    assert with_lost_answer(written, lambda: sheet.info().revision == 3) == 3
    assert log_of(sheet) == [3, 2, 1]
    with_lost_answer(distant.delete, lambda: not list(client.sheets("Lost")))


def test_a_server_that_does_not_answer_is_unavailable(service: Service) -> None:
    client = service.client(retry_seconds=0.5)
    service.server.kill()
    with pytest.raises(Unavailable) as caught:
        client.create("Plan")
    assert caught.value.retryable
    assert caught.value.attempts > 1


def test_files_go_through_an_outage(
    service: Service, client: Client, link: Link, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    file.write_text("a,=A1,c,d,e\n" * 4_000)
    distant = service.client(f"http://127.0.0.1:{link.port}")
    link.lose_answers()
    importing = Program(lambda: distant.import_file(file, text_only=["B"]))
    wait_until(lambda: any(info.revision > 1 for info in client.sheets("many")), "first commits")
    link.cut()
    link.resume()
    imported = importing.result()
    assert (imported.before, imported.cells) == (0, 20_000)
    assert [info.slug for info in client.sheets("many")] == [imported.slug]
    sheet = client.sheet(imported.slug)
    assert log_of(sheet) == list(range(imported.revision, 0, -1))
    assert sheet.info().revision == imported.revision
    assert sheet.export(tmp_path / "out.csv", formulas=True) == imported.revision
    exported = (tmp_path / "out.csv").read_text("utf-8-sig")
    assert exported == "a,'=A1,c,d,e\n" * 4_000
    assert sorted(found.name for found in tmp_path.glob("*.*")) == ["many.csv", "out.csv"]


# -- watching -------------------------------------------------------------------------------------


def test_a_watch_sees_every_revision_once_over_kills_of_the_server(
    service: Service, client: Client, link: Link
) -> None:
    sheet = client.create("Plan")
    distant = service.client(f"http://127.0.0.1:{link.port}").sheet(sheet.slug)
    seen: list[Change] = []

    def follow() -> int:
        with distant.watch(after=0) as watch:
            for change in watch:
                seen.append(change)
                if change.through == 60:
                    return watch.revision
        return -1

    following = Program(follow)
    for number in range(1, 61):
        sheet.write({"A1": number, f"B{number}": number})
        if number in (15, 45):
            service.server.kill()
            service.server.start()
        elif number == 30:
            link.cut()
    assert following.result() == 60
    ends = [0, *(change.through for change in seen)]
    assert [change.after for change in seen] == ends[:-1]
    assert not any(change.is_reset or change.moved for change in seen)
    inputs = {cell.address: cell.input for change in seen for cell in change.cells}
    assert inputs == {"A1": "60"} | {f"B{number}": str(number) for number in range(1, 61)}
    assert len(seen) > 3


def test_a_watch_ends_where_its_client_is_closed_as_it_asks_again(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = client.create("Plan")
    leaving = service.client()
    ask = Connection.stream

    def close_and_ask(connection: Connection, *arguments: Any, **named: Any) -> Any:
        leaving.close()
        return ask(connection, *arguments, **named)

    monkeypatch.setattr(Connection, "stream", close_and_ask)
    assert list(leaving.sheet(sheet.slug).watch(after=0)) == []


def test_a_watch_ends_in_time_when_closed_and_when_the_sheet_goes(
    service: Service, client: Client
) -> None:
    sheet = client.create("Plan")
    began = time.monotonic()
    assert list(sheet.watch(seconds=0.5)) == []
    assert 0.5 <= time.monotonic() - began < 5

    watch = sheet.watch()
    waiting = Program(lambda: list(watch))
    sheet.write({"A1": 1})
    wait_until(lambda: watch.revision == 1, "the change")
    watch.close()
    assert [change.through for change in waiting.result()] == [1]
    assert list(watch) == []

    leaving = service.client()
    watch = leaving.sheet(sheet.slug).watch(after=0)
    waiting = Program(lambda: list(watch))
    wait_until(lambda: watch.revision == 1, "the change")
    leaving.close()
    assert len(waiting.result()) == 1

    watch = sheet.watch()
    following = Program(lambda: refusal_of(lambda: next(watch)))
    sheet.delete()
    assert following.result().code == "no_such_sheet"
