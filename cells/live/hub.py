"""The hub: one process's live copy of one open sheet.

It hands the edits of its sockets to the committer, and writes each step of the log to every
socket as the same frames, in order and without a gap. The log is the truth: what other processes
committed is read from it, whether a hint told of it or the tail noticed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError

from cells import protocol
from cells.domain.errors import Forbidden, SheetSyncError, Unavailable
from cells.domain.operations import Intended, RestoreTo
from cells.live.attendance import Register
from cells.live.client import Client
from cells.live.committer import Committer
from cells.live.frames import Frame
from cells.live.healing import Healer
from cells.live.opening import Opening
from cells.live.packing import Packer
from cells.live.planning import Planning
from cells.live.presence import ASK_SECONDS, Presence, PresenceHint
from cells.live.recent import Broadcast, Recent
from cells.live.threads import DatabaseThreads
from cells.models import Role
from cells.services import tracing
from cells.services.announce import MAX_HINT_BYTES, CommittedHint
from cells.services.figures import figures
from cells.services.read import open_sheet

logger = logging.getLogger(__name__)

PRESENCE_INTERVAL_SECONDS = 0.05  # cursors at 20 steps a second look alive; more cost N² frames
PRESENCE_FRAMES_PER_SECOND = 2_000  # to all sockets together: from 100 of them on, fewer steps
HEARTBEAT_SECONDS = 10.0  # of the wire contract
GAP_PATIENCE_SECONDS = 0.01  # the hint or the commit that fills a gap is usually on its way
MAX_AHEAD = 64  # steps kept until the one before them comes; the log has the rest
RETRY_SECONDS = 0.5
MAX_RETRY_SECONDS = 3.0

Tell = Callable[[int, Any], None]


class Hub:
    """A sheet's sockets in this process, and the revision up to which all of them were told."""

    def __init__(
        self,
        sheet_id: int,
        slug: str,
        process: str,
        writers: DatabaseThreads,
        readers: DatabaseThreads,
        healer: Healer,
        planning: Planning,
        packer: Packer,
        register: Register,
        tell_others: Tell,
    ) -> None:
        self.sheet_id = sheet_id
        self.slug = slug
        self.head = 0
        self.clients: set[Client] = set()
        self._by_id: dict[str, set[Client]] = {}
        self._readers = readers
        self._healer = healer
        self._planning = planning
        self._register = register
        self._tell_others = tell_others
        self._committer = Committer(
            *(sheet_id, slug, writers, self._tell_committed, self.notice),
            head=lambda: self.head,
            rewind=self.rewind,
        )
        self._presence = Presence(process)
        self._recent = Recent()
        self._opening = Opening(sheet_id, readers, packer, self._recent, lambda: self.head)
        self._ahead: dict[int, Broadcast] = {}
        self._known_head = 0
        self._hinted_trace: tracing.Parent = ""
        self._is_started = False
        self._last_frame_at = time.monotonic()
        self._asked_at = 0.0
        self._healing: asyncio.Task[None] | None = None
        self._presence_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Learn the head. Call it after the group was joined, so that no hint is missed."""
        opened = await self._readers.run(open_sheet, self.sheet_id)
        self.head = opened.head
        self._is_started = True
        self.notice(opened.head)  # the tail may have learnt of more meanwhile
        self._ask_who_is_here()

    async def stop(self) -> None:
        """Finish the commits at hand; their outcomes are on the outboxes when this returns."""
        if self._presence_timer is not None:
            self._presence_timer.cancel()
            self._send_presence()  # or other processes would show the last who left as still here
        await self._committer.finish()
        await self._opening.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A hub and its parts hold each other: what is large must not wait for a search for garbage.
        self._ahead.clear()
        self._recent.clear()
        self._opening.forget()

    async def drain(self) -> None:
        """Take no more edits, answer those at hand, and send every socket to another process."""
        await self._committer.drain()
        self.close_all(protocol.CloseCode.DRAINING, "this process ends; reconnect")

    # -- sockets ---------------------------------------------------------------------------------

    async def open(
        self,
        client: Client,
        revision: int,
        *,
        takes_packed: bool = False,
        view: protocol.View | None = None,
        held_ms: float | None = None,
    ) -> None:
        """Answer sheet.open: the sheet's shape, the cells since `revision`, then live frames.

        Raises django.db.Error when the database does not answer, Sheet.DoesNotExist when the
        sheet is gone.
        """
        client.is_live = False
        self.clients.add(client)
        self._by_id.setdefault(client.client_id, set()).add(client)
        self._register.changed(self.sheet_id, self.clients)
        at = await self._opening.answer(
            client, revision, takes_packed=takes_packed, view=view, held_ms=held_ms
        )
        client.is_live = True
        self.notice(at)
        here = self._presence.newest()
        client.send(protocol.encode_frame(protocol.PresenceChanged(here, [], full=True)))
        if not self._presence.knows(client.client_id):  # it may have said so while cells came
            self.update_presence(client, client.presence())

    async def load_rows(self, client: Client, runs: list[tuple[int, int]]) -> None:
        """Answer rows.load. Raises django.db.Error when the database does not answer."""
        await self._opening.load_rows(client, runs)

    def leave(self, client: Client) -> None:
        """Forget a socket that is gone; what it submitted is committed all the same."""
        self.clients.discard(client)
        self._register.changed(self.sheet_id, self.clients)
        tabs = self._by_id.get(client.client_id, set())
        tabs.discard(client)
        if not tabs:
            self._by_id.pop(client.client_id, None)
            self._presence.remove(client.client_id)
            self._plan_presence()

    def claim_client_id(self, client_id: str, person: str, fresh: str) -> str:
        """Return the id that a client may go by: another person's is not to be taken."""
        taken = any(other.person != person for other in self._by_id.get(client_id, ()))
        return fresh if taken else client_id

    def close_all(self, code: protocol.CloseCode, reason: str) -> None:
        """Close every socket."""
        for client in list(self.clients):
            client.outbox.close(code, reason)

    # -- edits -----------------------------------------------------------------------------------

    def submit(
        self,
        client: Client,
        operation_id: UUID,
        operation: Intended,
        expected_head: int | None = None,
    ) -> Awaitable[None] | None:
        """Hand in an edit; its outcome reaches the client as a frame. See Committer.submit."""
        if client.role == Role.VIEWER:
            error = Forbidden("you may look at this sheet but not change it")
            self._refuse(client, operation_id, error)
            return None
        if isinstance(operation, RestoreTo):
            return self._restore(client, operation_id, operation, expected_head)
        return self._committer.submit(client, operation_id, operation, expected_head)

    async def _restore(
        self, client: Client, operation_id: UUID, wanted: RestoreTo, expected_head: int | None
    ) -> None:
        """Find out what a restore needs, and hand it in; only its own client waits for that."""
        try:
            plan = await self._planning.plan(client.person, self.slug, wanted, operation_id)
        except Unavailable as error:
            self._refuse(client, operation_id, error)
            return
        except DatabaseError as error:
            logger.warning("sheet=%s: a restore cannot be planned: %s", self.slug, error)
            refusal = Unavailable("the database does not answer; send it again")
            self._refuse(client, operation_id, refusal)
            return
        waiting = self._committer.submit(client, operation_id, plan, expected_head)
        if waiting is not None:
            await waiting

    def _refuse(self, client: Client, operation_id: UUID, refusal: SheetSyncError) -> None:
        figures.refusals.note(refusal.code)
        client.send(protocol.encode_rejected(operation_id, refusal))

    def _tell_committed(self, broadcast: Broadcast) -> bool:
        """Tell this process's sockets of a commit, and the other processes.

        False where the sockets have to wait for what comes before it.
        """
        is_told = self._offer(broadcast)
        frame, *others = broadcast.frames
        is_small = not others and len(frame) <= MAX_HINT_BYTES
        hint = CommittedHint(
            type="committed",
            after=broadcast.after,
            through=broadcast.through,
            frame=frame.payload.decode() if is_small else None,
        )
        if broadcast.trace:
            hint["trace"] = broadcast.trace
        self._tell_others(self.sheet_id, hint)
        return is_told

    # -- the log ---------------------------------------------------------------------------------

    def hear(self, message: Any) -> None:
        """Take in what another process said to the sheet's group."""
        if message["type"] == "presence":
            self._hear_presence(message)
            return
        trace = message.get("trace", "")
        if message["frame"] is None:
            self._hinted_trace = trace
            self.notice(message["through"])
        else:
            frame = Frame(message["frame"].encode())
            self._offer(Broadcast(message["after"], message["through"], (frame,), trace))

    def notice(self, head: int) -> None:
        """Learn that the log reaches `head`; read what is missing, unless it comes by itself."""
        self._known_head = max(self._known_head, head)
        if self._is_started and self._known_head > self.head and self._healing is None:
            self._healing = self._run(self._heal())

    def rewind(self, head: int) -> None:
        """Begin anew at `head`: an older state of the database has taken the newer one's place.

        A backup was restored, or a standby took over that lacked the last commits.
        """
        logger.warning("sheet=%s: the log went back from %s to %s", self.slug, self.head, head)
        self.head = self._known_head = head
        self._recent.clear()
        self._opening.forget()
        self._ahead.clear()
        self.close_all(protocol.CloseCode.DRAINING, "the sheet was restored; open it again")

    def beat(self) -> None:
        """Do what is due now and then: heartbeats, and presence of processes that are gone."""
        if time.monotonic() - self._last_frame_at >= HEARTBEAT_SECONDS:
            self._send_to_live([Frame(protocol.encode_heartbeat(self.head))])
        self._presence.forget_silent()
        self._plan_presence()
        self._opening.forget_old()

    def refresh_presence(self) -> None:
        """Repeat to the other processes who is here; where none is known, ask for some."""
        if self._presence.has_company:
            self._tell_others(self.sheet_id, self._presence.full_hint())
        elif time.monotonic() - self._asked_at >= ASK_SECONDS:
            self._ask_who_is_here()

    def _offer(self, broadcast: Broadcast) -> bool:
        """Tell the sockets, now (True) or as soon as what comes before it is here."""
        if broadcast.through <= self.head:
            return False
        if broadcast.after > self.head or not self._is_started:
            if len(self._ahead) < MAX_AHEAD:
                self._ahead[broadcast.after] = broadcast
            self.notice(broadcast.through)
            return False
        self.head = broadcast.through
        self._known_head = max(self._known_head, self.head)
        self._recent.add(broadcast)
        if broadcast.trace and tracing.is_on:
            sockets = len(self.clients)
            with tracing.fanning_out(broadcast.trace, self.slug, self.head, sockets):
                self._send_to_live(broadcast.frames)
        else:
            self._send_to_live(broadcast.frames)
        if self._ahead:
            self._ahead = {at: b for at, b in self._ahead.items() if b.through > self.head}
            following = [at for at in self._ahead if at <= self.head]
            if following:
                self._offer(self._ahead.pop(min(following)))
        return True

    async def _heal(self) -> None:
        """Read what no frame has brought, until nothing is missing."""
        failures = 0
        try:
            is_coming = bool(self._ahead) or self._committer.is_working
            await asyncio.sleep(GAP_PATIENCE_SECONDS if is_coming else 0)
            while (wanted := self._known_head) > self.head:
                try:
                    read = await self._healer.read(self.sheet_id, self.head)
                except DatabaseError as error:
                    if failures == 0:
                        logger.warning("sheet=%s: cannot read the log: %s", self.slug, error)
                    failures += 1
                    await asyncio.sleep(min(RETRY_SECONDS * failures, MAX_RETRY_SECONDS))
                    continue
                if read is not None:
                    figures.gaps_healed += 1
                    trace, self._hinted_trace = self._hinted_trace, ""
                    self._offer(replace(read, trace=trace) if trace else read)
                if self.head < wanted == self._known_head:
                    # The log does not have what was told before it was read: the hint was wrong.
                    self._known_head = self.head
        finally:
            self._healing = None

    def _send_to_live(self, frames: Iterable[Frame]) -> None:
        self._last_frame_at = time.monotonic()
        for frame in frames:
            for client in self.clients:
                if client.is_live:
                    client.outbox.put(frame)

    # -- presence --------------------------------------------------------------------------------

    def update_presence(self, client: Client, presence: protocol.ClientPresence) -> None:
        """Note where a client is; the others learn of it within an interval."""
        if client in self.clients:
            self._presence.put(presence)
            self._plan_presence()

    def _ask_who_is_here(self) -> None:
        self._asked_at = time.monotonic()
        self._tell_others(self.sheet_id, self._presence.full_hint(wants_answer=True))

    def _hear_presence(self, hint: PresenceHint) -> None:
        self._presence.hear(hint)
        if hint.get("wants_answer") and hint["process"] != self._presence.process:
            self.refresh_presence()
        self._plan_presence()

    def _plan_presence(self) -> None:
        if self._presence_timer is None:
            crowded = len(self.clients) / PRESENCE_FRAMES_PER_SECOND
            self._presence_timer = asyncio.get_running_loop().call_later(
                max(PRESENCE_INTERVAL_SECONDS, crowded), self._send_presence
            )

    def _send_presence(self) -> None:
        self._presence_timer = None
        hint = self._presence.take_hint()
        if hint is not None:
            self._tell_others(self.sheet_id, hint)
        changed, gone = self._presence.take_changes()
        if changed or gone:
            told = protocol.encode_frame(protocol.PresenceChanged(changed, gone))
            self._send_to_live([Frame(told)])
        if self._presence.has_changes:
            self._plan_presence()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
