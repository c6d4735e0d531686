import io
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Alignment, Font, PatternFill
from pytest_django import Settings

from cells.domain.axes import AxisName
from cells.domain.errors import (
    DangerousFile,
    Forbidden,
    LimitExceeded,
    Malformed,
    NoSuchSheet,
    Protected,
    SheetSyncError,
    UnreadableFile,
)
from cells.domain.operations import Delete, Move, set_cells
from cells.domain.values import SetValues
from cells.models import AuthorKind, Revision, Sheet
from cells.services import importing
from cells.services.access import create_sheet
from cells.services.authors import Author, import_origin
from cells.services.csv_files import write_csv
from cells.services.csv_reading import CsvForm, detect_form, read_csv
from cells.services.files import preview, read_file
from cells.services.guarding import require_unprotected
from cells.services.importing import Contents, FileCell, FileRow, run_import
from cells.services.shelf import delete_sheet
from cells.services.xlsx_writing import write_xlsx
from tests.services import bombs
from tests.services.prices import assert_log_is_whole, do, put, texts
from tests.services.protected import protect

FILES = Author(AuthorKind.API, "import", origin=import_origin("prices.csv"))
ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


def bring_in(
    sheet: Sheet,
    data: bytes,
    name: str = "prices.csv",
    at: tuple[int, int] = (0, 0),
    author: Author = FILES,
    **told: Any,
) -> list[int]:
    """Import a file; return how many cells each commit had brought it to."""
    with Contents() as contents:
        for _ in read_file(io.BytesIO(data), name, contents, **told):
            pass
        done = [step.cells for step in run_import(sheet, contents, author, at=at)]
    sheet.refresh_from_db()
    return done


def read(data: bytes, **told: Any) -> list[list[str]]:
    """Return the fields of a CSV file as they would be imported, empty rows left out."""
    file = io.BytesIO(data)
    rows = read_csv(file, detect_form(file, **told))
    return [filled(row.cells) for row in rows]


def filled(cells: Iterable[FileCell]) -> list[str]:
    line: list[str] = []
    for cell in cells:
        line += [""] * (cell.column - len(line)) + [cell.text]
    return line


def workbook(*pages: str) -> tuple[Any, Any]:
    book = openpyxl.Workbook()
    return book, book.active


def saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# -- CSV: encodings, delimiters, awkward files ----------------------------------------------------


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"],
)
def test_the_encoding_is_found_out(encoding: str) -> None:
    data = "Größe,Straße\r\n5,Öder Weg\r\n".encode(encoding)
    assert read(data) == [["Größe", "Straße"], ["5", "Öder Weg"]]


def test_euros_and_quotes_of_windows_are_read_as_windows_wrote_them() -> None:
    assert read("“5 €”,x".encode("cp1252")) == [["“5 €”", "x"]]


def test_a_byte_that_windows_does_not_know_makes_it_latin_1() -> None:
    assert detect_form(io.BytesIO(b"caf\xe9,\x81")).encoding == "latin-1"


