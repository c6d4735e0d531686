"""The wire contract, over real sockets on a real server, as its reader would expect it."""

import asyncio
import json
import uuid

import pytest
from django.contrib.auth.models import User
from websockets import Origin
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cells import consumers
from cells.domain.operations import SetCells
from cells.live import hub as hub_module
from cells.models import AuthorKind, LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import LiveServer, Tab, database, state_of

STREAM = Author(AuthorKind.STREAM, "prices")


def grant(username: str, role: Role | None = None) -> User:
    user = User.objects.create(username=username)
    if role is not None:
        SheetAccess.objects.create(sheet=Sheet.objects.get(slug="prices"), user=user, role=role)
    return user


async def test_opening_gives_shape_then_cells_then_presence(live: LiveServer) -> None:
    tab = await live.connect()
    opened = await tab.open()
    assert [frame["type"] for frame in tab.frames[:3]] == [
        "sheet.opened",
        "cells.changed",
        "presence.changed",
    ]
    assert opened["protocol"] == 1
    assert opened["sheet"] == {"slug": "prices", "title": "Prices"}
    assert opened["role"] == "editor"
    assert opened["you"]["client_id"] == tab.client_id
    assert opened["you"]["name"].startswith("Guest ")
    assert (opened["head"], opened["rows"], opened["columns"]) == (0, [[0, 1000]], [[0, 26]])
    assert tab.frames[1] == {"type": "cells.changed", "after": 0, "through": 0, "changes": []}
    assert tab.frames[2]["full"] is True


async def test_an_edit_reaches_everyone_and_is_acknowledged_to_its_author(
    live: LiveServer,
) -> None:
    alice, bob = await live.tab(), await live.tab()
    operation_id = str(uuid.uuid4())
    answer = await alice.submit({"kind": "set_cells", "cells": [[4, 1, "19.99"]]}, operation_id)
    assert answer == {"type": "operations.committed", "operations": [[operation_id, 1]]}
    await bob.until(lambda: bob.replica.revision == 1)
    for tab in (alice, bob):
        changed = await tab.next("cells.changed", 1 + 1)
        assert changed == {
            "type": "cells.changed",
            "after": 0,
            "through": 1,
            "changes": [[alice.client_id, [[4, 1, "19.99"]]]],
        }
    assert not [frame for frame in bob.frames if frame["type"] == "operations.committed"]


async def test_retry_after_a_lost_answer_commits_nothing_more(live: LiveServer) -> None:
    operation = {"kind": "set_cells", "cells": [[0, 0, "once"]]}
    operation_id = str(uuid.uuid4())
    first = await (await live.tab()).submit(operation, operation_id)
    second = await (await live.tab()).submit(operation, operation_id)
    assert first["operations"] == second["operations"] == [[operation_id, 1]]
    assert await database(Revision.objects.count) == 1


