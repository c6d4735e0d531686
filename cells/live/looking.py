"""Looking at this process's live sheets: what /metrics and the admin tell of them."""

import asyncio
from heapq import nlargest

from cells.live.attendance import attendance_of
from cells.live.hub import Hub
from cells.live.hubs import hubs_of
from cells.services.process_beats import Backlog, Beating, Live, LiveSheet

MAX_SHEETS = 200  # that are told of one by one; of more only the number
LOOK_SECONDS = 4.0  # a loop that does not answer for so long hangs


def look(loop: asyncio.AbstractEventLoop) -> Live:
    """Return what a loop's hubs have open; from another thread. Raises TimeoutError."""
    return asyncio.run_coroutine_threadsafe(_look(loop), loop).result(LOOK_SECONDS)


async def _look(loop: asyncio.AbstractEventLoop) -> Live:
    known = hubs_of(loop)
    hubs = [] if known is None else known.open_hubs()
    frames = waiting_bytes = sockets = largest = 0
    backlogs: dict[int, int] = {}
    for hub in hubs:
        of_hub = 0
        for client in hub.clients:
            backlog = client.outbox.backlog
            if backlog.bytes:
                frames += backlog.frames
                sockets += 1
                of_hub += backlog.bytes
                largest = max(largest, backlog.bytes)
        backlogs[hub.sheet_id] = of_hub
        waiting_bytes += of_hub
    busiest = nlargest(MAX_SHEETS, hubs, key=lambda hub: len(hub.clients))
    return Live(
        len(hubs),
        tuple(_sheet(hub, backlogs[hub.sheet_id]) for hub in busiest),
        Backlog(frames, waiting_bytes, sockets, largest),
    )


def _sheet(hub: Hub, backlog_bytes: int) -> LiveSheet:
    here = attendance_of(hub.clients)
    people = () if here is None else tuple(person.name for person in here.people)
    count = 0 if here is None else here.count
    return LiveSheet(hub.sheet_id, len(hub.clients), count, people, backlog_bytes)


_beating: Beating | None = None


def begin_beating() -> None:
    """Say from now on how this web process is; called in its event loop, as often as it comes."""
    global _beating
    if _beating is None:
        loop = asyncio.get_running_loop()
        _beating = Beating("web", lambda: look(loop))
        _beating.start()


async def end_beating() -> None:
    """Say that this process ends as it should."""
    if _beating is not None:
        await asyncio.to_thread(_beating.stop)
