"""A client under faults: edits, reloads, goes offline, and holds every frame to the contract.

It does what the browser's sync modules do: it keeps its edits until they are acknowledged, sends
them again under the same ids after every reconnect and retryable rejection, applies a delta only
where it continues what it has, and asks again on a gap. Its waits are shorter than a browser's.
"""

import asyncio
import contextlib
import json
import random
import time
import uuid
import zlib
from collections.abc import Callable, Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin

from tests.faults.edits import TAKE_BACKS, Edits, Frame
from tests.faults.history import Digest, History, living
from tests.faults.replica import Replica

MAX_IN_FLIGHT = 8  # the browser's
MAX_UNACKNOWLEDGED = 40  # during an outage people stop typing at some time
EDIT_SECONDS = 0.04  # between two edits, on average
BASE_DELAY_SECONDS = 0.1  # the browser's; its longest is 15 s
MAX_DELAY_SECONDS = 2.0
RETRY_SECONDS = 0.25  # after a retryable rejection; the browser's waits grow to 10 s
OPEN_TIMEOUT_SECONDS = 10.0  # the browser's
ANSWER_TIMEOUT_SECONDS = 15.0  # the browser's
SILENCE_SECONDS = 25.0  # the browser's: two and a half heartbeats
PATIENCE_SECONDS = 2.0  # of the contract: a head that stays above for so long is a gap
TICK_SECONDS = 0.1

HARMLESS_CLOSE_CODES = {
    *(1000, 1001, 1005, 1006),  # ended by us, or cut
    *(1012, 1013, 4408),  # draining; the database does not answer; too slow
}


class _Unanswered:
    """An edit that is not in the log as far as its author knows."""

    def __init__(self, operation: Frame) -> None:
        self.operation = operation
        self.is_in_flight = False
        self.due = 0.0


