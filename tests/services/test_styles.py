"""Styles from commit to delta, and back by an undo."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells import protocol
from cells.domain.operations import (
    Intended,
    SetAddresses,
    SetCells,
    SetStyles,
    Undo,
    parse_operation,
)
from cells.models import AuthorKind, Cell, LinkRole, Revision, Sheet
from cells.services import drafts, snapshots, sql
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Committed, commit
from cells.services.read import open_sheet, read_deltas
from tests.servers.replica import Replica
from tests.services.prices import assert_log_is_whole, do, submit

pytestmark = pytest.mark.django_db

ALICE = Author(AuthorKind.GUEST, "Guest Alpaca", origin="alice")
BOB = Author(AuthorKind.GUEST, "Guest Bison", origin="bob")
BOLD, RED = {"bold": True}, {"fill": "#ff0000"}

SHAPE = ("rows", "columns", "row_sizes", "column_sizes", "frozen")

Styled = dict[tuple[int, int], tuple[str, Any]]


@pytest.fixture
def sheet(db: None) -> Sheet:
    return create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)


def cells(*given: Any) -> Intended:
    return parse_operation({"kind": "set_cells", "cells": [list(cell) for cell in given]})


def restyle(style: object, rows: Any = ((0, 1),), columns: Any = ((0, 1),)) -> Intended:
    runs = {"rows": list(map(list, rows)), "columns": list(map(list, columns))}
    return parse_operation({"kind": "set_styles", **runs, "style": style})


def stored() -> Styled:
    """Return the cells that hold or look like something, as the table has them."""
    found = Cell.objects.values_list("row", "column", "input", "style")
    return {(row, column): (text, style) for row, column, text, style in found if text or style}


def told(frames: Any) -> list[Any]:
    """Return the cells of deltas as clients get them, in order of row and column."""
    decoded = [json.loads(protocol.encode_delta(delta)) for delta in frames]
    return sorted(
        (cell for frame in decoded for _, cells in frame["changes"] for cell in cells),
        key=lambda cell: cell[:2],
    )


def by(author: Author, operation: Any) -> uuid.UUID:
    submission = submit(operation, author=author)
    (outcome,) = commit([submission]).outcomes
    assert isinstance(outcome, Committed), outcome
    return submission.operation_id


def undo(operation_id: uuid.UUID) -> Undo:
    return Undo(operation_id, is_redo=False)


def redo(operation_id: uuid.UUID) -> Undo:
    return Undo(operation_id, is_redo=True)


def test_a_cell_is_set_with_its_style(sheet: Sheet) -> None:
    result = do(cells((0, 0, "a", BOLD), (0, 1, "b"), (0, 2, "", RED)))
    assert stored() == {(0, 0): ("a", BOLD), (0, 1): ("b", None), (0, 2): ("", RED)}
    assert told(result.deltas.values()) == [[0, 0, "a", BOLD], [0, 1, "b"], [0, 2, "", RED]]
    assert Revision.objects.get().before == {"cells": [[0, 0, "", ""], [0, 1, ""], [0, 2, "", ""]]}
    assert_log_is_whole("prices", 1)


def test_a_plain_edit_keeps_the_style_and_tells_it(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD)))
    result = do(cells((0, 0, "b")))
    assert stored() == {(0, 0): ("b", BOLD)}
    assert told(result.deltas.values()) == [[0, 0, "b", BOLD]]
    result = do(SetAddresses(((0, 0, "c"),)))
    assert told(result.deltas.values()) == [[0, 0, "c", BOLD]]
    assert_log_is_whole("prices", 3)


def test_a_fourth_part_replaces_the_style_and_an_empty_one_takes_it_away(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD), (0, 1, "b", BOLD)))
    result = do(cells((0, 0, "a", RED), (0, 1, "b", "")))
    assert stored() == {(0, 0): ("a", RED), (0, 1): ("b", None)}
    assert told(result.deltas.values()) == [[0, 0, "a", RED], [0, 1, "b"]]
    assert_log_is_whole("prices", 2)


def test_of_a_cell_that_is_named_twice_the_last_input_and_the_last_style_count(
    sheet: Sheet,
) -> None:
    do(cells((0, 0, "a", BOLD), (0, 0, "b")))
    assert stored() == {(0, 0): ("b", BOLD)}
    do(cells((0, 0, "c"), (0, 0, "d", RED), (0, 0, "e", "")))
    assert stored() == {(0, 0): ("e", None)}
    assert_log_is_whole("prices", 2)


def test_a_restyle_merges_and_leaves_inputs_alone(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD), (1, 0, "b")))
    result = do(restyle(RED, rows=[(0, 2)], columns=[(0, 2)]))
    assert stored() == {
        (0, 0): ("a", BOLD | RED),
        (0, 1): ("", RED),
        (1, 0): ("b", RED),
        (1, 1): ("", RED),
    }
    assert told(result.deltas.values()) == [
        [0, 0, "a", BOLD | RED],
        [0, 1, "", RED],
        [1, 0, "b", RED],
        [1, 1, "", RED],
    ]
    assert Revision.objects.get(number=2).before == {
        "cells": [[0, 0, None, BOLD], [0, 1, None, ""], [1, 0, None, ""], [1, 1, None, ""]]
    }
    do(restyle({"bold": None}, rows=[(0, 2)]))
    assert stored()[0, 0] == ("a", RED)
    do(restyle("", rows=[(0, 2)], columns=[(0, 2)]))
    assert stored() == {(0, 0): ("a", None), (1, 0): ("b", None)}
    assert Sheet.objects.get().filled == 2
    assert_log_is_whole("prices", 4)


def test_a_restyle_writes_nothing_where_nothing_changes(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD)))
    result = do(restyle("", rows=[(1, 100)], columns=[(0, 26)]), restyle(BOLD))
    assert Cell.objects.count() == 1
    assert Cell.objects.get().revision == 1
    assert told(result.deltas.values()) == []
    assert_log_is_whole("prices", 3)


def test_cells_of_one_batch_see_each_others_styles(sheet: Sheet) -> None:
    result = do(
        restyle(BOLD),
        cells((0, 0, "a")),
        restyle(RED),
        cells((0, 1, "b", RED)),
        restyle({"fill": None}, columns=[(0, 2)]),
    )
    assert stored() == {(0, 0): ("a", BOLD), (0, 1): ("b", None)}
    assert told(result.deltas.values()) == [[0, 0, "a", BOLD], [0, 1, "b"]]
    assert_log_is_whole("prices", 5)


def test_whoever_reads_gets_the_styles(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD), (0, 1, "b"), (0, 2, "", RED), (0, 3, "")))
    do(restyle(RED, rows=[(7, 1)]))
    whole = [[0, 0, "a", BOLD], [0, 1, "b"], [0, 2, "", RED], [7, 0, "", RED]]
    assert told(read_deltas(sheet.pk, 0, is_first_load=True)) == whole
    assert told(read_deltas(sheet.pk, 0)) == sorted([*whole, [0, 3, ""]])
    assert told(read_deltas(sheet.pk, 1)) == [[7, 0, "", RED]]
    packed = snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=lambda: True)
    assert packed is not None
    assert packed.cells == 4
    lines = snapshots.unpack(packed)
    assert lines is not None
    ((author, in_it),) = (change for line in lines for change in json.loads(line)["changes"])
    assert (author, sorted(in_it, key=lambda cell: cell[:2])) == (None, whole)


def test_a_snapshot_from_before_styles_is_not_read(sheet: Sheet) -> None:
    do(cells((0, 0, "a")))
    assert snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=lambda: True)
    assert snapshots.load(sheet.pk) is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cells_snapshot SET format = 1")
    assert snapshots.load(sheet.pk) is None


def test_undo_brings_back_style_and_input_together(sheet: Sheet) -> None:
    by(ALICE, cells((0, 0, "a", BOLD)))
    edit = by(ALICE, cells((0, 0, "b", RED), (0, 1, "c")))
    by(ALICE, undo(edit))
    assert stored() == {(0, 0): ("a", BOLD)}
    by(ALICE, redo(edit))
    assert stored() == {(0, 0): ("b", RED), (0, 1): ("c", None)}
    assert_log_is_whole("prices", 4)


def test_undo_of_a_restyle_brings_back_how_each_cell_looked(sheet: Sheet) -> None:
    by(ALICE, cells((0, 0, "a", BOLD), (1, 0, "b")))
    edit = by(ALICE, restyle({"italic": True}, rows=[(0, 3)]))
    (outcome,) = commit([submit(undo(edit), author=ALICE)]).outcomes
    assert isinstance(outcome, Committed)
    assert stored() == {(0, 0): ("a", BOLD), (1, 0): ("b", None)}
    by(ALICE, redo(edit))
    by(ALICE, undo(edit))
    assert stored() == {(0, 0): ("a", BOLD), (1, 0): ("b", None)}
    assert Revision.objects.get(number=3).operation["step"] == {
        "kind": "restyle_each",
        "cells": [[0, 0, BOLD], [1, 0, ""], [2, 0, ""]],
    }
    assert_log_is_whole("prices", 5)


def test_undo_of_a_restyle_leaves_alone_what_somebody_else_has_written_since(
    sheet: Sheet,
) -> None:
    edit = by(ALICE, restyle(BOLD, rows=[(0, 2)]))
    by(BOB, cells((0, 0, "mine")))
    (outcome,) = commit([submit(undo(edit), author=ALICE)]).outcomes
    assert isinstance(outcome, Committed)
    assert outcome.left == 1
    assert stored() == {(0, 0): ("mine", BOLD)}
    assert_log_is_whole("prices", 3)


def test_inputs_and_styles_of_one_cell_are_taken_back_one_after_the_other(sheet: Sheet) -> None:
    first = by(ALICE, cells((0, 0, "a", BOLD)))
    second = by(ALICE, restyle(RED, columns=[(0, 2)]))
    for operation in (undo(second), undo(first), redo(first), redo(second)):
        by(ALICE, operation)
    assert stored() == {(0, 0): ("a", BOLD | RED), (0, 1): ("", RED)}
    for operation in (undo(second), undo(first)):
        by(ALICE, operation)
    assert stored() == {}
    assert_log_is_whole("prices", 8)


looks = st.sampled_from([BOLD, RED, BOLD | RED, ""])
few = st.integers(0, 2)
edits = st.one_of(
    st.lists(
        st.tuples(few, few, st.sampled_from(["", "x", "y"]))
        | st.tuples(few, few, st.sampled_from(["", "x", "y"]), looks),
        min_size=1,
        max_size=4,
    ).map(lambda given: cells(*given)),
    st.builds(
        restyle,
        st.sampled_from([BOLD, RED, "", {"bold": None}, {"fill": "#00ff00", "bold": None}]),
        st.tuples(st.tuples(few, st.integers(1, 2))),
        st.tuples(st.tuples(few, st.integers(1, 2))),
    ),
)


@given(st.lists(st.lists(edits, min_size=1, max_size=4), min_size=1, max_size=5), st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_log_table_and_replicas_agree_whatever_the_batches(
    sheet: Sheet, batches: list[list[Intended]], data: Any
) -> None:
    Revision.objects.all().delete()
    Cell.objects.all().delete()
    Sheet.objects.update(head=0, filled=0)
    live = Replica()
    live.open({name: [] for name in SHAPE})
    done: list[uuid.UUID] = []
    count = 0
    for batch in batches:
        submissions = [submit(operation, author=ALICE) for operation in batch]
        if done and data.draw(st.integers(0, 1)):
            submissions.append(submit(undo(done.pop()), author=ALICE))
        result = commit(submissions)
        assert all(isinstance(outcome, Committed) for outcome in result.outcomes)
        count += len(submissions)
        done += [
            s.operation_id for s in submissions if isinstance(s.operation, SetCells | SetStyles)
        ]
        for delta in result.deltas.values():
            assert live.apply(json.loads(protocol.encode_delta(delta)))
    assert_log_is_whole("prices", count)
    late = Replica()
    late.open({name: [] for name in SHAPE})
    for delta in read_deltas(sheet.pk, 0, is_first_load=True):
        assert late.apply(json.loads(protocol.encode_delta(delta)))
    assert (live.filled(), live.styles) == (late.filled(), late.styles)
    assert live.styles == {key: style for key, (_, style) in stored().items() if style}


def test_a_restyle_of_long_texts_reads_none_of_them_and_says_that_the_delta_lacks_them(
    sheet: Sheet,
) -> None:
    long = "x" * (sql.MAX_GLANCE_CHARACTERS + 1)
    do(cells((0, 0, long), (1, 0, "short")))
    with CaptureQueriesContext(connection) as captured:
        (delta,) = do(restyle(BOLD, rows=[(0, 2)])).deltas.values()
    assert (delta.lacks_cells, delta.changes) == (True, [])
    assert not any(long in query["sql"] for query in captured)
    assert told(read_deltas(sheet.pk, 1)) == [[0, 0, long, BOLD], [1, 0, "short", BOLD]]
    assert_log_is_whole("prices", 2)
    (delta,) = do(restyle(RED, rows=[(1, 1)])).deltas.values()
    assert not delta.lacks_cells


def test_a_batch_of_more_characters_than_a_frame_should_have_lacks_its_cells(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MAX_DELTA_CHARACTERS", 10)
    (delta,) = do(cells((0, 0, "x" * 6), (0, 1, "y" * 5))).deltas.values()
    assert (delta.after, delta.through, delta.lacks_cells) == (0, 1, True)
    (delta,) = do(cells((0, 0, "x" * 6))).deltas.values()
    assert not delta.lacks_cells


def test_plain_edits_never_write_the_style_column(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD)))
    with CaptureQueriesContext(connection) as captured:
        do(cells((0, 0, "b"), (0, 1, "c")))
    writing = [
        q["sql"] for q in captured if "cells_cell" in q["sql"] and "SELECT cell" not in q["sql"]
    ]
    assert writing
    assert not any("style" in statement for statement in writing)


def test_the_number_of_statements_does_not_grow_with_the_batch(sheet: Sheet) -> None:
    def count(operations: list[Intended]) -> int:
        with CaptureQueriesContext(connection) as captured:
            do(*operations)
        kinds = ("SELECT", "INSERT", "UPDATE")
        return len({q["sql"][:40] for q in captured if q["sql"].lstrip().startswith(kinds)})

    few_cells = count([cells((0, 0, "a", BOLD)), restyle(RED), cells((1, 1, "b"))])
    many = count(
        [
            operation
            for row in range(30)
            for operation in (
                cells((row, 5, "a", BOLD)),
                restyle(RED, rows=[(row, 1)]),
                cells((row, 6, "b")),
            )
        ]
    )
    assert many == few_cells


def test_opening_counts_only_inputs(sheet: Sheet) -> None:
    do(cells((0, 0, "a", BOLD)), restyle(RED, rows=[(0, 9)]))
    assert open_sheet(sheet.pk).filled == 1
