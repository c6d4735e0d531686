"""A client of the wire contract over a real socket, and the worker that serves it."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.servers.missing import missing_service
from tests.servers.replica import Frame, Replica


@contextmanager
def open_sheet(
    websocket_url: str,
    sheet: str,
    *,
    headers: dict[str, str] | None = None,
    replica: Replica | None = None,
    held_ms: float | None = None,
) -> Iterator["SheetClient"]:
    """Connect to `ws://host:port` and open the sheet, up to its head.

    With what an earlier socket has left: its replica, which has been at its revision for so long.
    """
    with connect(
        f"{websocket_url}/ws/sheets/{sheet}/",
        origin=Origin(websocket_url.replace("ws://", "http://")),
        additional_headers=headers,
        max_size=None,
        proxy=None,
    ) as socket:
        client = SheetClient(socket, replica or Replica())
        client.open(held_ms)
        yield client


class SheetClient:
    """One socket on one sheet: submits edits and keeps a replica of what it is told."""

    def __init__(self, socket: ClientConnection, replica: Replica) -> None:
        self.socket = socket
        self.replica = replica
        self.committed: dict[str, int] = {}

    def open(self, held_ms: float | None = None) -> None:
        client_id, revision = str(uuid.uuid4()), self.replica.revision or None
        frame = {"type": "sheet.open", "protocol": 1, "client_id": client_id, "revision": revision}
        self.send(frame if held_ms is None else {**frame, "held_ms": held_ms})
        opened = self.wait_for("sheet.opened")
        self.replica.open(opened)
        self.wait_until(lambda: self.replica.revision >= opened["head"], "the sheet's content")

    def send(self, frame: Frame) -> None:
        self.socket.send(json.dumps(frame))

    def submit(self, operation: Frame, operation_id: str | None = None) -> int:
        """Submit an operation and return the revision as which it was acknowledged."""
        operation_id = operation_id or str(uuid.uuid4())
        self.send(
            {"type": "operation.submit", "operation_id": operation_id, "operation": operation}
        )
        self.wait_until(lambda: operation_id in self.committed, "the acknowledgement")
        return self.committed[operation_id]

    def set_cell(self, key: tuple[int, int], text: str) -> int:
        return self.submit({"kind": "set_cells", "cells": [[*key, text]]})

    def key(self, row: int, column: int) -> tuple[int, int]:
        """Return the ids of the living row and column at these zero-based positions."""
        return id_at(self.replica.rows, row), id_at(self.replica.columns, column)

    def wait_for_cell(self, key: tuple[int, int], text: str, seconds: float = 60) -> None:
        self.wait_until(lambda: self.replica.cells.get(key) == text, f"{text!r} in {key}", seconds)

    def wait_for(self, kind: str, seconds: float = 60) -> Frame:
        """Return the next frame of this type."""
        deadline = time.monotonic() + seconds
        while (frame := self._receive(deadline, kind))["type"] != kind:
            pass
        return frame

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self._receive(deadline, what)

    def _receive(self, deadline: float, what: str) -> Frame:
        try:
            frame: Frame = json.loads(self.socket.recv(timeout=max(0, deadline - time.monotonic())))
        except TimeoutError:
            raise TimeoutError(f"no {what} at revision {self.replica.revision}") from None
        match frame["type"]:
            case "cells.changed":
                assert self.replica.apply(frame), f"a gap after {self.replica.revision}: {frame}"
            case "operations.committed":
                self.committed |= dict(frame["operations"])
            case "operation.rejected" | "error":
                raise AssertionError(f"the server refused: {frame}")
        return frame

    def served_by(self, processes: Iterable[int]) -> int:
        """Return which of these processes holds the other end of this socket."""
        here, there = self.socket.local_address[1], self.socket.remote_address[1]
        inode = _inode_of_connection(local_port=there, remote_port=here)
        for pid in processes:
            if any(
                _links_to(file, f"socket:[{inode}]") for file in Path(f"/proc/{pid}/fd").iterdir()
            ):
                return pid
        raise AssertionError(f"none of {processes} holds the socket {inode}")


def id_at(runs: list[list[int]], position: int) -> int:
    """Return the id at a position of an axis as sent; deleted runs have negative counts."""
    for first, count in runs:
        if position < count:
            return first + position
        position -= max(count, 0)
    raise AssertionError(f"no such position on {runs}")


def _inode_of_connection(*, local_port: int, remote_port: int) -> str:
    """Return the kernel's number of an accepted TCP connection of this machine (Linux)."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        missing_service("/proc/net/tcp", "which worker serves a socket is only known on Linux.")
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        local, remote, inode = fields[1], fields[2], fields[9]
        if local.endswith(f":{local_port:04X}") and remote.endswith(f":{remote_port:04X}"):
            return inode
    raise AssertionError(f"no connection from {remote_port} to {local_port}")


def _links_to(file: Path, target: str) -> bool:
    try:
        return str(file.readlink()) == target
    except OSError:  # closed since the folder was read
        return False
