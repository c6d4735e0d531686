import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cells.models import LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.shelf import delete_sheet
from cells.services.work_turns import import_turn
from tests.servers.databases import Databases
from tests.servers.process import wait_until
from tests.servers.sheetsync import WebServer, run_manage
from tests.services import bombs
from tests.services.prices import texts

Kind = Literal["uvicorn", "runserver"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", first_name="Alice")


@pytest.fixture
def prices(alice: User) -> Sheet:
    return create_sheet(alice, "Prices", slug="prices")


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def upload(
    browser: Client,
    address: str,
    data: bytes = b"a;=A1\n-5;x\n",
    name: str = "new.csv",
    **fields: str,
) -> Any:
    return browser.post(address, {"file": SimpleUploadedFile(name, data), **fields})


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_a_file_is_looked_at_and_nothing_written(alice: User, prices: Sheet) -> None:
    answer = upload(signed_in(alice), "/sheets/prices/import/preview/").json()
    assert answer == {
        "rows": [
            {"row": 1, "cells": [[0, "a"], [1, "=A1"]]},
            {"row": 2, "cells": [[0, "-5"], [1, "x"]]},
        ],
        "encoding": "utf-8",
        "delimiter": ";",
    }
    assert not Revision.objects.exists()


def test_an_import_tells_how_far_it_is_and_where_it_went(alice: User, prices: Sheet) -> None:
    address = "/sheets/prices/import/run/"
    told = lines(upload(signed_in(alice), address, at="B2", text_only="1", texts="0"))
    assert told == [
        {"state": "reading", "rows": 0},
        {"state": "reading", "rows": 2},
        {"state": "writing", "rows": 2, "of": 2, "operations": [ANY]},
        {"state": "done", "cells": 4, "left_out": 0, "rows": 2, "address": "/sheets/prices/"},
    ]
    assert texts() == {"B2": "a", "C2": "'=A1", "B3": "'-5", "C3": "x"}
    line = Revision.objects.get()
    assert told[2]["operations"] == [str(line.operation_id)]
    assert (line.author_kind, line.author_name, line.user) == ("user", "Alice", alice)
    assert line.origin == "import: new.csv"


def test_a_new_sheet_is_ones_own(alice: User) -> None:
    done = lines(upload(signed_in(alice), "/import/run/"))[-1]
    sheet = Sheet.objects.get()
    assert done["address"] == f"/sheets/{sheet.slug}/"
    assert (sheet.title, sheet.owner, sheet.link_role) == ("new", alice, LinkRole.NONE)
    told = lines(upload(signed_in(alice), "/import/run/", title="Mine"))
    assert told[-1]["state"] == "done"
    assert Sheet.objects.filter(title="Mine").exists()


def test_guests_own_nothing_and_so_import_nothing_new(db: None, settings: Any) -> None:
    settings.DEBUG = False
    for address in ("/import/preview/", "/import/run/"):
        assert upload(Client(), address).url == "/accounts/login/?next=/import/"
    assert Client().get("/import/").url == "/accounts/login/?next=/import/"  # type: ignore[attr-defined]
    assert not Sheet.objects.exists()


def test_who_may_look_alone_may_not_import(alice: User, prices: Sheet) -> None:
    bob, carol = User.objects.create_user("bob"), User.objects.create_user("carol")
    SheetAccess.objects.create(sheet=prices, user=bob, role=Role.VIEWER)
    for step in ("preview/", "run/"):
        assert upload(signed_in(bob), f"/sheets/prices/import/{step}").status_code == 403
        assert upload(signed_in(carol), f"/sheets/prices/import/{step}").status_code == 404
        assert upload(Client(), f"/sheets/prices/import/{step}").status_code == 404
    assert signed_in(bob).get("/sheets/prices/import/").status_code == 403
    assert signed_in(carol).get("/sheets/prices/import/").status_code == 404
    assert signed_in(alice).get("/sheets/prices/import/").status_code == 200
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    *_, told, done = lines(upload(Client(), "/sheets/prices/import/run/"))
    assert (told["operations"], done["state"]) == ([], "done")
    assert Revision.objects.get().author_kind == "guest"
    delete_sheet(prices)
    assert upload(signed_in(alice), "/sheets/prices/import/run/").status_code == 404


@pytest.mark.parametrize(
    ("data", "name", "fields", "code"),
    [
        (b"x" * 2_000, "new.csv", {}, "limit_exceeded"),
        (b"x", "new.csv", {"at": "nowhere"}, "invalid_address"),
        (b"x", "new.csv", {"text_only": "A"}, "malformed"),
    ],
)
def test_what_the_form_says_wrong_is_refused_at_once(
    prices: Sheet, alice: User, settings: Any, data: bytes, name: str, fields: Any, code: str
) -> None:
    settings.IMPORT_MAX_BYTES = 1_000
    for step in ("preview/", "run/"):
        answer = upload(signed_in(alice), f"/sheets/prices/import/{step}", data, name, **fields)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert signed_in(alice).post("/import/run/").json()["code"] == "malformed"
    assert not Revision.objects.exists()


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"a\n" * 50_000 + b"a\0b", "new.csv", "invalid_text"),
        (b"x", "new.ods", "unreadable_file"),
        (bombs.many_parts, "new.xlsx", "dangerous_file"),
        (b"," * 20_000 + b"x", "new.csv", "limit_exceeded"),
    ],
    ids=["nul", "ods", "bomb", "wide"],
)
def test_a_file_that_is_refused_leaves_nothing(
    alice: User, data: Any, name: str, code: str
) -> None:
    data = data() if callable(data) else data
    last = lines(upload(signed_in(alice), "/import/run/", data, name))[-1]
    assert (last["state"], last["code"]) == ("refused", code)
    assert last["sentence"]
    assert not Sheet.objects.exists()