def test_what_is_not_utf_8_in_the_last_line_alone_is_found_out() -> None:
    data = b"abc,def\r\n" * 100_000 + "é,x".encode("cp1252")
    assert detect_form(io.BytesIO(data)) == CsvForm("cp1252", ",")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    data = f'a{delimiter}b{delimiter}c\n1,5{delimiter}"x{delimiter}y"{delimiter}3\n'
    if delimiter == ",":
        data = 'a,b,c\n1;5,"x,y",3\n'
    assert [len(row) for row in read(data.encode())] == [3, 3]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("1,5;2,5\n3,5;4,5\n", ";"),  # decimal commas: both cut in two or three, always
        ("one text; and more\nanother\n", ";"),
        ("lonely\n", ","),
        ("", ","),
        ('"a;b;c","d;e;f"\n"g;h;i","j;k;l"\n', ","),
        ("a,b,c\n1,2\n1,2,3\n1,2,3\n", ","),
        ("x|y,z\na|b,c\n", ","),
    ],
)
def test_delimiters_that_are_hard_to_tell(text: str, delimiter: str) -> None:
    assert detect_form(io.BytesIO(text.encode())).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
        ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        ('"say ""x""",b\n', [['say "x"', "b"]]),
        ('"two\nlines",b\n', [["two\nlines", "b"]]),
        ('"two\r\nlines",b\n', [["two\r\nlines", "b"]]),
        ('a,"",c\n', [["a", "", "c"]]),
        ("a\n1,2,3\n4,5\n", [["a"], ["1", "2", "3"], ["4", "5"]]),
        ("\n\na,b\n\n", [["a", "b"]]),
        ('"open,1\n2', [["open,1\n2"]]),
        ('5" pipe,x\n', [['5" pipe', "x"]]),
        ('{"a": 1},x\n', [['{"a": 1}', "x"]]),
        (" a , b \n", [[" a ", " b "]]),
        ("", []),
        ("\ufeff", []),
        ("'-abc,'@x,'=1+1,'tis\n", [["-abc", "@x", "'=1+1", "'tis"]]),
    ],
)
def test_awkward_files(text: str, rows: list[list[str]]) -> None:
    assert read(text.encode()) == rows


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"a,b\n" + b"x" * 32_768 + b",c", "limit_exceeded", "row 2, column 1"),
        (b"a,b\n1," + b"x" * 200_000, "limit_exceeded", "row 2"),
        (b"a\0b,c\n", "invalid_text", "NUL"),
    ],
)
def test_a_cell_that_cannot_be_kept_is_named(data: bytes, code: str, place: str) -> None:
    with pytest.raises(SheetSyncError, match=place) as caught:
        read(data, encoding="utf-8")
    assert caught.value.code == code


def test_as_many_characters_as_a_cell_holds_come_in() -> None:
    assert read(b"x" * 32_767) == [["x" * 32_767]]


def test_a_told_encoding_and_delimiter_count(sheet: Sheet) -> None:
    assert read("é;1,5".encode("cp850"), encoding="cp850", delimiter=";") == [["é", "1,5"]]
    with pytest.raises(UnreadableFile, match="not utf-8"):
        read(b"a\n\xe9\n", encoding="utf-8")
    for told in ({"encoding": "klingon"}, {"encoding": "base64"}, {"delimiter": ";;"}):
        with pytest.raises(Malformed):
            read(b"a", **told)


def test_a_preview_needs_the_beginning_alone() -> None:
    data = ("ä;ö\n" * 100).encode()
    found = preview(io.BytesIO(data[:-2]), "x.csv", 2)  # within the last ö
    assert found.form == CsvForm("utf-8", ";")
    assert [filled(row.cells) for row in found.rows] == [["ä", "ö"], ["ä", "ö"]]


# -- into a sheet ---------------------------------------------------------------------------------


def test_a_file_comes_into_the_sheet_through_the_log(sheet: Sheet) -> None:
    bring_in(sheet, b"Symbol,Bid\nEURUSD,1.0842\n,=B2*2\n")
    assert texts() == {
        "A1": "Symbol",
        "B1": "Bid",
        "A2": "EURUSD",
        "B2": "1.0842",
        "B3": "=B2*2",
    }
    assert_log_is_whole("prices", 1)
    line = Revision.objects.get()
    assert (line.author_kind, line.author_name) == ("api", "import")
    assert line.origin == "import: prices.csv"


def test_a_large_file_is_several_commits_and_the_sheet_grows_first(sheet: Sheet) -> None:
    lines = ["=SUM(C1:C3000),,7"] + [f"{n},x,1" for n in range(2, 3_001)]
    done = bring_in(sheet, "\n".join(lines).encode())
    assert len(done) > 1
    assert done[-1] == 2 + 2_999 * 3
    found = texts()
    assert found["A3000"] == "3000"
    assert found["A1"] == "=SUM(C1:C3000)"  # in 1,000 rows it would have ended at 1,000
    assert_log_is_whole("prices", len(done) + 1)


def test_at_a_place_formulas_count_from_the_files_first_cell(sheet: Sheet) -> None:
    do(put("A1", "kept"), put("C5", "there"))
    do(Move(ROWS, ((0, 1),), 3), Delete(COLUMNS, ((1, 1),)))
    bring_in(sheet, b"1,=A1+$A$1\n,=SUM(A1:A2)\n", at=(1, 1))
    file = io.BytesIO()
    write_csv(sheet.pk, file, formulas=True)
    assert file.getvalue().decode().splitlines() == [
        ",,",
        ",1,=B2+$B$2",
        "kept,,=SUM(B2:B3)",
        ",,",
        ",there,",
    ]