async def test_structure_and_sizes_reach_everyone(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.submit({"kind": "insert_rows", "before": 0, "count": 2})
    await alice.submit({"kind": "delete_columns", "columns": [[5, 1]]})
    await alice.submit({"kind": "move_rows", "rows": [[0, 1]], "before": None})
    await alice.submit({"kind": "resize", "columns": [[0, 2]], "size": 200})
    await bob.until(lambda: bob.replica.revision == 4)
    assert bob.replica.rows == [[1000, 2], [1, 999], [0, 1]]
    assert bob.replica.columns == [[0, 5], [5, -1], [6, 20]]
    assert bob.replica.column_sizes == [[0, 2, 200]]
    late = await live.tab()
    for name in ("rows", "columns", "row_sizes", "column_sizes", "cells"):
        assert getattr(late.replica, name) == getattr(bob.replica, name)


async def test_everyone_is_told_what_the_next_id_was_when_rows_died(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.submit({"kind": "delete_rows", "rows": [[5, 2]]})
    await alice.submit({"kind": "insert_rows", "before": 7, "count": 1})
    await alice.submit({"kind": "delete_rows", "rows": [[7, 1]]})
    await bob.until(lambda: bob.replica.revision == 3)
    late = await live.connect()
    opened = await late.open()
    # By their kind: who comes is told in between.
    changed = [[f for f in tab.frames if f["type"] == "cells.changed"][-1] for tab in (bob, late)]
    for frame in (opened, *changed):
        assert frame["rows"] == [[0, 5], [5, -2], [1000, 1], [7, -1], [8, 992]]
        assert frame["row_deaths"] == [[5, 2, 1000], [7, 1, 1001]]
        assert "column_deaths" not in frame


async def test_catching_up_brings_only_what_was_missed(live: LiveServer) -> None:
    alice = await live.tab()
    for number in range(5):
        await alice.put(number, 0, str(number))
    bob = await live.connect()
    bob.replica.revision = 3
    opened = await bob.open(revision=3)
    assert opened["head"] == 5
    assert bob.replica.filled() == {(3, 0): "3", (4, 0): "4"}


async def test_a_gap_on_the_same_socket_is_healed_by_opening_again(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.put(0, 0, "a")
    await bob.until(lambda: bob.replica.revision == 1)
    bob.replica.revision, bob.replica.cells = 0, {}  # as if the frame had been lost
    await bob.open(revision=0)
    assert bob.replica.filled() == {(0, 0): "a"}
    await alice.put(0, 1, "b")
    await bob.until(lambda: bob.replica.revision == 2)


async def test_a_revision_from_another_life_of_the_database_gets_the_whole_sheet(
    live: LiveServer,
) -> None:
    alice = await live.tab()
    await alice.put(0, 0, "a")
    bob = await live.connect()
    await bob.open(revision=99)
    assert (await bob.next("cells.changed"))["after"] == 0
    await bob.until(lambda: bob.replica.filled() == {(0, 0): "a"})


async def test_a_large_sheet_comes_in_several_frames(live: LiveServer) -> None:
    def fill() -> None:
        for start in (0, 500):
            rows = range(start, start + 500)
            cells = tuple((row, column, "x") for row in rows for column in range(20))
            commit([Submission("prices", uuid.uuid4(), SetCells(cells), STREAM)])

    await database(fill)
    bob = await live.connect()
    await bob.open()
    frames = [frame for frame in bob.frames if frame["type"] == "cells.changed"]
    assert [frame.get("more", False) for frame in frames] == [True, True, True, False]
    assert len(bob.replica.filled()) == 20_000


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"kind": "set_cells", "cells": [[1000, 0, "x"]]}, "unknown_id"),
        ({"kind": "set_cells", "cells": [[-1, 0, "x"]]}, "unknown_id"),
        ({"kind": "set_cells", "cells": [[0, 26, "x"]]}, "unknown_id"),
        ({"kind": "set_cells", "cells": [[2**70, 0, "x"]]}, "unknown_id"),
        ({"kind": "set_cells", "cells": [[0, 0, "a\0b"]]}, "invalid_text"),
        ({"kind": "set_cells", "cells": [[0, 0, "\ud800"]]}, "invalid_text"),
        ({"kind": "set_cells", "cells": [[0, 0, "x" * 32_768]]}, "limit_exceeded"),
        ({"kind": "set_cells", "cells": [[0, 0, "x"]] * 10_001}, "limit_exceeded"),
        ({"kind": "set_cells", "cells": [[0, 0, float("nan")]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0, 0, 5]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[0.5, 0, "x"]]}, "malformed"),
        ({"kind": "set_cells", "cells": [[True, 0, "x"]]}, "malformed"),
        ({"kind": "set_cells", "cells": []}, "malformed"),
        ({"kind": "set_cells", "cells": {}}, "malformed"),
        ({"kind": "set_cells"}, "malformed"),
        ({"kind": "insert_rows", "before": None, "count": 999_001}, "limit_exceeded"),
        ({"kind": "insert_rows", "before": None, "count": 0}, "limit_exceeded"),
        ({"kind": "insert_columns", "before": None, "count": 16_359}, "limit_exceeded"),
        ({"kind": "insert_rows", "before": 5_000, "count": 1}, "unknown_id"),
        ({"kind": "delete_rows", "rows": [[999, 2]]}, "unknown_id"),
        ({"kind": "delete_rows", "rows": []}, "malformed"),
        ({"kind": "move_rows", "rows": [[0, 3]], "before": 1}, "malformed"),
        ({"kind": "resize", "rows": [[0, 1]], "size": 1_000_000}, "limit_exceeded"),
        ({"kind": "resize", "rows": [[0, 1]], "columns": [[0, 1]], "size": 50}, "malformed"),
        ({"kind": "resize", "size": 50}, "malformed"),
        ({"kind": "explode"}, "malformed"),
        ([], "malformed"),
        (None, "malformed"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
async def test_a_bad_operation_is_rejected_with_a_code_and_loses_nothing(
    live: LiveServer, operation: object, code: str
) -> None:
    tab = await live.tab()
    await tab.put(0, 0, "before")
    answer = await tab.submit(operation)  # type: ignore[arg-type]
    assert (answer["type"], answer["code"], answer["retryable"]) == (
        "operation.rejected",
        code,
        False,
    )
    assert answer["message"]
    await tab.put(0, 1, "after")
    assert await state_of() == (2, {(0, 0): "before", (0, 1): "after"})


SUBMIT = '{"type":"operation.submit","operation_id":"%s","operation":%s}'


async def test_numbers_and_nesting_that_break_parsers_are_refused(live: LiveServer) -> None:
    tab = await live.tab()
    operation_id = str(uuid.uuid4())
    huge = '{"kind":"set_cells","cells":[[0,0,%s]]}' % ("9" * 5_000)
    await tab.send(SUBMIT % (operation_id, huge))
    answer = await tab.next("operation.rejected")
    assert (answer["operation_id"], answer["code"]) == (operation_id, "malformed")
    for depth in (5_000, 100_000):  # Python 3.12 and later read the first, and refuse what it says
        operation_id = str(uuid.uuid4())
        seen = len(tab.frames)
        await tab.send(SUBMIT % (operation_id, "[" * depth + "]" * depth))
        refusal = await tab.refusal(seen)
        assert refusal["code"] == "malformed"
        assert refusal.get("operation_id", operation_id) == operation_id
    await tab.put(0, 0, "still here")


MALFORMED = [
    "",
    "not json",
    "[]",
    "5",
    "null",
    "{}",
    '{"type":"nope"}',
    '{"type":5}',
    b"\x00\xff",
    b'{"type":"sheet.open"}',
    '{"type":"operation.submit","operation_id":"not a uuid","operation":{}}',
    '{"type":"presence.update","cell":"A1"}',
    '{"type":"sheet.open","protocol":2,"client_id":"87904a35-257c-4210-a018-7761497e7aff"}',
    '{"type":"presence.update","x":"' + "x" * 300_000 + '"}',
]


@pytest.mark.parametrize("frame", MALFORMED, ids=lambda frame: str(frame)[:40])
async def test_a_malformed_frame_is_answered_and_the_tenth_closes(
    live: LiveServer, frame: str | bytes
) -> None:
    tab = await live.tab()
    for _ in range(9):
        await tab.send(frame)
    await tab.until(lambda: sum(f["type"] == "error" for f in tab.frames) == 9)
    assert {f["code"] for f in tab.frames if f["type"] == "error"} == {"malformed"}
    await tab.put(0, 0, "nothing is lost")
    await tab.send(frame)
    assert await tab.until_closed() == 4400
    assert await state_of() == (1, {(0, 0): "nothing is lost"})


async def test_unknown_fields_are_ignored(live: LiveServer) -> None:
    tab = await live.connect()
    await tab.send(
        {
            "type": "sheet.open",
            "protocol": 1,
            "client_id": str(uuid.uuid4()),
            "revision": None,
            "color_scheme": "dark",
        }
    )
    await tab.next("sheet.opened")
    operation = {"kind": "set_cells", "cells": [[0, 0, "x"]], "reason": "because"}
    assert (await tab.submit(operation))["type"] == "operations.committed"


async def test_submitting_before_opening_is_malformed(live: LiveServer) -> None:
    tab = await live.connect()
    await tab.send(SUBMIT % (uuid.uuid4(), '{"kind":"set_cells","cells":[[0,0,"x"]]}'))
    assert (await tab.next("error"))["code"] == "malformed"


async def test_a_socket_that_never_opens_is_closed(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "OPEN_TIMEOUT_SECONDS", 0.1)
    tab = await live.connect()
    assert await tab.until_closed() == 4400


async def test_no_such_sheet_is_4404(live: LiveServer) -> None:
    assert await (await live.connect("nowhere")).until_closed() == 4404


@pytest.mark.parametrize("path", ["nope", "sheets/a%00b/"])  # PostgreSQL knows no NUL
async def test_an_address_that_is_no_sheets_is_refused(live: LiveServer, path: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{live.port}/ws/{path}", origin=live.origin, proxy=None)
    assert refusal.value.response.status_code == 403


async def test_strangers_are_kept_out_and_viewers_only_look(live: LiveServer) -> None:
    await database(lambda: Sheet.objects.update(link_role=LinkRole.NONE))
    bob = await database(lambda: grant("bob", Role.EDITOR))
    carol = await database(lambda: grant("carol", Role.VIEWER))
    dave = await database(lambda: grant("dave"))
    assert await (await live.connect()).until_closed() == 4401
    assert await (await live.connect(user=dave)).until_closed() == 4403
    editor, viewer = await live.tab(user=bob), await live.tab(user=carol)
    assert (await editor.next("sheet.opened"))["role"] == "editor"
    assert (await viewer.next("sheet.opened"))["role"] == "viewer"
    assert (await viewer.next("sheet.opened"))["you"]["name"] == "carol"
    refused = await viewer.submit({"kind": "set_cells", "cells": [[0, 0, "no"]]})
    assert (refused["code"], refused["retryable"]) == ("forbidden", False)
    await editor.put(0, 0, "yes")
    await viewer.until(lambda: viewer.replica.filled() == {(0, 0): "yes"})
    assert await state_of() == (1, {(0, 0): "yes"})


async def test_an_editor_who_was_made_a_viewer_meanwhile_is_refused(live: LiveServer) -> None:
    tab = await live.tab()
    await database(lambda: Sheet.objects.update(link_role=LinkRole.VIEWER))
    answer = await tab.submit({"kind": "set_cells", "cells": [[0, 0, "late"]]})
    assert answer["code"] == "forbidden"
    assert await state_of() == (0, {})


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example"),
        *("null", None, "file://", "http://localhost.evil.example"),
    ],
)
async def test_a_foreign_origin_is_refused(live: LiveServer, origin: str | None) -> None:
    address = f"ws://127.0.0.1:{live.port}/ws/sheets/prices/"
    with pytest.raises(InvalidStatus) as refusal:
        await connect(address, origin=None if origin is None else Origin(origin), proxy=None)
    assert refusal.value.response.status_code == 403


