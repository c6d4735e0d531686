"""The client: a server and a token, and the sheets behind them."""

from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from sheetsync_client.answers import Imported, SheetInfo
from sheetsync_client.connection import Connection
from sheetsync_client.sheet import Sheet, import_file

SHEETS_PER_PAGE = 100


class Client:
    """Acts for a person, by a token of theirs. Close it, or use it in `with`.

    Every request, except for a copy, is made again for `retry_seconds` while the server does not
    answer or says that it cannot now; a write keeps its key, and is committed once. A piece of an
    answer may take `timeout_seconds`. May be shared by threads.
    """

    def __init__(
        self, url: str, token: str, *, timeout_seconds: float = 30, retry_seconds: float = 60
    ) -> None:
        self._connection = Connection(
            url, token, timeout_seconds=timeout_seconds, retry_seconds=retry_seconds
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; watches end."""
        self._connection.close()

    def sheet(self, slug: str) -> Sheet:
        """Return a sheet by the slug in its address. Asks nothing."""
        return Sheet(self._connection, slug)

    def sheets(self, search: str = "") -> Iterator[SheetInfo]:
        """Yield the sheets of the token's person, the newest edit first."""
        page = pages = 1
        while page <= pages:
            params = {"search": search, "page": page, "page_size": SHEETS_PER_PAGE}
            body = self._connection.ask("GET", "/sheets", params=params).json()
            yield from map(SheetInfo.from_json, body["sheets"])
            page, pages = page + 1, body["pages"]

    def create(
        self, title: str = "Untitled sheet", *, time_zone: str = "", key: str | None = None
    ) -> Sheet:
        """Make an empty sheet; with a key of one's own, one for each."""
        body = {"title": title, "time_zone": time_zone}
        headers = {"Idempotency-Key": key or str(uuid4())}
        made = self._connection.ask("POST", "/sheets", body=body, headers=headers).json()
        return self.sheet(made["slug"])

    def import_file(
        self,
        path: str | Path,
        *,
        title: str = "",
        encoding: str | None = None,
        delimiter: str | None = None,
        text_only: Collection[str] = (),
        texts: Collection[str] = (),
        key: str | None = None,
    ) -> Imported:
        """Make a sheet of a CSV or XLSX file, as Sheet.import_file does; its slug is said."""
        params = {
            "title": title,
            "encoding": encoding,
            "delimiter": delimiter,
            "text_only": ",".join(text_only),
            "texts": ",".join(texts) or None,
        }
        return import_file(self._connection, "/imports", Path(path), params, key)
