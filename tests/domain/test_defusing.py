import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.defusing import defused, fused

SIGNS = "=+-@\t\r\n\0＝＋－＠"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\0=1+1",
        "＝1+1",
        "＋1+1",
        "－1+1",
        "＠SUM(A1)",
        " =1+1",
        "\xa0=1+1",
        "\ufeff=1+1",
        "\u200b \u2060＝1+1",
        "=cmd|'/c calc'!A1",
        '=HYPERLINK("http://127.0.0.1/?"&A1,"here")',
        "-",
        "+-1",
        "--1",
        "-5-",
    ],
)
def test_what_a_program_would_run_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["-5", "+3", "-1e5", "+.5", "-12%", "-$5", "+€1,000.50", "\t5", " -5 ", "-3 €"]
)
def test_a_number_stays_one(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize(
    "text", ["", " ", "a=b", "1+1", "2026-11-25", "'=1+1", "(=1)", "#REF!", "é=1", "’=1", '"=1"']
)
def test_other_texts_stay(text: str) -> None:
    assert defused(text) == text


@given(st.text(alphabet=SIGNS + " '19aé\xa0", max_size=8))
def test_what_is_defused_begins_with_no_sign_unless_it_is_a_number(text: str) -> None:
    made = defused(text)
    assert made in (text, f"'{text}")
    if made.strip()[:1] in tuple(SIGNS) and made.strip():
        assert defused(made) == made


@pytest.mark.parametrize("text", ["-abc", "@home", "+1+1", "\tx", "＠x", " -x", "－", "\u200b@x"])
def test_fused_takes_back_what_defused_did(text: str) -> None:
    assert fused(defused(text)) == text


@pytest.mark.parametrize("text", ["'=1+1", "' =1", "'\u200b=1", "'tis", "'", "''", "'5"])
def test_fused_makes_no_formula_and_leaves_other_apostrophes(text: str) -> None:
    assert fused(text) == text
