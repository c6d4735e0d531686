"""What Excel documents, formula by formula; where ours differs is written beside it."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cells.calc.engine import Content, Formula, Value
from cells.calc.formualizer_engine import FormualizerEngine
from cells.domain.addresses import parse_address

VECTORS = json.loads((Path(__file__).parent / "excel_cases.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = VECTORS["cases"]
NOW = datetime(2026, 11, 27, tzinfo=UTC)
FIRST_ROW, COLUMN = 1_000, 100  # beside everything that a case looks at


def is_same(ours: Value, documented: object) -> bool:
    """Compare as far as Microsoft's pages give digits."""
    if isinstance(ours, dict) or isinstance(documented, dict):
        both = isinstance(ours, dict) and isinstance(documented, dict)
        return both and ours["error"] == documented["error"]  # type: ignore[index]
    if isinstance(ours, bool | str) or isinstance(documented, bool | str):
        return type(ours) is type(documented) and ours == documented
    return isinstance(documented, int | float) and math.isclose(
        ours, documented, rel_tol=1e-6, abs_tol=1e-12
    )


@pytest.fixture(scope="module")
def values() -> dict[str, Value]:
    cells: dict[tuple[int, int], Content] = {}
    for address, content in VECTORS["cells"].items():
        cells[parse_address(address)] = (
            content if isinstance(content, bool | str) else float(content)
        )
    for index, case in enumerate(CASES):
        cells[FIRST_ROW + index, COLUMN] = Formula(case["formula"])
    engine = FormualizerEngine()
    engine.load(cells)
    found = engine.evaluate(NOW)
    return {case["formula"]: found[FIRST_ROW + index, COLUMN] for index, case in enumerate(CASES)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["formula"])
def test_the_result_is_excels(case: dict[str, Any], values: dict[str, Value]) -> None:
    ours = values[case["formula"]]
    assert is_same(ours, case.get("ours", case["excel"]))
    # A difference that is gone must go from the list and from docs/formulas.md.
    assert is_same(ours, case["excel"]) is ("ours" not in case)


def test_every_difference_is_judged_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text("utf-8")
    missing = [case["formula"] for case in CASES if "ours" in case and case["formula"] not in text]
    assert missing == []
