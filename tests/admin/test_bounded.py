"""No page of the admin does more for a large table than for a small one."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cells.models import Cell, Revision, Sheet
from cells.services.access import create_sheet
from tests.admin.stored import page_of, statements

pytestmark = pytest.mark.django_db

MANY = 200_000
MOST_ROWS_READ = 21_000  # MAX_LISTED counted, as many skipped to get to the last page, and a page


@pytest.fixture
def many_rows(alice: User) -> Sheet:
    """A sheet with many cells and a long log, made by the database itself."""
    sheet = create_sheet(alice, "Big", slug="big")
    Sheet.objects.filter(pk=sheet.pk).update(head=MANY, filled=MANY)
    operation = json.dumps({"kind": "set_cells", "cells": [[0, 0, "1"]]})
    if connection.vendor == "postgresql":
        numbers, from_numbers = "", f"FROM generate_series(1, {MANY}) AS n(i)"
        operation_id, cast = "lpad(to_hex(i), 32, '0')::uuid", "::jsonb"
    else:
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) "
        )
        from_numbers, operation_id, cast = "FROM n", "printf('%032x', i)", ""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO cells_cell (sheet_id, "row", "column", input, revision) '
            f"{numbers}SELECT {sheet.pk}, (i * 7919) % 1000, i / 26, 'x', i {from_numbers} "
            "WHERE true ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO cells_revision (sheet_id, number, operation_id, author_kind, "
            "author_name, origin, operation, before, committed_at) "
            f"{numbers}SELECT {sheet.pk}, i, {operation_id}, 'stream', 'prices', '', "
            f"'{operation}'{cast}, '{{}}'{cast}, CURRENT_TIMESTAMP {from_numbers}"
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE cells_cell, cells_revision")
    sheet.refresh_from_db()
    return sheet


def test_no_page_counts_sorts_or_reads_a_large_table(
    admin_client: Client, many_rows: Sheet
) -> None:
    assert Cell.objects.count() > 0.9 * MANY
    cell = Cell.objects.order_by("pk")[0]
    revision = Revision.objects.order_by("pk")[0]
    operation_id = UUID(int=150_000)
    sheet_page = page_of(many_rows)
    for address in (
        "/admin/",
        "/admin/cells/cell/",
        "/admin/cells/cell/?p=200",
        "/admin/cells/cell/?q=big",
        "/admin/cells/cell/?q=big&p=200",
        "/admin/cells/cell/?q=big+C5",
        "/admin/cells/cell/?q=other",
        f"/admin/cells/cell/{cell.pk}/change/",
        "/admin/cells/revision/",
        "/admin/cells/revision/?p=200",
        "/admin/cells/revision/?q=big",
        "/admin/cells/revision/?q=big&p=200",
        "/admin/cells/revision/?q=big+150000",
        f"/admin/cells/revision/?q=big+{operation_id}",
        f"/admin/cells/revision/{revision.pk}/change/",
        "/admin/cells/sheet/",
        sheet_page,
        f"{sheet_page}?range=C500:Z549",
        f"{sheet_page}?before=100000",
        f"{sheet_page}?after=100000",
        f"/admin/cells/sheet/{many_rows.pk}/delete/",
    ):
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(address).status_code == 200
        for sql in statements(captured):
            if "cells_cell" in sql or "cells_revision" in sql:
                assert_bounded(sql, address)
        assert len(captured) < 20, address


def assert_bounded(sql: str, address: str) -> None:
    """Ask the database itself what it does for a statement."""
    where = f"{address}: {sql}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {sql}")
            (plan,) = cursor.fetchone()[0]
            assert rows_read(plan["Plan"]) <= MOST_ROWS_READ, where
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            steps = [step[3] for step in cursor.fetchall()]
            assert not any("TEMP B-TREE" in step for step in steps), where
            reads = [step for step in steps if "cells_cell" in step or "cells_revision" in step]
            # A scan may only be one that a LIMIT ends, with no condition to skip rows for.
            assert all(
                step.startswith("SEARCH") or ("LIMIT" in sql and "WHERE" not in sql)
                for step in reads
            ), where
            assert "COUNT(" not in sql or "LIMIT" in sql, where


def rows_read(plan: dict[str, Any]) -> int:
    """Sum the rows that a plan's nodes gave or threw away, those of its leaves counted once."""
    children = plan.get("Plans", [])
    if children:
        return sum(map(rows_read, children))
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    rows: int = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return rows
