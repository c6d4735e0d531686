"""What `make test` says where there is no PostgreSQL to run on."""

from pathlib import Path

import pytest

from tests import on_postgresql
from tests.servers import missing, postgresql


@pytest.fixture
def no_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgresql, "DEBIAN_FOLDER", tmp_path)


@pytest.mark.usefixtures("no_postgresql")
def test_without_postgresql_a_sentence_says_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(missing, "IS_CI", False)
    assert on_postgresql.main([]) == 0
    assert "PostgreSQL is not on this machine: apt install" in capsys.readouterr().out


@pytest.mark.usefixtures("no_postgresql")
def test_without_postgresql_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "IS_CI", True)
    assert on_postgresql.main([]) == 1
