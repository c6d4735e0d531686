from datetime import UTC, datetime, timedelta, timezone

import pytest

from cells.calc.engine import MAX_TEXT, Content, Failure, Formula, Value, content_of
from cells.calc.formualizer_engine import FormualizerEngine
from cells.domain.addresses import format_address, parse_address

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def cells_of(inputs: dict[str, str]) -> dict[tuple[int, int], Content]:
    return {parse_address(address): content_of(text) for address, text in inputs.items()}


def by_address(values: dict[tuple[int, int], Value]) -> dict[str, Value]:
    return {format_address(*position): value for position, value in values.items()}


class Sheet:
    """An engine that is spoken to in A1."""

    def __init__(self, inputs: dict[str, str]) -> None:
        self.engine = FormualizerEngine()
        self.engine.load(cells_of(inputs))

    def set(self, inputs: dict[str, str]) -> None:
        self.engine.set(cells_of(inputs))

    def evaluate(self, now: datetime = NOW) -> dict[str, Value]:
        return by_address(self.engine.evaluate(now))


def error_of(value: Value) -> str:
    assert isinstance(value, dict)
    return value["error"]


def value_of(formula: str, now: datetime = NOW) -> Value:
    return Sheet({"D9": formula}).evaluate(now)["D9"]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", None),
        ("=A1", Formula("=A1")),
        ("=", "="),
        (" =A1", " =A1"),
        ("12%", 0.12),
        ("$1,000.50", 1000.5),
        ("2024-02-29", 45351.0),
        ("2024-02-29 12:00", 45351.5),
        ("18:00", 0.75),
        ("true", True),
        ("'00123", "00123"),
        ("'=A1", "=A1"),
        ("apple", "apple"),
        ("2023-02-29", "2023-02-29"),
    ],
)
def test_typed_texts_are_contents(text: str, content: Content) -> None:
    found = content_of(text)
    assert found == content
    assert type(found) is type(content)


def test_an_edit_returns_what_depends_on_it_and_no_more() -> None:
    sheet = Sheet({"A1": "2", "B1": "=A1*10", "C1": "=B1+1", "D1": "=5+5"})
    assert sheet.evaluate() == {"B1": 20, "C1": 21, "D1": 10}
    assert sheet.evaluate() == {}
    sheet.set({"A1": "3"})
    assert sheet.evaluate() == {"B1": 30, "C1": 31}
    sheet.set({"B1": "=A1*2+24"})
    assert sheet.evaluate() == {"B1": 30}  # set anew, so it is told; C1 is what it was
    sheet.set({"B1": ""})
    assert sheet.evaluate() == {"C1": 1}
    sheet.set({"B1": "=A1*0+0"})
    assert sheet.evaluate() == {"B1": 0}


def test_one_and_true_are_two_values() -> None:
    sheet = Sheet({"A1": "1", "B1": "=A1"})
    assert sheet.evaluate() == {"B1": 1}
    sheet.set({"A1": "TRUE"})
    changed = sheet.evaluate()
    assert changed["B1"] is True


def test_loading_forgets_the_sheet_before() -> None:
    sheet = Sheet({"A1": "=NOW()", "B1": "=A9", "A9": "7"})
    sheet.evaluate()
    sheet.engine.load(cells_of({"B2": "=A9+1"}))
    assert sheet.evaluate() == {"B2": 1}
    assert sheet.engine.volatile is False


def test_circles_are_errors_where_they_are_and_behind() -> None:
    sheet = Sheet({"A1": "=B1", "B1": "=C1", "C1": "=A1", "D1": "=A1+1", "E1": "=E1", "F1": "=5"})
    values = sheet.evaluate()
    assert {
        name: error_of(values[name]) for name in ("A1", "B1", "C1", "D1", "E1")
    } == dict.fromkeys(("A1", "B1", "C1", "D1", "E1"), "#CIRC!")
    assert values["F1"] == 5
    sheet.set({"C1": "4"})
    assert sheet.evaluate() == {"A1": 4, "B1": 4, "D1": 5}
    sheet.set({"C1": "=A1"})
    assert {error_of(value) for value in sheet.evaluate().values()} == {"#CIRC!"}


@pytest.mark.parametrize(
    "formula", ["=SUM(D1:D9)", '=INDIRECT("D9")', "=OFFSET(D8,1,0)", "=SUM(D:D)"]
)
def test_a_circle_through_itself_is_one(formula: str) -> None:
    assert error_of(value_of(formula)) == "#CIRC!"