async def test_a_viewer_changes_nothing_by_any_kind_of_operation(live: LiveServer) -> None:
    carol = await database(lambda: grant("carol", Role.VIEWER))
    editor = await live.tab()
    operation_id = str(uuid.uuid4())
    await editor.submit({"kind": "set_cells", "cells": [[0, 0, "kept"]]}, operation_id)
    await database(lambda: Sheet.objects.update(link_role=LinkRole.NONE))
    viewer = await live.tab(user=carol)
    for operation in (
        {"kind": "set_cells", "cells": [[0, 0, "no"]]},
        {"kind": "set_cells", "cells": [[0, 0, "no", {"bold": True}]]},
        {"kind": "insert_rows", "before": None, "count": 1},
        {"kind": "insert_columns", "before": None, "count": 1},
        {"kind": "delete_rows", "rows": [[0, 1]]},
        {"kind": "delete_columns", "columns": [[0, 1]]},
        {"kind": "move_rows", "rows": [[0, 1]], "before": 3},
        {"kind": "freeze", "rows": 1, "columns": 0},
        {"kind": "undo", "operation_id": operation_id},
        {"kind": "redo", "operation_id": operation_id},
        {"kind": "restore", "revision": 0},
    ):
        assert (await viewer.submit(operation))["code"] == "forbidden", operation
    assert await state_of() == (1, {(0, 0): "kept"})


