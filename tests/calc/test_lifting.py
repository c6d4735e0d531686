from datetime import UTC, datetime

import pytest

from cells.calc.engine import Content, Formula, Position
from cells.calc.formualizer_engine import FormualizerEngine
from cells.calc.lifting import lifted

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUM(LEN(B1:B5))", '=SUM(_EACH_("LEN",B1:B5))'),
        ("=LEN(B1)", "=LEN(B1)"),
        ("=ROUND(SUM(A1:A9),2)", "=ROUND(SUM(A1:A9),2)"),
        ("=SUM(round(A1:A9,2))", '=SUM(_EACH_("ROUND",A1:A9,2))'),
        ("=SUM(LEN(TRIM(UPPER(B1:B5))))", '=SUM(_EACH_("LEN",_EACH_("TRIM",UPPER(B1:B5))))'),
        ("=SUM(LEN((B1:B5)&1))", '=SUM(_EACH_("LEN",(B1:B5)&1))'),
        ("=SUM(LEN(IF(A1:A5>1,B1,B2)))", '=SUM(_EACH_("LEN",IF(A1:A5>1,B1,B2)))'),
        ("=LEN(VLOOKUP(1,A1:B5,2))", "=LEN(VLOOKUP(1,A1:B5,2))"),
        ("=COUNTIF(A1:A5,3)", "=COUNTIF(A1:A5,3)"),
        ("=SUM(COUNTIF(A1:A5,A1:A5))", '=SUM(_EACH_("COUNTIF",A1:A5,A1:A5))'),
        ("=SUMIFS(C1:C5,A1:A5,3,B1:B5,4)", "=SUMIFS(C1:C5,A1:A5,3,B1:B5,4)"),
        ("=SUM(MOD({1,2},2))", '=SUM(_EACH_("MOD",{1,2},2))'),
        ("=SUM(LEN(SORT(B1:B5)))", '=SUM(_EACH_("LEN",SORT(B1:B5)))'),
        ('=LEN("A1:A9,{")', '=LEN("A1:A9,{")'),
        ("=LEN('a:b'!A1)", "=LEN('a:b'!A1)"),
        ("=LEN(B1:B5))", "=LEN(B1:B5))"),
        ("=A1:A5", "=A1:A5"),
    ],
)
def test_calls_of_one_value_for_several_are_found(formula: str, expected: str) -> None:
    assert lifted(formula) == expected


def test_each_follows_its_cells() -> None:
    cells: dict[Position, Content] = {(row, 0): float(row) for row in range(50)}
    cells |= {(row, 1): "ab" * row for row in range(50)}
    engine = FormualizerEngine()
    engine.load(
        {
            **cells,
            (0, 3): Formula("=SUM(LEN(B1:B50))"),
            (1, 3): Formula("=SUMPRODUCT(1/COUNTIF(A1:A50,A1:A50))"),
            (2, 3): Formula("=SUM(MOD(A1:A3,{2,3}))"),
            (3, 3): Formula("=SUM(ABS(A1:A3+{0,1}))"),
        }
    )
    assert engine.evaluate(NOW) == {(0, 3): 2450, (1, 3): 50, (2, 3): 4, (3, 3): 9}
    engine.set({(49, 1): None, (2, 0): 1.0})
    assert engine.evaluate(NOW) == {(0, 3): 2352, (1, 3): 49, (3, 3): 7}


def test_errors_among_many_stay_where_they_are() -> None:
    engine = FormualizerEngine()
    engine.load(
        {
            (0, 0): 4.0,
            (1, 0): -9.0,
            (2, 0): "x",
            (3, 0): Formula("=1/0"),
            (0, 1): Formula("=SUM(IFERROR(SQRT(A1:A4),100))"),
            (1, 1): Formula("=SUM(SQRT(A1:A2))"),
            (2, 1): Formula("=SUM(IFERROR(MOD(A1:A3,{1;1;1;1;1}),7))"),
        }
    )
    values = engine.evaluate(NOW)
    assert values[0, 1] == 302
    assert values[1, 1] == {"error": "#NUM!"}
    assert values[2, 1] == 0 + 0 + 7 + 7 + 7
