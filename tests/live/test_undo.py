"""Undo and redo over the wire, as docs/protocol.md says them."""

import uuid

import pytest

from cells.models import LinkRole, Sheet
from tests.live.conftest import LiveServer, Tab, database, state_of
from tests.live.test_wire import grant

Operation = dict[str, object]


async def do(tab: Tab, operation: Operation) -> str:
    """Have an operation committed and return its id."""
    operation_id = str(uuid.uuid4())
    answer = await tab.submit(operation, operation_id)
    assert answer["type"] == "operations.committed", answer
    return operation_id


def undo(operation_id: str) -> Operation:
    return {"kind": "undo", "operation_id": operation_id}


def redo(operation_id: str) -> Operation:
    return {"kind": "redo", "operation_id": operation_id}


async def test_everybody_sees_an_undo_as_changed_cells(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    edit = await do(alice, {"kind": "set_cells", "cells": [[4, 1, "19.99"]]})
    operation_id = str(uuid.uuid4())
    answer = await alice.submit(undo(edit), operation_id)
    assert answer == {"type": "operations.committed", "operations": [[operation_id, 2]]}
    await bob.until(lambda: bob.replica.revision == 2)
    newest = [frame for frame in bob.frames if frame["type"] == "cells.changed"][-1]
    assert newest["changes"] == [[alice.client_id, [[4, 1, ""]]]]
    await do(alice, redo(edit))
    await bob.until(lambda: bob.replica.revision == 3)
    assert bob.replica.cells == alice.replica.cells == {(4, 1): "19.99"}
    late = await live.tab()
    assert late.replica.cells == bob.replica.cells


async def test_the_answer_says_how_many_cells_were_left_alone(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    edit = await do(alice, {"kind": "set_cells", "cells": [[0, 0, "a"], [0, 1, "a"]]})
    await bob.put(0, 1, "b")
    operation_id = str(uuid.uuid4())
    answer = await alice.submit(undo(edit), operation_id)
    assert answer == {
        "type": "operations.committed",
        "operations": [[operation_id, 3]],
        "left": {operation_id: 1},
    }
    assert await state_of() == (3, {(0, 1): "b"})


async def test_rows_that_an_undo_takes_away_go_everywhere(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    insert = await do(alice, {"kind": "insert_rows", "before": 0, "count": 2})
    move = await do(alice, {"kind": "move_columns", "columns": [[0, 2]], "before": None})
    resize = await do(alice, {"kind": "resize", "rows": [[0, 2]], "size": 50})
    delete = await do(alice, {"kind": "delete_rows", "rows": [[5, 1]]})
    for edit in (delete, resize, move, insert):
        await do(alice, undo(edit))
    await bob.until(lambda: bob.replica.revision == 8)
    assert bob.replica.rows == [[1000, -2], [0, 1000]]
    assert (bob.replica.columns, bob.replica.row_sizes) == ([[0, 26]], [])
    late = await live.tab()
    assert late.replica.rows == bob.replica.rows


async def test_many_undos_at_once_are_taken_in_order(live: LiveServer) -> None:
    alice = await live.tab()
    edits = [str(uuid.uuid4()) for _ in range(30)]
    for place, edit in enumerate(edits):
        operation = {"kind": "set_cells", "cells": [[0, 0, str(place)]]}
        await alice.send({"type": "operation.submit", "operation_id": edit, "operation": operation})
    for edit in reversed(edits):
        await alice.send(
            {
                "type": "operation.submit",
                "operation_id": str(uuid.uuid4()),
                "operation": undo(edit),
            }
        )
    await alice.until(lambda: alice.replica.revision == 60)
    assert not [frame for frame in alice.frames if "left" in frame]
    assert await state_of() == (60, {})


async def test_a_guest_keeps_what_is_theirs_across_a_reload(live: LiveServer) -> None:
    alice = await live.tab()
    edit = await do(alice, {"kind": "set_cells", "cells": [[0, 0, "x"]]})
    await alice.socket.close()
    reloaded = await live.connect()
    await reloaded.open(client_id=alice.client_id)
    await do(reloaded, undo(edit))
    assert await state_of() == (2, {})


async def refused(tab: Tab, operation: Operation) -> str:
    answer = await tab.submit(operation)
    assert (answer["type"], answer["retryable"]) == ("operation.rejected", False)
    assert answer["message"]
    code: str = answer["code"]
    return code


async def test_an_undo_that_cannot_be_is_refused_with_a_code(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    edit = await do(alice, {"kind": "set_cells", "cells": [[0, 0, "x"]]})
    assert await refused(bob, undo(edit)) == "forbidden"
    assert await refused(alice, redo(edit)) == "nothing_to_redo"
    assert await refused(alice, undo(str(uuid.uuid4()))) == "nothing_to_undo"
    await do(alice, undo(edit))
    assert await refused(alice, undo(edit)) == "nothing_to_undo"
    assert await state_of() == (2, {})


async def test_a_viewer_may_not_undo(live: LiveServer) -> None:
    carol = await database(lambda: grant("carol"))
    tab = await live.tab(user=carol)
    edit = await do(tab, {"kind": "set_cells", "cells": [[0, 0, "x"]]})
    await database(lambda: Sheet.objects.update(link_role=LinkRole.VIEWER))
    assert await refused(await live.tab(user=carol), undo(edit)) == "forbidden"
    assert await state_of() == (1, {(0, 0): "x"})


@pytest.mark.parametrize(
    "operation",
    [
        {"kind": "undo"},
        {"kind": "undo", "operation_id": 5},
        {"kind": "redo", "operation_id": "last"},
        {"kind": "redo", "operation_id": None},
        {"kind": "restore_rows", "rows": [[0, 1]]},
        {"kind": "put_back_rows", "rows": [[0, 1, None]]},
        {"kind": "resize_back", "rows": [[0, 1, 50]]},
    ],
    ids=str,
)
async def test_what_only_the_log_may_say_is_malformed(
    live: LiveServer, operation: Operation
) -> None:
    assert await refused(await live.tab(), operation) == "malformed"


async def test_a_step_that_comes_with_an_undo_are_not_looked_at(live: LiveServer) -> None:
    alice = await live.tab()
    edit = await do(alice, {"kind": "set_cells", "cells": [[0, 0, "x"]]})
    await do(alice, undo(edit) | {"step": {"kind": "set_cells", "cells": [[5, 5, "smuggled"]]}})
    assert await state_of() == (2, {})