async def test_another_sheets_operation_cannot_be_undone_from_here(live: LiveServer) -> None:
    await database(lambda: create_sheet(None, "Other", slug="other", link_role=LinkRole.EDITOR))
    here, there = await live.tab(), await live.tab("other")
    operation_id = str(uuid.uuid4())
    await there.submit({"kind": "set_cells", "cells": [[0, 0, "theirs"]]}, operation_id)
    refused = await here.submit({"kind": "undo", "operation_id": operation_id})
    assert refused["code"] == "nothing_to_undo"
    assert there.replica.filled() == {(0, 0): "theirs"}


async def test_sheets_do_not_hear_of_each_other(live: LiveServer) -> None:
    await database(lambda: create_sheet(None, "Other", slug="other", link_role=LinkRole.EDITOR))
    here, there = await live.tab(), await live.tab("other")
    await here.put(0, 0, "here")
    await there.put(0, 0, "there")
    assert here.replica.filled() == {(0, 0): "here"}
    assert there.replica.filled() == {(0, 0): "there"}


def present(tab: Tab) -> dict[str, dict[str, object]]:
    """Return who is here, as a tab was told."""
    here: dict[str, dict[str, object]] = {}
    for frame in tab.frames:
        if frame["type"] == "presence.changed":
            if frame.get("full"):
                here = {}
            here |= {client["client_id"]: client for client in frame["clients"]}
            for client_id in frame["gone"]:
                here.pop(client_id, None)
    return here


