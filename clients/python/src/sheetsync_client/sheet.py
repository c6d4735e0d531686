"""A sheet: its cells, records, rows and columns, its log, its files, and what happens to it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx

from sheetsync_client.answers import (
    CellRange,
    Imported,
    LogLine,
    Record,
    Records,
    SheetInfo,
    Written,
)
from sheetsync_client.connection import CONNECT_SECONDS, Connection
from sheetsync_client.errors import NoSuchSheet
from sheetsync_client.files import media_type_of, pieces, replace_file
from sheetsync_client.inputs import Input, json_fields, json_of
from sheetsync_client.watching import Watch

FILE_SECONDS = 1_800.0  # two million cells are some minutes
FILE_TIMEOUT = httpx.Timeout(FILE_SECONDS, connect=CONNECT_SECONDS)
RECORDS_PER_PAGE = 1_000

AxisName = Literal["rows", "columns"]


class Sheet:
    """A sheet by its slug; what it returns is as of the moment of the call.

    Of writes, `expected_revision` refuses with Outdated once there is a newer revision; `key` names
    the edit: made again with the same key, also by another process, it is committed once.
    """

    def __init__(self, connection: Connection, slug: str) -> None:
        self.slug = slug
        self._connection = connection
        self._path = f"/sheets/{slug}"

    def __repr__(self) -> str:
        return f"Sheet({self.slug!r})"

    # -- as a whole ------------------------------------------------------------------------------

    def info(self) -> SheetInfo:
        """Return its title, its newest revision, and what the token's person may do."""
        return SheetInfo.from_json(self._connection.ask("GET", self._path).json())

    def rename(self, title: str) -> None:
        """Give it another title."""
        self._connection.ask("PATCH", self._path, body={"title": title})

    def duplicate(self, title: str | None = None) -> "Sheet":
        """Copy it into a new sheet. Tried once: a copy has no key."""
        made = self._connection.ask(
            "POST", f"{self._path}/duplicate", body={"title": title}, is_repeatable=False
        )
        return Sheet(self._connection, made.json()["slug"])

    def delete(self) -> None:
        """Take it off its people's lists; its owner can bring it back for 30 days."""
        try:
            self._connection.ask("DELETE", self._path)
        except NoSuchSheet as error:
            if error.attempts == 1:  # else an attempt whose answer was lost has done it
                raise

    # -- cells -----------------------------------------------------------------------------------

    def read(self, range: str) -> CellRange:  # noqa: A002 - what spreadsheets call it
        """Return a rectangle such as "A1:C9", of 20,000 cells at the most."""
        answer = self._connection.ask("GET", f"{self._path}/cells", params={"range": range})
        return CellRange.from_json(answer.json())

    def read_if_changed(self, range: str, since: int) -> CellRange | None:  # noqa: A002
        """Return the same, or None while the sheet is at revision `since`."""
        answer = self._connection.ask(
            "GET",
            f"{self._path}/cells",
            params={"range": range},
            headers={"If-None-Match": f'"{since}"'},
        )
        return None if answer.status_code == 304 else CellRange.from_json(answer.json())

    def write(
        self,
        cells: Mapping[str, Input],
        *,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Give cells their inputs by address, as one edit: `{"A1": "Bid", "B1": "=A2*2"}`."""
        edits = [{"address": at, "input": json_of(value)} for at, value in cells.items()]
        return self._write("PATCH", "cells", {"edits": edits}, expected_revision, key)

    # -- records ---------------------------------------------------------------------------------

    def read_records(self, *, after: int = 1, limit: int = 100) -> Records:
        """Return the records below row `after`, the headers' being 1, and where more are."""
        params = {"after": after, "limit": limit}
        answer = self._connection.ask("GET", f"{self._path}/records", params=params)
        return Records.from_json(answer.json())

    def records(self) -> Iterator[Record]:
        """Yield all records, page by page; rows that are moved meanwhile may be missed."""
        after: int | None = 1
        while after is not None:
            page = self.read_records(after=after, limit=RECORDS_PER_PAGE)
            yield from page.records
            after = page.next

    def append(
        self,
        records: Sequence[Mapping[str, Input]],
        *,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Write records below the last used row, as one edit."""
        body = {"records": [json_fields(record) for record in records]}
        return self._write("POST", "records", body, expected_revision, key)

    def upsert(
        self,
        key_values: Mapping[str, Input],
        values: Mapping[str, Input],
        *,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Give the topmost record that has `key_values` its values; without one, append it."""
        body = {"key": json_fields(key_values), "values": json_fields(values)}
        return self._write("PUT", "records", body, expected_revision, key)

    # -- rows and columns: places count from 1 ---------------------------------------------------

    def insert(
        self,
        axis: AxisName,
        *,
        before: int | None = None,
        count: int = 1,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Add empty rows or columns in front of a place, or at the end."""
        body = {"before": before, "count": count}
        return self._write("POST", f"{axis}/insert", body, expected_revision, key)

    def remove(
        self,
        axis: AxisName,
        first: int,
        count: int = 1,
        *,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Delete rows or columns that stand together."""
        body = {"first": first, "count": count}
        return self._write("POST", f"{axis}/delete", body, expected_revision, key)

    def move(
        self,
        axis: AxisName,
        first: int,
        count: int = 1,
        *,
        before: int | None = None,
        expected_revision: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Put rows or columns that stand together in front of a place, or at the end."""
        body = {"first": first, "count": count, "before": before}
        return self._write("POST", f"{axis}/move", body, expected_revision, key)

    # -- the log, files, and what comes ----------------------------------------------------------

    def revisions(self, *, before: int | None = None) -> Iterator[LogLine]:
        """Yield the log's edits, the newest first, those before a revision alone."""
        while True:
            page = self._connection.ask(
                "GET", f"{self._path}/revisions", params={"before": before}
            ).json()
            yield from map(LogLine.from_json, page["revisions"])
            before = page["older"]
            if before is None:
                return

    def export(self, path: str | Path, *, formulas: bool = False) -> int:
        """Write the sheet, as it is in one moment, into a .csv or .xlsx file; return its revision.

        With `formulas` a CSV file has all as it reads: formulas, and texts that would run as some.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".csv", ".xlsx"):
            raise ValueError(f"{path.name!r} says no format: let it end in .csv or .xlsx")
        params = {"formulas": "true"} if formulas and kind == ".csv" else None

        def attempt() -> int:
            address = f"{self._path}/export{kind}"
            with self._connection.stream(address, params=params, timeout=FILE_TIMEOUT) as answer:
                replace_file(path, answer.iter_bytes())
                return int(answer.headers["ETag"].strip('"'))

        return self._connection.trying(attempt)

    def import_file(
        self,
        path: str | Path,
        *,
        at: str = "A1",
        encoding: str | None = None,
        delimiter: str | None = None,
        text_only: Collection[str] = (),
        texts: Collection[str] = (),
        key: str | None = None,
    ) -> Imported:
        """Lay a CSV or XLSX file over the sheet; what is empty in it stays. Returns when all is in.

        `text_only` are the file's columns whose formulas stay texts: `["A", "C"]`; `texts`
        are those that are texts though they read as numbers or dates.
        """
        params = {
            "at": at,
            "encoding": encoding,
            "delimiter": delimiter,
            "text_only": ",".join(text_only),
            "texts": ",".join(texts) or None,
        }
        return import_file(self._connection, f"{self._path}/import", Path(path), params, key)

    def watch(self, after: int | None = None, *, seconds: float | None = None) -> Watch:
        """Follow the sheet from a revision on, or from now: yields each Change as it comes.

        Goes on over outages and restarts, for `seconds` or until it is closed; no revision is
        missed or told twice. Raises NoSuchSheet or NotAllowed once the sheet cannot be read.
        """
        if after is None:
            after = self.info().revision
        return Watch(self._connection, f"{self._path}/changes", after, seconds)

    def _write(
        self, method: str, what: str, body: object, expected_revision: int | None, key: str | None
    ) -> Written:
        answer = self._connection.write(
            method, f"{self._path}/{what}", body, expected_revision=expected_revision, key=key
        )
        return Written.from_json(answer)


def import_file(
    connection: Connection, address: str, path: Path, params: dict[str, Any], key: str | None
) -> Imported:
    """Send a file, by pieces, to where it is imported."""
    headers = {
        "Content-Type": media_type_of(path),
        "Content-Length": str(path.stat().st_size),
        "Idempotency-Key": key or str(uuid4()),
    }
    answer = connection.send(
        "POST",
        address,
        lambda: pieces(path),
        params={**params, "name": path.name},
        headers=headers,
        timeout=FILE_TIMEOUT,
    )
    return Imported.from_json(answer.json())