@pytest.mark.parametrize("formula", ["=ROW(D9)", "=ROWS(D1:D9)"])
def test_asking_where_a_cell_is_makes_no_circle(formula: str) -> None:
    assert value_of(formula) == 9


def test_the_clock_is_that_of_the_callers_zone() -> None:
    at = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
    tokyo = at.astimezone(timezone(timedelta(hours=9)))
    assert value_of("=TODAY()", at) == 46353
    assert value_of("=TODAY()", tokyo) == 46354
    assert value_of("=NOW()", tokyo) == pytest.approx(46354 + 8.5 / 24)
    with pytest.raises(ValueError, match="no time zone"):
        value_of("=NOW()", at.replace(tzinfo=None))


def test_volatile_functions_change_by_themselves() -> None:
    sheet = Sheet({"A1": "=RAND()", "A2": "=RANDBETWEEN(1,1000000000)", "A3": "=A1+1", "A4": "=1"})
    assert sheet.engine.volatile
    first, second = sheet.evaluate(), sheet.evaluate()
    assert second.keys() == {"A1", "A2", "A3"}
    assert all(first[name] != second[name] for name in second)
    sheet.set({"A1": "", "A2": ""})
    assert not sheet.engine.volatile


@pytest.mark.parametrize(
    "formula", ["=TODAY()", "=now()", "=1+OFFSET(A1,0,0)", '=INDIRECT("A1")', "=RANDARRAY(2)"]
)
def test_volatile_formulas_are_known(formula: str) -> None:
    assert Sheet({"B1": formula}).engine.volatile


def test_a_text_that_names_a_volatile_function_is_not_volatile() -> None:
    assert not Sheet({"B1": '="NOW()"'}).engine.volatile


def test_randbetween_keeps_its_bounds() -> None:
    sheet = Sheet({f"A{row}": "=RANDBETWEEN(1.2,3.9)" for row in range(1, 101)})
    assert set(sheet.evaluate().values()) == {2, 3}
    assert error_of(value_of("=RANDBETWEEN(3,2)")) == "#NUM!"
    assert error_of(value_of('=RANDBETWEEN("a",2)')) == "#VALUE!"


@pytest.mark.parametrize(
    ("formula", "value"),
    [("=A1", 0), ("=IF(TRUE,,1)", 0), ("=INDEX(A1:B2,1,1)", 0), ('=""', ""), ("=-A1", 0)],
)
def test_an_empty_result_is_zero(formula: str, value: Value) -> None:
    assert value_of(formula) == value


@pytest.mark.parametrize(
    "formula", ["=1E400", "=-1E400", "=1E308*10", "=CUMPRINC(0.01,1E6,1,1,1E6,0)"]
)
def test_no_value_is_beyond_numbers(formula: str) -> None:
    assert error_of(value_of(formula)) == "#NUM!"


@pytest.mark.parametrize(
    ("formula", "error", "reason"),
    [
        ("=A1:A2 A3:B3", "#ERROR!", "not supported"),
        ("=1/0", "#DIV/0!", ""),
        ("=1+", "#ERROR!", "ends where more"),
        ("=(1", "#ERROR!", "not closed"),
        ("=1)", "#ERROR!", "not opened"),
        ('="a', "#ERROR!", "quotation mark"),
        ("=SUM(A1;A2)", "#ERROR!", "commas"),
        ("=1 2", "#ERROR!", "cannot be read"),
        ("=1" + "+1" * 400, "#ERROR!", "several cells"),
        ("=SUMM(A1)", "#NAME?", "SUMM"),
        ("=price*2", "#NAME?", "price"),
        ("=Sales[Amount]", "#NAME?", ""),
        ("='Sheet2'!A1", "#REF!", "no others"),
        ("=Sheet1!A1", "#REF!", "no others"),
        ("=SUM('sheet1'!A1:A3)", "#REF!", "no others"),
        ('=INDIRECT("Sheet2!A1")', "#REF!", ""),
        ("=[1]Sheet1!A1", "#REF!", "no others"),
        ("=A1048577", "#NAME?", ""),
        ('=REPT("a",32767)&"b"', "#VALUE!", "32,767"),
        ("=D9", "#CIRC!", "itself"),
        ("=LAMBDA(x,x+1)", "#CALC!", ""),
    ],
)
def test_errors_have_names_and_reasons(formula: str, error: str, reason: str) -> None:
    value = value_of(formula)
    assert isinstance(value, dict)
    assert value["error"] == error
    assert reason in value.get("reason", "")
    if reason:
        assert value["reason"].endswith(".")