def test_what_is_empty_in_the_file_stays(sheet: Sheet) -> None:
    do(put("A1", "old"), put("B1", "old"))
    bring_in(sheet, b"new,\n")
    assert texts() == {"A1": "new", "B1": "old"}


def test_formulas_of_a_column_can_stay_texts(sheet: Sheet) -> None:
    bring_in(sheet, b"=1+1,=1+1,=\n", text_only=frozenset({1, 2}))
    assert texts() == {"A1": "=1+1", "B1": "'=1+1", "C1": "="}


def test_a_column_can_be_said_to_be_text(sheet: Sheet) -> None:
    bring_in(sheet, b"00123,00123\n=1+1,2024-02-29\n'=x,yes\n'-x,\n'tis,\n", texts=frozenset({0}))
    assert texts() == {
        "A1": "'00123", "B1": "00123", "A2": "'=1+1", "B2": "2024-02-29", "A3": "'=x", "B3": "yes",
        "A4": "'-x", "A5": "''tis",
    }  # fmt: skip


def test_a_file_that_breaks_at_its_end_changes_nothing(sheet: Sheet) -> None:
    with pytest.raises(LimitExceeded):
        bring_in(sheet, b"a,b\n" * 10_000 + b"x" * 40_000)
    assert sheet.revisions.count() == 0


def test_a_file_of_too_many_columns_is_refused(sheet: Sheet) -> None:
    with pytest.raises(LimitExceeded, match="16,384 columns"):
        bring_in(sheet, b"," * 16_384 + b"x")
    with pytest.raises(LimitExceeded, match="16,385 columns"):
        bring_in(sheet, b"," * 16_383 + b"x", at=(0, 1))


def test_who_may_not_edit_may_not_import(sheet: Sheet) -> None:
    with pytest.raises(Forbidden):
        bring_in(sheet, b"a", author=Author(AuthorKind.USER, "carol", 5))
    delete_sheet(sheet)
    with pytest.raises(NoSuchSheet):
        bring_in(sheet, b"a")


def test_what_is_exported_comes_back(sheet: Sheet) -> None:
    awkward = ['say "x"', "a,b", "two\nlines", "-abc", "@x", " =x", "ä€😀", "1.50", "'tis", "\t-x"]
    do(*(put(f"B{n}", text) for n, text in enumerate(awkward, 1)), put("C2", "-5"))
    file = io.BytesIO()
    write_csv(sheet.pk, file, bom=True)
    copy = create_sheet(None, "Copy", slug="copy")
    bring_in(copy, file.getvalue())
    came = texts("copy")
    assert came.pop("B6") == "' =x"  # of what could become a formula the apostrophe stays
    assert came.pop("B9") == "tis"  # shown as it was
    assert {**came, "B6": " =x", "B9": "'tis"} == texts("prices")


def test_a_column_of_texts_with_other_delimiters_comes_back_as_one_column(sheet: Sheet) -> None:
    typed = ["a;b", "c;d", "e\tf", "g|h", '"i";j']
    do(*(put(f"A{row}", text) for row, text in enumerate(typed, 1)))
    for delimiter in (";", "\t", "|"):
        file = io.BytesIO()
        write_csv(sheet.pk, file)
        assert list(read_csv(file, CsvForm("utf-8", delimiter)))[-1].cells[0].text == '"i";j'
    bring_in(copy := create_sheet(None, "Copy", slug="copy"), file.getvalue())
    assert texts(copy.slug) == texts()


# -- XLSX -----------------------------------------------------------------------------------------


def test_values_and_formulas_of_a_workbook(sheet: Sheet) -> None:
    book, page = workbook()
    page.append(["text", 5, 1.5, True, "=A1&B1", date(2024, 2, 29), None, time(8, 15)])
    page.append(
        [1e20, -0.1, "", False, "=_xlfn.STDEV.S(B1:C1)", datetime.fromisoformat("2024-02-29 13:30")]
    )
    page["A4"] = "=1+1 as a text"
    page["A4"].data_type = "s"
    page["B4"] = "#DIV/0!"
    bring_in(sheet, saved(book), "prices.xlsx")
    assert texts() == {
        "A1": "text",
        "B1": "5",
        "C1": "1.5",
        "D1": "TRUE",
        "E1": "=A1&B1",
        "F1": "2024-02-29",
        "H1": "08:15",
        "A2": "1e+20",
        "B2": "-0.1",
        "D2": "FALSE",
        "E2": "=STDEV.S(B1:C1)",
        "F2": "2024-02-29 13:30",
        "A4": "'=1+1 as a text",
        "B4": "#DIV/0!",
    }


