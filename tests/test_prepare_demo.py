import socket
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from cells.models import AuthorKind, LinkRole, Sheet
from cells.services import demo
from cells.services.read import read_window
from tests.servers.process import ROOT, clean_environment, free_port
from tests.servers.sheetsync import manage


@pytest.fixture
def embedded(settings: Settings) -> None:
    settings.DEBUG = True


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def prepare(*arguments: str) -> str:
    output = StringIO()
    call_command("prepare_demo", *arguments, stdout=output)
    return output.getvalue()


def password_in(output: str) -> str:
    return output.partition("password ")[2].split()[0]


@pytest.mark.django_db
def test_the_demo_sheet_has_content_and_is_open_to_guests_as_editors() -> None:
    prepare()
    sheet = Sheet.objects.get(slug="demo")
    assert sheet.link_role == LinkRole.EDITOR
    assert sheet.filled > 70
    window = read_window(sheet, 0, 0, 2, 7)
    assert window.texts[0] == ["Symbol", "Bid", "Ask", "Day", "Updated", "Name", "Note"]
    assert window.texts[1][:3] == ["EURUSD", "1.0842", "1.0844"]
    first = sheet.revisions.get(number=1)
    assert (first.author_kind, first.origin) == (AuthorKind.API, "prepare_demo")


@pytest.mark.django_db
def test_a_second_run_changes_nothing(embedded: None) -> None:
    first = prepare("--port", str(free_port()))
    head = Sheet.objects.get(slug="demo").head
    second = prepare("--port", str(free_port()))
    assert "Made the demo sheet." in first
    assert "Made" not in second
    assert Sheet.objects.get().head == head
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_demo_that_people_emptied_stays_empty() -> None:
    prepare()
    Sheet.objects.update(filled=0)
    Sheet.objects.get().cells.all().delete()
    prepare()
    assert not Sheet.objects.get().cells.exists()


@pytest.mark.django_db
def test_a_run_that_was_cut_off_before_the_content_is_completed() -> None:
    Sheet.objects.create(slug="demo", title="Demo", link_role=LinkRole.EDITOR)
    prepare()
    assert Sheet.objects.get().filled > 70


@pytest.mark.django_db
def test_two_that_fill_the_demo_at_once_write_it_once() -> None:
    demo.ensure_demo_sheet()
    sheet = Sheet.objects.get()
    head, filled = sheet.head, sheet.filled
    Sheet.objects.update(rows_revision=0, columns_revision=0, head=0)  # as the slower one saw it
    demo.ensure_demo_sheet()
    assert sheet.revisions.count() == head
    assert Sheet.objects.get().filled == filled


@pytest.mark.django_db
def test_the_admin_gets_a_random_password_that_is_printed(embedded: None) -> None:
    output = prepare("--port", str(free_port()))
    assert "/sheets/demo/" in output
    assert "/admin/" in output
    admin = authenticate(username="admin", password=password_in(output))
    assert isinstance(admin, User)
    assert admin.is_superuser


@pytest.mark.django_db
def test_a_lost_terminal_locks_nobody_out(embedded: None) -> None:
    password = password_in(prepare("--port", str(free_port())))
    again = prepare("--port", str(free_port()))
    if connection.vendor == "sqlite":
        file = Path(f"{connection.settings_dict['NAME']}-admin-password")
        assert password_in(again) == password
        assert file.stat().st_mode & 0o777 == 0o600
    else:
        assert password not in again
        assert "changepassword admin" in again


@pytest.mark.django_db
def test_a_changed_password_is_not_guessed_at(embedded: None) -> None:
    password = password_in(prepare("--port", str(free_port())))
    admin = User.objects.get()
    admin.set_password("only alice knows it")
    admin.save()
    again = prepare("--port", str(free_port()))
    assert password not in again
    assert "changepassword admin" in again


@pytest.mark.django_db
def test_an_administrator_who_is_there_is_left_alone(embedded: None) -> None:
    User.objects.create_superuser("alice", password="only alice knows it")
    output = prepare("--port", str(free_port()))
    assert "name alice" in output
    assert "changepassword alice" in output
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_no_account_is_made_without_debug() -> None:
    output = prepare("--port", str(free_port()))
    assert not User.objects.exists()
    assert "password" not in output


@pytest.mark.django_db
def test_without_a_port_it_prints_no_address() -> None:
    assert "http" not in prepare()


@pytest.mark.parametrize("port", [65536, 10**9, -1])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(CommandError, match="is not a port"):
        prepare("--port", str(port))


def test_a_busy_port_is_one_sentence_and_touches_nothing(busy_port: int, tmp_path: Path) -> None:
    database = tmp_path / "never-made.sqlite3"
    done = subprocess.run(
        manage("prepare_demo", "--port", str(busy_port)),
        cwd=ROOT,
        env=clean_environment({"DATABASE_URL": f"sqlite:///{database}"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Port {busy_port} is taken" in done.stderr
    assert "PORT=" in done.stderr
    assert not database.exists()


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        manage("prepare_demo"),
        cwd=ROOT,
        env=clean_environment({"DATABASE_URL": f"sqlite:///{tmp_path}/no/folder/here.sqlite3"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "The database cannot be prepared" in done.stderr


def test_a_fresh_database_is_migrated_and_filled(tmp_path: Path) -> None:
    environment = clean_environment({"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"})
    command = manage("prepare_demo", "--port", str(free_port()))
    first, second = (
        subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        for _ in range(2)
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert "Prepared the database" in first.stdout
    assert (second.returncode, second.stderr) == (0, "")
    assert "Prepared" not in second.stdout
    assert password_in(second.stdout) == password_in(first.stdout)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "db.sqlite3",
        "db.sqlite3-admin-password",
    ]
