"""The grid offers no function that the engine does not have."""

import re
from datetime import UTC, datetime
from pathlib import Path

from cells.calc.engine import Formula
from cells.calc.formualizer_engine import FormualizerEngine

OFFERED = Path(__file__).parents[2] / "cells/static/cells/ui/formula_functions.js"
NAME = re.compile(r'described\("([A-Z0-9.]+)"')


def test_every_function_that_is_offered_is_known() -> None:
    names = NAME.findall(OFFERED.read_text())
    engine = FormualizerEngine()
    engine.load({(row, 0): Formula(f"={name}()") for row, name in enumerate([*names, "NO.SUCH"])})

    values = engine.evaluate(datetime(2026, 11, 27, tzinfo=UTC))

    assert len(names) > 150
    unknown = [
        row
        for (row, _), value in values.items()
        if value == {"error": "#NAME?"} or "no function" in str(value)
    ]
    assert unknown == [len(names)]