def test_looks_sizes_and_panes_of_a_workbook(sheet: Sheet) -> None:
    book, page = workbook()
    head = page["A1"]
    head.value = "Head"
    head.font = Font(bold=True, italic=True, strike=True, color="FFFF0000")
    head.fill = PatternFill("solid", fgColor="FF00FF00")
    head.alignment = Alignment(horizontal="center", wrap_text=True)
    for row, (value, number_format) in enumerate(
        [(0.125, "0.0%"), (1000, "#,##0.00"), (5, '"$"#,##0'), (5, "[$€-407] #,##0.00"), (7, "000")]
    ):
        page.cell(row + 2, 1, value).number_format = number_format
    page["B1"] = datetime.fromisoformat("2024-02-29")
    page["B1"].number_format = "d. mmmm yyyy"
    page["B9"].fill = PatternFill("solid", fgColor="FF0000FF")
    page.column_dimensions["B"].width = 32
    page.row_dimensions[2].height = 37.5
    page.freeze_panes = "B2"
    bring_in(sheet, saved(book), "prices.xlsx")
    styles = {(cell.row, cell.column): cell.style for cell in sheet.cells.all()}
    assert styles[0, 0] == {
        "bold": True,
        "italic": True,
        "strike": True,
        "color": "#ff0000",
        "fill": "#00ff00",
        "align": "center",
        "wrap": True,
    }
    assert [styles[row, 0] for row in range(1, 6)] == [
        {"format": "percent", "decimals": 1},
        {"format": "thousands", "decimals": 2},
        {"format": "currency", "decimals": 0, "currency": "USD"},
        {"format": "currency", "decimals": 2, "currency": "EUR"},
        None,
    ]
    assert texts()["A6"] == "007"
    assert styles[0, 1] == {"format": "date"}
    assert styles[8, 1] == {"fill": "#0000ff"}
    assert sheet.column_sizes == [[1, 1, 224]]
    assert sheet.row_sizes == [[1, 1, 50]]
    assert (sheet.frozen_rows, sheet.frozen_columns) == (1, 1)
    assert_log_is_whole("prices", sheet.head)


def test_our_own_workbook_comes_back(sheet: Sheet) -> None:
    typed = ["12%", "00123", "1,000.50", "$5.00", "2024-02-29 13:30", "true", "=B1*2", "x", "-1.5"]
    do(*(put(f"B{n}", text) for n, text in enumerate(typed, 1)))
    do(set_cells([(20, 3, "x")], {(20, 3): '{"bold":true,"fill":"#00ff00"}'}))
    file = io.BytesIO()
    write_xlsx(sheet.pk, file)
    copy = create_sheet(None, "Copy", slug="copy")
    bring_in(copy, file.getvalue(), "prices.xlsx")
    came = texts("copy")
    assert [came[f"B{n}"] for n in range(1, 10)] == [
        *("0.12", "00123", "1000.5", "5", "2024-02-29 13:30", "TRUE", "=B1*2", "x", "-1.5")
    ]
    looks = {(cell.row, cell.column): cell.style for cell in copy.cells.exclude(style=None)}
    assert looks == {
        (0, 1): {"format": "percent", "decimals": 0},
        (2, 1): {"format": "thousands", "decimals": 2},
        (3, 1): {"format": "currency", "decimals": 2, "currency": "USD"},
        (20, 3): {"bold": True, "fill": "#00ff00"},
    }


