"""The recent past of one sheet: the last deltas as frames, for who is only just behind."""

from collections import deque
from dataclasses import dataclass

from cells.live.frames import Frame
from cells.services.tracing import Parent

MAX_RECENT_BYTES = 1024 * 1024  # seconds of a busy sheet, little for a thousand
MAX_RECENT_FRAMES = 512


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One step of a sheet as every socket gets it: the frames from `after` to `through`."""

    after: int
    through: int
    frames: tuple[Frame, ...]
    trace: Parent = ""


class Recent:
    """The last broadcasts, without a gap between them."""

    def __init__(self) -> None:
        self._broadcasts: deque[Broadcast] = deque()
        self._size = 0
        self._frames = 0

    def add(self, broadcast: Broadcast) -> None:
        self._broadcasts.append(broadcast)
        self._count(broadcast, 1)
        while self._size > MAX_RECENT_BYTES or self._frames > MAX_RECENT_FRAMES:
            self._count(self._broadcasts.popleft(), -1)

    def clear(self) -> None:
        """Forget all of them: the log went back."""
        self._broadcasts.clear()
        self._size = self._frames = 0

    def since(self, revision: int, head: int) -> list[Broadcast] | None:
        """Return what leads from `revision` to `head`; None when some of it is forgotten."""
        if revision == head:
            return []
        if not self._broadcasts or self._broadcasts[0].after > revision:
            return None
        return [broadcast for broadcast in self._broadcasts if broadcast.through > revision]

    def _count(self, broadcast: Broadcast, sign: int) -> None:
        self._size += sign * sum(map(len, broadcast.frames))
        self._frames += sign * len(broadcast.frames)
