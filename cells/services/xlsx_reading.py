"""XLSX files of others: what makes them dangerous refused, then read a row at a time."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from openpyxl import DEFUSEDXML
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from cells.domain.axes import MAX_COLUMNS, MAX_ROWS
from cells.domain.errors import DangerousFile, LimitExceeded, UnreadableFile
from cells.domain.literals import TEXT_MARK, input_of
from cells.domain.operations import MAX_INPUT_CHARACTERS, check_text
from cells.domain.sizes import MAX_SIZE_PIXELS, MIN_SIZE_PIXELS
from cells.services.failures import reason_of
from cells.services.importing import FileCell, FileRow, Shape
from cells.services.xlsx_looks import Look, look_of
from cells.services.xlsx_strings import unescaped

MAX_UNPACKED_BYTES = 1_000_000_000  # a sheet of 2,000,000 cells with looks is 150 MB
MAX_PART_BYTES = 200_000_000  # of what is read whole: shared strings, styles
MAX_RATIO = 200  # a sheet of one number a million times packs 30 to 1
RATIO_FROM_BYTES = 10_000_000  # a smaller part harms nobody, however well it packs
MAX_PARTS = 5_000
PIXELS_PER_CHARACTER = 7  # of the usual font
PIXELS_PER_POINT = 96 / 72

# What a newer function has in the file and nobody types.
_PREFIXES = re.compile(r"_xlfn\.|_xlws\.|_xlpm\.")
# openpyxl has no error of its own: a file that lies makes it trip wherever it stands.
_READING = (
    *(zipfile.BadZipFile, zlib.error, ParseError, EOFError, NotImplementedError, RuntimeError),
    *(KeyError, IndexError, ValueError, TypeError, AttributeError, OSError, AssertionError),
)

if not DEFUSEDXML:  # OPENPYXL_DEFUSEDXML=False in the environment
    raise ImportError("openpyxl must read XML by defusedxml: unset OPENPYXL_DEFUSEDXML")


@contextmanager
def opened_xlsx(file: IO[bytes]) -> Iterator["XlsxFile"]:
    """Open a workbook's first visible sheet.

    Raises DangerousFile for a bomb or XML with entities, UnreadableFile for what is no workbook.
    """
    with _refusals():
        _check_archive(file)
        reader = _Reader(file, read_only=True, keep_links=False)
        reader.read()
        book = reader.wb
    try:
        pages = [page for page in book.worksheets if page.sheet_state == "visible"]
        if not pages:
            raise UnreadableFile("the workbook has no visible sheet")
        yield XlsxFile(book, pages[0])
    finally:
        book.close()


class _Reader(ExcelReader):
    """openpyxl's, but for its shared strings: it takes each `x005F_` away, escaped or not."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = list(_strings(source))


def _strings(source: IO[bytes]) -> Iterator[str]:
    for _, element in iterparse(source):
        if element.tag == f"{{{SHEET_MAIN_NS}}}si":
            yield Text.from_tree(element).content
            element.clear()


