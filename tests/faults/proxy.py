"""A TCP proxy that breaks connections on purpose: cut, delay, stall, refuse, lose the answers."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.servers.process import free_port

T = TypeVar("T")

CHUNK_BYTES = 64 * 1024
TURNS_FROM_ACCEPT_TO_SERVE = 5  # of asyncio's loop: three on Python 3.11 to 3.13, and room
# Close at once with RST, and forget what was not sent: what a cable does that is pulled out.
LINGER_NOT = struct.pack("ii", 1, 0)


class Link:
    """One way in: what dials `port` is connected to `upstream`, as well as the faults allow."""

    def __init__(self, proxy: "Proxy", name: str, upstream: int) -> None:
        self.name = name
        self.port = free_port()
        self._proxy = proxy
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._sockets: set[asyncio.StreamWriter] = set()
        self._delay_seconds = 0.0
        self._there = asyncio.Event()  # set: what the client says passes
        self._back = asyncio.Event()  # set: what the server says passes
        self._there.set()
        self._back.set()

    # -- faults; from any thread -----------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection of this moment; new ones may come at once."""
        self._proxy.run(self._cut())

    def delay(self, seconds: float) -> None:
        """Hold everything that is said for so long; 0 ends it."""
        self._proxy.run(self._set_delay(seconds))

    def stall(self) -> None:
        """Let nothing pass, and close nothing, until `resume`."""
        self._proxy.run(self._hold(self._there, self._back))

    def lose_answers(self) -> None:
        """Let pass what clients say, and nothing that they are answered, until `resume`."""
        self._proxy.run(self._hold(self._back))

    def resume(self) -> None:
        """Let everything pass again, what was held first."""
        self._proxy.run(self._resume())

    def refuse(self) -> None:
        """Reset every connection, and refuse new ones until `accept`."""
        self._proxy.run(self._refuse())

    def accept(self) -> None:
        """Take connections, as at the start."""
        self._proxy.run(self._accept())

    # -- in the proxy's thread -------------------------------------------------------------------

    async def _cut(self) -> None:
        for writer in list(self._sockets):
            _reset(writer)

    async def _set_delay(self, seconds: float) -> None:
        self._delay_seconds = seconds

    async def _hold(self, *gates: asyncio.Event) -> None:
        for gate in gates:
            gate.clear()

    async def _resume(self) -> None:
        self._there.set()
        self._back.set()

    async def _refuse(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            # asyncio leaves a connection open for ever that it accepted when its server closed
            # before the connection was served: accept no more, serve those, and close then.
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            for _ in range(TURNS_FROM_ACCEPT_TO_SERVE):
                await asyncio.sleep(0)
            server.close()
        await self._cut()

    async def _accept(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            _reset(to_client)
            return
        both = {to_client, to_server}
        self._sockets |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(client, to_server, self._there))
                group.create_task(self._pump(server, to_client, self._back))
        except* OSError:  # one side is gone, and the other hears of it the hard way
            for writer in both:
                _reset(writer)
        except* asyncio.CancelledError:
            pass  # the proxy ends; asyncio's streams would complain of a cancelled callback
        finally:
            self._sockets -= both
            for writer in both:
                writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await gate.wait()
            writer.write(chunk)
            await writer.drain()
        await gate.wait()
        if not writer.is_closing():
            writer.write_eof()


class Proxy:
    """All links of a deployment, served by one thread, so that no load of a test delays them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.links: dict[str, Link] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def link(self, name: str, upstream: int) -> Link:
        """Return a new link to a port of 127.0.0.1, which need not answer yet."""
        link = self.links[name] = Link(self, name, upstream)
        link.accept()
        return link

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the proxy's thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def close(self) -> None:
        """End all connections and the thread."""
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for link in self.links.values():
            await link._refuse()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()
