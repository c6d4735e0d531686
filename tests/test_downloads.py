import io
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from cells.models import LinkRole, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.shelf import delete_sheet
from tests.servers.databases import Databases
from tests.servers.sheetsync import WebServer, run_manage
from tests.services.prices import do, put

KINDS = ("csv", "xlsx")


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def prices(alice: User) -> Sheet:
    sheet = create_sheet(alice, "Preise für “heute”", slug="prices")
    do(put("A1", "é"), put("B2", "=A1"))
    return sheet


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def content(browser: Client, address: str) -> bytes:
    response: Any = browser.get(address)
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def test_csv_is_for_excel_and_named_as_the_sheet(alice: User, prices: Sheet) -> None:
    response: Any = signed_in(alice).get("/sheets/prices/export.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    named = response.headers["Content-Disposition"]
    assert named == ("attachment; filename*=utf-8''Preise%20f%C3%BCr%20%E2%80%9Cheute%E2%80%9D.csv")
    assert "no-store" in response.headers["Cache-Control"]
    assert b"".join(response.streaming_content) == "\ufeffé,\r\n,'=A1\r\n".encode()


def test_formulas_by_wish(alice: User, prices: Sheet) -> None:
    body = content(signed_in(alice), "/sheets/prices/export.csv?formulas=1")
    assert body.decode("utf-8-sig") == "é,\r\n,=A1\r\n"


def test_xlsx_opens(alice: User, prices: Sheet) -> None:
    page = openpyxl.load_workbook(
        io.BytesIO(content(signed_in(alice), "/sheets/prices/export.xlsx"))
    ).active
    assert (page["A1"].value, page["B2"].value) == ("é", "=A1")


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_look_may_export_and_others_learn_nothing(
    kind: str, alice: User, prices: Sheet
) -> None:
    address = f"/sheets/prices/export.{kind}"
    bob, carol = User.objects.create_user("bob"), User.objects.create_user("carol")
    SheetAccess.objects.create(sheet=prices, user=bob, role=Role.VIEWER)
    assert content(signed_in(bob), address)
    for browser in (signed_in(carol), Client()):
        for asked in (address, f"/sheets/none/export.{kind}"):
            answer = browser.get(asked)
            assert (answer.status_code, answer.templates[0].name) == (
                404,
                "cells/no_such_sheet.html",
            )
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    assert content(Client(), address)
    delete_sheet(prices)
    assert signed_in(alice).get(address).status_code == 404


def test_a_download_changes_nothing(alice: User, prices: Sheet) -> None:
    assert signed_in(alice).post("/sheets/prices/export.csv").status_code == 405


@pytest.mark.parametrize("kind", ["uvicorn", "runserver"])
def test_servers_send_a_large_file_whole(
    web_server: Callable[..., WebServer],
    new_database: Databases,
    tmp_path: Path,
    kind: Literal["uvicorn", "runserver"],
) -> None:
    environment = {"DATABASE_URL": new_database("sqlite", "prices"), "EMBEDDED_CALCULATION": "0"}
    text = "x" * 30_000
    fill = (
        "from tests.services.prices import do, put; "
        "do(*(put(f'A{n}', 'x' * 30_000) for n in range(1, 61)))"
    )
    run_manage(environment, "shell", "-c", fill)
    server = web_server(environment, kind)
    connection = HTTPConnection(server.host, timeout=30)
    connection.request("GET", "/sheets/prices/export.csv")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert len(body) == int(response.headers["Content-Length"])
    assert body.decode("utf-8-sig") == f"{text}\r\n" * 60


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_both_formats(prices: Sheet, tmp_path: Path) -> None:
    file = tmp_path / "prices.CSV"
    call_command("export_sheet", "prices", str(file))
    assert file.read_bytes() == "é,\r\n,'=A1\r\n".encode()
    call_command("export_sheet", "prices", str(file), "--formulas")
    assert file.read_bytes() == "é,\r\n,=A1\r\n".encode()
    call_command("export_sheet", "prices", str(tmp_path / "prices.xlsx"))
    assert openpyxl.load_workbook(tmp_path / "prices.xlsx").active["A1"].value == "é"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["prices.CSV", "prices.xlsx"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["prices", "prices.ods"], "let it end in .csv or .xlsx"),
        (["prices", "prices.xlsx", "--formulas"], "--formulas is for CSV"),
        (["none", "none.csv"], "there is no sheet 'none'"),
        (["prices", "no-folder/prices.csv"], "nothing was written"),
    ],
)
def test_the_command_says_what_is_wrong(
    prices: Sheet, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    slug, file, *wishes = arguments
    with pytest.raises(CommandError, match=sentence):
        call_command("export_sheet", slug, str(tmp_path / file), *wishes)
    assert not list(tmp_path.iterdir())
