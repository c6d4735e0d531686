"""CSV files: a sheet written as RFC 4180 says. https://www.rfc-editor.org/rfc/rfc4180"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import msgspec

from cells.domain.defusing import defused
from cells.domain.values import value_text
from cells.services.exporting import Exported, ExportedCell, exported_sheet

_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)  # of spreadsheets
_LAST_DAY = 2_958_465  # 31 December 9999
_MOMENTS = ("date", "time", "datetime")


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
            writer = csv.writer(text)
            blank = [""] * width
            written = 0
            for position, cells in sheet.rows(has_looks=False):
                writer.writerows(_repeated(blank, position - written))
                fields = blank.copy()
                for cell in cells:
                    fields[cell.column] = shown(cell)
                writer.writerow(fields)
                written = position + 1
        text.flush()
        return Exported(written, sheet.head)
    finally:
        text.detach()  # the file is the caller's, and stays open


def _repeated(blank: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    for _ in range(count):
        yield blank


def _as_it_reads(cell: ExportedCell) -> str:
    return cell.text


def _as_value(cell: ExportedCell) -> str:
    if not cell.is_formula or cell.value is None:
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
