"""Openings: how one socket gets from what its client holds to where the sheet's hub is.

Only what the log has is sent: the steps that the hub still remembers, else what is read from the
database. A whole sheet comes from its stored snapshot if there is one, and is read once for all
who open it at the same moment.

Who may only look gets the sheet as it is: nothing of deleted rows and columns, and no step or
snapshot from before, which may have what was taken out ahead of sharing it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import msgspec

from cells import protocol
from cells.domain.axes import Axis
from cells.live.client import Client
from cells.live.frames import BinaryFrame, Frame
from cells.live.packing import Packer
from cells.live.recent import Broadcast, Recent
from cells.live.threads import DatabaseThreads
from cells.models import Role
from cells.services import snapshots
from cells.services.protections import NONE_SEEN, Seen, seen_now
from cells.services.read import (
    CELLS_PER_DELTA,
    OpenedSheet,
    may_have_held,
    open_sheet,
    read_deltas,
)
from cells.services.rows import LoadedRows, read_rows, read_view
from cells.services.snapshots import PackedSheet

logger = logging.getLogger(__name__)

KEEP_SECONDS = 10.0  # how long a whole sheet is kept for those who open it next
BYTES_PER_MESSAGE = 256 * 1024  # of a packed sheet: few enough to cost little, soon enough to show
WORTH_PACKING_BYTES = 100_000  # about 5,000 cells; less is read from the table in milliseconds


@dataclass(frozen=True, slots=True)
class _Whole:
    """A first load: the stored snapshot, as it is or as frames, and the frames behind it."""

    read_at: float
    through: int
    packed: PackedSheet | None
    frames: tuple[Frame, ...]
    loose_bytes: int  # of the frames, what no snapshot has


class _For(NamedTuple):
    """For whom a first load is: whether they take it packed, and whether they may only look."""

    takes_packed: bool
    only_looks: bool


class Opening:
    """Answers the sheet.open of one hub's sockets, from its `recent` past or the database."""

    def __init__(
        self,
        sheet_id: int,
        readers: DatabaseThreads,
        packer: Packer,
        recent: Recent,
        head: Callable[[], int],
    ) -> None:
        self._sheet_id = sheet_id
        self._readers = readers
        self._packer = packer
        self._recent = recent
        self._head = head
        self._kept: dict[_For, _Whole] = {}
        self._reading: dict[_For, asyncio.Task[_Whole | None]] = {}

    async def answer(
        self,
        client: Client,
        revision: int,
        *,
        takes_packed: bool,
        view: protocol.View | None,
        held_ms: float | None,
    ) -> int:
        """Send the sheet's shape and the cells since `revision`; return where that leads.

        The rows in view go ahead of a large first load. A revision that is not of this log is told
        to begin afresh: `held_ms` is how long ago the client came to it, if it says so.

        When it returns, the client is where the hub is: without another await it can go live.
        Raises django.db.Error when the database does not answer, Sheet.DoesNotExist when the
        sheet is gone.
        """
        only_looks = client.role == Role.VIEWER
        opened, at, in_view = await self._readers.run(
            _open, self._sheet_id, revision, view, held_ms, living_only=only_looks
        )
        seen = NONE_SEEN
        if opened.has_protections:
            seen = await self._readers.run(_see, self._sheet_id, client.author.user_id)
        client.send(_encode_opened(opened, client, afresh=at < revision))
        client.protections = NONE_SEEN  # as sheet.opened leaves it
        if seen != NONE_SEEN:
            client.tell_protections(seen)
        if in_view is not None:
            client.send(_encode_rows(in_view))
        is_told = False
        if at == 0:
            # The first load is the sheet as it is, not the steps that led there.
            whole = await self._read_whole(_For(takes_packed, only_looks))
            if whole is None:
                return at
            await _send_whole(client, whole)
            at, is_told = whole.through, True
            if whole.loose_bytes > WORTH_PACKING_BYTES:
                self._packer.want(self._sheet_id, opened.slug)
        while True:
            recent = self._recent.since(at, self._head()) if at <= self._head() else []
            if only_looks and not is_told:
                recent = None
            # A client that is at the head already is told so by an empty delta.
            if recent is not None and (recent or is_told):
                for broadcast in recent:
                    for frame in broadcast.frames:
                        client.outbox.put(frame)
                return at
            read = await self._readers.run(read_frames, self._sheet_id, at, living_only=only_looks)
            if read is None:
                return at
            await _send_paced(client, read.frames)
            at, is_told = read.through, True

    async def load_rows(self, client: Client, runs: list[tuple[int, int]]) -> None:
        """Send some rows, as they are now, between the pieces of what is on its way.

        Raises django.db.Error when the database does not answer.
        """
        only_looks = client.role == Role.VIEWER
        loaded = await self._readers.run(read_rows, self._sheet_id, runs, living_only=only_looks)
        if loaded is not None:
            client.send(_encode_rows(loaded))

    def forget(self) -> None:
        """Forget the sheet as it was: an older state has taken the newer one's place."""
        self._kept.clear()
        self._reading.clear()

    def forget_old(self) -> None:
        """Let go of a whole sheet that was read a while ago."""
        latest = time.monotonic() - KEEP_SECONDS
        self._kept = {key: whole for key, whole in self._kept.items() if whole.read_at > latest}

    async def stop(self) -> None:
        """Break off what is being read."""
        tasks = [*self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_whole(self, whom: _For) -> _Whole | None:
        """Return the whole sheet, read once for all who open it at this moment."""
        kept = self._kept.get(whom)
        if kept is not None and self._recent.since(kept.through, self._head()) is not None:
            return kept
        reading = self._reading.get(whom)
        if reading is None:
            reading = asyncio.create_task(self._readers.run(_read_whole, self._sheet_id, whom))
            self._reading[whom] = reading
            reading.add_done_callback(partial(self._keep, whom))
        return await asyncio.shield(reading)

    def _keep(self, whom: _For, reading: asyncio.Task[_Whole | None]) -> None:
        if self._reading.get(whom) is not reading:
            return  # what it read has been forgotten meanwhile
        del self._reading[whom]
        if not reading.cancelled() and reading.exception() is None and (whole := reading.result()):
            self._kept[whom] = whole


def read_frames(
    sheet_id: int, after: int, *, is_first_load: bool = False, living_only: bool = False
) -> Broadcast | None:
    """Read and encode what leads from `after` to the head; None when the sheet is gone."""
    frames: list[Frame] = []
    through = None
    deltas = read_deltas(sheet_id, after, is_first_load=is_first_load, living_only=living_only)
    for delta in deltas:
        frames.append(Frame(protocol.encode_delta(delta)))
        through = delta.through
    return None if through is None else Broadcast(after, through, tuple(frames))


def _open(
    sheet_id: int,
    revision: int,
    view: protocol.View | None,
    held_ms: float | None,
    *,
    living_only: bool,
) -> tuple[OpenedSheet, int, LoadedRows | None]:
    """Read a sheet's shape and, where its first load is more than a frame, the rows in view.

    In between: `revision`, or 0 where that comes from another life of the database.
    """
    opened = open_sheet(sheet_id)
    if revision > opened.head:
        revision = 0
    elif revision and held_ms is not None and not may_have_held(sheet_id, revision, held_ms / 1000):
        logger.info("sheet=%s revision=%s was held before it was here", opened.slug, revision)
        revision = 0
    if view is None or revision > 0 or opened.filled <= CELLS_PER_DELTA:
        return opened, revision, None
    return opened, revision, read_view(opened, *view.rows, living_only=living_only)


def _see(sheet_id: int, user_id: int | None) -> Seen:
    return seen_now([(sheet_id, user_id)]).get((sheet_id, user_id), NONE_SEEN)


def _read_whole(sheet_id: int, whom: _For) -> _Whole | None:
    """Read a first load: the stored snapshot and what came since, else everything.

    Which of the two it was says a client nothing: each frame is true as of its `through`.
    """
    read_at = time.monotonic()
    packed = snapshots.load(sheet_id)
    if packed is not None and whom.only_looks and not _is_as_it_is(packed, open_sheet(sheet_id)):
        packed = None
    unpacked: tuple[Frame, ...] = ()
    if packed is not None and not whom.takes_packed:
        lines = snapshots.unpack(packed)
        if lines is None:
            logger.warning("sheet=%s: its snapshot was damaged and is thrown away", sheet_id)
            snapshots.drop(sheet_id)
            packed = None
        else:
            unpacked = tuple(map(Frame, lines))
    after = 0 if packed is None else packed.revision
    read = read_frames(sheet_id, after, is_first_load=packed is None, living_only=whom.only_looks)
    if read is None:
        return None
    frames = read.frames if packed is None or read.through > after else ()
    return _Whole(
        read_at,
        max(read.through, after),
        packed if whom.takes_packed else None,
        (*unpacked, *frames),
        sum(map(len, frames)),
    )


def _is_as_it_is(packed: PackedSheet, opened: OpenedSheet) -> bool:
    axes = (Axis.from_runs(msgspec.json.decode(text)) for text in (opened.rows, opened.columns))
    return packed.revision == opened.head and all(
        run.is_alive for axis in axes for run in axis.runs
    )


async def _send_whole(client: Client, whole: _Whole) -> None:
    packed = whole.packed
    if packed is not None:
        data = memoryview(packed.data)
        size = len(data)
        announced = protocol.CellsPacked(
            0, packed.revision, protocol.Packing.GZIP, packed.cells, size
        )
        client.send(protocol.encode_frame(announced))
        for start in range(0, size, BYTES_PER_MESSAGE):
            await client.outbox.wait_for_room()
            client.outbox.put(BinaryFrame(data[start : start + BYTES_PER_MESSAGE]))
            await asyncio.sleep(0)  # or who reads as fast as this writes has the loop alone
    await _send_paced(client, whole.frames)


async def _send_paced(client: Client, frames: tuple[Frame, ...]) -> None:
    for frame in frames:
        await client.outbox.wait_for_room()
        client.outbox.put(frame)
        await asyncio.sleep(0)


def _encode_rows(loaded: LoadedRows) -> bytes:
    return protocol.encode_frame(protocol.RowsLoaded(loaded.at, loaded.rows, loaded.cells))


def _encode_opened(opened: OpenedSheet, client: Client, *, afresh: bool) -> bytes:
    rows, row_deaths = protocol.axis_on_wire(opened.rows)
    columns, column_deaths = protocol.axis_on_wire(opened.columns)
    return protocol.encode_frame(
        protocol.SheetOpened(
            protocol=protocol.PROTOCOL,
            sheet=protocol.SheetName(opened.slug, opened.title),
            role=client.role,
            you=protocol.You(client.client_id, client.name, client.color),
            head=opened.head,
            filled=opened.filled,
            rows=rows,
            columns=columns,
            row_sizes=_raw(opened.row_sizes),
            column_sizes=_raw(opened.column_sizes),
            frozen=(opened.frozen_rows, opened.frozen_columns),
            row_deaths=row_deaths,
            column_deaths=column_deaths,
            afresh=afresh,
        )
    )


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
