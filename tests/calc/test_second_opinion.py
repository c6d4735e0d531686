"""Random sheets, calculated by IronCalc too: two engines by two authors seldom err alike."""

import math
import random
from datetime import UTC, datetime

import ironcalc
import pytest

from cells.calc.engine import Content, Formula, Position, Value
from cells.calc.formualizer_engine import FormualizerEngine

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROWS = 8
SHEETS, FORMULAS = 60, 30
# Column A holds numbers, B texts, C dates and D truths; formulas stand in E, one below the other,
# and look at cells above them only.
FILLED = [1, 2, 3, 5, 6, 7]  # the rows of A that are never empty
TEXTS = ["apple", "Banana", "a b", "x1", "12", "pear"]


def random_sheet(draw: random.Random) -> dict[Position, Content]:
    cells: dict[Position, Content] = {}
    for row in range(ROWS):
        if row + 1 in FILLED or draw.random() < 0.5:
            cells[row, 0] = draw.choice([float(draw.randint(-20, 50)), draw.randint(-99, 99) / 4])
        cells[row, 1] = draw.choice(TEXTS)
        cells[row, 2] = float(draw.randint(40_000, 47_000))
        cells[row, 3] = draw.random() < 0.5
    for index in range(FORMULAS):
        cells[index, 4] = Formula(f"={expression(draw, index, 2)}")
    return cells


def expression(draw: random.Random, above: int, depth: int) -> str:
    """Return a number, mostly."""

    def number() -> str:
        return expression(draw, above, depth - 1)

    def text() -> str:
        return draw.choice([f"B{draw.randint(1, ROWS)}", '"a"', '"Pear"', f"LEFT(B{row},2)"])

    row = draw.randint(1, ROWS)
    if depth == 0:
        earlier = [f"E{draw.randint(1, above)}"] if above else []
        cell = f"A{draw.choice(FILLED)}"
        return draw.choice([cell, cell, str(draw.randint(-5, 12)), "2.5", *earlier])
    date, truth = f"C{row}", f"D{row}"
    area = f"A{row}:A{draw.randint(row, ROWS)}"
    compared = draw.choice(["<", ">", "=", "<>", "<=", ">="])
    summary = draw.choice(["SUM", "AVERAGE", "MIN", "MAX", "PRODUCT", "MEDIAN"])
    return draw.choice(
        [
            f"({number()}{draw.choice('+-*/')}{number()})",
            f"-{number()}^2",
            f"{number()}%",
            f"IF({number()}{compared}{number()},{number()},{number()})",
            f"IF({truth},{number()},{number()})",
            f"IFERROR({number()},{number()})",
            f"{summary}({area},{number()})",
            f"ROUND({number()},{draw.randint(-1, 2)})",
            f"{draw.choice(['INT', 'ABS', 'SIGN', 'TRUNC', 'EVEN', 'ODD'])}({number()})",
            f"MOD({number()},{draw.choice(['3', '-3', '0', '2.5'])})",
            f"SQRT({number()})",
            f"{draw.choice(['YEAR', 'MONTH', 'DAY', 'WEEKDAY'])}({date})",
            f"EDATE({date},{draw.randint(-30, 30)})",
            f"EOMONTH({date},{draw.randint(-30, 30)})",
            f"({date}-DATE(2020,{draw.randint(-3, 15)},{draw.randint(-3, 40)}))",
            f"LEN({text()}&{text()})",
            f"LEN(TRIM(UPPER({text()})))",
            f"SEARCH({text()},{text()})",
            f"({text()}{draw.choice(['<', '>', '='])}{text()})*1",
            f'COUNTIF(A1:A{ROWS},"{draw.choice([">", "<", ">=", "<>", ""])}{draw.randint(-9, 9)}")',
            f"SUMIF(B1:B{ROWS},{text()},A1:A{ROWS})",
            f"SUMPRODUCT((A1:A{ROWS}>{number()})*(A1:A{ROWS}))",
            f"INDEX(A1:A{ROWS},{draw.choice(FILLED)})",
            f"MATCH({number()},A1:A{ROWS},0)",
            f"VLOOKUP({text()},B1:C{ROWS},2,FALSE)",
            f"AND({truth},IFERROR({number()}>0,TRUE))*1",
            f"OR({truth},IFERROR({number()}>0,TRUE))*1",
            f"PMT({draw.randint(1, 9)}%,{draw.randint(1, 30)},{draw.randint(1, 900)})",
            f"LARGE(A1:A{ROWS},{draw.randint(1, ROWS)})",
            f'VALUE(TEXT(ROUND(ABS({number()}),2),"0.00"))',
        ]
    )


