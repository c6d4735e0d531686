"""Cells in another order, over the wire, as docs/protocol.md says it."""

import random
import uuid

from cells.domain.operations import SetCells
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.drafts import MAX_DELTA_CELLS
from tests.live.conftest import LiveServer, database, state_of
from tests.live.test_styles import cells_of, do, newest

WIDTH = 26
HEIGHT = MAX_DELTA_CELLS // WIDTH + 30  # too many cells for one frame


async def test_everybody_sees_cells_change_places_with_their_looks(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    bold = {"bold": True}
    await do(
        alice, {"kind": "set_cells", "cells": [[0, 0, "b", bold], [0, 1, "of b"], [1, 0, "a"]]}
    )
    await bob.until(lambda: bob.replica.revision == 1)
    reordering = {"rows": [[0, 3]], "columns": [[0, 2]], "order": [1, 0, 2]}
    sorting = await do(alice, {"kind": "reorder_cells", **reordering})
    await bob.until(lambda: bob.replica.revision == 2)
    assert cells_of(newest(bob)) == {
        (0, 0): ["a"],
        (0, 1): [""],
        (1, 0): ["b", {"bold": True}],
        (1, 1): ["of b"],
    }
    await bob.put(1, 1, "Bob's, of b")
    await do(alice, {"kind": "undo", "operation_id": sorting})
    await bob.until(lambda: bob.replica.revision == 4)
    assert await state_of() == (4, {(0, 0): "b", (0, 1): "Bob's, of b", (1, 0): "a"})
    assert cells_of(newest(bob))[0, 0] == ["b", {"bold": True}]


async def test_an_order_that_is_none_is_refused_and_nothing_is_lost(live: LiveServer) -> None:
    alice = await live.tab()
    await alice.put(0, 0, "a")
    raw = {"kind": "reorder_cells", "rows": [[0, 2]], "columns": [[0, 1]], "order": [1, 1]}
    answer = await alice.submit(raw)
    assert (answer["type"], answer["code"]) == ("operation.rejected", "malformed")
    answer = await alice.submit(raw | {"rows": [[5_000, 2]], "order": [1, 0]})
    assert (answer["type"], answer["code"]) == ("operation.rejected", "unknown_id")
    assert await state_of() == (1, {(0, 0): "a"})


async def test_a_large_sort_is_one_revision_that_comes_in_several_frames(live: LiveServer) -> None:
    def fill() -> None:
        author = Author(AuthorKind.API, "test")
        for first in range(0, HEIGHT, 300):
            rows = range(first, min(first + 300, HEIGHT))
            cells = tuple(
                (row, column, f"{row} {column}") for row in rows for column in range(WIDTH)
            )
            commit([Submission("prices", uuid.uuid4(), SetCells(cells), author)])

    await database(fill)
    alice, bob = await live.tab(), await live.tab()
    order = list(range(HEIGHT))
    random.Random(1).shuffle(order)
    seen = len(bob.frames)
    reordering = {"rows": [[0, HEIGHT]], "columns": [[0, WIDTH]], "order": order}
    await do(alice, {"kind": "reorder_cells", **reordering})
    head, cells = await state_of()
    await bob.until(lambda: bob.replica.revision == head)
    assert all(cells[row, 0] == f"{source} 0" for row, source in enumerate(order))
    assert bob.replica.cells == alice.replica.cells == cells
    frames = [frame for frame in bob.frames[seen:] if frame["type"] == "cells.changed"]
    assert [frame.get("more", False) for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert {frame["through"] for frame in frames} == {head}
    assert len(frames) > 1