def test_the_longest_text_is_a_value() -> None:
    assert value_of(f'=REPT("a",{MAX_TEXT})') == "a" * MAX_TEXT


def test_what_depends_on_an_error_has_it() -> None:
    sheet = Sheet({"A1": "=1+", "B1": "=A1*2", "C1": '=IFERROR(A1,"none")'})
    values = sheet.evaluate()
    assert error_of(values["B1"]) == "#ERROR!"
    assert values["C1"] == "none"


def test_a_failure_stands_for_a_formula() -> None:
    engine = FormualizerEngine()
    engine.load({(0, 0): Failure("#LIMIT!", "Why."), (0, 1): Formula("=A1+1")})
    values = engine.evaluate(NOW)
    assert values[0, 0] == {"error": "#LIMIT!", "reason": "Why."}
    assert error_of(values[0, 1]) == "#LIMIT!"
    engine.set({(0, 0): Formula("=2")})
    assert engine.evaluate(NOW) == {(0, 0): 2, (0, 1): 3}


@pytest.mark.parametrize(
    "formula",
    ["=SEQUENCE(3)", "=B1:B3*1", "={4;5;6}", "=IF(TRUE,B1:B3)", "=LET(x,B1:B3,x)", "=SORT(B1:B3)"],
)
def test_an_array_is_its_first_cell_and_blocks_nothing(formula: str) -> None:
    inputs = {"A1": formula, "A2": "=10", "A3": "x", "B1": "1", "B2": "2", "B3": "3"}
    sheet = Sheet({**inputs, "C1": "=COUNT(A1:A9)"})
    values = sheet.evaluate()
    assert values["A1"] in (1, 4)
    assert (values["A2"], values["C1"]) == (10, 2)


def test_formulas_at_the_far_corner() -> None:
    sheet = Sheet({"XFD1000000": "=A1+1", "A1": "1", "XFC1000000": "=SUM(A:A)"})
    assert sheet.evaluate() == {"XFD1000000": 2, "XFC1000000": 1}


def test_a_bad_formula_among_many_spoils_none_of_them() -> None:
    inputs = {f"A{row}": f"={row}*2" for row in range(1, 101)}
    inputs |= {"A7": "=1+", "A50": "=A50", "A100": "=SUM(A1:A100)", "A13": "=NOSUCH()"}
    values = Sheet(inputs).evaluate()
    bad = {name for name, value in values.items() if isinstance(value, dict)}
    assert bad == {"A7", "A13", "A50", "A100"}
    assert all(values[f"A{row}"] == row * 2 for row in range(1, 101) if f"A{row}" not in bad)


@pytest.mark.parametrize("upward", [False, True])
def test_a_long_chain_is_followed_to_its_end(upward: bool) -> None:
    step, first, last = (-1, "A5000", "A1") if upward else (1, "A1", "A5000")
    inputs = {f"A{row}": f"=A{row - step}+1" for row in range(1, 5001)}
    sheet = Sheet({**inputs, first: "1"})
    assert sheet.evaluate()[last] == 5000
    sheet.set({first: "11"})
    assert sheet.evaluate()[last] == 5010


def test_a_walk_takes_each_formula_after_what_it_needs_and_leaves_the_sheet_calculated() -> None:
    inputs = {"A1": "=B1+1", "B1": "=SUM(C1:C3)", "C1": "=D1", "C2": "=D1*2", "C3": "3", "D1": "4"}
    inputs |= {"E1": "=E2", "E2": "=E1", "F1": '=INDIRECT("F2")', "F2": "=RAND()", "G1": "=1+"}
    engine = FormualizerEngine()
    last_seen: dict[str, int] = {}
    for step, position in enumerate(engine.walk(cells_of(inputs), NOW)):
        last_seen[format_address(*position)] = step
    assert last_seen["C1"] < last_seen["B1"] < last_seen["A1"]
    assert last_seen["C2"] < last_seen["B1"]
    assert last_seen["F2"] < last_seen["F1"]
    values = by_address(engine.evaluate(NOW))
    assert values.keys() == inputs.keys() - {"C3", "D1"}
    assert (values["A1"], values["B1"], error_of(values["E1"])) == (16, 15, "#CIRC!")
    assert values["F1"] == values["F2"]
    assert engine.volatile
