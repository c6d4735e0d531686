"""Hints of commits: what wakes a worker before its next look at the log."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from cells.services.announce import group_name

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0


class Hints:
    """Joins the groups of sheets on the channel layer, and calls `notice` for whatever is sent.

    Nothing depends on it but latency: what is lost, the worker's next look finds. Where the layer
    is in memory there is nothing to hear from other processes.
    """

    def __init__(self, notice: Callable[[], None]) -> None:
        self._notice = notice
        self._is_needed = not isinstance(get_channel_layer(), InMemoryChannelLayer)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._followed: set[int] = set()
        self._channel = ""
        self.are_heard = False

    def start(self) -> None:
        if not self._is_needed:
            return
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hints", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop)

    def stop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)  # the process ends, and its connections with it

    def follow(self, sheet_id: int) -> None:
        """Hear of a sheet's commits from now on."""
        self._followed.add(sheet_id)
        self._run(self._join(sheet_id))

    def leave(self, sheet_id: int) -> None:
        """Hear of it no more."""
        self._followed.discard(sheet_id)
        self._run(self._part(sheet_id))

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        else:
            coroutine.close()

    async def _listen(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                self._channel = await layer.new_channel()
                for sheet_id in list(self._followed):
                    await layer.group_add(group_name(sheet_id), self._channel)
                self.are_heard = True
                while True:
                    message = await layer.receive(self._channel)
                    if message["type"] == "committed":  # others are of who is where
                        self._notice()
            except Exception as error:  # noqa: BLE001 - each layer has its own; looks go on
                self.are_heard = False
                logger.warning("no hints from the channel layer, looking more often: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _join(self, sheet_id: int) -> None:
        if self._channel:
            with contextlib.suppress(Exception):
                await get_channel_layer().group_add(group_name(sheet_id), self._channel)

    async def _part(self, sheet_id: int) -> None:
        if self._channel:
            with contextlib.suppress(Exception):
                await get_channel_layer().group_discard(group_name(sheet_id), self._channel)
