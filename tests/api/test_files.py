"""Files out and in by the interface: what the pages do, for programs, once a key."""

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client

from cells.models import LinkRole, Revision, Scope, Sheet
from cells.services import importing
from cells.services.access import create_sheet
from cells.services.authors import file_of, import_origin
from cells.services.commit import commit
from tests.services import bombs
from tests.services.prices import assert_log_is_whole, texts

from .conftest import Program

pytestmark = pytest.mark.django_db

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IMPORT = "/sheets/prices/import"


@pytest.fixture
def prices(alice: User) -> Sheet:
    return create_sheet(alice, "Prices", slug="prices")


def write(program: Program, **inputs: object) -> None:
    edits = [{"address": address, "input": text} for address, text in inputs.items()]
    assert program.call("PATCH", "/sheets/prices/cells", {"edits": edits}).status_code == 200


def upload(
    program: Program, path: str, data: bytes, type_: str = CSV, key: str | None = None
) -> Any:
    return program.send(
        "POST", path, data, {"Idempotency-Key": key} if key else None, content_type=type_
    )


def body_of(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def workbook(*rows: list[object]) -> bytes:
    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(data)
    return data.getvalue()


# -- out ------------------------------------------------------------------------------------------


def test_a_sheet_leaves_as_a_file_whose_etag_is_its_revision(
    prices: Sheet, program: Program
) -> None:
    write(program, A1="é", B2="=A1")
    answer = program.get("/sheets/prices/export.csv")
    assert body_of(answer).decode("utf-8-sig") == "é,\r\n,'=A1\r\n"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["ETag"] == '"1"'
    formulas = program.get("/sheets/prices/export.csv?formulas=true")
    assert body_of(formulas).decode("utf-8-sig") == "é,\r\n,=A1\r\n"
    book = program.get("/sheets/prices/export.xlsx")
    assert book.headers["ETag"] == '"1"'
    page = openpyxl.load_workbook(io.BytesIO(body_of(book))).active
    assert (page["A1"].value, page["B2"].value) == ("é", "=A1")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_that_one_has_is_not_written_again(
    prices: Sheet, program: Program, kind: str
) -> None:
    same = program.get(f"/sheets/prices/export.{kind}", {"If-None-Match": '"0"'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", '"0"')
    head = program.call("HEAD", f"/sheets/prices/export.{kind}")
    assert (head.status_code, head.headers["ETag"]) == (200, '"0"')
    write(program, A1="x")
    assert body_of(program.get(f"/sheets/prices/export.{kind}", {"If-None-Match": '"0"'}))


# -- in -------------------------------------------------------------------------------------------


def test_a_columns_texts_are_read_as_such(prices: Sheet, program: Program) -> None:
    upload(program, f"{IMPORT}?texts=A", b"007\n8\n")
    assert texts() == {"A1": "'007", "A2": "'8"}


def test_a_file_is_laid_over_a_sheet(prices: Sheet, program: Program) -> None:
    write(program, B2="old", C2="stays")
    answer = upload(program, f"{IMPORT}?at=B2&text_only=B&name=new.csv", b"a;=A1\n=A1;\n")
    assert answer.json() == {
        "slug": "prices",
        "before": 1,
        "revision": 2,
        "rows": 2,
        "cells": 3,
        "left_out": 0,
    }
    assert texts() == {"B2": "a", "C2": "'=A1", "B3": "=B2"}
    line = Revision.objects.get(number=2)
    assert (line.author_kind, line.author_name) == ("api", "alice (test)")
    assert line.origin.startswith("import: new.csv, token ")
    log = program.get("/sheets/prices/revisions").json()["revisions"]
    assert log[0]["author"] == "alice (test)"
    history = program.get("/sheets/prices/cells/changes?address=B2").json()["changes"]
    assert [(line["source"], line["origin"]) for line in history] == [
        ("import", "new.csv"),
        ("api", ""),
    ]


def test_a_files_name_is_told_without_what_the_log_keeps_behind_it() -> None:
    name = "a, token 3 after 2 b.csv"
    behind = ("", ", user 3", ", token 3 after 17 c0ffee", ", token 3 after 1 laid 2 without 0 aa")
    assert {file_of(import_origin(name) + text) for text in behind} == {name}


def test_a_workbook_becomes_a_sheet_of_ones_own(alice: User, program: Program) -> None:
    answer = upload(program, "/imports?name=Book.xlsx", workbook(["x", 7, "=B1*2"]), XLSX)
    assert answer.status_code == 201
    sheet = Sheet.objects.get(slug=answer.json()["slug"])
    assert (sheet.title, sheet.owner, sheet.link_role) == ("Book", alice, LinkRole.NONE)
    assert texts(sheet.slug) == {"A1": "x", "B1": "7", "C1": "=B1*2"}


def test_how_a_file_is_written_is_found_out_or_said(prices: Sheet, program: Program) -> None:
    upload(program, IMPORT, "ж|1".encode("cp1251"), "text/csv; charset=cp1251")
    assert texts() == {"A1": "ж", "B1": "1"}
    upload(program, f"{IMPORT}?delimiter=tab&encoding=utf-16", "a;b\tc".encode("utf-16"))
    assert texts() == {"A1": "a;b", "B1": "c"}


@pytest.mark.parametrize(
    ("data", "type_", "query", "status", "code"),
    [
        (b"a\n" * 50_000 + b"a\0b", CSV, "", 400, "invalid_text"),
        (b"," * 20_000 + b"x", CSV, "", 400, "limit_exceeded"),
        (b"x" * 300_000, CSV, "", 400, "limit_exceeded"),
        (b"\xff", CSV, "encoding=utf-8", 400, "unreadable_file"),
        (b"x", CSV, "encoding=klingon", 400, "malformed"),
        (b"x-y", CSV, "encoding=punycode", 400, "malformed"),
        (b"x", CSV, "encoding=undefined", 400, "malformed"),
        (b"x", CSV, "encoding=%00", 400, "malformed"),
        (b"x", CSV, "at=nowhere", 400, "invalid_address"),
        (b"x", XLSX, "", 400, "unreadable_file"),
        (bombs.zeros, XLSX, "", 400, "dangerous_file"),
        (lambda: bombs.billion_laughs(bombs.SHEET), XLSX, "", 400, "dangerous_file"),
        (b"x", "application/x-www-form-urlencoded", "", 415, "unsupported_media_type"),
    ],
    ids=[
        "nul",
        "wide",
        "large",
        "not_utf_8",
        "no_codec",
        "punycode",
        "undefined",
        "nul_codec",
        "no_address",
        "no_zip",
        "zeros",
        "laughs",
        "form",
    ],
)
def test_what_is_refused_has_changed_nothing(
    prices: Sheet,
    program: Program,
    settings: Any,
    data: Any,
    type_: str,
    query: str,
    status: int,
    code: str,
) -> None:
    settings.IMPORT_MAX_BYTES = 250_000
    data = data() if callable(data) else data
    for path in (IMPORT, "/imports")[: 1 if "at=" in query else 2]:
        answer = upload(program, f"{path}?{query}", data, type_)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert Sheet.objects.get().head == 0


def test_a_browsers_session_needs_its_csrf_token(prices: Sheet, alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    answer = upload(Program(browser=browser), IMPORT, b"x")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not Revision.objects.exists()
    browser.handler.enforce_csrf_checks = False  # as if the token had been sent
    assert upload(Program(browser=browser), IMPORT, b"x").status_code == 200


def test_a_new_sheet_of_a_file_is_for_tokens_that_may_write(
    alice: User, program_of: Callable[..., Program]
) -> None:
    assert upload(Program(), "/imports", b"x").json()["code"] == "unauthenticated"
    reader = program_of("alice", Scope.READ)
    assert upload(reader, "/imports", b"x").json()["code"] == "insufficient_scope"
    assert not Sheet.objects.exists()


# -- sent twice -----------------------------------------------------------------------------------


class _Stopped(Exception):
    """Stands for a process that ends in the middle."""


def stop_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    left = [commits]

    def commit_or_stop(submissions: Any) -> Any:
        if not left[0]:
            raise _Stopped
        left[0] -= 1
        return commit(submissions)

    monkeypatch.setattr(importing, "commit", commit_or_stop)


FILE = b"a,b,c,d,e\n" * 2_500  # three commits, and one that makes the sheet larger


@pytest.mark.parametrize("path", [IMPORT, "/imports?title=Mine"])
def test_an_import_that_was_broken_off_goes_on_where_it_was(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    write(program, A1="ahead")
    stop_after(monkeypatch, 2)
    with pytest.raises(_Stopped):
        upload(program, path, FILE, key="monday")
    monkeypatch.undo()
    if path != IMPORT:
        assert program.get("/sheets").json()["count"] == 1
    first = upload(program, path, FILE, key="monday").json()
    sheet = Sheet.objects.get(slug=first["slug"])
    assert (first["before"], first["revision"]) == ((1, 5) if path == IMPORT else (0, 4))
    assert (sheet.filled, sheet.deleted_at) == (12_500, None)
    # Whatever has become of the sheet since: the import is there, and answered the same.
    program.call("POST", f"/sheets/{sheet.slug}/rows/delete", {"first": 2, "count": 2_000})
    assert upload(program, path, FILE, key="monday").json() == first
    other = upload(program, path, FILE + b"x", key="monday")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Sheet.objects.get(slug=first["slug"]).deleted_at is None
    assert Sheet.objects.count() == (1 if path == IMPORT else 2)


def during(monkeypatch: pytest.MonkeyPatch, commits: int, do: Callable[[], Any]) -> None:
    """Have something done by somebody else when an import has made so many commits."""
    left = [commits]

    def commit_in_between(submissions: Any) -> Any:
        left[0] -= 1
        if left[0] == -1:
            do()
        return commit(submissions)

    monkeypatch.setattr(importing, "commit", commit_in_between)


NUMBERED = "\n".join(f"r{row},=A{row + 1},x,y,z" for row in range(2_500)).encode()


def test_an_import_goes_on_in_the_rows_that_it_was_laid_on(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(monkeypatch, 2)
    with pytest.raises(_Stopped):
        upload(program, IMPORT, NUMBERED, key="monday")
    monkeypatch.undo()
    program.call("POST", "/sheets/prices/rows/insert", {"before": 1, "count": 3})
    program.call("POST", "/sheets/prices/rows/delete", {"first": 2_000, "count": 2})
    again = upload(program, IMPORT, NUMBERED, key="monday")
    assert again.status_code == 200
    assert (again.json()["cells"], again.json()["left_out"]) == (12_490, 10)
    assert upload(program, IMPORT, NUMBERED, key="monday").json() == again.json()
    kept = texts()
    names = [name for row in range(1, 2_502) if (name := kept.get(f"A{row}"))]
    assert names == [f"r{row}" for row in range(2_500) if row not in (1_996, 1_997)]
    # As they are stored, by the ids that the first request had found.
    assert (kept["B1000"], kept["B2501"]) == ("=A997", "=A2500")


def test_rows_that_die_while_an_import_runs_go_without_their_cells(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = "/sheets/prices/rows/delete"
    during(monkeypatch, 2, lambda: program.call("POST", delete, {"first": 2_000, "count": 501}))
    answer = upload(program, IMPORT, NUMBERED, key="monday")
    assert answer.status_code == 200
    assert (answer.json()["cells"], answer.json()["left_out"]) == (9_995, 2_505)
    assert Sheet.objects.get().filled == 9_995
    assert_log_is_whole("prices", answer.json()["revision"])
    monkeypatch.undo()
    assert upload(program, IMPORT, NUMBERED, key="monday").json() == answer.json()


def test_an_import_whose_sheet_was_restored_in_the_middle_is_refused(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(program, A1="ahead")
    restore = "/sheets/prices/restore"
    during(monkeypatch, 3, lambda: program.call("POST", restore, {"revision": 1}))
    for _ in range(2):
        answer = upload(program, IMPORT, NUMBERED, key="monday")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_overtaken")
        assert "restore revision 1 " in answer.json()["detail"]


def test_the_same_import_sent_twice_at_once_is_one(
    prices: Sheet, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = []

    def send_too() -> None:
        program.call("POST", "/sheets/prices/rows/insert", {"before": 1, "count": 1})
        answers.append(upload(program, IMPORT, NUMBERED, key="monday").json())

    during(monkeypatch, 1, send_too)
    answers.append(upload(program, IMPORT, NUMBERED, key="monday").json())
    assert answers[0] == answers[1]
    assert Sheet.objects.get().filled == 12_500
    assert texts()["A1"] == "r0"


def test_an_empty_file_binds_its_key(prices: Sheet, program: Program) -> None:
    first = upload(program, IMPORT, b"\n", key="monday")
    assert (first.json()["revision"], first.json()["cells"]) == (1, 0)
    assert upload(program, IMPORT, b"\n", key="monday").json() == first.json()
    assert upload(program, IMPORT, b"x", key="monday").json()["code"] == "idempotency_key_reused"


def test_a_key_makes_one_sheet(alice: User, program_of: Callable[..., Program]) -> None:
    mine, key = program_of("alice"), {"Idempotency-Key": "monday"}
    first = mine.call("POST", "/sheets", {"title": "Prices"}, key)
    again = mine.call("POST", "/sheets", {"title": "Prices"}, key)
    assert (first.status_code, first.json()) == (201, again.json())
    assert program_of("bob").call("POST", "/sheets", {"title": "Prices"}, key).status_code == 201
    assert Sheet.objects.count() == 2
    mine.call("DELETE", f"/sheets/{first.json()['slug']}")
    assert mine.call("POST", "/sheets", {"title": "Prices"}, key).status_code == 404


# -- methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/sheets", "/sheets/prices", "/sheets/prices/cells?range=A1", "/sheets/prices/changes"]
)
def test_head_answers_as_get_does(prices: Sheet, program: Program, path: str) -> None:
    got, head = program.get(path), program.call("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
        assert head.headers.get(name) == got.headers.get(name)
    assert program.call("HEAD", "/sheets/none").status_code == 404


def test_a_method_that_is_none_is_refused_as_a_problem(prices: Sheet, program: Program) -> None:
    answer = program.call("PUT", "/sheets/prices", {})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH"
    assert program.get(IMPORT).headers["Allow"] == "POST"
