import uuid

import pytest
from django.db import connection

from cells.domain.axes import AxisName
from cells.domain.operations import AppendRows, Delete, Operation, Resize, SetCells
from cells.models import AuthorKind, LinkRole, Sheet
from cells.services import read
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.read import open_sheet, read_deltas, read_window

pytestmark = pytest.mark.django_db

GUEST = Author(AuthorKind.GUEST, "Guest Heron", origin="tab-1")
STREAM = Author(AuthorKind.STREAM, "prices", origin="sub/1")


@pytest.fixture
def sheet() -> Sheet:
    return create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)


def do(operation: Operation | AppendRows, author: Author = STREAM) -> None:
    commit([Submission("prices", uuid.uuid4(), operation, author)])


def test_a_delta_has_the_cells_touched_since_with_their_authors(sheet: Sheet) -> None:
    do(SetCells(((0, 0, "old"), (1, 0, "kept"))))
    do(SetCells(((0, 0, "new"),)), GUEST)
    do(SetCells(((5, 5, ""), (6, 6, "x"))))
    (delta,) = read_deltas(sheet.pk, 1)
    assert (delta.after, delta.through, delta.has_more) == (1, 3, False)
    assert delta.changes == [
        ("tab-1", [(0, 0, "new")]),
        ("stream", [(5, 5, ""), (6, 6, "x")]),
    ]
    assert delta.rows is delta.columns is delta.row_sizes is None


def test_a_first_load_leaves_out_what_is_empty_and_who_typed_what(sheet: Sheet) -> None:
    do(SetCells(((0, 0, "a"), (1, 0, "b"))))
    do(SetCells(((0, 0, ""),)))
    (delta,) = read_deltas(sheet.pk, 0, is_first_load=True)
    assert (delta.through, delta.changes) == (2, [(None, [(1, 0, "b")])])


def test_a_delta_brings_an_axis_only_when_it_changed_since(sheet: Sheet) -> None:
    do(Delete(AxisName.ROWS, ((3, 1),)))
    do(Resize(AxisName.COLUMNS, ((0, 1),), 50))
    (delta,) = read_deltas(sheet.pk, 1)
    assert delta.rows is None
    assert (delta.columns, delta.column_sizes) == ([[0, 26]], [[0, 1, 50]])
    (delta,) = read_deltas(sheet.pk, 0)
    assert delta.rows == [[0, 3], [3, -1], [-1000, 0], [4, 996]]


def test_at_the_head_there_is_one_empty_delta(sheet: Sheet) -> None:
    do(SetCells(((0, 0, "a"),)))
    (delta,) = read_deltas(sheet.pk, 1)
    assert (delta.after, delta.through, delta.changes) == (1, 1, [])


def test_a_large_delta_comes_in_portions_of_cells_and_of_characters(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "CELLS_PER_DELTA", 4)
    monkeypatch.setattr(read, "CHARACTERS_PER_DELTA", 30)
    do(SetCells(tuple((row, 0, "x" * 20 if row < 4 else "x") for row in range(11))))
    deltas = list(read_deltas(sheet.pk, 0))
    assert [len(cells) for delta in deltas for _, cells in delta.changes] == [2, 2, 4, 3]
    assert [delta.has_more for delta in deltas] == [True, True, True, False]


def test_who_was_long_away_is_not_told_who_typed_what(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "AUTHORS_WITHIN_REVISIONS", 1)
    do(SetCells(((0, 0, "a"),)))
    do(SetCells(((0, 1, "b"),)))
    (delta,) = read_deltas(sheet.pk, 0)
    assert delta.changes == [(None, [(0, 0, "a"), (0, 1, "b")])]


def test_a_sheet_that_is_gone_has_no_deltas(sheet: Sheet) -> None:
    assert list(read_deltas(sheet.pk + 1, 0)) == []
    with pytest.raises(Sheet.DoesNotExist):
        open_sheet(sheet.pk + 1)


@pytest.mark.django_db(transaction=True)
def test_reading_leaves_no_transaction_behind_even_when_it_is_broken_off(sheet: Sheet) -> None:
    do(SetCells(((0, 0, "a"),)))
    deltas = read_deltas(sheet.pk, 0)
    next(deltas)
    deltas.close()  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    do(SetCells(((0, 0, "b"),)))
    (delta,) = read_deltas(sheet.pk, 1)
    assert delta.through == 2


def test_a_window_shows_places_not_ids(sheet: Sheet) -> None:
    do(AppendRows((("a", "b"), ("c", "d"), ("e", "f"))))
    do(Delete(AxisName.ROWS, ((1, 1),)))
    sheet.refresh_from_db()
    assert read_window(sheet, 0, 0, 2, 3).texts == [["a", "b", ""], ["e", "f", ""]]
    assert read_window(sheet, 998, 25, 10, 10).texts == [[""]]
