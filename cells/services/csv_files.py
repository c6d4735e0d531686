"""CSV files: a sheet written as RFC 4180 says. https://www.rfc-editor.org/rfc/rfc4180"""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import msgspec

from cells.domain.defusing import defused
from cells.domain.literals import text_of
from cells.domain.values import value_text
from cells.services.exporting import Exported, ExportedCell, exported_sheet

_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)  # of spreadsheets
_LAST_DAY = 2_958_465  # 31 December 9999
_MOMENTS = ("date", "time", "datetime")
# What else may stand between fields is quoted, too: a program that guesses must not cut there.
_QUOTED = re.compile(r'[",;|\t\r\n]')


def write_csv(
    sheet_id: int, file: IO[bytes], *, formulas: bool = False, bom: bool = False
) -> Exported:
    """Write a sheet up to its last used row and column; return how much that was.

    A formula is written as what it came to, and nothing as a formula: see domain/defusing. With
    `formulas` all is written as it reads, formulas too. In UTF-8; with `bom` it begins with the
    mark by which Excel knows it. Raises NoSuchSheet.
    """
    encoding = "utf-8-sig" if bom else "utf-8"
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        with exported_sheet(sheet_id) as sheet:
            width = sheet.width()
            shown = _as_it_reads if formulas else _as_value
            blank = [""] * width
            blank_line = _line(blank)
            written = 0
            for position, cells in sheet.rows(has_looks=False):
                for _ in range(position - written):
                    text.write(blank_line)
                fields = blank.copy()
                for cell in cells:
                    fields[cell.column] = _field(shown(cell))
                text.write(_line(fields))
                written = position + 1
        text.flush()
        return Exported(written, sheet.head)
    finally:
        text.detach()  # the file is the caller's, and stays open


def _field(value: str) -> str:
    if _QUOTED.search(value) is None:
        return value
    quoted = value.replace('"', '""')
    return f'"{quoted}"'


def _line(fields: list[str]) -> str:
    # A line without a character is no row to many programs.
    return (",".join(fields) or '""') + "\r\n"


def _as_it_reads(cell: ExportedCell) -> str:
    return cell.text


def _as_value(cell: ExportedCell) -> str:
    if not cell.is_formula:
        return defused(text_of(cell.text))
    if cell.value is None:
        return defused(cell.text)
    return defused(_calculated(cell.value, cell.style))


def _calculated(value: Any, style: str) -> str:
    """Return a formula's value as text; a number whose cell shows a date, as that date."""
    if isinstance(value, int | float) and not isinstance(value, bool) and style:
        look = msgspec.json.decode(style).get("format")
        if look in _MOMENTS and 0 <= value <= _LAST_DAY:
            return _moment(value, look)
    return value_text(value)


def _moment(day: float, look: str) -> str:
    moment = _DAY_0 + timedelta(seconds=round(day * 86_400))
    if look == "date":
        return f"{moment:%Y-%m-%d}"
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return clock if look == "time" else f"{moment:%Y-%m-%d} {clock}"
