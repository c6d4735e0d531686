"""The stored form of an axis, which releases that know of no deaths read, too, and the wire's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells import protocol
from cells.domain.axes import Axis
from cells.domain.deltas import Delta
from cells.domain.tombstones import told_apart

STORED = [[0, 5], [5, -3], [-9, 0], [8, -1], [9, 3]]


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """An axis after any steps, some of its deaths forgotten as an older release does it."""
    axis = Axis.from_runs([[0, 6]])
    for _ in range(draw(st.integers(0, 10))):
        ids = st.integers(0, axis.next_id - 1)
        match draw(st.sampled_from(["insert", "delete", "restore", "older release"])):
            case "insert":
                axis = axis.insert(draw(st.none() | ids), draw(st.integers(1, 2)), 1_000)
            case "delete":
                axis = axis.delete([(id_, 1) for id_ in draw(st.lists(ids, max_size=3))])
            case "restore":
                axis = axis.restore([(draw(ids), 1)])
            case _:
                axis = Axis.from_runs(read_by_an_older_release(axis.to_runs()))
    return axis


def read_by_an_older_release(stored: list[list[int]]) -> list[list[int]]:
    """Do what releases do that know of no deaths: leave out runs of none, and join the others."""
    joined: list[list[int]] = []
    for first, count in stored:
        if count == 0:
            continue
        if joined:
            begin, length = joined[-1]
            if begin + abs(length) == first and (length > 0) == (count > 0):
                joined[-1][1] += count
                continue
        joined.append([first, count])
    return joined


def test_a_pair_of_count_0_tells_when_the_tombstones_in_front_of_it_died() -> None:
    axis = Axis.from_runs(STORED)

    assert axis.deaths_of([(0, 12)]) == [(5, 3, 9)]
    assert (axis.to_runs(), axis.next_id, len(axis)) == (STORED, 12, 8)
    assert axis.ids_between(0, 20) == [0, 1, 2, 3, 4, 9, 10, 11]


def test_of_several_runs_each_is_followed_by_its_own() -> None:
    axis = Axis.from_runs([[0, 6]]).delete([(2, 1)]).insert(2, 1, 99).delete([(3, 2)])

    stored = [[0, 2], [6, 1], [2, -1], [-6, 0], [3, -2], [-7, 0], [5, 1]]
    assert axis.to_runs() == stored
    assert told_apart(stored) == ([[0, 2], [6, 1], [2, -3], [5, 1]], ((2, 1, 6), (3, 2, 7)))


@given(axes())
def test_what_is_stored_is_read_as_it_was(axis: Axis) -> None:
    assert Axis.from_runs(axis.to_runs()) == axis
    assert Axis.from_runs(json.loads(json.dumps(axis.to_runs()))) == axis


@given(axes())
def test_an_older_release_reads_the_same_axis_and_the_wire_has_what_it_had(axis: Axis) -> None:
    runs, deaths = told_apart(axis.to_runs())
    older = read_by_an_older_release(axis.to_runs())

    assert runs == older == read_by_an_older_release(runs)
    assert sorted(deaths) == sorted(axis.deaths_of([(0, axis.next_id)]))
    assert Axis.from_runs(runs).with_deaths(deaths) == axis


@given(axes())
def test_a_browser_finds_every_id_in_runs_that_an_older_release_handed_on(axis: Axis) -> None:
    """Its pages look for the last run that begins at or before an id: none of count 0 may."""
    assert all(first < 0 for first, count in axis.to_runs() if count == 0)


@pytest.mark.parametrize("rows", [None, [[0, 5], [5, -1], [6, 994]]])
def test_a_frame_of_no_known_deaths_is_byte_for_byte_what_it_was(
    rows: list[list[int]] | None,
) -> None:
    frame = protocol.encode_delta(Delta(3, 4, [], rows=rows, columns=rows, frozen=(0, 0)))

    told = (
        b"" if rows is None else b',"rows":[[0,5],[5,-1],[6,994]],"columns":[[0,5],[5,-1],[6,994]]'
    )
    expected = b'{"type":"cells.changed","after":3,"through":4,"changes":[]' + told
    assert frame == expected + b',"frozen":[0,0]}'


def test_a_frame_tells_deaths_beside_the_runs_that_it_had() -> None:
    frame: dict[str, Any] = json.loads(protocol.encode_delta(Delta(3, 4, [], columns=STORED)))

    assert frame["columns"] == [[0, 5], [5, -4], [9, 3]]
    assert frame["column_deaths"] == [[5, 3, 9]]
    assert "row_deaths" not in frame


@pytest.mark.parametrize("spaces", ["", " "])
def test_the_text_that_a_database_has_is_told_likewise(spaces: str) -> None:
    separators = (f",{spaces}", ":")
    untouched = json.dumps([[10, 10], [0, -10]], separators=separators)

    runs, deaths = protocol.axis_on_wire(untouched)
    assert (bytes(runs).decode(), deaths) == (untouched, ())

    runs, deaths = protocol.axis_on_wire(json.dumps(STORED, separators=separators))
    assert (json.loads(bytes(runs)), deaths) == ([[0, 5], [5, -4], [9, 3]], ((5, 3, 9),))
