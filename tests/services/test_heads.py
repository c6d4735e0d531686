import sqlite3
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from cells.domain.operations import SetCells
from cells.models import Sheet
from cells.services.access import create_sheet
from cells.services.heads import SqliteHeads, read_heads
from tests.services.prices import do


def test_heads_of_sheets_that_are_gone_are_left_out(sheet: Sheet) -> None:
    do(SetCells(((0, 0, "a"),)))
    assert read_heads([sheet.pk, sheet.pk + 1]) == {sheet.pk: 1}


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_heads_are_read_only_when_something_was_committed() -> None:
    prices, other = (create_sheet(None, slug, slug=slug) for slug in ("prices", "other"))
    heads = SqliteHeads()
    assert heads.read_if_changed([prices.pk]) == {prices.pk: 0}
    assert heads.read_if_changed([prices.pk]) is None
    assert heads.read_if_changed([prices.pk, other.pk]) == {prices.pk: 0, other.pk: 0}
    do(SetCells(((0, 0, "a"),)))
    assert heads.read_if_changed([prices.pk, other.pk]) == {prices.pk: 1, other.pk: 0}
    assert heads.read_if_changed([other.pk]) is None
    heads.close()


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_commit_under_way_holds_nobody_up() -> None:
    prices = create_sheet(None, "Prices", slug="prices")
    heads = SqliteHeads()
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE cells_sheet SET head = 7")
    assert heads.read_if_changed([prices.pk]) == {prices.pk: 0}
    writer.execute("COMMIT")
    assert heads.read_if_changed([prices.pk]) == {prices.pk: 7}
    writer.close()
    heads.close()


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db
def test_a_database_that_is_away_is_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "gone.sqlite3"))
    with pytest.raises(OperationalError):
        SqliteHeads().read_if_changed([1])
