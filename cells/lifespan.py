"""The process's own life under uvicorn: SIGTERM and Ctrl+C drain it before the server ends it.

ASGI says "shutdown" only when every socket has been closed; too late for an acknowledgement. So the
server's own handlers of those signals, in place when it says "startup", are called behind ours.
Servers without ASGI's lifespan (daphne, and so runserver) end at once, as they always did.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from cells.live.followers import get_followers
from cells.live.hubs import get_hubs
from cells.live.looking import begin_beating, end_beating
from cells.services.readiness import begin_drain

logger = logging.getLogger(__name__)

GARBAGE_THRESHOLDS = (50_000, 10, 1_000)  # objects, rounds, rounds: a full one in hours
YOUNG_GARBAGE_SECONDS = 10.0  # in that time some megabytes, of a crowd that comes and goes
YOUNG_SEARCHES = 30  # then a full one, every five minutes: some 50 ms for each 1,000 sockets
SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def lifespan(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Serve ASGI's lifespan: https://asgi.readthedocs.io/en/latest/specs/lifespan.html."""
    await receive()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        _drain_at(number, loop)
    # What has been loaded stays: to look through it for garbage again and again would stop the
    # event loop for 50 ms each time. So would looking through thousands of sockets whenever their
    # number has grown by a quarter; that is done by the clock instead.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    collecting = asyncio.create_task(_collect())
    begin_beating()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    collecting.cancel()
    await end_beating()
    await send({"type": "lifespan.shutdown.complete"})


async def _collect() -> None:
    """Look for garbage now and then: each connection of uvicorn's leaves a circle, each hub too."""
    while True:
        for _ in range(YOUNG_SEARCHES):
            await asyncio.sleep(YOUNG_GARBAGE_SECONDS)
            gc.collect(1)
        gc.collect()


def _drain_at(number: signal.Signals, loop: asyncio.AbstractEventLoop) -> None:
    end = signal.getsignal(number)
    if not callable(end):
        return  # the server leaves this signal to the system, and so does the application
    draining: list[asyncio.Task[None]] = []

    async def drain(frame: FrameType | None) -> None:
        try:
            get_followers().drain()
            await get_hubs().drain()
        except Exception:
            logger.exception("the process could not be drained; it ends all the same")
        finally:
            end(number, frame)

    def start(frame: FrameType | None) -> None:
        begin_drain()
        draining.append(loop.create_task(drain(frame)))

    def handle(number: int, frame: FrameType | None) -> None:
        if draining:  # asked twice: whoever asks does not want to wait
            end(number, frame)
        else:
            loop.call_soon_threadsafe(start, frame)

    signal.signal(number, handle)
