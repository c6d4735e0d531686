"""Whatever is done to a sheet, its messages say what a replay of the whole log says."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cells.domain.addresses import format_address
from cells.domain.axes import Axis, AxisName
from cells.domain.layout import CellId, Layout, set_inputs
from cells.domain.operations import (
    Delete,
    Insert,
    Move,
    Operation,
    RestoreTo,
    SetAddresses,
    SetCells,
    Undo,
    load_operation,
)
from cells.domain.references import Axes, to_shown
from cells.domain.reordering import ReorderCells
from cells.models import AuthorKind, LinkRole, Publication, Revision, Sheet
from cells.services.commit import Author, Committed, Submission, commit
from cells.services.publications import Due
from cells.streams.composing import Composer

pytestmark = pytest.mark.django_db

ALICE = Author(AuthorKind.GUEST, "Alice", origin=str(UUID(int=1)))

IDS = st.integers(0, 3)
AXES = st.sampled_from(AxisName)
RUNS = st.tuples(IDS, st.just(1)).map(lambda run: (run,))
ORDERS = st.permutations(range(4)).map(tuple)
CELLS = st.lists(
    st.tuples(IDS, IDS, st.sampled_from(["", "a", "b", "=B2", "=A$3"])), min_size=1, max_size=4
)
DEEDS = st.one_of(
    st.builds(SetCells, CELLS.map(tuple)),
    st.builds(ReorderCells, st.just(((0, 4),)), st.just(((0, 4),)), ORDERS),
    st.builds(Insert, AXES, IDS, st.integers(1, 2)),
    st.builds(Delete, AXES, RUNS),
    st.builds(Move, AXES, RUNS, IDS),
    st.builds(RestoreTo, IDS, st.sampled_from([None, (0, 0, 2, 2)])),
    # Beyond the grid, which grows, and close to its end, which may have grown.
    st.builds(SetAddresses, st.just(((1_000, 0, "below"), (0, 26, "beside")))),
    st.integers(0, 4),  # take back, or do again, the operation so many before
)


def do_all(deeds: list[Any]) -> None:
    """Commit what is possible; what is refused leaves no trace."""
    done: list[UUID] = []
    for deed in deeds:
        if not isinstance(deed, int):
            operations = [deed]
        elif deed < len(done):
            operations = [Undo(done[-1 - deed], is_redo) for is_redo in (False, True)]
        else:
            continue
        for operation in operations[: 1 + len(done) % 2]:
            operation_id = uuid4()
            (outcome,) = commit([Submission("demo", operation_id, operation, ALICE)]).outcomes
            if isinstance(outcome, Committed) and not isinstance(operation, Undo):
                done.append(operation_id)


def replayed() -> list[list[tuple[str, str, str | None]]]:
    """Return (address, input, header) of the cells that each revision set, by a whole replay."""
    layout = Layout(
        {AxisName.ROWS: Axis.from_runs([[0, 1000]]), AxisName.COLUMNS: Axis.from_runs([[0, 26]])},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )
    inputs: dict[CellId, str] = {}
    told = []
    for raw in Revision.objects.order_by("number").values_list("operation", flat=True):
        operation: Operation = load_operation(raw)
        effect = layout.apply(operation).settled(inputs, {})
        set_inputs(inputs, {}, effect)
        rows, columns = layout.axes[AxisName.ROWS], layout.axes[AxisName.COLUMNS]
        told.append(
            sorted(
                (
                    format_address(rows.position_of(row), columns.position_of(column)),
                    to_shown(text, Axes(rows, columns)) if text[:1] == "=" else text,
                    _header(inputs.get((rows.id_at(0), column), "")),
                )
                for row, column, text in effect.cells
            )
        )
    return told


def _header(text: str) -> str | None:
    return text if text and text[:1] != "=" else None


def composed(sheet: Sheet, number: int) -> list[dict[str, Any]]:
    """Return what a publisher that starts at a revision says."""
    due = Due(1, sheet.pk, "demo", "", number, sheet.head)
    if number == sheet.head:
        return []
    (request,) = Composer("berlin").compose(due).requests
    return [msgspec.json.decode(message.data) for message in request]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, max_size=14), st.integers(0, 14))
def test_messages_say_what_a_replay_of_the_log_says_wherever_a_publisher_starts(
    db: None, deeds: list[Any], number: int
) -> None:
    Sheet.objects.all().delete()
    sheet = Sheet.objects.create(slug="demo", title="Demo", link_role=LinkRole.EDITOR)
    Publication.objects.create(sheet=sheet)
    do_all(deeds)
    sheet.refresh_from_db()
    number = min(number, sheet.head)

    whole = composed(sheet, 0)

    assert [body["revision"] for body in whole] == list(range(1, sheet.head + 1))
    told = [
        sorted((edit["cell"], edit["input"], edit.get("column")) for edit in body.get("edits", []))
        for body in whole
    ]
    assert told == replayed()
    assert composed(sheet, number) == whole[number:]
