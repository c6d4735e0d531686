"""A restore over the wire: one revision like any other, and it holds nobody up."""

import threading
import uuid
from functools import partial

import pytest
from django.contrib.auth.models import User

from cells.live import planning
from cells.live.threads import READERS
from cells.models import LinkRole, Sheet
from cells.services.access import create_sheet
from cells.services.restoring import RestorePlan, plan_restore
from tests.live.conftest import LiveServer, database, state_of
from tests.live.test_styles import cells_of, do, newest


async def test_everybody_sees_a_restore_and_its_undo(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.put(0, 0, "a")
    await do(alice, {"kind": "insert_rows", "before": 0, "count": 2})
    await alice.put(0, 0, "b")
    restore = await do(bob, {"kind": "restore", "revision": 1})
    await alice.until(lambda: alice.replica.revision == 4)
    assert newest(alice)["rows"] == [[1000, -2], [0, 1000]]
    assert cells_of(newest(alice)) == {(0, 0): ["a"]}
    await do(bob, {"kind": "undo", "operation_id": restore})
    await alice.until(lambda: alice.replica.revision == 5)
    assert newest(alice)["rows"] == [[1000, 2], [0, 1000]]
    assert alice.replica.cells == {(0, 0): "b"}
    answer = await alice.submit({"kind": "restore", "revision": 99})
    assert (answer["type"], answer["code"]) == ("operation.rejected", "outdated")
    answer = await bob.submit({"kind": "restore", "revision": 1}, expected=4)
    assert (answer["type"], answer["code"]) == ("operation.rejected", "outdated")
    # What is in the log is no longer to be refused: the answer to its first attempt was lost.
    answer = await bob.submit({"kind": "restore", "revision": 1}, restore, expected=2)
    assert answer["type"] == "operations.committed"
    answer = await bob.submit({"kind": "restore", "revision": 1}, expected=5)
    assert answer["type"] == "operations.committed"
    seen = len(bob.frames)
    frame = {"type": "operation.submit", "operation_id": restore, "expected": "x"}
    for operation in (
        {"kind": "restore", "revision": 1},
        {"kind": "set_cells", "cells": [[0, 0, "x"]]},
    ):
        await bob.send(frame | {"operation": operation})
        refusal = await bob.next("error", seen)
        assert refusal["code"] == "malformed"
        assert "expected" in refusal["message"]
        seen = len(bob.frames)
    answer = await bob.submit({"kind": "set_cells", "cells": [[0, 0, "x"]]}, expected=5)
    assert (answer["type"], answer["code"]) == ("operation.rejected", "outdated")
    await database(lambda: Sheet.objects.update(link_role=LinkRole.VIEWER))
    carol = await live.tab()
    answer = await carol.submit({"kind": "restore", "revision": 1})
    assert (answer["type"], answer["code"]) == ("operation.rejected", "forbidden")


async def test_others_edit_while_a_restore_is_planned(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.put(0, 0, "a")
    await alice.put(0, 0, "b")
    may_go_on = threading.Event()

    def slowly(*arguments: object) -> RestorePlan:
        plan = plan_restore(*arguments)  # type: ignore[arg-type]
        assert may_go_on.wait(20)
        return plan

    monkeypatch.setattr(planning, "plan_restore", slowly)
    frame = {"kind": "restore", "revision": 1}
    await alice.send(
        {
            "type": "operation.submit",
            "operation_id": "6f1cf5a5-3c5e-4f0c-9d0b-6b0c1f2f7a11",
            "operation": frame,
        }
    )
    assert (await bob.put(0, 0, "c"))["type"] == "operations.committed"
    assert (await bob.put(0, 1, "new"))["type"] == "operations.committed"
    may_go_on.set()
    await bob.until(lambda: bob.replica.revision == 5)
    assert await state_of() == (5, {(0, 0): "a"})
    assert bob.replica.filled() == {(0, 0): "a"}


async def test_restores_of_many_sheets_keep_nobody_from_opening_one(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have a thread of their own, and each person one turn."""
    user = await database(lambda: User.objects.create_user("alice"))
    may_go_on = threading.Event()
    planned: list[object] = []

    def slowly(*arguments: object) -> RestorePlan:
        planned.append(arguments)
        assert may_go_on.wait(20)
        return plan_restore(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "plan_restore", slowly)
    restore = {"kind": "restore", "revision": 0}
    wire = {"type": "operation.submit", "operation_id": str(uuid.uuid4()), "operation": restore}
    tabs = []
    for number in range(READERS):
        slug = f"sheet-{number}"
        await database(partial(create_sheet, None, slug, slug=slug, link_role=LinkRole.EDITOR))
        tabs.append(await live.tab(slug, user=None if number else user))
        await tabs[-1].send(wire)
    try:
        hers = await live.tab(user=user)
        answer = await hers.submit(restore)
        assert (answer["code"], answer["retryable"]) == ("unavailable", True)
        assert "another restore of yours" in answer["message"]
        assert len(planned) <= 1
    finally:
        may_go_on.set()
    for tab in tabs:
        await tab.until(lambda tab=tab: tab.replica.revision == 1)  # type: ignore[misc]
    assert len(planned) == READERS
