"""What /metrics and the admin are told of this process's live sheets."""

import asyncio

from cells.live.frames import Frame
from cells.live.hubs import get_hubs
from cells.live.looking import look
from cells.services.figures import figures
from tests.live.conftest import LiveServer


async def test_a_look_from_another_thread_sees_sockets_people_and_what_waits(
    live: LiveServer,
) -> None:
    loop = asyncio.get_running_loop()
    before = figures.sockets
    first, second = await live.tab(), await live.tab()
    assert figures.sockets == before + 2
    (hub,) = get_hubs().open_hubs()
    slow = next(one for one in hub.clients if one.client_id == second.client_id)
    # Its network takes nothing more; the transport and then the outbox fill up.
    second.socket.transport.pause_reading()
    while not slow.outbox.backlog.frames:
        slow.outbox.put(Frame(b'{"type":"sheet.heartbeat","head":0}' + b" " * 500_000))
        await asyncio.sleep(0)
    seen = await asyncio.to_thread(look, loop)
    assert (seen.sheets, seen.backlog.sockets) == (1, 1)
    assert seen.backlog.bytes > 500_000
    assert seen.backlog.largest_bytes == seen.backlog.bytes == seen.busiest[0].backlog_bytes
    (sheet,) = seen.busiest
    assert (sheet.sheet_id, sheet.sockets, sheet.people) == (hub.sheet_id, 2, 2)
    assert sorted(sheet.names) == sorted(one.name for one in hub.clients)
    second.socket.transport.resume_reading()
    await first.socket.close()
    await second.socket.close()
    await first.until(lambda: figures.sockets == before)