class Editor:
    """One browser tab's worth of work on one sheet: first on the first of `urls`, then on any."""

    def __init__(
        self, name: str, urls: Sequence[str], sheet: str, history: History, seed: str
    ) -> None:
        self.name = name
        self.sheet = sheet
        self.history = history
        self.is_offline = False
        self.is_open = False
        self.close_codes: dict[int, int] = {}
        self._urls = urls
        self._draw = random.Random(seed)
        self._edits = Edits(name, self._draw)
        self._replica = Replica()
        self._life = 0
        self._client_id = str(uuid.uuid4())
        self._journal: dict[str, _Unanswered] = {}
        self._answers: dict[str, int | str] = {}
        self._has_to_paste = False
        self._failures = 0
        self._socket: ClientConnection | None = None
        self._asked: int | None = None  # what the sheet.open named that is not answered
        self._opened_head = 0
        self._known_head = 0
        self._behind_since: float | None = None
        # The first part of a first load, while its binary messages come: how many bytes, and which.
        self._packed: tuple[int, bytearray] | None = None
        self._wakes = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # -- what a run does with it -----------------------------------------------------------------

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._live()), asyncio.create_task(self._tick())]

    def begin_editing(self) -> None:
        self._tasks.append(asyncio.create_task(self._edit()))

    def paste(self) -> None:
        """Fill a large part of the sheet, as soon as there is one."""
        self._has_to_paste = True

    async def stop_editing(self) -> None:
        editing = self._tasks.pop()
        editing.cancel()
        await asyncio.gather(editing, return_exceptions=True)

    async def leave(self) -> None:
        """End, and write down what the replica holds."""
        for task in self._tasks:
            task.cancel()
        for ending in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ending, Exception):
                self.history.note("broken", detail=f"the client itself failed: {ending!r}")
        self.history.note("final", life=self._life, **self._replica.held())

    def reload(self) -> None:
        """Begin anew with nothing but the journal, as a tab does that is reloaded.

        It keeps its client_id, as a guest does who may still undo what they did before.
        """
        self.history.note("reload", unacknowledged=len(self._journal))
        self._replica = Replica()
        self._life += 1
        self._known_head = self._opened_head = 0
        self._hang_up()

    def go_offline(self) -> None:
        self.history.note("offline")
        self.is_offline = True
        self._hang_up()

    def come_back(self) -> None:
        self.history.note("online")
        self.is_offline = False
        self._failures = 0
        self._wakes.set()

    @property
    def revision(self) -> int:
        return self._replica.revision

    @property
    def unacknowledged(self) -> int:
        return len(self._journal)

    @property
    def acknowledged(self) -> int:
        return sum(isinstance(answer, int) for answer in self._answers.values())

    # -- editing ---------------------------------------------------------------------------------

    async def _edit(self) -> None:
        while True:
            await asyncio.sleep(self._draw.uniform(0, 2 * EDIT_SECONDS))
            rows, columns = list(living(self._replica.rows)), list(living(self._replica.columns))
            if not rows or not columns:
                continue  # before its first load
            if self._has_to_paste:
                self._has_to_paste = False
                for paste in self._edits.pastes(rows, columns):
                    self._submit(paste)
            kinds = {one.operation["kind"] for one in self._journal.values()}
            revision = self._replica.revision
            operation = self._edits.invent(
                rows, columns, revision, may_take_back=kinds.isdisjoint(TAKE_BACKS)
            )
            if len(self._journal) < MAX_UNACKNOWLEDGED:
                self._submit(operation)

    def _submit(self, operation: Frame) -> None:
        operation_id = str(uuid.uuid4())
        self.history.note("submit", operation_id=operation_id, operation=operation)
        self._journal[operation_id] = _Unanswered(operation)
        self._send_what_may()

    # -- the line --------------------------------------------------------------------------------

    async def _live(self) -> None:
        url = self._urls[0]
        while True:
            if not self.is_offline:
                with contextlib.suppress(OSError, WebSocketException):
                    await self._serve_one_socket(url)
            url = self._draw.choice(self._urls)
            longest = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._wakes.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._draw.uniform(0, longest)):
                    await self._wakes.wait()

    async def _serve_one_socket(self, url: str) -> None:
        async with connect(
            f"{url}/ws/sheets/{self.sheet}/",
            origin=Origin(url.replace("ws://", "http://")),
            max_size=None,
            proxy=None,
            ping_interval=None,  # browsers do not ping
            open_timeout=OPEN_TIMEOUT_SECONDS,
            close_timeout=0.2,
        ) as socket:
            self._socket = socket
            self._known_head = 0
            self._packed = None
            try:
                await self._ask(takes_packed=self._draw.random() < 0.7)
                seconds = OPEN_TIMEOUT_SECONDS
                while True:
                    async with asyncio.timeout(seconds):
                        text = await socket.recv()
                    if self._socket is not socket:
                        break  # hung up: what was received before is not for the next replica
                    self._receive(text)
                    seconds = SILENCE_SECONDS if self.is_open else OPEN_TIMEOUT_SECONDS
            except (ConnectionClosed, TimeoutError):
                pass
            finally:
                self._socket = None
                self.is_open = False
                self._behind_since = None
                for unanswered in self._journal.values():
                    unanswered.is_in_flight = False
                    unanswered.due = 0.0
        code = 1006 if socket.close_code is None else socket.close_code
        self.close_codes[code] = self.close_codes.get(code, 0) + 1
        self.history.note("closed", code=code, reason=socket.close_reason)
        if code not in HARMLESS_CLOSE_CODES:
            self._complain(f"closed with {code}: {socket.close_reason}")

    async def _ask(self, *, takes_packed: bool = False) -> None:
        """Send sheet.open from what the replica holds."""
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(self._opening(takes_packed=takes_packed)))

    def _opening(self, *, takes_packed: bool = False) -> Frame:
        self._asked = self._replica.revision
        frame = {
            "type": "sheet.open",
            "protocol": 1,
            "client_id": self._client_id,
            "revision": self._asked or None,
        }
        return frame | {"packed": "gzip"} if takes_packed else frame

    def _hang_up(self) -> None:
        """Lose the connection at once, with whatever is on its way."""
        socket, self._socket = self._socket, None
        self.is_open = False
        if socket is not None:
            socket.transport.abort()

    def _send_what_may(self) -> None:
        now = time.monotonic()
        room = MAX_IN_FLIGHT - sum(one.is_in_flight for one in self._journal.values())
        for operation_id, one in self._journal.items():
            if not self.is_open or self._socket is None or room <= 0:
                return
            if one.is_in_flight or one.due > now:
                continue
            one.is_in_flight = True
            one.due = now + ANSWER_TIMEOUT_SECONDS
            room -= 1
            self._tell(
                {
                    "type": "operation.submit",
                    "operation_id": operation_id,
                    "operation": one.operation,
                }
            )

    def _tell(self, frame: Frame) -> None:
        async def send(socket: ClientConnection) -> None:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(json.dumps(frame))

        if self._socket is not None:
            task = asyncio.create_task(send(self._socket))
            _sending.add(task)
            task.add_done_callback(_sending.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            for one in self._journal.values():
                if one.is_in_flight and now >= one.due:
                    one.is_in_flight = False
            self._send_what_may()
            since = self._behind_since
            if self.is_open and since is not None and now - since >= PATIENCE_SECONDS:
                self._behind_since = now
                self.history.note("behind", revision=self.revision, head=self._known_head)
                await self._ask()

    # -- frames ----------------------------------------------------------------------------------

    def _receive(self, text: str | bytes) -> None:
        if isinstance(text, bytes):
            self._take_binary(text)
            return
        try:
            frame = json.loads(text)
            take = self._takers[frame["type"]]
        except (ValueError, TypeError, KeyError):
            self._complain(f"a frame of no known type: {text[:200]!r}")
            return
        try:
            take(self, frame)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            self._complain(f"a frame that is not as the contract says ({error!r}): {text[:200]!r}")

    def _take_opened(self, frame: Frame) -> None:
        asked, head = self._asked or 0, frame["head"]
        self._asked = None
        self.history.note("opened", life=self._life, asked=asked, head=head)
        if frame["protocol"] != 1 or frame["sheet"]["slug"] != self.sheet:
            self._complain(f"sheet.opened of another sheet or protocol: {frame}")
        if frame["role"] != "editor":
            self._complain(f"opened as {frame['role']}, and everybody may edit")
        if not self.is_open:
            self.is_open = True
            self._failures = 0
        self._opened_head = head
        if self._replica.revision == 0:
            self._replica.cells = Digest()  # a first load that broke off may hold what is cleared
        self._replica.take_shape(frame, head)
        self._hear_of(head)
        self._send_what_may()

    def _take_cells(self, frame: Frame) -> None:
        replica, after, through = self._replica, frame["after"], frame["through"]
        if not self.is_open or not 0 <= after <= through:
            self._complain(f"cells.changed from {after} through {through}, open: {self.is_open}")
        if through <= replica.revision:
            return
        if after > replica.revision:
            self._hear_of(through)
            if self._asked is None and replica.revision >= self._opened_head:
                self.history.note("gap", revision=replica.revision, after=after)
                self._tell(self._opening())
            return
        replica.take_cells(frame)
        if self._behind_since is not None:
            self._behind_since = time.monotonic()
        if not frame.get("more"):
            replica.revision = through
            self.history.note("at", life=self._life, revision=through, digest=replica.cells.value)
        self._hear_of(through)

    def _take_packed(self, frame: Frame) -> None:
        self.history.note("packed", cells=frame["cells"], bytes=frame["bytes"])
        if self._replica.revision or frame["after"] or frame["encoding"] != "gzip":
            self._complain(f"cells.packed at revision {self._replica.revision}: {frame}")
        self._packed = frame["bytes"], bytearray()

    def _take_binary(self, part: bytes) -> None:
        if self._packed is None:
            self._complain("a binary message that no cells.packed announced")
            return
        size, parts = self._packed
        parts += part
        if self._behind_since is not None:
            self._behind_since = time.monotonic()
        if len(parts) >= size:
            self._packed = None
            try:
                for line in zlib.decompress(parts, wbits=16 + zlib.MAX_WBITS).splitlines():
                    self._receive(line.decode())
            except (zlib.error, UnicodeDecodeError) as error:
                self._complain(f"{size} bytes that cannot be unpacked: {error!r}")

    def _take_committed(self, frame: Frame) -> None:
        for operation_id, revision in frame["operations"]:
            earlier = self._answers.setdefault(operation_id, revision)
            if earlier != revision:
                self._complain(
                    f"operation {operation_id} was answered with {earlier}, then with {revision}"
                )
            if (edit := self._journal.pop(operation_id, None)) is not None:
                self._edits.note_done(operation_id, edit.operation)
                self.history.note("acknowledged", operation_id=operation_id, revision=revision)
            self._hear_of(revision)
        self._send_what_may()

    def _take_rejected(self, frame: Frame) -> None:
        operation_id, code = frame["operation_id"], frame["code"]
        unanswered = self._journal.get(operation_id)
        if unanswered is None:
            answer = self._answers.get(operation_id)
            if answer is None or (isinstance(answer, int) and not frame["retryable"]):
                self._complain(f"refused although it was answered with {answer!r}: {frame}")
        elif frame["retryable"]:
            self.history.note("put_off", operation_id=operation_id, code=code)
            unanswered.is_in_flight = False
            unanswered.due = time.monotonic() + RETRY_SECONDS * self._draw.uniform(0.5, 1)
        else:
            self.history.note("refused", operation_id=operation_id, code=code)
            self._answers[operation_id] = code
            del self._journal[operation_id]

    def _take_heartbeat(self, frame: Frame) -> None:
        self._hear_of(frame["head"])

    def _take_presence(self, frame: Frame) -> None:
        if not isinstance(frame["clients"], list) or not isinstance(frame["gone"], list):
            self._complain(f"presence.changed without its lists: {frame}")

    def _take_error(self, frame: Frame) -> None:
        self._complain(f"an error for frames that are as the contract says: {frame}")

    _takers: dict[str, Callable[["Editor", Frame], None]] = {
        "sheet.opened": _take_opened,
        "cells.changed": _take_cells,
        "cells.packed": _take_packed,
        "operations.committed": _take_committed,
        "operation.rejected": _take_rejected,
        "sheet.heartbeat": _take_heartbeat,
        "presence.changed": _take_presence,
        "error": _take_error,
    }

    def _hear_of(self, head: int) -> None:
        self._known_head = max(self._known_head, head)
        if self._known_head <= self._replica.revision:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = time.monotonic()

    def _complain(self, detail: str) -> None:
        self.history.note("broken", detail=detail)


_sending: set[asyncio.Task[None]] = set()
