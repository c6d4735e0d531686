"""Announcements: a sheet's group, and the hints that are sent to it.

A hint says that the log has grown; it may be lost, repeated or late, and nothing but latency
depends on it. The group's name and `group_send` stand here and nowhere else.
"""

import asyncio
import logging
import threading
import time
from typing import Any, Literal, NotRequired, TypedDict

from channels.layers import InMemoryChannelLayer, get_channel_layer

from cells.domain.deltas import Delta
from cells.services.tracing import Parent

logger = logging.getLogger(__name__)

MAX_HINT_BYTES = 64 * 1024  # a larger delta is cheaper read from the database than sent
MAX_WAITING_HINTS = 1_000  # with Redis down they would pile up, and the tail heals what is dropped
MAX_WAITING_CHARACTERS = 8_000_000  # beyond, hints go without their frames
SEND_TIMEOUT_SECONDS = 2.0  # a Redis that hangs must not hold back what is sent after it
LOG_INTERVAL_SECONDS = 10.0  # an outage is one line now and then, not one line an edit


class CommittedHint(TypedDict):
    """The log went from `after` to `through`; `frame` is that delta as clients get it, or None.

    `trace` is there where the commit is traced.
    """

    type: Literal["committed"]
    after: int
    through: int
    frame: str | None
    trace: NotRequired[str]


def group_name(sheet_id: int) -> str:
    """Return the name of the group of all hubs of a sheet."""
    return f"sheet.{sheet_id}"


async def send_to_group(sheet_id: int, message: Any) -> bool:
    """Send a message to a sheet's hubs; False, and a log line now and then, if it cannot be."""
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await layer.group_send(group_name(sheet_id), {**message, "sheet": sheet_id})
    except Exception as error:  # noqa: BLE001 - each layer has its own; a lost hint never harms
        _complain(sheet_id, error)
        return False
    return True


def announce(sheet_id: int, delta: Delta, trace: Parent, *, frame: bytes | None = None) -> None:
    """Tell the hubs of what a synchronous caller has committed; returns at once, never raises.

    `frame` is the delta as clients get it. Where it is too large, or None, each hub reads what
    was committed once for all its sockets.
    """
    if isinstance(get_channel_layer(), InMemoryChannelLayer):
        return  # it reaches no other thread safely, and there the tail looks every 50 ms
    is_small = frame is not None and len(frame) <= MAX_HINT_BYTES
    hint = CommittedHint(
        type="committed",
        after=delta.after,
        through=delta.through,
        frame=frame.decode() if frame is not None and is_small else None,
    )
    if trace:
        hint["trace"] = trace
    _background.send(sheet_id, hint)


class _BackgroundLoop:
    """One event loop in a thread: async_to_sync would open a connection to Redis a call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = self._waiting_characters = 0

    def send(self, sheet_id: int, hint: CommittedHint) -> None:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="announcements", daemon=True
                ).start()
            if self._waiting >= MAX_WAITING_HINTS:
                return
            if self._waiting_characters >= MAX_WAITING_CHARACTERS:
                hint["frame"] = None
            size = len(hint["frame"] or "")
            self._waiting += 1
            self._waiting_characters += size
        asyncio.run_coroutine_threadsafe(self._send(sheet_id, hint, size), self._loop)

    async def _send(self, sheet_id: int, hint: CommittedHint, size: int) -> None:
        try:
            await send_to_group(sheet_id, hint)
        finally:
            with self._lock:
                self._waiting -= 1
                self._waiting_characters -= size


_background = _BackgroundLoop()
_last_complaint = 0.0


def _complain(sheet_id: int, error: Exception) -> None:
    global _last_complaint
    now = time.monotonic()
    if now - _last_complaint >= LOG_INTERVAL_SECONDS or _last_complaint == 0.0:
        _last_complaint = now
        logger.warning(
            "sheet=%s: the channel layer does not take announcements (%s: %s). Edits commit all "
            "the same and show more slowly; check REDIS_URL and that Redis answers.",
            sheet_id,
            type(error).__name__,
            error,
        )
