"""Planning: restores of a process are worked out one at a time, in a thread of their own.

A plan may take seconds, and must keep nobody from opening a sheet.
"""

import asyncio
from uuid import UUID

from cells.domain.errors import Unavailable
from cells.domain.operations import RestoreTo
from cells.live.threads import DatabaseThreads
from cells.services.restoring import RestorePlan, plan_restore

MAX_WAITING = 10  # people; a plan may take half a minute


class Planning:
    """The plans of a process: one at work, and of each person one at the most."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads("plan", 1)
        self._turn = asyncio.Lock()
        self._planned: dict[str, asyncio.Task[RestorePlan]] = {}

    async def plan(
        self, person: str, slug: str, wanted: RestoreTo, operation_id: UUID
    ) -> RestorePlan:
        """Work out a restore in turn.

        Raises Unavailable while another one of this person's or too many of others' are waiting,
        and django.db.Error.
        """
        if person in self._planned:
            raise Unavailable("another restore of yours is under way; send it again afterwards")
        if len(self._planned) >= MAX_WAITING:
            raise Unavailable("others restore at the moment; send it again in a minute")
        planned = asyncio.create_task(self._plan(slug, wanted, operation_id))
        self._planned[person] = planned

        def forget(planned: asyncio.Task[RestorePlan]) -> None:
            del self._planned[person]
            if not planned.cancelled():
                planned.exception()  # the socket may be gone, and asyncio complains of what is lost

        planned.add_done_callback(forget)
        # The thread goes on when the socket has gone: until then the turn is not free.
        return await asyncio.shield(planned)

    def stop(self) -> None:
        """Give up what waits."""
        for planned in self._planned.values():
            planned.cancel()

    def close(self) -> None:
        """Wait for the plan at hand and end the thread."""
        self._threads.close()

    async def _plan(self, slug: str, wanted: RestoreTo, operation_id: UUID) -> RestorePlan:
        async with self._turn:
            return await self._threads.run(plan_restore, slug, wanted, operation_id)