def test_who_goes_takes_the_half_of_a_new_sheet_along(alice: User) -> None:
    response = upload(signed_in(alice), "/import/run/", b"a,b\n" * 20_000)
    steps = iter(response.streaming_content)
    while b"writing" not in next(steps):
        pass
    assert Sheet.objects.get().deleted_at is None
    response._iterator.close()
    assert Sheet.objects.get().deleted_at is not None


def test_so_many_at_once_and_no_more(alice: User) -> None:
    with import_turn(), import_turn():
        last = lines(upload(signed_in(alice), "/import/run/"))[-1]
        assert (last["state"], last["code"]) == ("refused", "unavailable")
    assert lines(upload(signed_in(alice), "/import/run/"))[-1]["state"] == "done"


# -- real servers ---------------------------------------------------------------------------------


def form(data: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    mark = "sheetsync-form"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = "".join(parts).encode() + file.encode() + data + f"\r\n--{mark}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}


def ask(server: WebServer, data: bytes) -> tuple[HTTPConnection, Any]:
    connection = HTTPConnection(server.host, timeout=60)
    connection.request("GET", "/sheets/prices/import/")
    page = connection.getresponse()
    cookie = page.headers["Set-Cookie"].split(";")[0]
    page.read()
    body, headers = form(data, csrfmiddlewaretoken=cookie.partition("=")[2])
    connection.request("POST", "/sheets/prices/import/run/", body, {**headers, "Cookie": cookie})
    return connection, connection.getresponse()


def revisions(environment: dict[str, str]) -> int:
    count = "from cells.models import Revision; print(Revision.objects.count())"
    return int(run_manage(environment, "shell", "-v0", "-c", count))


@pytest.mark.parametrize("kind", ["uvicorn", "runserver"])
def test_servers_send_lines_as_they_come_and_stop_for_who_goes(
    web_server: Callable[..., WebServer], new_database: Databases, tmp_path: Path, kind: Kind
) -> None:
    environment = {"DATABASE_URL": new_database("sqlite", "prices"), "EMBEDDED_CALCULATION": "0"}
    server = web_server(environment, kind)
    connection, answer = ask(server, b"a,b,c,d,e\n" * 3)
    assert json.loads(answer.read().splitlines()[-1])["state"] == "done"
    connection.close()

    connection, answer = ask(server, b"a,b,c,d,e\n" * 200_000)
    while b"writing" not in answer.readline():
        pass
    assert isinstance(connection.sock, socket.socket)
    answer.close()
    connection.close()
    wait_until(lambda: "was broken off" in server.output(), "the end of the import")
    assert 0 < revisions(environment) < 200
    wait_until(lambda: "action=sheet.import_broken_off" in server.output(), "the audit log's line")
