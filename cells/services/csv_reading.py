"""CSV files of others: their encoding and delimiter found out, and their rows read."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice
from typing import IO

from cells.domain.defusing import fused, is_defused
from cells.domain.errors import LimitExceeded, Malformed, UnreadableFile
from cells.domain.literals import input_of
from cells.domain.operations import MAX_INPUT_CHARACTERS, check_text
from cells.services.importing import FileCell, FileRow

SAMPLE_BYTES = 256 * 1024  # enough for a delimiter; whether all of it is UTF-8 the whole file says
DELIMITERS = (",", ";", "\t", "|")  # the first wins where nothing tells
SAMPLED_ROWS = 200
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What Windows writes in Western Europe; its gaps are those of Latin-1, so nothing cannot be read.
FALLBACK = "cp1252"
# Python's own ways of writing a text, in no file of a spreadsheet's: two of them do not end on a
# large file within hours, and one fails on any.
_NO_FILES = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))
# A delimiter within a field; not a decimal comma, nor one of prose.
_STRAY = re.compile(r"[;|\t](?! )|(?<!\d),(?! )|,(?![\d ])")


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is to be read: a codec of Python's, and what stands between fields."""

    encoding: str
    delimiter: str


def detect_form(
    file: IO[bytes],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    is_whole: bool = True,
) -> CsvForm:
    """Return how a file is written, as far as it is not told.

    One that is only the beginning of a file (not `is_whole`) may end within a character.
    Raises Malformed for an encoding or delimiter that there is not.
    """
    _check_told(encoding, delimiter)
    found = encoding or _detect_encoding(file, is_whole)
    file.seek(0)
    sample = file.read(SAMPLE_BYTES).decode(found, "replace")
    file.seek(0)
    return CsvForm(found, delimiter or _detect_delimiter(sample))


def read_csv(
    file: IO[bytes],
    form: CsvForm,
    *,
    text_only: frozenset[int] = frozenset(),
    texts: frozenset[int] = frozenset(),
) -> Generator[FileRow, None, None]:
    """Yield the rows that have a text in them, from the top.

    What begins with = is a formula, but for the columns of `text_only`, where it gets an
    apostrophe; in those of `texts` numbers, dates and truths get one as well. Raises
    UnreadableFile, InvalidText or LimitExceeded, which name the row.
    """

    def typed(column: int, field: str) -> str:
        if column in texts:
            return field if is_defused(field) else input_of(field)
        return _without_formula(field) if column in text_only else fused(field)

    file.seek(0)
    text = io.TextIOWrapper(file, form.encoding, newline="")
    row = -1
    try:
        for row, fields in enumerate(csv.reader(text, delimiter=form.delimiter)):
            cells = [
                FileCell(column, typed(column, field))
                for column, field in enumerate(fields)
                if field
            ]
            for cell in cells:
                _check(row, cell)
            if cells:
                yield FileRow(row, cells)
    except UnicodeError as error:
        raise UnreadableFile(
            f"the file is not {form.encoding} behind row {row + 1:,}; name its encoding"
        ) from error
    except csv.Error as error:
        if "field larger" in str(error):
            raise LimitExceeded(_too_long(f"row {row + 2:,}")) from error
        raise UnreadableFile(f"the file cannot be read behind row {row + 1:,}: {error}") from error
    finally:
        text.detach()


def _check_told(encoding: str | None, delimiter: str | None) -> None:
    if encoding is not None:
        try:
            codec = codecs.lookup(encoding)
            is_text = codec._is_text_encoding and codec.name.replace("_", "-") not in _NO_FILES
        except (LookupError, ValueError):  # ValueError: a NUL in the name
            is_text = False
        if not is_text:
            raise Malformed(f"there is no encoding {encoding[:40]!r}; try utf-8 or cp1252")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise Malformed("the delimiter must be one character, such as ; or a tab")


def _detect_encoding(file: IO[bytes], is_whole: bool) -> str:
    """Read the whole file: one that is not UTF-8 may say so in its last line."""
    file.seek(0)
    start = file.read(SAMPLE_BYTES)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if (order := _utf16_without_mark(start)) is not None:
        return order
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = start
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = file.read(SAMPLE_BYTES)
        decoder.decode(b"", final=is_whole)
    except UnicodeDecodeError:
        return FALLBACK if _is_of_windows(file) else "latin-1"
    return "utf-8"


def _utf16_without_mark(start: bytes) -> str | None:
    """Return UTF-16's order of bytes where most characters are Latin ones: each other byte is 0."""
    sample = start[:4_096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half and odd > half * 0.6 and not even:
        return "utf-16-le"
    if half and even > half * 0.6 and not odd:
        return "utf-16-be"
    return None


def _is_of_windows(file: IO[bytes]) -> bool:
    """Say whether no byte is one of the five that Windows-1252 leaves out."""
    file.seek(0)
    gaps = b"\x81\x8d\x8f\x90\x9d"
    while chunk := file.read(SAMPLE_BYTES):
        if len(chunk.translate(None, gaps)) != len(chunk):
            return False
    return True


def _detect_delimiter(sample: str) -> str:
    """Return what cuts most rows into the same number of fields, more than one, and neatly.

    Not csv.Sniffer, which takes letters for delimiters and needs seconds for some files.
    """
    return max(DELIMITERS, key=lambda delimiter: _score(sample, delimiter))


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        rows = [fields for fields in islice(reader, SAMPLED_ROWS) if fields]
    except csv.Error:
        return 0.0, 0
    if not rows:
        return 0.0, 0
    widths = Counter(map(len, rows))
    usual, count = max(widths.items(), key=lambda found: (found[1], found[0]))
    if usual == 1:
        # Ragged, or not this one: a row with it in three is a hint all the same.
        return 0.5 * (1 - widths[1] / len(rows)), 0
    strays = [stray for fields in rows for field in fields for stray in _STRAY.findall(field)]
    quotes = sum(field.count('"') % 2 for fields in rows for field in fields)
    untidiness = (len(strays) + 3 * quotes) / sum(map(len, rows))
    return 1 + count / len(rows) - 0.5 * untidiness, usual


def _without_formula(field: str) -> str:
    return f"'{field}" if field[:1] == "=" and len(field) > 1 else field


def _check(row: int, cell: FileCell) -> None:
    if len(cell.text) > MAX_INPUT_CHARACTERS:
        raise LimitExceeded(_too_long(f"row {row + 1:,}, column {cell.column + 1:,}"))
    if "\0" in cell.text or not cell.text.isascii():
        check_text(cell.text)


def _too_long(place: str) -> str:
    return f"{place}: a cell holds at most {MAX_INPUT_CHARACTERS:,} characters"
