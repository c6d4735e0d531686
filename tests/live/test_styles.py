"""Looks and frozen rows over the wire, as docs/protocol.md says them."""

import pytest

from tests.live.conftest import LiveServer, Tab

Operation = dict[str, object]


async def do(tab: Tab, operation: Operation) -> None:
    answer = await tab.submit(operation)
    assert answer["type"] == "operations.committed", answer


def newest(tab: Tab) -> dict[str, object]:
    """Return the newest delta: presence may come behind it."""
    return [frame for frame in tab.frames if frame["type"] == "cells.changed"][-1]


def cells_of(frame: dict[str, object]) -> dict[tuple[int, int], list[object]]:
    changes = frame["changes"]
    assert isinstance(changes, list)
    return {(cell[0], cell[1]): cell[2:] for _, cells in changes for cell in cells}


async def test_looks_reach_everybody_with_the_cell_and_stay_when_it_is_typed_over(
    live: LiveServer,
) -> None:
    alice, bob = await live.tab(), await live.tab()
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "1"], [1, 0, "2", {"bold": True}]]})
    await bob.until(lambda: bob.replica.revision == 1)
    assert cells_of(newest(bob)) == {(0, 0): ["1"], (1, 0): ["2", {"bold": True}]}
    restyle = {"rows": [[0, 2]], "columns": [[0, 2]], "style": {"fill": "#ffff00"}}
    await do(alice, {"kind": "set_styles", **restyle})
    await bob.until(lambda: bob.replica.revision == 2)
    assert cells_of(newest(bob)) == {
        (0, 0): ["1", {"fill": "#ffff00"}],
        (0, 1): ["", {"fill": "#ffff00"}],
        (1, 0): ["2", {"bold": True, "fill": "#ffff00"}],
        (1, 1): ["", {"fill": "#ffff00"}],
    }
    await bob.put(1, 0, "3")
    await alice.until(lambda: alice.replica.revision == 3)
    assert cells_of(newest(alice)) == {(1, 0): ["3", {"bold": True, "fill": "#ffff00"}]}


async def test_a_first_load_brings_looks_of_empty_cells_too(live: LiveServer) -> None:
    alice = await live.tab()
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "", {"fill": "#ff0000"}]]})
    await do(alice, {"kind": "freeze", "rows": 1, "columns": 2})
    late = await live.connect()
    await late.open()
    opened = next(frame for frame in late.frames if frame["type"] == "sheet.opened")
    assert (opened["filled"], opened["frozen"]) == (0, [1, 2])
    await late.until(lambda: late.replica.revision == 2)
    cells = [cells_of(frame) for frame in late.frames if frame["type"] == "cells.changed"]
    assert {key: cell for part in cells for key, cell in part.items()} == {
        (0, 0): ["", {"fill": "#ff0000"}]
    }


async def test_freezing_is_told_to_everybody_and_taken_back(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await do(alice, {"kind": "freeze", "rows": 2, "columns": 0})
    await bob.until(lambda: bob.replica.revision == 1)
    assert newest(bob)["frozen"] == [2, 0]
    await alice.put(0, 0, "x")
    await bob.until(lambda: bob.replica.revision == 2)
    assert "frozen" not in newest(bob)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"kind": "set_cells", "cells": [[0, 0, "x", {"font": "Arial"}]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0, 0, "x", None]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0, 0, "x", "", 1]]}, "malformed"),
        ({"kind": "set_styles", "rows": [[0, 1]], "style": {"bold": True}}, "malformed"),
        (
            {"kind": "set_styles", "rows": [[0, 1000]], "columns": [[0, 26]], "style": ""},
            "limit_exceeded",
        ),
        (
            {"kind": "set_styles", "rows": [[5000, 1]], "columns": [[0, 1]], "style": ""},
            "unknown_id",
        ),
        ({"kind": "freeze", "rows": 51, "columns": 0}, "limit_exceeded"),
        ({"kind": "freeze", "rows": 1}, "malformed"),
    ],
)
async def test_what_is_no_style_is_refused_with_a_code(
    live: LiveServer, operation: Operation, code: str
) -> None:
    alice = await live.tab()
    answer = await alice.submit(operation)
    assert (answer["type"], answer["code"]) == ("operation.rejected", code)
