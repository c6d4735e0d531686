from hypothesis import given
from hypothesis import strategies as st

from cells.services.xlsx_strings import escaped, is_plain, unescaped


@given(st.text("_x0D5Ff4\x0b\r\uffff", max_size=40))
def test_every_text_is_what_its_escaped_form_stands_for(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert is_plain(escaped(text))
