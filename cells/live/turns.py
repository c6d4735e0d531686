"""Turns: the order in which edits of several clients are committed: nobody waits for a heap.

What one client hands in keeps its order. A batch of light submissions takes from every client in
turn, up to a share of each; a heavy one is committed alone, and after it come the light ones that
arrived meanwhile. So an edit waits for one commit at hand, however much somebody else has sent.
Who has had a sheet to itself for a while may take more at once: it costs less an edit.
"""

from collections import deque
from typing import Generic, Protocol, TypeVar

MAX_BATCH = 1_000  # submissions; about 30 ms
MAX_SHARE = 128  # of those, by one client: some 3 ms that an edit of somebody else may wait
MAX_SHARE_ALONE = 512  # by a client that nobody would wait for; a third less an edit than 128
ALONE_BATCHES = 64  # without anybody else's edits: at 128 edits a batch, a quarter of a second
LIGHT_WEIGHT = 50_000  # of a submission, and of all that a client adds to a batch; about 10 ms
MAX_BATCH_WEIGHT = 250_000  # about 50 ms


class Weighed(Protocol):
    """Something handed in, and about how many bytes it has."""

    @property
    def weight(self) -> int: ...


Author = TypeVar("Author")
Item = TypeVar("Item", bound=Weighed)


class Turns(Generic[Author, Item]):
    """What waits, by author; batches come out."""

    def __init__(self) -> None:
        self._waiting: dict[Author, deque[Item]] = {}
        self._count = 0
        self._is_heavy_due = False
        self._alone = 0  # batches in a row for which the same one author only had something
        self._last_alone: Author | None = None

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    @property
    def is_heavy_next(self) -> bool:
        """Whether the next batch is a heavy one, for which nothing can be gathered."""
        heavy = [waiting[0].weight > LIGHT_WEIGHT for waiting in self._waiting.values()]
        return any(heavy) and (self._is_heavy_due or all(heavy))

    def add(self, author: Author, item: Item) -> None:
        """Let an item wait behind those of its author."""
        waiting = self._waiting.get(author)
        if waiting is None:
            waiting = self._waiting[author] = deque()
        waiting.append(item)
        self._count += 1

    def take(self) -> list[Item]:
        """Return what goes into the next batch; it no longer waits."""
        if self._is_heavy_due:
            self._is_heavy_due = False
            batch = self._take_heavy() or self._take_light()
        else:
            batch = self._take_light()
            self._is_heavy_due = bool(batch)
            batch = batch or self._take_heavy()
        self._count -= len(batch)
        return batch

    def _take_light(self) -> list[Item]:
        batch: list[Item] = []
        room = MAX_BATCH_WEIGHT
        max_share = MAX_SHARE_ALONE if self._is_long_alone() else MAX_SHARE
        for author in list(self._waiting):
            waiting = self._waiting[author]
            share = min(LIGHT_WEIGHT, room)
            taken = len(batch)
            most = min(MAX_BATCH, taken + max_share)
            while waiting and len(batch) < most and waiting[0].weight <= share:
                share -= waiting[0].weight
                room -= waiting[0].weight
                batch.append(waiting.popleft())
            if len(batch) > taken:
                self._let_others_first(author)
        return batch

    def _is_long_alone(self) -> bool:
        lone = next(iter(self._waiting)) if len(self._waiting) == 1 else None
        if lone is None or lone is not self._last_alone:
            self._alone, self._last_alone = 0, lone
        self._alone += 1
        return self._alone >= ALONE_BATCHES

    def _take_heavy(self) -> list[Item]:
        for author, waiting in self._waiting.items():
            if waiting[0].weight > LIGHT_WEIGHT:
                batch = [waiting.popleft()]
                self._let_others_first(author)
                return batch
        return []

    def _let_others_first(self, author: Author) -> None:
        waiting = self._waiting.pop(author)
        if waiting:
            self._waiting[author] = waiting
