import json
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells import protocol
from cells.domain.axes import AxisName
from cells.domain.operations import Delete, Insert, Operation, Resize, SetCells
from cells.models import AuthorKind, Revision, Sheet, Snapshot
from cells.services import read, snapshots
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.read import open_sheet, read_deltas
from cells.services.sql import uuid_text
from tests.servers.replica import Replica

pytestmark = pytest.mark.django_db

STREAM = Author(AuthorKind.STREAM, "prices")


def do(operation: Operation, slug: str = "prices") -> None:
    commit([Submission(slug, uuid.uuid4(), operation, STREAM)])


def write(row: int, text: str) -> None:
    do(SetCells(((row, 0, text),)))


def pack(sheet: Sheet, is_wanted: Callable[[], bool] = lambda: True) -> snapshots.PackedSheet:
    packed = snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=is_wanted)
    assert packed is not None
    return packed


def stored(sheet: Sheet) -> int | None:
    return Snapshot.objects.filter(sheet=sheet).values_list("revision", flat=True).first()


def lines_of(packed: snapshots.PackedSheet) -> list[bytes]:
    lines = snapshots.unpack(packed)
    assert lines is not None
    return lines


def opened(sheet_id: int) -> Replica:
    replica = Replica()
    shape = open_sheet(sheet_id)
    names = ("rows", "columns", "row_sizes", "column_sizes")
    frozen = [shape.frozen_rows, shape.frozen_columns]
    replica.open({name: json.loads(getattr(shape, name)) for name in names} | {"frozen": frozen})
    return replica


def read_on(replica: Replica, sheet_id: int, *, is_first_load: bool = False) -> None:
    for delta in read_deltas(sheet_id, replica.revision, is_first_load=is_first_load):
        assert replica.apply(json.loads(protocol.encode_delta(delta)))


def test_a_snapshot_is_the_first_load_as_frames(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "CELLS_PER_DELTA", 2)
    do(SetCells(tuple((row, 0, "é\n" if row else "") for row in range(6))))
    packed = pack(sheet)
    assert (packed.revision, packed.cells, stored(sheet)) == (1, 5, 1)
    loaded = snapshots.load(sheet.pk)
    assert loaded == packed
    assert isinstance(loaded.data, bytes)
    frames = [json.loads(line) for line in lines_of(loaded)]
    assert [(frame["after"], frame["through"], frame.get("more")) for frame in frames] == [
        (0, 1, True),
        (0, 1, True),
        (0, 1, None),
    ]
    cells = [cell for frame in frames for _, cells in frame["changes"] for cell in cells]
    assert sorted(cells) == [[row, 0, "é\n"] for row in range(1, 6)]


def test_a_newer_snapshot_takes_the_place_of_an_older_one(sheet: Sheet) -> None:
    write(0, "a")
    pack(sheet)
    write(1, "b")
    pack(sheet)
    assert stored(sheet) == 2
    assert Snapshot.objects.count() == 1


def test_an_older_snapshot_does_not_take_the_place_of_a_newer_one(sheet: Sheet) -> None:
    write(0, "a")
    older = pack(sheet)
    write(1, "b")
    pack(sheet)
    first = Revision.objects.get(sheet=sheet, number=1)
    snapshots._store(sheet.pk, older, uuid_text(connection.vendor, first.operation_id))
    assert stored(sheet) == 2


def test_a_snapshot_of_another_life_of_the_log_is_neither_used_nor_kept(sheet: Sheet) -> None:
    for number in range(3):
        write(number, "lost")
    pack(sheet)
    Revision.objects.filter(number__gt=1).delete()  # an older backup was restored
    Sheet.objects.update(head=1)
    assert snapshots.load(sheet.pk) is None
    write(1, "other")
    pack(sheet)
    write(2, "other")
    assert stored(sheet) == 2
    loaded = snapshots.load(sheet.pk)
    assert loaded is not None
    assert loaded.revision == 2
    Snapshot.objects.update(operation_id=uuid.uuid4())
    assert snapshots.load(sheet.pk) is None


def test_a_snapshot_of_another_format_is_not_read(sheet: Sheet) -> None:
    write(0, "a")
    pack(sheet)
    Snapshot.objects.update(format=snapshots.FORMAT + 1)
    assert snapshots.load(sheet.pk) is None
    pack(sheet)
    assert snapshots.load(sheet.pk) is not None


def test_a_snapshot_may_be_thrown_away_and_goes_with_its_sheet(sheet: Sheet) -> None:
    write(0, "a")
    pack(sheet)
    found = snapshots.find(sheet.pk)
    assert found is not None
    assert (found.revision, found.cells, found.bytes) == (1, 1, len(pack(sheet).data))
    snapshots.drop(sheet.pk)
    assert snapshots.load(sheet.pk) is None
    assert snapshots.find(sheet.pk) is None
    pack(sheet)
    sheet.delete()
    assert not Snapshot.objects.exists()


def test_nothing_is_stored_of_what_is_not_there_or_not_wanted(sheet: Sheet) -> None:
    encode = protocol.encode_delta
    assert snapshots.pack(sheet.pk, encode, is_wanted=lambda: True) is None  # it has no log
    write(0, "a")
    assert snapshots.pack(sheet.pk, encode, is_wanted=lambda: False) is None
    assert snapshots.pack(sheet.pk + 1, encode, is_wanted=lambda: True) is None
    assert not Snapshot.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_packing_leaves_no_transaction_behind_even_when_it_is_broken_off(sheet: Sheet) -> None:
    write(0, "a")
    snapshots.pack(sheet.pk, protocol.encode_delta, is_wanted=lambda: False)
    write(1, "b")
    pack(sheet)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert stored(sheet) == 2


cells = st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from(["", "x", "y\u2028z"]))
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(SetCells, st.lists(cells, min_size=1, max_size=4).map(tuple)),
    st.builds(Insert, st.just(AxisName.ROWS), st.just(2), st.integers(1, 2)),
    st.builds(Delete, st.just(AxisName.ROWS), st.just(((40, 2),))),
    st.builds(Resize, st.just(AxisName.COLUMNS), st.just(((0, 1),)), st.sampled_from([50, None])),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(operations, min_size=1, max_size=8), since=st.lists(operations, max_size=8))
def test_opening_through_a_snapshot_gives_the_same_as_without(
    db: None, monkeypatch: pytest.MonkeyPatch, before: list[Operation], since: list[Operation]
) -> None:
    monkeypatch.setattr(read, "CELLS_PER_DELTA", 3)
    slug = uuid.uuid4().hex
    sheet = create_sheet(None, "Any", slug=slug)
    for operation in before:
        do(operation, slug)
    packed = pack(sheet)
    for operation in since:
        do(operation, slug)

    through = opened(sheet.pk)
    for line in lines_of(packed):
        assert through.apply(json.loads(line))
    assert through.revision == packed.revision
    read_on(through, sheet.pk)

    without = opened(sheet.pk)
    read_on(without, sheet.pk, is_first_load=True)
    for name in ("revision", "rows", "columns", "row_sizes", "column_sizes"):
        assert getattr(through, name) == getattr(without, name)
    assert through.filled() == without.filled()
