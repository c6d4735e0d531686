"""Who changed a cell, and what it was: whatever has happened, each line says what was seen."""

import uuid
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cells.domain.operations import SetCells
from cells.models import CellChange, LogReach, Revision, Sheet
from cells.services import cell_index
from cells.services.cell_history import CHANGES_PER_PAGE, Change, read_changes_of
from cells.services.cell_index import fill_index
from cells.services.commit import Submission, commit
from tests.services.histories import ALICE, History, new_sheet

pytestmark = pytest.mark.django_db


def all_changes(sheet: Sheet, key: tuple[int, int]) -> list[Change]:
    changes, before = [], None
    while True:
        page = read_changes_of(sheet.pk, key, before=before)
        changes += page.changes
        if page.before is None:
            return changes
        before = page.before


@pytest.mark.parametrize("seed", range(8))
def test_every_change_that_was_seen_is_told_with_what_was_before_and_after(seed: int) -> None:
    history = History(Random(1_000 + seed))
    history.go_on(30)
    assert fill_index(history.sheet.pk).is_done
    keys = {key for seen in history.seen for key in seen.cells}
    for key in keys:
        told = {change.revision: change for change in all_changes(history.sheet, key)}
        for number in range(1, len(history.seen)):
            was, now = (history.seen[at].cells.get(key, ["", ""]) for at in (number - 1, number))
            change = told.pop(number, None)
            for name, place in (("input", 0), ("style", 1)):
                if was[place] != now[place]:
                    assert change is not None, (key, number)
                if change is not None and getattr(change.new, name) is not None:
                    assert getattr(change.old, name) == was[place], (key, number)
                    assert getattr(change.new, name) == now[place], (key, number)
                elif change is not None:
                    assert was[place] == now[place], (key, number)
        assert not told


def edit(count: int) -> None:
    submissions = [
        Submission("prices", uuid.uuid4(), SetCells(((0, 0, str(number)),)), ALICE)
        for number in range(count)
    ]
    commit(submissions)


def test_a_page_is_one_query_on_an_index_however_long_the_log_is() -> None:
    sheet = new_sheet()
    edit(3 * CHANGES_PER_PAGE)
    fill_index(sheet.pk)
    plans = []

    def explained(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        with connection.cursor() as cursor:
            if "cells_cellchange" in sql and not sql.startswith("EXPLAIN"):
                explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
                cursor.execute(explain + sql, params)
                plans.append(str(cursor.fetchall()))
        return execute(sql, params, *rest)

    if connection.vendor == "postgresql":  # which reads so small a table as a whole else
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as queries, connection.execute_wrapper(explained):
        page = read_changes_of(sheet.pk, (0, 0), before=41)
    assert [change.revision for change in page.changes] == list(range(40, 20, -1))
    assert page.before == 21
    assert len([one for one in queries if one["sql"].startswith("SELECT change")]) == 1
    (plan,) = plans
    assert "cell_change_once" in plan or "sqlite_autoindex_cells_cellchange" in plan, plan


def test_the_index_is_filled_by_small_writes_and_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheet = new_sheet()
    Sheet.objects.update(rows=[[0, 50]])
    paste = SetCells(tuple((number, 0, "x") for number in range(50)))
    commit([Submission("prices", uuid.uuid4(), paste, ALICE)])
    edit(49)
    monkeypatch.setattr(cell_index, "ROWS_PER_WRITE", 20)
    monkeypatch.setattr(cell_index, "ROWS_PER_READ", 30)
    write, written = cell_index._write, []

    def noted(sheet_id: int, rows: Sequence[Any], through: int) -> None:
        written.append((len(rows), through))
        write(sheet_id, rows, through)

    monkeypatch.setattr(cell_index, "_write", noted)
    progress = [fill_index(sheet.pk, seconds=0) for _ in range(2)]
    assert [one.through for one in progress] == [1, 2], "a line at least, and then the clock"
    assert written == [(20, 0), (20, 0), (10, 1), (1, 2)]
    monkeypatch.setattr(cell_index, "_filling", {sheet.pk})
    assert fill_index(sheet.pk, seconds=0).through == 2, "somebody else is at it"
    monkeypatch.setattr(cell_index, "_filling", set())
    assert fill_index(sheet.pk, seconds=60).is_done
    assert max(rows for rows, _ in written) <= 20
    assert CellChange.objects.count() == 99
    # Another process that began at the same place writes the same, and moves nothing back.
    LogReach.objects.update(indexed=0)
    assert fill_index(sheet.pk, seconds=60).is_done
    assert (CellChange.objects.count(), Revision.objects.count()) == (99, 50)