def second_opinion(cells: dict[Position, Content]) -> dict[Position, object]:
    model = ironcalc.create("sheet", "en", "UTC")
    for (row, column), content in cells.items():
        match content:
            case Formula(text):
                model.update_cell_with_formula(0, row + 1, column + 1, text)
            case bool():
                model.update_cell_with_bool(0, row + 1, column + 1, content)
            case float():
                model.update_cell_with_number(0, row + 1, column + 1, content)
            case str():
                model.update_cell_with_text(0, row + 1, column + 1, content)
    model.evaluate()
    return {
        (row, column): model.get_cell_value(0, row + 1, column + 1)
        for (row, column), content in cells.items()
        if isinstance(content, Formula)
    }


def agree(ours: Value, theirs: object) -> bool:
    if isinstance(ours, dict):
        return ours["error"] == theirs
    if isinstance(ours, bool | str) or isinstance(theirs, bool | str):
        return type(ours) is type(theirs) and ours == theirs
    return isinstance(theirs, int | float) and math.isclose(
        ours, theirs, rel_tol=1e-9, abs_tol=1e-9
    )


@pytest.mark.parametrize("seed", range(SHEETS))
def test_two_engines_agree(seed: int) -> None:
    cells = random_sheet(random.Random(seed))
    engine = FormualizerEngine()
    engine.load(cells)
    ours, theirs = engine.evaluate(NOW), second_opinion(cells)
    disagreements = []
    for at, value in theirs.items():
        content = cells[at]
        if isinstance(content, Formula) and not agree(ours[at], value):
            disagreements.append((content.text, ours[at], value))
            break  # what follows looks at it
    assert disagreements == []


# Where the two differ, and who is right; docs/formulas.md says more. Random sheets avoid them.
DISAGREEMENTS: list[tuple[str, Value, object]] = [
    # Excel looks at all arguments: an error among them is the result.
    ("=OR(TRUE,NA())", {"error": "#N/A"}, True),
    ("=AND(FALSE,NA())", {"error": "#N/A"}, False),
    # Excel looks for 0 where it is given an empty cell, and finds no empty ones.
    ("=VLOOKUP(B1,B1:C2,2,FALSE)", {"error": "#N/A"}, 0),
    # Excel rounds what it shows by its decimal digits.
    ('=TEXT(-0.215,"0.00")', "-0.22", "-0.21"),
    ('=TEXT(-1%,"0.00")', "-0.01", "0.01"),
    # Excel skips the empty cell that INDEX points to.
    ("=PRODUCT(A1:A2,INDEX(B1:B2,1))", 12, 0),
    # Excel does not count errors: IronCalc is right.
    ("=COUNT(1,NA())", {"error": "#N/A"}, 1),
]


@pytest.mark.parametrize(("formula", "ours", "theirs"), DISAGREEMENTS)
def test_known_disagreements_stand(formula: str, ours: Value, theirs: object) -> None:
    cells: dict[Position, Content] = {(0, 0): 3.0, (1, 0): 4.0, (4, 4): Formula(formula)}
    engine = FormualizerEngine()
    engine.load(cells)
    assert agree(engine.evaluate(NOW)[4, 4], ours["error"] if isinstance(ours, dict) else ours)
    assert second_opinion(cells)[4, 4] == theirs
