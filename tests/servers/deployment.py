"""A deployment's database, made for a test and read with its driver, beside our processes."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from cells.domain.tombstones import told_apart
from tests.servers.sheetsync import run_manage

_MAKE_SHEET = (
    "from cells.models import LinkRole; from cells.services.access import create_sheet; "
    "create_sheet(None, {title!r}, slug={slug!r}, link_role=LinkRole.EDITOR)"
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a sheet's log."""

    number: int
    operation_id: str
    author_kind: str
    operation: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        """Return the inputs that it set."""
        return [text for _, _, text in self.operation.get("cells", [])]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A migrated database with sheets that every guest may edit."""

    database_url: str

    def make_sheets(self, *slugs: str) -> None:
        code = "; ".join(_MAKE_SHEET.format(title=slug.title(), slug=slug) for slug in slugs)
        run_manage({"DATABASE_URL": self.database_url}, "shell", "-v", "0", "-c", code)

    def log(self, slug: str = "prices") -> list[LogLine]:
        """Return the sheet's log in order."""
        rows = self._rows(
            "SELECT log.number, log.operation_id, log.author_kind, log.operation "
            "FROM cells_revision AS log JOIN cells_sheet AS sheet ON sheet.id = log.sheet_id "
            "WHERE sheet.slug = '{slug}' ORDER BY log.number",
            slug,
        )
        return [
            LogLine(
                number,
                str(UUID(str(operation_id))),
                kind,
                json.loads(operation) if isinstance(operation, str) else operation,
            )
            for number, operation_id, kind, operation in rows
        ]

    def cells(self, slug: str = "prices") -> dict[tuple[int, int], str]:
        """Return the inputs of the sheet's filled cells by row and column id."""
        rows = self._rows(
            'SELECT cell."row", cell."column", cell.input '
            "FROM cells_cell AS cell JOIN cells_sheet AS sheet ON sheet.id = cell.sheet_id "
            "WHERE sheet.slug = '{slug}' AND cell.input <> ''",
            slug,
        )
        return {(row, column): text for row, column, text in rows}

    def cells_by_position(self, slug: str = "prices") -> dict[tuple[int, int], str]:
        """Return the inputs of the filled cells of living rows and columns by their positions."""
        rows, columns = (
            {id_: position for position, id_ in enumerate(_living(runs))}
            for runs in self.axes(slug)
        )
        return {
            (rows[row], columns[column]): text
            for (row, column), text in self.cells(slug).items()
            if row in rows and column in columns
        }

    def axes(self, slug: str = "prices") -> tuple[list[list[int]], list[list[int]]]:
        """Return the sheet's rows and columns as runs, as the wire has them."""
        ((rows, columns),) = self._rows(
            "SELECT rows, columns FROM cells_sheet WHERE slug = '{slug}'", slug
        )
        rows, columns = (
            json.loads(runs) if isinstance(runs, str) else runs for runs in (rows, columns)
        )
        return told_apart(rows)[0], told_apart(columns)[0]

    def head(self, slug: str = "prices") -> int:
        ((head,),) = self._rows("SELECT head FROM cells_sheet WHERE slug = '{slug}'", slug)
        return int(head)

    def _rows(self, query: str, slug: str) -> list[tuple[Any, ...]]:
        query = query.format(slug=slug)  # a slug of ours; the two drivers mark parameters unalike
        if self.database_url.startswith("sqlite"):
            sqlite = sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=20)
            try:
                return sqlite.execute(query).fetchall()
            finally:
                sqlite.close()
        with psycopg.connect(self.database_url) as postgresql:
            return postgresql.execute(query.encode()).fetchall()


def _living(runs: list[list[int]]) -> list[int]:
    return [id_ for first, count in runs for id_ in range(first, first + count)]
