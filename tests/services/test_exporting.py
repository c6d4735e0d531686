import csv
import io
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cells.domain.axes import AxisName
from cells.domain.errors import NoSuchSheet
from cells.domain.operations import Delete, Freeze, Move, Resize, SetAddresses, set_cells
from cells.domain.values import SetValues
from cells.models import Sheet
from cells.services.access import create_sheet
from cells.services.csv_files import write_csv
from cells.services.shelf import delete_sheet
from cells.services.xlsx_writing import sheet_name, write_xlsx
from tests.services.prices import do, put

ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


def as_csv(sheet: Sheet, **wishes: bool) -> list[list[str]]:
    file = io.BytesIO()
    write_csv(sheet.pk, file, **wishes)
    return list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))


def as_xlsx(sheet: Sheet, *, data_only: bool = False) -> Any:
    file = io.BytesIO()
    write_xlsx(sheet.pk, file)
    return openpyxl.load_workbook(file, data_only=data_only).active


def values(sheet: Sheet, **by_address: Any) -> None:
    """Give formulas their values, as the calculator does; positions are ids here."""
    sheet.refresh_from_db()
    cells = tuple((int(a1[1:]) - 1, ord(a1[0]) - 65, value) for a1, value in by_address.items())
    do(SetValues(sheet.head, cells))


# -- CSV ------------------------------------------------------------------------------------------


def test_a_file_ends_at_the_last_used_row_and_column(sheet: Sheet) -> None:
    do(put("B2", "x"), put("A4", "y"), put("D5", ""))
    assert as_csv(sheet) == [["", ""], ["", "x"], ["", ""], ["y", ""]]


def test_an_empty_sheet_is_an_empty_file(sheet: Sheet) -> None:
    assert as_csv(sheet) == []


def test_rows_and_columns_come_as_they_stand_and_deleted_ones_do_not(sheet: Sheet) -> None:
    do(*(put(f"A{n}", f"a{n}") for n in range(1, 6)), put("B1", "b1"), put("C1", "c1"))
    do(put("Z5", "gone with its row"))
    do(Move(ROWS, ((2, 1),), 0), Delete(ROWS, ((4, 1),)), Move(COLUMNS, ((2, 1),), 0))
    do(Delete(COLUMNS, ((1, 1),)))
    assert as_csv(sheet) == [["", "a3"], ["c1", "a1"], ["", "a2"], ["", "a4"]]


def test_awkward_texts_come_back_from_a_reader(sheet: Sheet) -> None:
    awkward = [
        'say "x"',
        "a,b",
        "two\nlines",
        "two\r\nlines",
        "ends in \\",
        " spaces ",
        "ä€😀",
        ";",
    ]
    do(*(put(f"A{n}", text) for n, text in enumerate(awkward, 1)), put("B1", "x" * 32_767))
    rows = as_csv(sheet)
    assert [row[0] for row in rows] == awkward
    assert rows[0][1] == "x" * 32_767


def test_a_formula_is_what_it_came_to(sheet: Sheet) -> None:
    do(put("A1", "=1/4"), put("A2", "=1=1"), put("A3", "=1/0"), put("A4", "=B1&B2"))
    values(sheet, A1=0.25, A2=True, A3={"error": "#DIV/0!"}, A4="=cmd|x")
    assert as_csv(sheet) == [["0.25"], ["TRUE"], ["#DIV/0!"], ["'=cmd|x"]]


def test_formulas_come_as_they_read_by_explicit_wish_only(sheet: Sheet) -> None:
    do(put("A1", "=B1+1"), put("A2", "-x"))
    do(Move(ROWS, ((0, 1),), 2))
    assert as_csv(sheet) == [["'-x"], ["'=B2+1"]]  # not calculated yet
    assert as_csv(sheet, formulas=True) == [["-x"], ["=B2+1"]]


def test_a_text_goes_without_the_apostrophe_that_makes_it_one(sheet: Sheet) -> None:
    do(*(put(f"A{n}", text) for n, text in enumerate(["'00123", "'=A1", "''a", "'-x"], 1)))
    assert as_csv(sheet) == [["00123"], ["'=A1"], ["'a"], ["'-x"]]
    assert as_csv(sheet, formulas=True) == [["'00123"], ["'=A1"], ["''a"], ["'-x"]]


def test_a_formula_whose_cell_shows_a_date_is_that_date(sheet: Sheet) -> None:
    styles = {(0, 0): '{"format":"date"}', (1, 0): '{"format":"datetime"}'}
    styles[2, 0] = '{"format":"time"}'
    do(set_cells([(row, 0, "=A9") for row in range(3)], styles))
    values(sheet, A1=45_351, A2=45_351.5, A3=0.75)
    assert as_csv(sheet) == [["2024-02-29"], ["2024-02-29 12:00"], ["18:00"]]


def test_a_file_for_excel_begins_with_a_mark(sheet: Sheet) -> None:
    do(put("A1", "ä"))
    file = io.BytesIO()
    assert write_csv(sheet.pk, file, bom=True) == (1, 1)
    assert file.getvalue() == "\ufeffä\r\n".encode()


def test_a_deleted_sheet_is_not_exported(sheet: Sheet) -> None:
    delete_sheet(sheet)
    with pytest.raises(NoSuchSheet):
        write_csv(sheet.pk, io.BytesIO())
    with pytest.raises(NoSuchSheet):
        write_xlsx(sheet.pk, io.BytesIO())


