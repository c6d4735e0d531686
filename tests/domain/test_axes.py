import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.axes import MAX_ROWS, Axis, Span
from cells.domain.errors import Deleted, LimitExceeded, SheetSyncError, UnknownId
from cells.domain.runs import join_runs
from cells.domain.tombstones import told_apart

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "axes.json").read_text())
LIMIT = 2_000_000


def do(axis: Axis, step: dict[str, Any]) -> Axis:
    runs = [(first, count) for first, count in step.get("runs", [])]
    match step["action"]:
        case "insert":
            return axis.insert(step["before"], step["count"], LIMIT)
        case "delete":
            return axis.delete(runs)
        case "restore":
            return axis.restore(runs)
        case "move":
            return axis.move(runs, step["before"])
        case action:
            raise AssertionError(f"the vectors have an unknown action {action}")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["description"])
def test_axis_does_what_the_vectors_say(case: dict[str, Any]) -> None:
    axis = Axis.from_runs(case["runs"])
    steps = list(case["steps"])
    if "error" in case:
        last = steps.pop()
        for step in steps:
            axis = do(axis, step)
        with pytest.raises(SheetSyncError) as refusal:
            do(axis, last)
        assert refusal.value.code == case["error"]
        return
    for step in steps:
        axis = do(axis, step)
    runs, deaths = told_apart(axis.to_runs())
    assert runs == case["expected"]
    assert list(map(list, deaths)) == case.get("deaths", [])
    if "living" in case:
        assert len(axis) == case["living"]
    if "next_id" in case:
        assert axis.next_id == case["next_id"]
    if "ids" in case:
        assert axis.ids_between(0, len(axis)) == case["ids"]
    for id_, position in case.get("positions", []):
        assert axis.position_of(id_) == position
        assert axis.id_at(position) == id_
    for id_, code in case.get("lookups", []):
        with pytest.raises(SheetSyncError) as refusal:
            axis.position_of(id_)
        assert refusal.value.code == code


class Model:
    """An axis as plain lists, one entry an id: slow, and plainly right."""

    def __init__(self, count: int) -> None:
        self.ids = list(range(count))
        self.dead: dict[int, int] = {}  # and which id was the next one then
        self.is_moved = False

    def insert(self, before: int | None, count: int) -> None:
        place = len(self.ids) if before is None else self.ids.index(before)
        born = len(self.ids)
        self.ids[place:place] = range(born, born + count)

    def move(self, chosen: set[int], before: int | None) -> None:
        self.is_moved = True
        moved = [id_ for id_ in self.ids if id_ in chosen]
        self.ids = [id_ for id_ in self.ids if id_ not in chosen]
        place = len(self.ids) if before is None else self.ids.index(before)
        self.ids[place:place] = moved

    def living(self) -> list[int]:
        return [id_ for id_ in self.ids if id_ not in self.dead]


@given(st.data())
def test_axis_equals_a_plain_list_after_any_steps(data: st.DataObject) -> None:
    axis, model = Axis.from_runs([[0, 6]]), Model(6)
    for _ in range(data.draw(st.integers(0, 12))):
        any_id = st.integers(0, len(model.ids) - 1)
        runs = data.draw(st.lists(st.tuples(any_id, st.integers(1, 3)), min_size=1, max_size=3))
        runs = [(first, min(count, len(model.ids) - first)) for first, count in runs]
        chosen = {id_ for first, count in runs for id_ in range(first, first + count)}
        before = data.draw(st.none() | any_id)
        match data.draw(st.sampled_from(["insert", "delete", "restore", "move"])):
            case "insert":
                count = data.draw(st.integers(1, 3))
                axis = axis.insert(before, count, LIMIT)
                model.insert(before, count)
            case "delete":
                axis = axis.delete(runs)
                model.dead = {id_: len(model.ids) for id_ in chosen} | model.dead
            case "restore":
                axis = axis.restore(runs)
                model.dead = {id_: k for id_, k in model.dead.items() if id_ not in chosen}
            case _ if not chosen & model.dead.keys() and before not in chosen:
                axis = axis.move(runs, before)
                model.move(chosen, before)
            case _:
                with pytest.raises(SheetSyncError):
                    axis.move(runs, before)
        living = model.living()
        assert axis.ids_between(0, len(axis)) == living
        assert [axis.position_of(id_) for id_ in living] == list(range(len(living)))
        assert [axis.id_at(position) for position in range(len(living))] == living
        assert axis == Axis.from_runs(axis.to_runs())
        assert axis.next_id == len(model.ids)
        if model.is_moved:  # then a death that became a neighbour's may be told from its own
            continue
        exact = axis.with_deaths([(id_, 1, death) for id_, death in model.dead.items()])
        for one in range(axis.next_id):
            assert axis.range_from(one) == exact.range_from(one)
            for other in range(axis.next_id):
                assert axis.range_between(one, other) == exact.range_between(one, other)
        for id_ in range(axis.next_id):
            in_front = model.ids[: model.ids.index(id_)]
            assert axis.living_before(id_) == len([i for i in in_front if i not in model.dead])


