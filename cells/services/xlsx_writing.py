"""XLSX files: a sheet written with its values, formulas, looks and sizes, a row at a time."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import IO, Any

import msgspec
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from cells.domain.values import value_text
from cells.services.exporting import Exported, ExportedCell, ExportedSheet, exported_sheet
from cells.services.xlsx_numbers import styled_format, written_input
from cells.services.xlsx_strings import escaped, is_plain

COLUMN_WIDTH_PIXELS = 112  # what the grid gives a column without a width of its own
MAX_FORMATS = 20_000  # a file holds 64,000 looks; each costs memory until the file is closed
MAX_FORMULA_CHARACTERS = 8_192  # Excel's own limit: it takes a file with more for damaged
MAX_NAME_CHARACTERS = 31
_END = 1 << 31  # behind every row
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def write_xlsx(sheet_id: int, file: IO[bytes]) -> Exported:
    """Write a sheet; return how much that was. Raises NoSuchSheet.

    Texts are strings, whatever they begin with. The rows are written to a temporary file as they
    come, so memory does not grow with the sheet.
    """
    with exported_sheet(sheet_id) as sheet:
        # Functions that are newer than the format need a prefix in the file, and have none here.
        options = {"constant_memory": True, "use_future_functions": True}
        with Workbook(file, options) as book:
            return Exported(_Writing(book, sheet).write(), sheet.head)


def sheet_name(title: str) -> str:
    """Return a title as a name that Excel allows a sheet."""
    name = _NOT_IN_NAMES.sub(" ", title)[:MAX_NAME_CHARACTERS].strip(" '")
    return "Sheet1" if not name or name.lower() == "history" else name


class _Page(Worksheet):
    """Strings are what they are, where XlsxWriter knows better; it is pinned for that."""

    @staticmethod
    def _escape_control_characters(data: str | int) -> str | int:
        """Escape underscores that another one follows too closely for XlsxWriter's own pattern."""
        return escaped(data) if isinstance(data, str) else data

    def _xml_rich_inline_string(self, string: str, attributes: Any = ()) -> None:
        """Write `<r>…</r>` as the text that it is: as XML it could say anything, formulas too."""
        self._xml_inline_string(string, preserve=False, attributes=attributes)


class _Writing:
    def __init__(self, book: Workbook, sheet: ExportedSheet) -> None:
        self._book = book
        self._sheet = sheet
        self._page: Worksheet = book.add_worksheet(sheet_name(sheet.title), _Page)
        self._plain: Format = book.add_format()
        self._formats: dict[tuple[str, str, bool], Format | None] = {}

    def write(self) -> int:
        columns = len(self._sheet.axes.columns)
        if columns:
            self._page.set_column_pixels(0, columns - 1, COLUMN_WIDTH_PIXELS)
        for first, count, pixels in self._sheet.column_sizes:
            self._page.set_column_pixels(first, first + count - 1, pixels)
        if any(self._sheet.frozen):
            self._page.freeze_panes(*self._sheet.frozen)
        written = 0
        heights = chain(self._heights(), [(_END, 0)])
        due, pixels = next(heights)
        for row, cells in chain(self._sheet.rows(), [(_END, [])]):
            while due < row:
                self._page.set_row_pixels(due, pixels)
                # In constant memory a row without any cell is not written, and has no height.
                self._page.write_blank(due, 0, None, self._plain)
                due, pixels = next(heights)
            if row == _END:
                break
            if due == row:
                self._page.set_row_pixels(due, pixels)
                due, pixels = next(heights)
            for cell in cells:
                self._write(row, cell)
            written = row + 1
        return written

    def _heights(self) -> Iterator[tuple[int, int]]:
        for first, count, pixels in self._sheet.row_sizes:
            for row in range(first, first + count):
                yield row, pixels or 0

    def _write(self, row: int, cell: ExportedCell) -> None:
        style = _decoded(cell.style)
        if cell.is_formula and _can_be_formula(cell):
            look = self._format(cell.style, style, styled_format(style))
            # Of a brace at the end XlsxWriter takes one away, as an array formula's.
            text = f"{cell.text}}}" if cell.text.endswith("}") else cell.text
            self._page.write_formula(row, cell.column, text, look, _cached(cell.value))
            return
        if not cell.text:
            self._page.write_blank(row, cell.column, None, self._format(cell.style, style, ""))
            return
        value, number_format, is_marked = written_input(cell.text, style)
        look = self._format(cell.style, style, number_format, is_marked=is_marked)
        match value:
            case bool():
                self._page.write_boolean(row, cell.column, value, look)
            case str():
                self._page.write_string(row, cell.column, value, look)
            case _:
                self._page.write_number(row, cell.column, value, look)

    def _format(
        self,
        text: str,
        style: Mapping[str, Any],
        number_format: str,
        *,
        is_marked: bool = False,
    ) -> Format | None:
        key = text, number_format, is_marked
        if key not in self._formats:
            if len(self._formats) >= MAX_FORMATS:
                return None
            properties = _properties(style, number_format, is_marked)
            self._formats[key] = self._book.add_format(properties) if properties else None
        return self._formats[key]


def _can_be_formula(cell: ExportedCell) -> bool:
    """Say whether Excel reads a formula; one that it does not, it takes for a damaged file."""
    unreadable = isinstance(cell.value, Mapping) and cell.value.get("error") == "#ERROR!"
    return not unreadable and len(cell.text) <= MAX_FORMULA_CHARACTERS and is_plain(cell.text)


def _cached(value: Any) -> Any:
    """Return what a file keeps of a formula's value; "" for none."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return value_text(value)
    return escaped(value) if isinstance(value, str) else value


_decode = partial(msgspec.json.decode, type=dict[str, Any])


def _decoded(style: str) -> dict[str, Any]:
    return _decode(style) if style else {}


def _properties(style: Mapping[str, Any], number_format: str, is_marked: bool) -> dict[str, Any]:
    """Return a style in XlsxWriter's words. https://xlsxwriter.readthedocs.io/format.html"""
    named = {
        "bold": style.get("bold"),
        "italic": style.get("italic"),
        "font_strikeout": style.get("strike"),
        "font_color": style.get("color"),
        "bg_color": style.get("fill"),
        "align": style.get("align"),
        "text_wrap": style.get("wrap"),
        "num_format": number_format,
        "quote_prefix": is_marked,  # so that Excel does not read it anew when it is edited
    }
    return {name: value for name, value in named.items() if value}
