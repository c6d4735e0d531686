"""Files of either kind, opened to be imported."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import IO

from cells.domain.errors import UnreadableFile
from cells.services.csv_reading import CsvForm, detect_form, read_csv
from cells.services.importing import Contents, FileRow
from cells.services.xlsx_reading import opened_xlsx

_CSV = (".csv", ".tsv", ".txt", ".tab")
_ZIP = b"PK\x03\x04"


def is_xlsx(file: IO[bytes], name: str) -> bool:
    """Say whether a file is a workbook, by its name and first bytes.

    Raises UnreadableFile for what is neither that nor text.
    """
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    suffix = PurePath(name).suffix.lower()
    if suffix in (".xlsx", ".xlsm") or start.startswith(_ZIP):
        return True
    if suffix not in _CSV:
        raise UnreadableFile(f"{suffix or name!r} cannot be imported; save it as .xlsx or .csv")
    return False


def read_file(
    file: IO[bytes],
    name: str,
    contents: Contents,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    text_only: frozenset[int] = frozenset(),
    texts: frozenset[int] = frozenset(),
) -> Iterator[int]:
    """Read a file to its end into `contents`; yield now and then how many rows that are.

    Raises refusals that say what is wrong with it.
    """
    if is_xlsx(file, name):
        with opened_xlsx(file) as book:
            contents.shape = book.shape
            yield from contents.take(book.rows(text_only, texts))
        return
    form = detect_form(file, encoding=encoding, delimiter=delimiter)
    yield from contents.take(read_csv(file, form, text_only=text_only, texts=texts))


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file, as they would be imported; `form` is a CSV file's."""

    rows: list[FileRow]
    form: CsvForm | None


def preview(
    file: IO[bytes],
    name: str,
    count: int,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Preview:
    """Return a file's first rows; of a CSV file the beginning is enough. Raises as read_file."""
    if is_xlsx(file, name):
        with opened_xlsx(file) as book:
            return Preview(list(islice(book.rows(), count)), None)
    form = detect_form(file, encoding=encoding, delimiter=delimiter, is_whole=False)
    with closing(read_csv(file, form)) as rows:
        return Preview(list(islice(rows, count)), form)
