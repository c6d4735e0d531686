"""Looks and frozen rows over the wire, as docs/protocol.md says them."""

import asyncio
import json
import uuid

import pytest
from django.db import OperationalError

from cells.live import committer
from cells.models import Cell
from cells.services import drafts
from tests.live.conftest import LiveServer, Tab, database

Operation = dict[str, object]

BOLD, RED = {"bold": True}, {"fill": "#ff0000"}


async def do(tab: Tab, operation: Operation) -> str:
    """Have an operation committed and return its id."""
    operation_id = str(uuid.uuid4())
    answer = await tab.submit(operation, operation_id)
    assert answer["type"] == "operations.committed", answer
    return operation_id


def restyle(style: object, rows: object = ((0, 1),), columns: object = ((0, 1),)) -> Operation:
    return {"kind": "set_styles", "rows": rows, "columns": columns, "style": style}


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
        ({"kind": "set_cells", "cells": [[0, 0, "x", BOLD], [0, 1, 5]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0, 0, "x", {"bold": 1}]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0, 0, "x\0", BOLD]]}, "invalid_text"),
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


async def test_ten_thousand_styled_cells_are_one_operation(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    cells = [[row, column, "", BOLD] for row in range(1000) for column in range(10)]
    frame = {
        "type": "operation.submit",
        "operation_id": str(uuid.uuid4()),
        "operation": {"kind": "set_cells", "cells": cells[:8_000]},
    }
    await alice.send(json.dumps(frame, separators=(",", ":")))
    await bob.until(lambda: bob.replica.revision == 1)
    assert len(bob.replica.styles) == 8_000
    await do(alice, restyle(RED, rows=[[0, 1000]], columns=[[0, 10]]))
    await bob.until(lambda: bob.replica.revision == 2)
    assert len(bob.replica.styles) == 10_000
    assert bob.replica.styles[0, 0] == BOLD | RED
    assert bob.replica.styles[999, 9] == RED


async def test_a_restyle_of_long_texts_comes_in_portions_before_its_answer(
    live: LiveServer,
) -> None:
    alice, bob = await live.tab(), await live.tab()
    long = "x" * 30_000
    for row in range(20):
        await alice.put(row, 0, long)
    operation_id = str(uuid.uuid4())
    await alice.submit(restyle(BOLD, rows=[[0, 20]]), operation_id)
    await bob.until(lambda: bob.replica.revision == 21)
    for tab in (alice, bob):
        portions = [f for f in tab.frames if f.get("through") == 21]
        assert len(portions) > 1
        assert [frame.get("more", False) for frame in portions] == [True] * (len(portions) - 1) + [
            False
        ]
        assert max(len(json.dumps(frame)) for frame in portions) < 400_000
        assert tab.replica.styles == {(row, 0): BOLD for row in range(20)}
        assert set(tab.replica.cells.values()) == {long}
    ordered = [frame for frame in alice.frames if frame["type"] != "presence.changed"]
    assert ordered[-2]["type"] == "cells.changed"
    assert ordered[-1] == {
        "type": "operations.committed",
        "operations": [[operation_id, 21]],
    }


async def test_a_commit_whose_delta_cannot_be_read_is_still_acknowledged_and_told(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the database went away")

    monkeypatch.setattr(drafts, "MAX_DELTA_CHARACTERS", 3)
    monkeypatch.setattr(committer, "read_frames", fail)
    alice, bob = await live.tab(), await live.tab()
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "four", BOLD]]})
    await asyncio.gather(
        alice.until(lambda: alice.replica.revision == 1),
        bob.until(lambda: bob.replica.revision == 1),
    )
    assert alice.replica.styles == bob.replica.styles == {(0, 0): BOLD}
    assert await database(Cell.objects.count) == 1


async def test_an_undo_of_a_restyle_reaches_everyone(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "a", BOLD]]})
    edit = await do(alice, restyle({"bold": None, "italic": True}, rows=[[0, 2]]))
    await do(alice, {"kind": "undo", "operation_id": edit})
    await bob.until(lambda: bob.replica.revision == 3)
    assert bob.replica.styles == {(0, 0): BOLD}
    await do(alice, {"kind": "redo", "operation_id": edit})
    await bob.until(lambda: bob.replica.revision == 4)
    assert bob.replica.styles == {(0, 0): {"italic": True}, (1, 0): {"italic": True}}
    assert bob.replica.filled() == {(0, 0): "a"}


async def test_styles_reach_everyone_and_whoever_comes_later(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "a", BOLD], [0, 1, "b"]]})
    await do(alice, restyle(RED, columns=[[0, 2]]))
    await do(alice, {"kind": "set_cells", "cells": [[0, 0, "c"]]})
    await do(alice, {"kind": "set_cells", "cells": [[0, 1, "d", ""]]})
    await bob.until(lambda: bob.replica.revision == 4)
    late = await live.tab()
    behind = await live.connect()
    behind.replica.revision = 1
    behind.replica.cells = {(0, 0): "a", (0, 1): "b"}
    await behind.open(revision=1)
    for tab in (alice, bob, late, behind):
        assert tab.replica.cells == {(0, 0): "c", (0, 1): "d"}
        assert tab.replica.styles == {(0, 0): BOLD | RED}
