"""Clients: a browser tab's socket, as its sheet's hub knows it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from cells.domain.operations import (
    Delete,
    Freeze,
    Insert,
    Intended,
    Move,
    PutBack,
    Resize,
    ResizeBack,
    Restore,
    Restored,
    RestoreTo,
    RestyleEach,
    SetCells,
    SetStyles,
    Several,
    Undo,
    Undone,
)
from cells.domain.reordering import ReorderCells
from cells.domain.values import SetValues
from cells.live.frames import Frame
from cells.live.outbox import Outbox
from cells.protocol import (
    ClientPresence,
    ProtectedRange,
    ProtectionsChanged,
    RoleChanged,
    encode_frame,
)
from cells.services.authors import Author
from cells.services.protections import NONE_SEEN, Seen
from cells.services.restoring import RestorePlan

MAX_IN_FLIGHT = 2_000  # submissions of one socket on their way: one batch commits, the next gathers
MAX_IN_FLIGHT_WEIGHT = 4_000_000  # about 4 MB, so that few sockets cannot fill a machine
UNDO_WEIGHT = 100_000  # heavy, so that each is committed alone: it may bring back 10,000 cells
CELL_WEIGHT = 50  # bytes of a cell, parsed, besides its text and what Python adds


@dataclass(eq=False, slots=True)
class Client:
    """One socket on one sheet. `person` tells people apart: two tabs of one share a color."""

    client_id: str
    person: str
    name: str
    color: str
    role: str
    author: Author
    outbox: Outbox
    is_live: bool = False
    protections: Seen = NONE_SEEN  # as this socket was told
    in_flight: int = 0
    in_flight_weight: int = 0
    _capacity: asyncio.Event | None = None  # made when somebody waits: most never do

    def send(self, payload: bytes) -> None:
        """Queue a frame for this socket alone."""
        self.outbox.put(Frame(payload))

    @property
    def has_capacity(self) -> bool:
        """Whether more may be read from this client before some outcome is known."""
        return self.in_flight < MAX_IN_FLIGHT and self.in_flight_weight < MAX_IN_FLIGHT_WEIGHT

    def begin(self, weight: int) -> None:
        """Count a submission in."""
        self.in_flight += 1
        self.in_flight_weight += weight

    def end(self, weight: int) -> None:
        """Count a submission out: its outcome is known."""
        self.in_flight -= 1
        self.in_flight_weight -= weight
        if self._capacity is not None and self.has_capacity:
            self._capacity.set()
            self._capacity = None

    def wait_for_capacity(self) -> Awaitable[None] | None:
        """Return what has to be awaited before more is read from this client, if anything."""
        return None if self.has_capacity else self._wait()

    async def _wait(self) -> None:
        while not self.has_capacity:
            self._capacity = self._capacity or asyncio.Event()
            await self._capacity.wait()

    def readmit(self, role: str) -> None:
        """Take in, and say, what this client may do from now on."""
        self.role = role
        self.send(encode_frame(RoleChanged(role)))

    def tell_protections(self, seen: Seen) -> None:
        """Say what is protected from now on."""
        self.protections = seen
        ranges = (
            ProtectedRange(id_, area.rows, area.columns, description, may_edit)
            for id_, area, description, may_edit in seen.guards
        )
        self.send(encode_frame(ProtectionsChanged(tuple(ranges), seen.owner)))

    def presence(
        self,
        cell: tuple[int, int] | None = None,
        range_: tuple[int, int, int, int] | None = None,
        *,
        editing: bool = False,
    ) -> ClientPresence:
        """Return where this client is, as all others see it."""
        return ClientPresence(self.client_id, self.name, self.color, cell, range_, editing)


def weight_of(operation: Intended | RestorePlan) -> int:
    """Return about how many bytes an operation keeps in memory, and puts into a frame."""
    match operation:
        case SetCells(cells, styles=styles):
            count = len(cells) + len(styles)
            return CELL_WEIGHT * count + sum([len(text) for _, _, text in cells])
        case SetStyles(rows, columns):
            return 2 * CELL_WEIGHT * sum(n for _, n in rows) * sum(n for _, n in columns)
        case ReorderCells(columns=columns, order=order):
            return 2 * CELL_WEIGHT * len(order) * sum(n for _, n in columns)
        case RestyleEach(styles):
            return 2 * CELL_WEIGHT * len(styles)
        case Insert() | Freeze():
            return CELL_WEIGHT
        case Delete(_, runs) | Move(_, runs) | Resize(_, runs) | Restore(_, runs):
            return CELL_WEIGHT * len(runs)
        case PutBack(_, pieces) | ResizeBack(_, pieces):
            return CELL_WEIGHT * len(pieces)
        case SetValues(cells=cells):
            return CELL_WEIGHT * len(cells)
        case Undo() | Undone() | RestoreTo() | Restored() | Several() | RestorePlan():
            return UNDO_WEIGHT
