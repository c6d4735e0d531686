"""People who type into sheets, in a process of their own: `python -m bench.typists ADDRESS SLUG…`.

So that what they wait for is the server, not the Python that reads fifty sockets beside them.
They stop when standard input ends, and print how long each edit took to their other screen.
"""

import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

TYPING_RATE = 20.0  # edits a second and person
COLUMN, ROWS = 5, 900  # of what they write; the stream keeps away from that column


def opening(client_id: str) -> dict[str, object]:
    """Return the first frame of a browser that has nothing of the sheet."""
    return {"type": "sheet.open", "protocol": 1, "client_id": client_id, "revision": None}


async def _join(address: str, slug: str) -> ClientConnection:
    url = f"{address.replace('http', 'ws', 1)}/ws/sheets/{slug}/"
    socket = await connect(url, origin=Origin(address), max_size=None, proxy=None)
    await socket.send(json.dumps(opening(str(uuid.uuid4()))))
    return socket


async def _watch(address: str, slug: str, delays: list[float]) -> None:
    async with await _join(address, slug) as socket:
        revision = 0
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] != "cells.changed" or frame["through"] <= revision:
                continue
            revision, now = frame["through"], time.time()
            for _, cells in frame["changes"]:
                delays += [now - float(text) for _, column, text, *_ in cells if column == COLUMN]


async def _type(address: str, slug: str) -> None:
    async with await _join(address, slug) as socket:
        reading = asyncio.create_task(_read(socket))
        try:
            for number in itertools.count():
                cells = [[number % ROWS, COLUMN, str(time.time())]]
                operation = {"kind": "set_cells", "cells": cells}
                frame = {"type": "operation.submit", "operation_id": str(uuid.uuid4())}
                await socket.send(json.dumps(frame | {"operation": operation}))
                await asyncio.sleep(1 / TYPING_RATE)
        finally:
            reading.cancel()


async def _read(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def _until_stdin_ends(work: Sequence[asyncio.Task[None]]) -> None:
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([ended, *work], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        if task.done():
            task.result()  # a socket that failed is no measurement
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def main(address: str, slugs: Sequence[str]) -> None:
    delays: list[float] = []
    work = [asyncio.create_task(_watch(address, slug, delays)) for slug in slugs]
    work += [asyncio.create_task(_type(address, slug)) for slug in slugs]
    await _until_stdin_ends(work)
    print(json.dumps(delays))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
