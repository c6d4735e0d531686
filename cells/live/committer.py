"""Committing: the edits that a hub's sockets hand in become batches, one at a time.

At once when idle; otherwise what arrived while the previous batch was committing goes together,
by turns (see cells.live.turns), or in a short while (see cells.live.pace).
No timer adds latency to a lone edit.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import Error as DatabaseError

from cells import protocol
from cells.domain.errors import SheetSyncError, Unavailable
from cells.domain.operations import Intended
from cells.live.client import Client, weight_of
from cells.live.frames import Frame
from cells.live.opening import read_frames
from cells.live.pace import ENOUGH, Pace
from cells.live.recent import Broadcast
from cells.live.threads import DatabaseThreads
from cells.live.turns import Turns
from cells.services import tracing
from cells.services.commit import Committed, Outcome, Refused, Submission, commit
from cells.services.failures import is_outage
from cells.services.figures import figures
from cells.services.restoring import RestorePlan

if TYPE_CHECKING:
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)

COMPLAINT_SECONDS = 5.0  # an outage is a line now and then, not a line a batch


class _Internal(SheetSyncError):
    """A defect: the operation broke something that no rule foresaw."""


class _Pending(NamedTuple):
    client: Client
    submission: Submission
    weight: int
    span: "Span | None"


@dataclass(frozen=True, slots=True)
class _CommittedBatch:
    outcomes: list[Outcome]
    broadcast: Broadcast | None


class Committer:
    """Commits one sheet's submissions in order, and answers each client.

    `on_committed` gets each step of the log before its authors get their acknowledgement, and
    says whether the sockets were told of it now; `notice` learns how far the log reaches, when an
    answer comes from it. `head` is how far it was known to reach, and `rewind` learns of a log that
    does not reach there any more.
    """

    def __init__(
        self,
        sheet_id: int,
        slug: str,
        writers: DatabaseThreads,
        on_committed: Callable[[Broadcast], bool],
        notice: Callable[[int], None],
        head: Callable[[], int],
        rewind: Callable[[int], None],
    ) -> None:
        self._sheet_id = sheet_id
        self._slug = slug
        self._writers = writers
        self._on_committed = on_committed
        self._notice = notice
        self._head = head
        self._rewind = rewind
        self._pending: Turns[Client, _Pending] = Turns()
        self._working: asyncio.Task[None] | None = None
        self._pace = Pace(time.monotonic())
        self._enough: asyncio.Event | None = None  # while edits are gathered
        self._complained_at = float("-inf")
        self._is_draining = False
        self._is_ending = False

    @property
    def is_working(self) -> bool:
        """Whether a commit is under way."""
        return self._working is not None

    def submit(
        self,
        client: Client,
        operation_id: UUID,
        operation: Intended | RestorePlan,
        expected_head: int | None = None,
    ) -> Awaitable[None] | None:
        """Hand in an edit; its outcome reaches the client as a frame.

        What is returned has to be awaited before more is read from the socket: the client has
        too many in flight.
        """
        if self._is_draining:
            return None  # unanswered, so its client sends it again elsewhere, under the same id
        weight = weight_of(operation)
        client.begin(weight)
        submission = Submission(
            self._slug, operation_id, operation, client.author, expected_head=expected_head
        )
        span = tracing.begin_edit(self._slug, operation_id) if tracing.is_on else None
        self._pending.add(client, _Pending(client, submission, weight, span))
        self._pace.note_arrival()
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        elif self._enough is not None and len(self._pending) >= ENOUGH:
            self._enough.set()
        return client.wait_for_capacity()

    async def drain(self) -> None:
        """Take nothing more, and finish what is pending."""
        self._is_draining = True
        await self.finish()

    async def finish(self) -> None:
        """Wait until nothing is pending; nothing is gathered any more."""
        self._is_ending = True
        if self._enough is not None:
            self._enough.set()
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._pending:
                delay = self._pace.delay(time.monotonic(), len(self._pending))
                if delay > 0 and not self._is_ending and not self._pending.is_heavy_next:
                    await self._gather(delay)
                await self._commit(self._pending.take())
        finally:
            self._working = None

    async def _gather(self, seconds: float) -> None:
        """Let edits come in for a while, or until there are enough of them."""
        self._enough = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._enough.wait(), seconds)
        self._enough = None

    async def _commit(self, batch: list[_Pending]) -> None:
        submissions = [pending.submission for pending in batch]
        known_head = self._head()
        try:
            work = partial(_commit_traced, batch) if tracing.is_on else _commit_and_encode
            done = await self._writers.run(work, self._sheet_id, submissions)
        except Exception as error:  # noqa: BLE001 - whatever it is, these clients need an answer
            if is_outage(error):
                self._refuse_for_now(batch, error)
            else:
                await self._commit_around(batch, error)
            return
        if done.broadcast is not None and done.broadcast.after < known_head:
            # Now, and not by the tail: by its next look the log may have grown beyond that head.
            self._rewind(done.broadcast.through)
        elif done.broadcast is not None:
            began, used = time.monotonic(), time.thread_time()
            if self._on_committed(done.broadcast):
                self._pace.note_fan_out(began, time.thread_time() - used)
        _answer(batch, done.outcomes)
        # A retry's first attempt may have been another process's, which ended before it told.
        for outcome in done.outcomes:
            if isinstance(outcome, Committed) and (done.broadcast is None or not outcome.is_new):
                self._notice(outcome.revision)

    def _refuse_for_now(self, batch: list[_Pending], error: Exception) -> None:
        if time.monotonic() - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            logger.warning("sheet=%s: the database does not take edits: %s", self._slug, error)
        refusal = Unavailable("the database does not answer; the edit waits to be sent again")
        figures.refusals.note(refusal.code, len(batch))
        _answer(batch, [Refused(pending.submission.operation_id, refusal) for pending in batch])

    async def _commit_around(self, batch: list[_Pending], error: Exception) -> None:
        """Find by halves the one edit that breaks a batch, and refuse it alone."""
        if len(batch) > 1:
            half = len(batch) // 2
            await self._commit(batch[:half])
            await self._commit(batch[half:])
            return
        operation_id = batch[0].submission.operation_id
        logger.error(
            "sheet=%s operation_id=%s broke its batch", self._slug, operation_id, exc_info=error
        )
        refusal = _Internal("the server could not store this edit; please report it")
        figures.refusals.note(refusal.code)
        _answer(batch, [Refused(operation_id, refusal)])


def _answer(batch: Iterable[_Pending], outcomes: Iterable[Outcome]) -> None:
    """Tell each client what became of its submissions: one frame for all that were committed."""
    committed: dict[Client, list[tuple[UUID, int]]] = {}
    left: dict[Client, dict[UUID, int]] = {}
    for (client, _, weight, span), outcome in zip(batch, outcomes, strict=True):
        client.end(weight)
        if span is not None:
            tracing.end_edit(span, outcome)
        match outcome:
            case Committed(operation_id, revision):
                committed.setdefault(client, []).append((operation_id, revision))
                if outcome.left:
                    left.setdefault(client, {})[operation_id] = outcome.left
            case Refused(operation_id, error):
                client.send(protocol.encode_rejected(operation_id, error))
    for client, operations in committed.items():
        client.send(protocol.encode_committed(operations, left.get(client, {})))


def _commit_traced(
    batch: list[_Pending], sheet_id: int, submissions: list[Submission]
) -> _CommittedBatch:
    with tracing.handing_in([pending.span for pending in batch if pending.span is not None]):
        return _commit_and_encode(sheet_id, submissions)


def _commit_and_encode(sheet_id: int, submissions: list[Submission]) -> _CommittedBatch:
    """Commit, and encode the delta once for all sockets, off the event loop."""
    result = commit(submissions)
    delta = result.deltas.get(sheet_id)
    if delta is None:
        return _CommittedBatch(result.outcomes, None)
    if delta.lacks_cells:
        # Committed it is, whatever becomes of the reading: then the hub reads again.
        with suppress(DatabaseError):
            read = read_frames(sheet_id, delta.after)
            if read is not None:
                figures.delta_bytes.note(sum(map(len, read.frames)))
                read = replace(read, trace=result.trace)
            return _CommittedBatch(result.outcomes, read)
        return _CommittedBatch(result.outcomes, None)
    frame = Frame(protocol.encode_delta(delta))
    figures.delta_bytes.note(len(frame))
    broadcast = Broadcast(delta.after, delta.through, (frame,), result.trace)
    return _CommittedBatch(result.outcomes, broadcast)
