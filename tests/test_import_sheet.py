from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from cells.models import LinkRole, Sheet
from cells.services.access import create_sheet
from tests.services.prices import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "Preise.csv"
    file.write_bytes("Größe;5,5\n=A1;x\n".encode("cp1252"))
    return file


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("import_sheet", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_new_sheet_is_called_as_the_file_and_belongs_to_its_owner(file: Path) -> None:
    alice = User.objects.create_user("alice")
    said = run(file, "--owner", "alice")
    sheet = Sheet.objects.get()
    assert said == f"{sheet.slug}: 4 cells in 2 rows imported\n"
    assert (sheet.title, sheet.owner, sheet.link_role) == ("Preise", alice, LinkRole.NONE)
    assert texts(sheet.slug) == {"A1": "Größe", "B1": "5,5", "A2": "=A1", "B2": "x"}


def test_columns_can_be_texts(tmp_path: Path) -> None:
    create_sheet(None, "Prices", slug="prices")
    (file := tmp_path / "codes.csv").write_text("00123,00123,=A1\n")
    run(file, "--sheet", "prices", "--texts", "A, C")
    assert texts() == {"A1": "'00123", "B1": "00123", "C1": "'=A1"}


def test_into_a_sheet_that_there_is(file: Path) -> None:
    create_sheet(None, "Prices", slug="prices")
    run(file, "--sheet", "prices", "--at", "B3", "--text-only", "A", "--delimiter", "tab")
    assert texts() == {"B3": "Größe;5,5", "B4": "'=A1;x"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sheet", "none"], "there is no sheet 'none'"),
        (["--sheet", "prices", "--title", "x"], "leave --sheet out"),
        (["--owner", "nobody"], "there is no user 'nobody'"),
        ([], "say --owner USERNAME"),
        (["--sheet", "prices", "--at", "nowhere"], "nowhere"),
        (["--sheet", "prices", "--encoding", "klingon"], "there is no encoding 'klingon'"),
        (["--sheet", "prices", "--encoding", "utf-8"], "the file is not utf-8"),
    ],
)
def test_what_is_wrong_is_said(
    file: Path, settings: Any, arguments: list[str], sentence: str
) -> None:
    settings.DEBUG = False
    sheet = create_sheet(None, "Prices", slug="prices")
    with pytest.raises(CommandError, match=sentence):
        run(file, *arguments)
    assert Sheet.objects.get() == sheet
    assert sheet.revisions.count() == 0


def test_half_of_a_new_sheet_is_taken_off_the_list(file: Path) -> None:
    User.objects.create_user("alice")
    with pytest.raises(CommandError, match="1,000,001 rows"):
        run(file, "--owner", "alice", "--at", "A1000000")
    assert Sheet.objects.get().deleted_at is not None