def test_texts_that_look_like_something_else_stay_texts(sheet: Sheet) -> None:
    book, page = workbook()
    page.append(["00123", "2024-02-29", "12%", "true", "'tis", "=A1", "x", 7])
    page["F1"].data_type = "s"
    bring_in(sheet, saved(book), "codes.xlsx")
    came = ["'00123", "'2024-02-29", "'12%", "'true", "''tis", "'=A1", "x", "7"]
    assert list(texts().values()) == came
    do(put("I1", "'marked without need"))
    file = io.BytesIO()
    write_xlsx(sheet.pk, file)
    row = next(openpyxl.load_workbook(io.BytesIO(file.getvalue())).active.iter_rows())
    assert [(cell.value, bool(cell.quotePrefix)) for cell in row][:2] == [
        ("00123", True),
        ("2024-02-29", True),
    ]
    assert [cell.data_type for cell in row] == [*"sssssss", "n", "s"]
    bring_in(create_sheet(None, "Copy", slug="copy"), file.getvalue(), "copy.xlsx")
    assert texts("copy") == texts()


def test_characters_that_xml_cannot_write_go_both_ways(sheet: Sheet) -> None:
    awkward = ["a\r\nb", "a\rb", "a\x0bb", "_x000D_", "_x005F_x000D_", "_x0041_", "x_x00e9_y"]
    awkward += ["_x005F_", "_x005F_x005F_", "_x0041_x0042_", "_x0041\r", "_x0000_ _xD83D_ _xyz_"]
    awkward += ["<r>a</r>", "<r></r></is></c><c r='B1'><f>1+1</f></c><c><is><r></r>"]
    do(*(put(f"A{row}", text) for row, text in enumerate(awkward, 1)))
    do(put("D1", '="_x000D_"'), put("D2", '="a\x0bb"'), put("D3", "=CHAR(11)"))
    sheet.refresh_from_db()
    do(SetValues(sheet.head, ((2, 3, "\x0b"),)))
    file = io.BytesIO()
    write_xlsx(sheet.pk, file)
    copy = create_sheet(None, "Copy", slug="copy")
    bring_in(copy, file.getvalue(), "copy.xlsx")
    # A formula with such a character is a text: Excel takes a file with one for damaged.
    assert texts("copy") == {**texts(), "D2": '\'="a\x0bb"'}


def test_shared_strings_are_what_they_stand_for(sheet: Sheet) -> None:
    """As Excel writes them, and openpyxl does not read them."""
    strings = ["_x005F_x000D_", "a_x000D_b", "_x005F_x005F_", "_x005F_x0041_x005F_x0042_", "x005F_"]
    bring_in(sheet, bombs.with_shared_strings(strings), "x.xlsx")
    assert list(texts().values()) == ["_x000D_", "a\rb", "_x005F_", "_x0041_x0042_", "x005F_"]


def test_shared_formulas_are_each_their_own(sheet: Sheet) -> None:
    cells = '<c r="A1"><f t="shared" ref="A1:A2" si="0">B1*$C$1</f><v>0</v></c>'
    more = '<c r="A2"><f t="shared" si="0"/><v>0</v></c>'
    bring_in(sheet, bombs.with_rows(f'<row r="1">{cells}</row><row r="2">{more}</row>'), "x.xlsx")
    assert texts() == {"A1": "=B1*$C$1", "A2": "=B2*$C$1"}


@pytest.mark.parametrize("make", [bombs.billion_laughs, bombs.external_entity, bombs.dtd])
def test_entities_in_any_part_are_refused(sheet: Sheet, make: Any) -> None:
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        with pytest.raises(DangerousFile) as caught:
            bring_in(sheet, make(part), "x.xlsx")
        assert caught.value.code == "dangerous_file"


@pytest.mark.parametrize(
    "make", [bombs.zeros, bombs.many_parts, bombs.large_strings, bombs.two_of_a_name]
)
def test_archives_that_would_unpack_to_too_much_are_refused_unread(sheet: Sheet, make: Any) -> None:
    with pytest.raises(DangerousFile):
        bring_in(sheet, make(), "x.xlsx")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 not at all",
        b"just text",
        lambda: bombs.without("xl/workbook.xml"),
        lambda: bombs.with_rows("<row r='1'><c r='A1' t='s'><v>99</v></c></row>"),
        lambda: bombs.with_rows("<row r='1'><c r='nowhere'><v>1</v></c></row>"),
        lambda: bombs.with_rows("<row r='1'><c r='A1'><v>1</v>"),
    ],
    ids=["empty", "only a mark", "text", "no workbook", "no string 99", "no address", "half"],
)
def test_what_is_no_workbook_says_so(sheet: Sheet, data: Any) -> None:
    data = data() if callable(data) else data
    with pytest.raises(UnreadableFile) as caught:
        bring_in(sheet, data, "x.xlsx")
    assert caught.value.code == "unreadable_file"
    assert sheet.revisions.count() == 0


