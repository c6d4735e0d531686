"""What an edit costs must not grow with the sheet or its log: each statement goes by an index.

How long it takes is the bench's to say.
"""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cells import protocol
from cells.domain.axes import AxisName
from cells.domain.operations import AppendRows, Delete, Operation, Resize, SetAddresses, SetCells
from cells.models import AuthorKind, Sheet
from cells.services import snapshots
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.gaps import read_small_gaps
from cells.services.read import open_sheet, read_deltas

pytestmark = pytest.mark.django_db

STREAM = Author(AuthorKind.STREAM, "prices")
LARGE = ("cells_cell", "cells_revision", "cells_snapshot")

EDITS: dict[str, tuple[Operation | AppendRows | SetAddresses, ...]] = {
    "a cell": (SetCells(((0, 0, "x"),)),),
    "many cells": (SetCells(tuple((row, 1, "x") for row in range(500))),),
    "many edits": tuple(SetCells(((row, 2, str(row)),)) for row in range(50)),
    "structure": (Delete(AxisName.ROWS, ((900, 2),)), Resize(AxisName.COLUMNS, ((0, 1),), 50)),
    "appended rows": (AppendRows((("a", "b"), ("c", "d"))),),
    "addresses": (SetAddresses(((3, 3, "x"),)),),
}


@pytest.fixture
def used(sheet: Sheet) -> Sheet:
    """A sheet with a log, some cells and a snapshot."""
    for row in range(20):
        do(SetCells(((row, 0, str(row)), (row, 1, "y"))))
    assert snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=lambda: True)
    return sheet


def do(*operations: Operation | AppendRows | SetAddresses) -> None:
    commit([Submission("prices", uuid.uuid4(), operation, STREAM) for operation in operations])


def statements_of(work: Callable[[], object]) -> list[str]:
    """Return what `work` asks of the database; one plain row put in goes by no plan."""
    with CaptureQueriesContext(connection) as captured:
        work()
    words = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
    return [query["sql"] for query in captured if query["sql"].lstrip().startswith(words)]


def scans_of(statement: str) -> list[str]:
    """Return the steps of a statement's plan that read a large table from end to end."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Small tables are quicker to scan; the question is what happens to large ones.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + statement.replace("%", "%%"), ())
            steps = [step for (step,) in cursor.fetchall()]
            return [step for step in steps if any(f"Seq Scan on {name}" in step for name in LARGE)]
        cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"), ())
        steps = [row[-1] for row in cursor.fetchall()]
        aliases = (*LARGE, "cell", "revision", "log")
        return [
            step for step in steps if step.startswith(tuple(f"SCAN {name}" for name in aliases))
        ]


@pytest.mark.parametrize("operations", EDITS.values(), ids=EDITS)
def test_no_statement_of_a_commit_reads_a_large_table(
    used: Sheet, operations: tuple[Operation | AppendRows | SetAddresses, ...]
) -> None:
    statements = statements_of(lambda: do(*operations))
    assert any("UPDATE cells_sheet" in statement for statement in statements)
    assert [scan for statement in statements for scan in scans_of(statement)] == []
    assert not [statement for statement in statements if "cells_snapshot" in statement]


def test_as_many_statements_on_a_long_log_as_on_an_empty_one(sheet: Sheet) -> None:
    first = statements_of(lambda: do(SetCells(((0, 0, "a"),))))
    for number in range(200):
        do(SetCells(((number, 3, "x"),)))
    later = statements_of(lambda: do(SetCells(((0, 1, "a"),))))
    assert len(first) == len(later)


def test_opening_and_catching_up_go_by_an_index(used: Sheet) -> None:
    def work() -> None:
        open_sheet(used.pk)
        list(read_deltas(used.pk, 18))

    assert {scan for statement in statements_of(work) for scan in scans_of(statement)} == set()


@pytest.mark.only_on("postgresql")
def test_gaps_of_several_sheets_are_read_by_an_index(used: Sheet) -> None:
    statements = statements_of(lambda: read_small_gaps({used.pk: 18}))
    assert [scan for statement in statements for scan in scans_of(statement)] == []
    assert len(statements) == 1


def test_a_scan_would_be_seen(used: Sheet) -> None:
    assert scans_of("SELECT * FROM cells_cell WHERE input = '100%'")
    assert scans_of("SELECT log.number FROM cells_revision AS log WHERE log.origin = 'x'")
