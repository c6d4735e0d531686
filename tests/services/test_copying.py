import pytest
from django.contrib.auth.models import User

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import NoSuchSheet
from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Move,
    Resize,
    SetAddresses,
    SetCells,
    load_operation,
)
from cells.domain.sizes import sizes_of
from cells.models import AuthorKind, LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.copying import copy_sheet
from cells.services.shelf import delete_sheet
from tests.services.prices import STREAM, assert_log_is_whole, do, put, texts

ROWS, COLUMNS = AxisName.ROWS, AxisName.COLUMNS


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


def copy(sheet: Sheet) -> Sheet:
    made = copy_sheet(sheet, "Copy", owner=None, author=STREAM)
    made.refresh_from_db()
    return made


def looks(sheet: Sheet) -> dict[tuple[int, int], object]:
    """Return the styles of the living cells by position."""
    rows, columns = Axis.from_runs(sheet.rows), Axis.from_runs(sheet.columns)
    return {
        (rows.position_of(cell.row), columns.position_of(cell.column)): cell.style
        for cell in sheet.cells.all()
        if cell.style and rows.is_alive(cell.row) and columns.is_alive(cell.column)
    }


def sizes(sheet: Sheet, name: AxisName) -> list[int | None]:
    """Return the size of each living row or column, in order."""
    runs, sized = (
        (sheet.rows, sheet.row_sizes) if name is ROWS else (sheet.columns, sheet.column_sizes)
    )
    ids = Axis.from_runs(runs).ids_between(0, 2_000)
    return [sizes_of(sized, ((id_, 1),))[0].pixels for id_ in ids]


def test_a_copy_of_an_empty_sheet_is_an_empty_sheet(sheet: Sheet) -> None:
    made = copy(sheet)
    assert (made.head, made.filled, made.rows, made.columns) == (0, 0, sheet.rows, sheet.columns)


def test_a_copy_shows_what_its_source_shows_and_its_log_leads_there(sheet: Sheet) -> None:
    do(
        SetAddresses(
            tuple((row, column, f"{row},{column}") for row in range(6) for column in (0, 3))
        ),
        load_operation(
            {
                "kind": "set_styles",
                "rows": [[1, 4]],
                "columns": [[2, 2]],
                "style": {"bold": True, "fill": "#ffeedd", "format": "percent", "decimals": 2},
            }
        ),
        Resize(ROWS, ((1, 3), (8, 1)), 40),
        Resize(COLUMNS, ((0, 1),), 200),
        Freeze(2, 1),
        Insert(ROWS, 2, 3),
        Move(COLUMNS, ((0, 1),), 3),
        Delete(ROWS, ((3, 1),)),
        Delete(COLUMNS, ((5, 2),)),
        put("A1", ""),
    )
    sheet.refresh_from_db()
    made = copy(sheet)
    assert texts(made.slug) == texts("prices")
    assert looks(made) == looks(sheet) != {}
    assert sizes(made, ROWS) == sizes(sheet, ROWS)
    assert sizes(made, COLUMNS) == sizes(sheet, COLUMNS)
    assert (made.frozen_rows, made.frozen_columns) == (2, 1)
    assert made.filled == len(texts("prices"))
    assert_log_is_whole(made.slug, made.head)


@pytest.mark.parametrize("position", [(1_500, 30), (999, 25)])
def test_a_copy_is_as_large_as_its_source(sheet: Sheet, position: tuple[int, int]) -> None:
    do(SetAddresses(((*position, "corner"),)), Delete(ROWS, ((10, 90),)))
    sheet.refresh_from_db()
    made = copy(sheet)
    for name in ("rows", "columns"):
        assert len(Axis.from_runs(getattr(made, name))) == len(Axis.from_runs(getattr(sheet, name)))
    assert texts(made.slug) == texts("prices")
    assert_log_is_whole(made.slug, made.head)


def test_a_large_copy_is_written_in_parts(sheet: Sheet) -> None:
    for first in range(0, 900, 300):
        do(
            SetCells(
                tuple(
                    (row, column, "x") for row in range(first, first + 300) for column in range(26)
                )
            )
        )
    do(SetCells(tuple((row, 0, "y" * 30_000) for row in range(20))))
    made = copy(sheet)
    parts = [
        revision.operation["cells"]
        for revision in Revision.objects.filter(sheet=made).order_by("number")
    ]
    assert sum(map(len, parts)) == 900 * 26
    assert all(len(cells) <= 10_000 for cells in parts)
    assert all(sum(len(cell[2]) for cell in cells) <= 250_000 for cells in parts)
    assert texts(made.slug) == texts("prices")


def test_a_copy_is_its_makers_own_and_its_source_stays_as_it_was(sheet: Sheet, alice: User) -> None:
    do(put("A1", "a"))
    SheetAccess.objects.create(sheet=sheet, user=User.objects.create_user("bob"), role=Role.EDITOR)
    author = Author(AuthorKind.USER, "alice", alice.pk)
    made = copy_sheet(sheet, "Mine", owner=alice, author=author)
    assert (made.title, made.owner, made.link_role) == ("Mine", alice, LinkRole.NONE)
    assert not made.access.exists()
    assert Revision.objects.get(sheet=made).user == alice
    sheet.refresh_from_db()
    assert (sheet.head, texts("prices")) == (1, {"A1": "a"})


def test_a_copy_that_fails_leaves_nothing(sheet: Sheet, alice: User) -> None:
    do(put("A1", "a"))
    stranger = Author(AuthorKind.USER, "carol", alice.pk + 1)
    with pytest.raises(Exception, match="ask its owner"):
        copy_sheet(sheet, "Mine", owner=alice, author=stranger)
    assert list(Sheet.objects.all()) == [sheet]


def test_a_deleted_sheet_is_not_copied(sheet: Sheet) -> None:
    delete_sheet(sheet)
    with pytest.raises(NoSuchSheet):
        copy(sheet)
    assert Sheet.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_made_outside_of_any_transaction() -> None:
    sheet = create_sheet(None, "Prices", slug="prices")
    do(put("B2", "b"))
    assert texts(copy(sheet).slug) == {"B2": "b"}
