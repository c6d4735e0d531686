from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain import layout as layout_module
from cells.domain.axes import Axis, AxisName
from cells.domain.errors import SheetSyncError
from cells.domain.layout import CellId, Layout, set_inputs
from cells.domain.operations import (
    Delete,
    Insert,
    Move,
    PutBack,
    Restore,
    SetCells,
    Step,
)
from cells.domain.reordering import ReorderCells
from cells.domain.rewinding import Traces, rewound
from cells.domain.undoing import inverse_of_shape

IDS = st.integers(0, 9)
AXES = st.sampled_from(AxisName)
RUNS = st.tuples(IDS, st.integers(1, 3)).map(lambda run: (run,))
STEPS = st.one_of(
    st.builds(Insert, AXES, st.none() | IDS, st.integers(1, 3)),
    st.builds(Delete, AXES, RUNS),
    st.builds(Restore, AXES, RUNS),
    st.builds(Move, AXES, RUNS, st.none() | IDS),
    st.builds(
        SetCells,
        st.lists(st.tuples(IDS, IDS, st.text("abc", max_size=2)), min_size=1).map(tuple),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    st.builds(
        ReorderCells,
        st.just(((1, 3),)),
        st.just(((0, 2),)),
        st.permutations(range(3)).map(tuple),
    ),
)


class History:
    """A sheet that is edited, with all that it ever was."""

    def __init__(self) -> None:
        self.layout = Layout(
            {name: Axis.from_runs([[0, 6]]) for name in AxisName},
            {name: [] for name in AxisName},
        )
        self.inputs: dict[CellId, str] = {}
        self.log: list[tuple[Step, dict[str, Any]]] = []
        self.axes = [dict(self.layout.axes)]
        self.states: list[dict[CellId, str]] = [{}]

    def carry_out(self, step: Step) -> dict[str, Any] | None:
        """Carry out a step; one that is refused changes nothing."""
        try:
            effect = self.layout.apply(step).settled(self.inputs, {})
        except SheetSyncError:
            return None
        before = set_inputs(self.inputs, {}, effect)
        self.log.append((step, before))
        self.axes.append(dict(self.layout.axes))
        self.states.append(dict(self.inputs))
        return before


def history_of(steps: list[tuple[Step, bool]]) -> History:
    """Return what comes of steps, some of which are taken back at once."""
    history = History()
    for step, is_taken_back in steps:
        before = history.carry_out(step)
        if before is not None and is_taken_back:
            inverse = inverse_of_shape(step, before)
            if inverse is not None:
                history.carry_out(inverse)
    return history


@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=12))
def test_axes_are_rewound_to_exactly_what_they_were(steps: list[tuple[Step, bool]]) -> None:
    history = history_of(steps)

    axes = dict(history.layout.axes)
    for (step, before), past in zip(history.log[::-1], history.axes[-2::-1], strict=True):
        axes = rewound(axes, step, before)
        assert axes == past


@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=12))
def test_so_are_axes_whose_deaths_have_become_too_many(steps: list[tuple[Step, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout_module, "MAX_RUNS", 4)
        history = history_of(steps)

    axes = dict(history.layout.axes)
    for (step, before), past in zip(history.log[::-1], history.axes[-2::-1], strict=True):
        axes = rewound(axes, step, before)
        assert axes == past


@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=12), st.integers(0, 12))
def test_inputs_of_an_earlier_revision_are_traced(
    steps: list[tuple[Step, bool]], number: int
) -> None:
    history = history_of(steps)
    number = min(number, len(history.log))
    keys = [(row, column) for row in range(8) for column in range(8)]

    traces = Traces(keys)
    for step, before in history.log[number:]:
        traces.follow(step, before)
    inputs = dict(traces.inputs)
    for place, key in traces.places.items():
        inputs[key] = history.inputs.get(place, "")

    assert inputs == {key: history.states[number].get(key, "") for key in keys}


def test_pieces_that_were_put_back_are_rewound() -> None:
    history = History()
    history.carry_out(Move(AxisName.ROWS, ((0, 2),), 4))
    before = history.carry_out(PutBack(AxisName.ROWS, ((0, 1, 2), (1, 1, None))))

    assert before is not None
    assert rewound(history.layout.axes, history.log[-1][0], before) == history.axes[-2]


def test_rather_than_that_a_deletion_is_refused_deaths_are_forgotten() -> None:
    history = History()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout_module, "MAX_RUNS", 9)
        for born in range(6, 30):  # a row comes at the end, and goes
            assert history.carry_out(Insert(AxisName.ROWS, None, 1)) is not None
            assert history.carry_out(Delete(AxisName.ROWS, ((born, 1),))) is not None
    rows = history.layout.axes[AxisName.ROWS]
    assert len(rows.runs) <= 9
    assert rows.deaths_of([(29, 1)]) == [(29, 1, 30)]
