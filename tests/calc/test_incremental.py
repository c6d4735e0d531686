"""However a sheet came to be what it is, its values are those of a new engine."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from cells.calc.engine import Content, Formula, Position, Value
from cells.calc.formualizer_engine import FormualizerEngine

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROWS, COLUMNS = 5, 4

positions = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1))
addresses = positions.map(lambda at: f"{'ABCD'[at[1]]}{at[0] + 1}")
areas = st.tuples(addresses, addresses).map(":".join)
# Only for what ignores empty cells: where such a range ends is where the sheet was ever used.
ranges = st.one_of(areas, st.sampled_from(["A:A", "B:D", "C2:C"]))
# Column A holds no formulas. A circle through INDIRECT or OFFSET is sure to be noticed only when a
# sheet is loaded (docs/formulas.md), so they look there.
in_column_a = st.integers(1, ROWS).map("A{}".format)
formulas = st.one_of(
    addresses.map("={}".format),
    st.tuples(addresses, st.sampled_from("+-*/&=<"), addresses).map("={0[0]}{0[1]}{0[2]}".format),
    ranges.map("=SUM({})".format),
    ranges.map("=COUNTA({})".format),
    areas.map("=INDEX(SORT({}),1,1)".format),
    areas.map("={}*2".format),
    areas.map("=SUM(LEN({}))".format),
    areas.map("=SUM(IFERROR(MOD({0},2),COUNTIF({0},{0})))".format),
    st.tuples(addresses, addresses, addresses).map("=IF({0[0]}>2,{0[1]},{0[2]})".format),
    addresses.map("=IFERROR({},7)".format),
    in_column_a.map('=INDIRECT("{}")&B1'.format),
    in_column_a.map("=OFFSET({},1,0)*2".format),
    st.tuples(addresses, ranges).map("=SUMIF({0[1]},{0[0]})".format),
    st.just("=1+"),
    st.just("=TODAY()"),
    st.just("=SEQUENCE(2,2)"),
).map(Formula)
literals: st.SearchStrategy[Content] = st.one_of(
    st.none(), st.integers(-3, 9).map(float), st.booleans(), st.sampled_from(["a", "b", "7"])
)
cells = st.one_of(
    st.tuples(positions.filter(lambda at: at[1] == 0), literals),
    st.tuples(positions.filter(lambda at: at[1] > 0), st.one_of(literals, formulas, formulas)),
)
edits = st.lists(cells, min_size=1, max_size=6).map(dict)
sheets = st.lists(cells, min_size=4, max_size=20).map(dict)


@settings(max_examples=400, deadline=None)
@given(st.lists(edits, min_size=2, max_size=6))
def test_edits_one_by_one_come_to_the_same_as_all_at_once(
    steps: list[dict[Position, Content]],
) -> None:
    incremental = FormualizerEngine()
    sheet: dict[Position, Content] = {}
    shown: dict[Position, Value] = {}
    for step in steps:
        incremental.set(step)
        sheet.update(step)
        for position in step:
            shown.pop(position, None)
        shown.update(incremental.evaluate(NOW))
        rebuilt = FormualizerEngine()
        rebuilt.load(sheet)
        assert shown == rebuilt.evaluate(NOW)
        assert incremental.volatile == rebuilt.volatile


@settings(max_examples=150, deadline=None)
@given(sheets)
def test_a_walk_comes_to_the_same_as_all_at_once(sheet: dict[Position, Content]) -> None:
    walked, loaded = FormualizerEngine(), FormualizerEngine()
    seen = set(walked.walk(sheet, NOW))
    loaded.load(sheet)
    assert walked.evaluate(NOW) == loaded.evaluate(NOW)
    assert seen == {at for at, content in sheet.items() if isinstance(content, Formula)}
