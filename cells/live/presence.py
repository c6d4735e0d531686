"""Presence: who is on a sheet and where; ephemeral, never in the database.

Each process tells the others of its own clients, whole now and then; what a process that fell
silent had told is forgotten.
"""

import time
from itertools import islice
from typing import Literal, NotRequired, TypedDict

import msgspec

from cells.protocol import ClientPresence

REFRESH_SECONDS = 5.0  # how often a process repeats all of its own
ASK_SECONDS = 15.0  # how often a process alone on a sheet asks: hints are lost while Redis is gone
MAX_TOLD = 100  # clients in one frame; a crowd of thousands would be N² of them
FORGET_SECONDS = 16.0  # three refreshes lost: that process is gone


class PresenceHint(TypedDict):
    """What one process tells the others; `clients` is JSON, and all there are if `is_full`."""

    type: Literal["presence"]
    process: str
    clients: str
    gone: list[str]
    is_full: bool
    wants_answer: NotRequired[bool]


class Presence:
    """Everyone on one sheet: this process's clients, and what other processes told of theirs."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._own: dict[str, ClientPresence] = {}
        self._others: dict[str, dict[str, ClientPresence]] = {}
        self._heard_at: dict[str, float] = {}
        self._changed: dict[str, None] = {}  # in order: who waits longest is told of first
        self._changed_own: set[str] = set()

    @property
    def has_company(self) -> bool:
        """Whether another process has this sheet open too."""
        return bool(self._heard_at)

    def everyone(self) -> list[ClientPresence]:
        """Return all clients, each once."""
        found: dict[str, ClientPresence] = {}
        for clients in self._others.values():
            found.update(clients)
        found.update(self._own)
        return list(found.values())

    @property
    def has_changes(self) -> bool:
        """Whether somebody has not been told of yet."""
        return bool(self._changed)

    def newest(self) -> list[ClientPresence]:
        """Return all clients, or in a crowd those of each process that moved last."""
        known = [self._own, *self._others.values()]
        if sum(map(len, known)) <= MAX_TOLD:
            return self.everyone()
        share = max(1, MAX_TOLD // len(known))
        found = [client for some in known for client in islice(reversed(some.values()), share)]
        return list({client.client_id: client for client in reversed(found)}.values())

    def knows(self, client_id: str) -> bool:
        """Say whether it was noted where a client of this process is."""
        return client_id in self._own

    def put(self, client: ClientPresence) -> None:
        """Note where a client of this process is."""
        if self._own.get(client.client_id) != client:
            self._own.pop(client.client_id, None)  # who moved last comes last
            self._own[client.client_id] = client
            self._mark_own(client.client_id)

    def remove(self, client_id: str) -> None:
        """Note that a client of this process has left."""
        if self._own.pop(client_id, None) is not None:
            self._mark_own(client_id)

    def hear(self, hint: PresenceHint) -> None:
        """Take in what another process told."""
        process = hint["process"]
        if process == self.process:
            return
        self._heard_at[process] = time.monotonic()
        told = {
            client.client_id: client
            for client in msgspec.json.decode(hint["clients"], type=list[ClientPresence])
        }
        known = self._others.setdefault(process, {})
        gone = set(known) - set(told) if hint["is_full"] else set(hint["gone"])
        for client_id in gone & set(known):
            del known[client_id]
            self._changed[client_id] = None
        for client_id, client in told.items():
            if known.get(client_id) != client:
                known.pop(client_id, None)
                known[client_id] = client
                self._changed[client_id] = None

    def forget_silent(self) -> None:
        """Forget the clients of processes that have not been heard of for long."""
        limit = time.monotonic() - FORGET_SECONDS
        for process in [process for process, at in self._heard_at.items() if at < limit]:
            del self._heard_at[process]
            self._changed |= dict.fromkeys(self._others.pop(process, {}))

    def take_changes(self) -> tuple[list[ClientPresence], list[str]]:
        """Return (those who changed, the ids of those who left) since the last call.

        No more than MAX_TOLD in all; the others wait for the next call, as `has_changes` says.
        """
        told = list(islice(self._changed, MAX_TOLD))
        for client_id in told:
            del self._changed[client_id]
        found = [(client_id, self._find(client_id)) for client_id in told]
        return (
            [client for _, client in found if client is not None],
            [client_id for client_id, client in found if client is None],
        )

    def take_hint(self) -> PresenceHint | None:
        """Return what to tell the other processes since the last call, if anything."""
        changed, self._changed_own = self._changed_own, set()
        if not changed:
            return None
        clients = [self._own[client_id] for client_id in changed if client_id in self._own]
        gone = [client_id for client_id in changed if client_id not in self._own]
        return self._hint(clients, gone, is_full=False)

    def full_hint(self, *, wants_answer: bool = False) -> PresenceHint:
        """Return all of this process's clients, for the other processes."""
        hint = self._hint(list(self._own.values()), [], is_full=True)
        if wants_answer:
            hint["wants_answer"] = True
        return hint

    def _find(self, client_id: str) -> ClientPresence | None:
        known = (self._own, *self._others.values())
        return next((some[client_id] for some in known if client_id in some), None)

    def _mark_own(self, client_id: str) -> None:
        self._changed[client_id] = None
        self._changed_own.add(client_id)

    def _hint(
        self, clients: list[ClientPresence], gone: list[str], *, is_full: bool
    ) -> PresenceHint:
        return PresenceHint(
            type="presence",
            process=self.process,
            clients=msgspec.json.encode(clients).decode(),
            gone=gone,
            is_full=is_full,
        )