class XlsxFile:
    """A sheet of a workbook; `shape` is filled in while the rows are read."""

    def __init__(self, book: Any, page: Any) -> None:
        self.shape = Shape()
        self.name: str = page.title
        self._book = book
        self._page = page
        self._looks: dict[int, Look] = {}

    def rows(
        self, text_only: frozenset[int] = frozenset(), texts: frozenset[int] = frozenset()
    ) -> Iterator[FileRow]:
        """Yield the rows with cells that hold or show something; columns as of a CSV file.

        Raises DangerousFile, UnreadableFile, LimitExceeded or InvalidText.
        """
        with _refusals(), self._page._get_source() as source:
            # What openpyxl's own read-only sheet does, which keeps no widths and no panes.
            parser = WorkSheetParser(
                source,
                self._page._shared_strings,
                epoch=self._book.epoch,
                date_formats=self._book._date_formats,
                timedelta_formats=self._book._timedelta_formats,
            )
            last = 0
            for number, raw in parser.parse():
                if number <= last or number > MAX_ROWS:
                    raise LimitExceeded(f"row {number:,}: rows must ascend to {MAX_ROWS:,} at most")
                last = number
                self._note_height(number - 1, parser.row_dimensions.pop(str(number), None))
                found = (self._cell(number, each, text_only, texts) for each in raw)
                cells = [cell for cell in found if cell]
                if cells:
                    yield FileRow(number - 1, cells)
            self._note_shape(parser)

    def _cell(
        self, row: int, raw: dict[str, Any], text_only: frozenset[int], texts: frozenset[int]
    ) -> FileCell | None:
        column = raw["column"] - 1
        if column >= MAX_COLUMNS:
            raise LimitExceeded(f"row {row:,} has more than {MAX_COLUMNS:,} columns")
        look = self._look(raw["style_id"])
        text, style = _input(raw["value"], raw["data_type"], look)
        is_other = column in texts or (column in text_only and text[:1] == "=")
        if is_other and text[:1] != TEXT_MARK:
            text = input_of(text)
        if not text and not style:
            return None
        if len(text) > MAX_INPUT_CHARACTERS:
            raise LimitExceeded(
                f"row {row:,}, column {column + 1:,}: a cell holds at most "
                f"{MAX_INPUT_CHARACTERS:,} characters"
            )
        if not text.isascii() or "\0" in text:
            check_text(text)
        return FileCell(column, text, style)

    def _look(self, style_id: int) -> Look:
        if style_id not in self._looks:
            cell = ReadOnlyCell(self._page, 1, 1, None, "n", style_id)
            self._looks[style_id] = look_of(cell)
        return self._looks[style_id]

    def _note_height(self, row: int, attributes: dict[str, str] | None) -> None:
        if attributes and attributes.get("customHeight") in ("1", "true") and "ht" in attributes:
            pixels = _pixels(float(attributes["ht"]) * PIXELS_PER_POINT)
            self.shape.row_sizes.append((row, 1, pixels))

    def _note_shape(self, parser: WorkSheetParser) -> None:
        for attributes in parser.column_dimensions.values():
            first, last = int(attributes["min"]), min(int(attributes["max"]), MAX_COLUMNS)
            if "width" in attributes and 1 <= first <= last:
                pixels = _pixels(float(attributes["width"]) * PIXELS_PER_CHARACTER)
                self.shape.column_sizes.append((first - 1, last - first + 1, pixels))
        views = getattr(parser, "views", None)
        pane = views.sheetView[0].pane if views and views.sheetView else None
        if pane is not None and pane.state in ("frozen", "frozenSplit"):
            self.shape.frozen = int(pane.ySplit or 0), int(pane.xSplit or 0)


def _input(value: Any, kind: str, look: Look) -> tuple[str, str]:
    """Return what somebody would have typed for a value, and the style that it needs then."""
    match value:
        case None:
            return "", look.style_of_blank
        case bool():
            return ("TRUE" if value else "FALSE"), look.style
        case int() | float():
            return look.number(value)
        case datetime() | date() | time() | timedelta():
            return look.moment(value)
        case ArrayFormula():
            return _formula(value.text or ""), look.style
        case str() if kind == "f":
            return _formula(value), look.style
        case str():
            value = unescaped(value)
            # A text is one in the file, whatever it looks like, and must not become anything else.
            return (f"{TEXT_MARK}{value}" if look.is_marked else input_of(value)), look.style
        case _:
            return "", look.style_of_blank  # a what-if table of Excel's, say


def _formula(text: str) -> str:
    bare = _PREFIXES.sub("", text)
    return bare if len(bare) > 1 else ""


def _pixels(size: float) -> int:
    return max(MIN_SIZE_PIXELS, min(MAX_SIZE_PIXELS, round(size)))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except _READING as error:
        if _is_of_entities(error):
            raise DangerousFile(
                "the file has XML with entities of its own; no spreadsheet needs any"
            ) from error
        reason = reason_of(error)[:200]
        raise UnreadableFile(
            f"the file is no XLSX workbook, or is damaged, or has a password: {reason}"
        ) from error


def _is_of_entities(error: BaseException | None) -> bool:
    """Look through what openpyxl made of it: defusedxml's own error is a ValueError."""
    while error is not None:
        if isinstance(error, DefusedXmlException):
            return True
        error = error.__cause__ or error.__context__
    return False


def _check_archive(file: IO[bytes]) -> None:
    """Refuse by the archive's own list what would unpack to too much.

    zipfile reads no more of a part than the list says, so that a list that lies makes it fail.
    """
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    if len(parts) > MAX_PARTS or len({part.filename for part in parts}) < len(parts):
        raise DangerousFile("the file has too many parts, or parts of one name")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise DangerousFile(f"the file unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
    for part in parts:
        if part.file_size > RATIO_FROM_BYTES and part.file_size > MAX_RATIO * part.compress_size:
            raise DangerousFile(f"{part.filename[:80]!r} unpacks to {part.file_size:,} bytes")
        is_page = part.filename.startswith("xl/worksheets/")
        if not is_page and part.file_size > MAX_PART_BYTES:
            raise DangerousFile(f"{part.filename[:80]!r} has more than {MAX_PART_BYTES:,} bytes")
    file.seek(0)
