import re
from pathlib import Path

from cells.calc.formualizer_engine import is_function
from cells.calc.reasons import NAMES

TEXT = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text("utf-8")


def names_under(heading: str) -> list[str]:
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"(?<![`#!\w])[A-Z][A-Z0-9]*(?:\.[A-Z0-9]+)*(?![`\w!])", section)


def test_the_functions_that_are_listed_are_those_there_are() -> None:
    names = names_under("Functions")
    assert len(names) > 440
    assert [name for name in names if not is_function(name)] == []
    assert len(set(names)) == len(names)


def test_the_functions_that_are_missed_are_missing() -> None:
    names = [name for name in names_under("Not supported") if len(name) > 2]
    assert len(names) > 50
    assert [name for name in names if is_function(name)] == []


def test_every_error_is_explained() -> None:
    assert [name for name in NAMES.values() if f"| `{name}` |" not in TEXT] == []
