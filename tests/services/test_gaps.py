"""What several sheets lack, read in one statement: as read_deltas tells it, or left out."""

import uuid
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.domain.axes import AxisName
from cells.domain.operations import Insert, Operation, SetCells
from cells.domain.values import SetValues
from cells.models import AuthorKind, LinkRole, Sheet
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.gaps import MAX_CELLS, MAX_CHARACTERS, read_small_gaps
from cells.services.read import read_deltas

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("postgresql")]

AUTHORS = (Author(AuthorKind.STREAM, "prices"), Author(AuthorKind.GUEST, "Heron", origin="tab-1"))
CALCULATOR = Author(AuthorKind.CALCULATOR, "calculator")


def new_sheet() -> Sheet:
    return create_sheet(None, "Sheet", slug=uuid.uuid4().hex, link_role=LinkRole.EDITOR)


def do(sheet: Sheet, *operations: Operation, author: Author = AUTHORS[0]) -> None:
    commit([Submission(sheet.slug, uuid.uuid4(), operation, author) for operation in operations])


edits = st.lists(
    st.tuples(
        st.integers(0, 2),  # sheet
        st.integers(0, 1),  # author
        st.integers(0, 3),  # row
        st.sampled_from(["", "7", "=A1", "text", "x" * MAX_CHARACTERS]),
    ),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits, st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_gaps_of_many_sheets_are_what_each_would_read(
    edits: Sequence[tuple[int, int, int, str]], known: Sequence[int]
) -> None:
    sheets = [new_sheet() for _ in range(3)]
    for place, author, row, text in edits:
        do(sheets[place], SetCells(((row, 1, text),)), author=AUTHORS[author])
    for sheet in sheets:
        sheet.refresh_from_db()
        do(sheet, SetValues(sheet.head, ((0, 1, 5), (1, 1, "five"))), author=CALCULATOR)
        sheet.refresh_from_db()
    wanted = {sheet.pk: min(after, sheet.head) for sheet, after in zip(sheets, known, strict=True)}

    found = read_small_gaps(wanted)

    for sheet_id, after in wanted.items():
        (alone,) = read_deltas(sheet_id, after)
        assert (found[sheet_id].after, found[sheet_id].through) == (after, alone.through)
        assert normal(found[sheet_id].changes) == normal(alone.changes)


def normal(changes: Iterable[tuple[str | None, Iterable[object]]]) -> list[str]:
    encode = msgspec.json.encode
    return sorted(encode([author, cell]).decode() for author, cells in changes for cell in cells)


def test_what_takes_more_than_a_glance_is_left_out() -> None:
    short, many, long, reshaped = (new_sheet() for _ in range(4))
    do(short, SetCells(((0, 0, "x"),)))
    do(many, SetCells(tuple((row, column, "x") for row in range(26) for column in range(10))))
    do(long, SetCells(((0, 0, "x" * (MAX_CHARACTERS + 1)), (1, 0, "y"))))
    do(reshaped, Insert(AxisName.ROWS, None, 1), SetCells(((0, 0, "x"),)))
    assert MAX_CELLS < 260
    gone = 10**9

    wanted = {sheet.pk: 0 for sheet in (short, many, long, reshaped)}
    assert read_small_gaps({**wanted, gone: 0}).keys() == {short.pk}
    # What has been seen is no part of a gap.
    assert read_small_gaps({reshaped.pk: 1}).keys() == {reshaped.pk}
    assert read_small_gaps({long.pk: 1})[long.pk].changes == []
