"""Watching: a sheet's change feed as an iterator that outlives its connections."""

import json
import socket
import threading
import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx

from sheetsync_client.answers import Change
from sheetsync_client.connection import (
    CONNECT_SECONDS,
    UNANSWERED,
    Connection,
    pause_seconds,
)
from sheetsync_client.errors import SheetSyncError, gone

SILENCE_SECONDS = 40.0  # a sign of life comes every 15; without two of them the line is dead
EVENT_STREAM = "text/event-stream"


class Watch(Iterator[Change]):
    """Yields a sheet's changes as they come: each revision is in exactly one of them.

    Ends after its time or when it is closed, which any thread may do; in `with` it closes itself.
    """

    def __init__(
        self, connection: Connection, path: str, after: int, seconds: float | None
    ) -> None:
        self._line = _Line()
        connection.carry(self._line)
        self._changes = _changes(connection, path, after, self._line)
        self._revision = after
        self._timer: threading.Timer | None = None
        if seconds is not None:
            self._timer = threading.Timer(seconds, self._line.close)
            self._timer.daemon = True
            self._timer.start()
        # A loop that is left without `close` must not leave its connection behind.
        self._ending = weakref.finalize(self, _end, self._line, self._timer)

    @property
    def revision(self) -> int:
        """What the changes so far have come to; `watch(after=revision)` goes on there."""
        return self._revision

    def __next__(self) -> Change:
        change = next(self._changes)
        self._revision = change.through
        return change

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; whoever waits for the next change is let go."""
        self._ending()
        with suppress(ValueError):  # another thread is in it, and finds the line closed
            self._changes.close()


def _end(line: "_Line", timer: threading.Timer | None) -> None:
    if timer is not None:
        timer.cancel()
    line.close()


class _Line:
    """What a watch reads from at the moment, and whether it is to go on."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._response: httpx.Response | None = None

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()

    def use(self, response: httpx.Response | None) -> None:
        self._response = response
        if not self.is_open:
            self._hang_up()

    def pause(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def close(self) -> None:
        self._closed.set()
        self._hang_up()

    def _hang_up(self) -> None:
        """Wake the thread that reads: closing a socket does not, shutting it down does."""
        response = self._response
        if response is None:
            return
        stream = response.extensions.get("network_stream")
        found = stream and stream.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)


def _changes(
    connection: Connection, path: str, after: int, line: _Line
) -> Generator[Change, None, None]:
    failures = 0
    while line.is_open:
        wait_seconds = 0.0
        try:
            with connection.stream(
                path,
                params={"after": after},
                headers={"Accept": EVENT_STREAM},
                timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            ) as response:
                line.use(response)
                for change in _told(response):
                    failures = 0
                    if change is None:
                        continue
                    if change.after != after and not change.is_reset:
                        break  # it does not follow what was told before: ask for what does
                    after = change.through
                    yield change
        except UNANSWERED:
            pass  # the next attempt goes on behind what was told last
        except RuntimeError:
            if line.is_open:
                raise
            # The client was closed as it was about to ask.
        except SheetSyncError as error:
            if not error.retryable:
                raise
            wait_seconds = error.retry_after_seconds
        finally:
            line.use(None)
        line.pause(pause_seconds(failures, wait_seconds))
        failures += 1


def _told(response: httpx.Response) -> Iterator[Change | None]:
    """Yield what a stream tells, and None for a sign of life. Raises what ends it for good."""
    for name, data in _events(response.iter_lines()):
        if name == "changes":
            yield Change.from_json(json.loads(data))
        elif name == "gone":
            raise gone(json.loads(data)["code"])
        elif not name:
            yield None


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, data) of each event, and ("", "") for a comment.

    An event that ends without its empty line is none:
    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    name = ""
    data: list[str] = []
    for text in lines:
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if not text:
            if data:
                yield name, "\n".join(data)
            name, data = "", []
        elif not field:
            yield "", ""
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
