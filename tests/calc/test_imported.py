"""A workbook that comes in beside a calculator: its formulas come to what the file says they do."""

import io

import openpyxl
import pytest
import xlsxwriter

from cells.calc.calculator import Calculator
from cells.calc.following import FollowedSheet
from cells.domain.addresses import format_address, parse_address
from cells.models import AuthorKind, Cell, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.files import read_file
from cells.services.importing import Contents, run_import
from tests.calc.test_excel_cases import CASES, VECTORS, is_same

pytestmark = pytest.mark.django_db

FIRST_ROW, COLUMN = 1_000, 100  # beside everything that a case looks at
SAME = [case for case in CASES if "ours" not in case]
# The file's M5 is an empty text: in a sheet, nothing.
OF_TEXTS = {"=ISBLANK(M5)"}


def workbook() -> bytes:
    """Return the cases as a file: formulas with the results that Excel documents."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"use_future_functions": True})
    page = book.add_worksheet()
    for address, content in VECTORS["cells"].items():
        page.write(*parse_address(address), content)
    for row, case in enumerate(SAME, FIRST_ROW):
        formula, result = case["formula"], case["excel"]
        cached = result["error"] if isinstance(result, dict) else result
        # Of a brace at the end XlsxWriter takes one away, as an array formula's.
        text = formula + "}" if formula.endswith("}") else formula
        page.write_formula(row, COLUMN, text, None, cached)
    book.close()
    return data.getvalue()


def calculate(sheet: Sheet) -> None:
    """Let a calculator, with its process, follow a sheet until nothing is new."""
    followed = FollowedSheet(sheet.pk, sheet.slug, "", Calculator(name=sheet.slug))
    try:
        while followed.step() or followed.revision < Sheet.objects.get().head:
            pass
    finally:
        followed.close()


def test_formulas_of_a_file_come_to_its_cached_results() -> None:
    file = io.BytesIO(workbook())
    sheet = create_sheet(None, "Cases", slug="cases")
    with Contents() as contents:
        for _ in read_file(file, "cases.xlsx", contents):
            pass
        for _ in run_import(sheet, contents, Author(AuthorKind.API, "import")):
            pass
    calculate(sheet)
    page = openpyxl.load_workbook(file, data_only=True).active
    values = dict(Cell.objects.filter(column=COLUMN).values_list("row", "value"))
    assert len(values) == len(SAME) > 100
    differing = {}
    for row, case in enumerate(SAME, FIRST_ROW):
        cached = page[format_address(row, COLUMN)].value
        value = values[row]
        assert value is not None
        ours = value["error"] if isinstance(value, dict) else value
        if not is_same(ours, "" if cached is None else cached):
            differing[case["formula"]] = ours, cached
    assert differing.keys() == OF_TEXTS, differing