@pytest.mark.parametrize(
    "rows", ["<row r='2000000'/>", "<row r='5'/><row r='4'/>", "<row r='1'/><row r='1'/>"]
)
def test_rows_beyond_the_sheet_or_out_of_order_are_refused(sheet: Sheet, rows: str) -> None:
    with pytest.raises(LimitExceeded):
        bring_in(sheet, bombs.with_rows(rows), "x.xlsx")


def test_a_text_that_stands_in_many_cells_is_counted_in_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "MAX_CHARACTERS", 1_000_000)
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    for _ in range(50):
        page.append(["x" * 30_000])
    file = io.BytesIO()
    book.save(file)
    assert len(file.getvalue()) < 10_000, "the file has it once"
    with Contents() as contents, pytest.raises(LimitExceeded, match="characters"):
        for _ in read_file(file, "large.xlsx", contents):
            pass


def test_other_kinds_of_files_are_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"\.xls"):
        preview(io.BytesIO(b"\xd0\xcf\x11\xe0"), "old.xls", 5)


def test_a_preview_of_a_workbook() -> None:
    book, page = workbook()
    for n in range(100):
        page.append([n])
    found = preview(io.BytesIO(saved(book)), "x.xlsx", 2)
    assert found.form is None
    assert found.rows == [FileRow(0, [FileCell(0, "0")]), FileRow(1, [FileCell(0, "1")])]


def test_a_file_that_would_change_what_is_protected_changes_nothing(sheet: Sheet) -> None:
    protect(sheet, "C2:C900")
    with pytest.raises(Protected):
        bring_in(sheet, b"a,b\nc,d\n", at=(0, 1))
    assert Revision.objects.count() == 0
    assert bring_in(sheet, b"a,b\nc,\n", at=(0, 1)) == [3]


def test_only_what_is_protected_where_a_file_lands_is_held_against_its_cells(sheet: Sheet) -> None:
    for beside in ("A1:Z1", "A4:Z900", "A:A", "D:D"):
        protect(sheet, beside)
    within, author = (range(1, 3), range(1, 3)), FILES
    unread = iter([(0, 0)])  # would be refused
    require_unprotected(sheet, author, within, unread)
    assert list(unread) == [(0, 0)]
    protect(sheet, "C3")
    with pytest.raises(Protected, match="C3"):
        require_unprotected(sheet, author, within, [(1, 1), (2, 2)])


def test_a_file_that_would_overfill_a_sheet_changes_nothing(
    sheet: Sheet, settings: Settings
) -> None:
    settings.CELLS_PER_SHEET = 12_000
    do(put("A1", "old"), put("Z1", "beside"))
    rows = b"".join(b"%d,b\n" % number for number in range(6_000))  # three commits' worth
    with pytest.raises(LimitExceeded, match="12,001 filled cells"):
        bring_in(sheet, rows)
    assert Revision.objects.count() == 2
    do(put("Z1", ""))
    assert bring_in(sheet, rows)[-1] == 12_000
    sheet.refresh_from_db()
    assert sheet.filled == 12_000
    assert bring_in(sheet, rows)[-1] == 12_000  # once more: it fills no others


def test_a_sheet_that_others_fill_meanwhile_says_how_far_the_file_came(
    sheet: Sheet, settings: Settings
) -> None:
    settings.CELLS_PER_SHEET = 12_000
    with Contents() as contents:
        file = io.BytesIO(b"".join(b"%d,b\n" % number for number in range(6_000)))
        for _ in read_file(file, "prices.csv", contents):
            pass
        steps = run_import(sheet, contents, FILES)
        next(steps)
        do(put("Z1", "beside"))
        with pytest.raises(LimitExceeded, match="restore the version before") as said:
            list(steps)
    assert "12,001 filled cells" in str(said.value)
    assert "The first 10,000 cells of the file are in it" in str(said.value)
    sheet.refresh_from_db()
    assert sheet.filled == 10_001