class AnySheet(TestCase):
    @settings(max_examples=25)
    @given(
        st.dictionaries(
            st.tuples(st.integers(0, 30), st.integers(0, 8)),
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
            min_size=1,
            max_size=20,
        )
    )
    def test_every_text_is_where_it_was_typed(self, cells: dict[tuple[int, int], str]) -> None:
        Sheet.objects.filter(slug="prices").delete()
        sheet = create_sheet(None, "Prices", slug="prices")
        do(SetAddresses(tuple((*key, text) for key, text in cells.items())))
        rows = as_csv(sheet, formulas=True)
        assert {
            (row, column): text
            for row, texts in enumerate(rows)
            for column, text in enumerate(texts)
            if text
        } == {key: text for key, text in cells.items() if text}


# -- XLSX -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "number_format"),
    [
        ("42", 42, "General"),
        ("-1.5", -1.5, "General"),
        ("1.50", 1.5, "0.00"),
        ("1,000.5", 1000.5, "#,##0.0"),
        ("12%", 0.12, "0%"),
        ("12.5%", 0.125, "0.0%"),
        ("$1,000.50", 1000.5, "[$$]#,##0.00"),
        ("00123", 123, "00000"),
        ("12345678901234567890", "12345678901234567890", "General"),
        ("1e5", 100_000, "General"),
        ("true", True, "General"),
        ("=", "=", "General"),
        ("+1+1", "+1+1", "General"),
        ("@x", "@x", "General"),
        ("http://127.0.0.1/", "http://127.0.0.1/", "General"),
        ("1850-01-01", "1850-01-01", "General"),
    ],
)
def test_a_typed_text_is_a_value_of_its_kind(
    sheet: Sheet, text: str, value: Any, number_format: str
) -> None:
    do(put("B2", text))
    cell = as_xlsx(sheet)["B2"]
    assert (cell.value, cell.number_format, cell.hyperlink) == (value, number_format, None)
    assert type(cell.value) is type(value)


def test_dates_and_times_are_numbers_that_look_like_what_was_typed(sheet: Sheet) -> None:
    do(put("A1", "2024-02-29"), put("A2", "2024-02-29 13:30"), put("A3", "08:15:30"))
    page = as_xlsx(sheet)
    assert [str(page[a1].value) for a1 in ("A1", "A2", "A3")] == [
        "2024-02-29 00:00:00",
        "2024-02-29 13:30:00",
        "08:15:30",
    ]
    assert page["A2"].number_format == "yyyy-mm-dd hh:mm"


def test_a_formula_has_its_text_and_its_value(sheet: Sheet) -> None:
    do(put("A1", "=B1*2"), put("A2", "=1=1"), put("A3", "=1/0"), put("A4", '="=x"'))
    do(put("A5", "=SUM("), put("A6", "=STDEV.S(B1:B9)"), put("A7", "={7,8}"))
    unreadable = {"error": "#ERROR!", "reason": "A parenthesis is opened and not closed."}
    values(sheet, A1=0.5, A2=True, A3={"error": "#DIV/0!"}, A4="=x", A5=unreadable, A6=1)
    page, cached = as_xlsx(sheet), as_xlsx(sheet, data_only=True)
    assert [page[f"A{n}"].value for n in range(1, 5)] == ["=B1*2", "=1=1", "=1/0", '="=x"']
    assert [cached[f"A{n}"].value for n in range(1, 5)] == [0.5, True, "#DIV/0!", "=x"]
    assert page["A7"].value == "={7,8}"
    assert page["A6"].value == "=_xlfn.STDEV.S(B1:B9)"  # as the format has newer functions
    file = io.BytesIO()
    write_xlsx(sheet.pk, file)
    with zipfile.ZipFile(file) as parts:
        page_xml = parts.read("xl/worksheets/sheet1.xml").decode()
    assert page_xml.count("<f>") == 6  # the one that nobody can read is a string
    assert "<t>=SUM(</t>" in page_xml


def test_looks_sizes_and_what_is_frozen_come_along(sheet: Sheet) -> None:
    looks = '{"bold":true,"color":"#ff0000","fill":"#00ff00","align":"right","wrap":true}'
    euros = '{"format":"currency","decimals":1,"currency":"EUR"}'
    do(set_cells([(0, 0, "x"), (1, 0, "5"), (3, 0, "")], {(0, 0): looks, (1, 0): euros}))
    do(set_cells([(3, 1, "")], {(3, 1): '{"fill":"#0000ff"}'}))
    do(Resize(COLUMNS, ((1, 2),), 224), Resize(ROWS, ((1, 1), (7, 1)), 50), Freeze(1, 2))
    page = as_xlsx(sheet)
    head = page["A1"]
    assert head.font.b
    assert head.font.color.rgb == "FFFF0000"
    assert head.fill.fgColor.rgb == "FF00FF00"
    assert (head.alignment.horizontal, head.alignment.wrap_text) == ("right", True)
    assert page["A2"].number_format == "[$€]#,##0.0"
    assert page["B4"].fill.fgColor.rgb == "FF0000FF"
    assert page.freeze_panes == "C2"
    assert page.column_dimensions["B"].width == 32  # of 7 pixels
    assert page.column_dimensions["A"].width == 16
    assert [page.row_dimensions[row].height for row in (2, 8)] == [37.5, 37.5]


def test_a_title_becomes_a_name_that_excel_allows() -> None:
    assert sheet_name("Q1/Q2: [draft]?") == "Q1 Q2   draft"
    assert sheet_name("'quoted'") == "quoted"
    assert sheet_name("History") == sheet_name("///") == "Sheet1"
    assert len(sheet_name("x" * 200)) == 31