async def test_presence_says_who_is_where_and_who_left(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.send(
        {"type": "presence.update", "cell": [3, 1], "range": [3, 1, 5, 2], "editing": True}
    )
    await bob.until(lambda: present(bob).get(alice.client_id, {}).get("editing") is True)
    seen = present(bob)[alice.client_id]
    opened = await alice.next("sheet.opened")
    assert (seen["cell"], seen["range"]) == ([3, 1], [3, 1, 5, 2])
    assert (seen["name"], seen["color"]) == (opened["you"]["name"], opened["you"]["color"])
    late = await live.tab()
    assert present(late)[alice.client_id] == seen
    await alice.socket.close()
    await bob.until(lambda: alice.client_id not in present(bob))


async def test_another_persons_client_id_cannot_be_taken(live: LiveServer) -> None:
    await database(lambda: Sheet.objects.update(link_role=LinkRole.EDITOR))
    alice = await live.tab(user=await database(lambda: grant("alice")))
    mallory = await live.connect(user=await database(lambda: grant("mallory")))
    opened = await mallory.open(client_id=alice.client_id)
    assert opened["you"]["client_id"] != alice.client_id


async def test_a_quiet_sheet_has_heartbeats(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.5)
    tab = await live.tab()
    await tab.put(0, 0, "x")
    seen = len(tab.frames)
    assert await tab.next("sheet.heartbeat", seen) == {"type": "sheet.heartbeat", "head": 1}


async def test_a_deleted_sheet_closes_its_sockets(live: LiveServer) -> None:
    tab = await live.tab()
    await database(lambda: Sheet.objects.all().delete())
    assert await tab.until_closed() == 4404


async def test_many_edits_at_once_come_back_in_order(live: LiveServer) -> None:
    tabs = [await live.tab() for _ in range(5)]
    ids = [[str(uuid.uuid4()) for _ in range(300)] for _ in tabs]

    async def write(tab: Tab, own: list[str]) -> None:
        for number, operation_id in enumerate(own):
            cells = [[number % 50, tabs.index(tab), str(number)]]
            body = json.dumps({"kind": "set_cells", "cells": cells})
            await tab.send(SUBMIT % (operation_id, body))

    await asyncio.gather(*(write(tab, own) for tab, own in zip(tabs, ids, strict=True)))
    for tab, own in zip(tabs, ids, strict=True):
        await tab.until(lambda tab=tab: tab.replica.revision == 1_500, 30)  # type: ignore[misc]
        answered = [
            pair for f in tab.frames for pair in f.get("operations", []) if f.get("operations")
        ]
        assert [operation_id for operation_id, _ in answered] == own
        assert [number for _, number in answered] == sorted(number for _, number in answered)
    head, cells = await state_of()
    assert head == 1_500
    for tab in tabs:
        assert tab.replica.filled() == cells
