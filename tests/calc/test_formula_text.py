import pytest

from cells.calc.formula_text import (
    MAX_CHARACTERS,
    MAX_NESTING,
    may_be_array,
    refusal_of,
    with_known_places,
    without_quoted,
)


@pytest.mark.parametrize(
    ("formula", "is_refused"),
    [
        ("=" + "(" * MAX_NESTING + "1" + ")" * MAX_NESTING, False),
        ("=" + "(" * (MAX_NESTING + 1) + "1" + ")" * (MAX_NESTING + 1), True),
        ("=" + "({" * 40, True),
        ('="' + "(" * 100 + '"', False),
        ('="a""' + "(" * 100 + '"', False),
        ("='" + "(" * 100 + "'!A1", False),
        ("=" + "(1)+" * 100 + "1", False),
        ("=" + "1" * (MAX_CHARACTERS - 1), False),
        ("=" + "1" * MAX_CHARACTERS, True),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_too_long_or_too_deep_is_refused(formula: str, is_refused: bool) -> None:
    assert (refusal_of(formula) is not None) is is_refused


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=A1+B2*2", False),
        ("=SUM(A1:A9)", False),
        ("=IF(SUM(A1:A9)>3,ROUND(MAX(B1:B9),2),0)", False),
        ("=SUM(A1:A9*{1;2})+A1", False),
        ('="A1:A9"&B1', False),
        ("=A1:A9", True),
        ("=SUM(A1:A9)*B1:B9", True),
        ("={1,2}", True),
        ("=SEQUENCE(3)", True),
        ("=IF(A1,B1:B9)", True),
        ("=VLOOKUP(1,A1:B9,2)", True),  # it is not, which costs little
        ("=A1#", True),
    ],
)
def test_what_may_be_an_array(formula: str, expected: bool) -> None:
    assert may_be_array(without_quoted(formula)) is expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=ROW(B7)", "=7"),
        ("=row($B$7)*2", "=7*2"),
        ("=COLUMN(C1)+ROWS(A1:C9)+COLUMNS(A1:C9)", "=3+9+3"),
        ("=ROW(A3:B9)", "=SEQUENCE(7,1,3)"),
        ("=ROW($3:9)+ROWS(3:9)", "=SEQUENCE(7,1,3)+7"),
        ("=COLUMN(B1:D1)", "=SEQUENCE(1,3,2)"),
        ("=COLUMNS(3:9)", "=COLUMNS(3:9)"),
        ("=ROW(A:A)", "=ROW(A:A)"),
        ("=ROW()", "=ROW()"),
        ('="ROW(B7)"', '="ROW(B7)"'),
        ("=ROW(Sheet2!B7)", "=ROW(Sheet2!B7)"),
        ("=ARROW(B7)", "=ARROW(B7)"),
        ("=ROW(ZZZ1)", "=ROW(ZZZ1)"),
    ],
)
def test_places_are_counted(formula: str, expected: str) -> None:
    assert with_known_places(formula) == expected