@given(st.integers(0, 20), st.integers(0, 20))
def test_ids_between_is_a_slice(start: int, stop: int) -> None:
    axis = Axis.from_runs([[10, 4], [4, -3], [0, 4], [7, 3], [14, -1]])
    whole = [axis.id_at(position) for position in range(len(axis))]
    assert axis.ids_between(start, stop) == whole[start:stop]


def test_what_undo_needs_of_a_move_puts_everything_back() -> None:
    axis = Axis.from_runs([[0, 3], [3, -2], [5, 5]])
    runs = [(8, 2), (0, 2), (6, 1)]
    moved = axis.move(runs, 5)
    for first, count, follower in reversed(axis.followers_of(runs)):
        moved = moved.move([(first, count)], follower)
    assert moved == axis


@given(st.data())
def test_pieces_go_in_front_of_what_stood_behind_them_whatever_happened_since(
    data: st.DataObject,
) -> None:
    ids = st.integers(0, 9)
    some_runs = st.lists(st.tuples(ids, st.integers(1, 3)), min_size=1, max_size=4)

    def runs() -> list[tuple[int, int]]:
        return [(first, min(count, 10 - first)) for first, count in data.draw(some_runs)]

    axis = Axis.from_runs([[0, 10]]).delete(runs())
    for _ in range(data.draw(st.integers(0, 2))):
        axis = moved_somewhere(axis, runs(), data.draw(st.none() | ids))
    pieces = axis.followers_of(runs())
    assert axis.place(pieces) == axis
    since = moved_somewhere(axis, runs(), data.draw(st.none() | ids)).delete(runs())
    model = Model(0)
    model.ids = order_of(since)
    for first, count, behind in reversed(pieces):
        chosen = list(range(first, first + count))
        model.ids = [id_ for id_ in model.ids if id_ not in chosen]
        place = len(model.ids) if behind is None else model.ids.index(behind)
        model.ids[place:place] = chosen
    placed = since.place(pieces)
    assert order_of(placed) == model.ids
    assert [placed.is_alive(id_) for id_ in range(10)] == [since.is_alive(id_) for id_ in range(10)]
    assert placed == Axis.from_runs(placed.to_runs())


def order_of(axis: Axis) -> list[int]:
    """Return all ids, the deleted ones too, in the order in which they stand."""
    return [id_ for first, length, *_ in axis.runs for id_ in range(first, first + length)]


def moved_somewhere(axis: Axis, runs: list[tuple[int, int]], before: int | None) -> Axis:
    """Move what is alive, if it can go there."""
    try:
        return axis.move(axis.chosen(runs, is_alive=True), before)
    except SheetSyncError:
        return axis


def test_ten_thousand_pieces_are_put_back_in_one_pass() -> None:
    axis = Axis.from_runs([[0, MAX_ROWS]])
    runs = [(first, 1) for first in range(0, 20_000, 2)]
    assert axis.move(runs, None).place(axis.followers_of(runs)) == axis


def test_a_tombstone_is_not_the_same_as_an_unknown_id() -> None:
    axis = Axis.from_runs([[0, 2], [2, -1]])
    assert not axis.is_alive(2)
    with pytest.raises(Deleted):
        axis.position_of(2)
    with pytest.raises(UnknownId):
        axis.is_alive(3)


def test_insert_beyond_the_limit_is_refused() -> None:
    axis = Axis.from_runs([[0, MAX_ROWS]])
    with pytest.raises(LimitExceeded):
        axis.insert(None, 1, MAX_ROWS)


def test_a_million_rows_cost_as_many_steps_as_their_runs() -> None:
    axis = Axis.from_runs([[0, MAX_ROWS]]).move([(500_000, 10)], 3).delete([(7, 400_000)])
    assert len(axis.runs) < 10
    assert axis.position_of(999_999) == MAX_ROWS - 400_001


def test_a_queue_has_as_few_runs_as_if_all_had_been_deleted_at_once() -> None:
    """Its first row goes whenever another one comes at the end, or some rows later."""
    axis = Axis.from_runs([[0, 50]])
    for taken in range(300):
        axis = axis.insert(None, 1 + taken % 2, MAX_ROWS).delete([(taken, 1)])
    assert axis.to_runs() == [[0, -300], [-500, 0], [300, 200]]
    assert axis.range_between(200, 310) == Span(0, 10, is_reversed=False)


def test_runs_that_overlap_or_touch_are_joined() -> None:
    assert join_runs([(5, 2), (0, 3), (2, 3), (9, 1)]) == [(0, 7), (9, 10)]
