"""Followers: programs that wait, without a thread, until a sheet has more than they know."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from cells.live.admissions import Admissions, Pass
from cells.live.tail import Tail
from cells.live.threads import DatabaseThreads
from cells.services.credentials import Credentials

READERS = 2  # threads that read what followers are told


class Follower:
    """One who waits for a sheet."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def wake(self) -> None:
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for news since the last call; False if there is none in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Followers:
    """All that wait in one event loop, and what looks for them while there are any."""

    def __init__(self) -> None:
        self.readers = DatabaseThreads("changes", READERS)
        self.is_draining = False
        self._by_sheet: defaultdict[int, set[Follower]] = defaultdict(set)
        self._heads: dict[int, int] = {}
        self._admissions = Admissions()
        self._looking: list[asyncio.Task[None]] = []
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(map(len, self._by_sheet.values()))

    @contextmanager
    def following(self, sheet_id: int, credentials: Credentials) -> Iterator[Follower]:
        """Follow a sheet; whoever reads it only then misses nothing.

        Who may do something else than before is woken as well: it reads, and is refused.
        """
        follower = Follower()
        admitted = Pass(sheet_id, credentials, None, lambda _: follower.wake())
        self._by_sheet[sheet_id].add(follower)
        self._admissions.add(admitted)
        if not self._looking:
            self._looking = [
                asyncio.create_task(Tail(self, is_alone=True).run()),
                asyncio.create_task(self._admissions.run()),
            ]
        try:
            yield follower
        finally:
            self._admissions.discard(admitted)
            self._by_sheet[sheet_id].discard(follower)
            if not self._by_sheet[sheet_id]:
                del self._by_sheet[sheet_id]
                self._heads.pop(sheet_id, None)
            if not self._by_sheet:
                self._stop_looking()

    async def stop(self) -> None:
        """End the tail and the threads; nobody may wait any more."""
        self._stop_looking()
        await asyncio.gather(*self._ending, return_exceptions=True)
        await asyncio.to_thread(self.readers.close)

    def _stop_looking(self) -> None:
        for task in self._looking:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        self._looking = []

    def drain(self) -> None:
        """Have everybody end: the process does, and they come back to another one."""
        self.is_draining = True
        for followers in self._by_sheet.values():
            for follower in followers:
                follower.wake()

    def heads(self) -> dict[int, int]:
        """Return the head of each followed sheet as it was last seen; -1 for one never seen."""
        return {sheet_id: self._heads.get(sheet_id, -1) for sheet_id in self._by_sheet}

    def notice_heads(self, asked: dict[int, int], heads: dict[int, int]) -> None:
        """Wake those whose sheet has another head, or is gone."""
        for sheet_id, known in asked.items():
            head = heads.get(sheet_id, -2)  # deleted; unlike any head
            if head == known or sheet_id not in self._by_sheet:
                continue
            self._heads[sheet_id] = head
            for follower in self._by_sheet[sheet_id]:
                follower.wake()


_followers: WeakKeyDictionary[asyncio.AbstractEventLoop, Followers] = WeakKeyDictionary()


def get_followers() -> Followers:
    """Return the followers of the running event loop, made at the first call."""
    loop = asyncio.get_running_loop()
    if loop not in _followers:
        _followers[loop] = Followers()
    return _followers[loop]
