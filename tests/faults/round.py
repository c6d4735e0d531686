"""One round: people and a program edit one sheet while a schedule of faults goes on; then judge."""

import asyncio
import random
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.faults.checker import Promise, Violation, check
from tests.faults.database import read_progress, read_sheet
from tests.faults.editor import Editor
from tests.faults.history import History, read_histories
from tests.faults.publisher import Publisher
from tests.faults.schedule import Fault, Kind, Mode, make_schedule
from tests.faults.site import Site
from tests.servers.process import ServerFailedError

CLIENTS = 6
SETTLE_SECONDS = 15.0  # after the last fault all clients are equal to the head
LOOK_SECONDS = 0.1
WORK_SECONDS = 120.0  # at most for the edits that a round waits for


@dataclass(slots=True)
class Result:
    """What a round did and what was wrong with it."""

    mode: Mode
    seed: int
    seconds: float
    schedule: list[Fault]
    folder: Path
    disk: str
    violations: list[Violation] = field(default_factory=list)
    acknowledged: int = 0
    put_off: int = 0
    refused: int = 0
    reconnects: int = 0
    packed: int = 0
    messages: int = 0
    head: int = 0
    settled_seconds: float = 0.0
    close_codes: Counter[int] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> Counter[str]:
        return Counter(str(fault.kind) for fault in self.schedule)

    def report(self) -> str:
        """Return all that is needed to see it again."""
        more = len(self.violations) - 20
        lines = [
            f"{len(self.violations)} violations of the promise.",
            f"Replay: make faults SEED={self.seed} MODE={self.mode} SECONDS={self.seconds:g}",
            f"Histories and logs: {self.folder}",
            "The schedule:",
            *(f"  {fault}" for fault in self.schedule),
            "The violations:",
            *(f"  {violation}" for violation in self.violations[:20]),
            *([f"  and {more} more"] if more > 0 else []),
            *(f"Note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)


async def run_round(
    site: Site,
    seed: int,
    seconds: float,
    *,
    schedule: Sequence[Fault] | None = None,
    clients: int = CLIENTS,
    settle_seconds: float = SETTLE_SECONDS,
    edits: int = 0,
) -> Result:
    """Run the schedule of a seed (or another) against a site, and check everything.

    A round lasts `seconds`, and longer until `edits` are acknowledged: what a busy machine gets
    done in a time may be next to nothing.
    """
    faults = list(
        make_schedule(seed, site.mode, seconds, clients) if schedule is None else schedule
    )
    sheet = site.sheets.pop()
    folder = site.folder / f"round-{sheet}"
    folder.mkdir()
    round_ = _Round(site, sheet, folder, seed, clients)
    result = Result(site.mode, seed, seconds, faults, folder, site.disk.means)
    try:
        await round_.run(faults, seconds, edits)
        await round_.settle(settle_seconds, result)
    except BaseException as error:  # a defect of this harness, or a Ctrl-C
        error.add_note(result.report())
        raise
    finally:
        await round_.end()
    try:
        stored = await asyncio.to_thread(read_sheet, site.database_url, sheet)
    except (psycopg.OperationalError, sqlite3.OperationalError) as error:
        gone = Violation(Promise.DID_NOT_COME_BACK, f"the database cannot be read: {error}")
        result.violations += [*round_.violations, gone]
        return result
    histories = read_histories(folder)
    result.violations += round_.violations + check(histories, stored, sheet)
    result.acknowledged = round_.acknowledged
    happened = Counter(event["what"] for events in histories.values() for event in events)
    result.put_off, result.refused = happened["put_off"], happened["refused"]
    result.reconnects, result.packed = happened["closed"], happened["packed"]
    result.messages = round_.publisher.messages
    result.head = stored.head
    for editor in round_.editors:
        result.close_codes.update(editor.close_codes)
    result.notes, site.notes = site.notes, []
    return result


class _Round:
    def __init__(self, site: Site, sheet: str, folder: Path, seed: int, clients: int) -> None:
        self.site = site
        self.sheet = sheet
        self.violations: list[Violation] = []
        self._histories: list[History] = []
        self._folder = folder
        self._began = time.monotonic()
        urls = deque(site.web_urls)
        self.editors: list[Editor] = []
        for number in range(1, clients + 1):
            name = f"client-{number}"
            editor = Editor(name, list(urls), sheet, self._history(name), f"{seed} {name}")
            self.editors.append(editor)
            urls.rotate()
        draw = random.Random(f"{seed} publisher")
        self.publisher = Publisher(site.topic, sheet, self._history("publisher"), draw)
        # Threads of its own: many faults wait for a process at the same time.
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="fault")

    def _history(self, name: str) -> History:
        self._histories.append(History(self._folder, name, self._began))
        return self._histories[-1]

    async def run(self, faults: Sequence[Fault], seconds: float, edits: int) -> None:
        """Let everybody work while the faults come and go."""
        for editor in self.editors:
            editor.start()
            editor.begin_editing()
        self.editors[0].paste()
        work = self.publisher.run() if self.site.has_listeners else asyncio.sleep(0)
        publishing = asyncio.create_task(work)
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                for fault in faults:
                    group.create_task(self._suffer(fault, began))
                group.create_task(self._work(seconds, edits))
        finally:
            self.publisher.stop()
            await asyncio.gather(publishing, *(editor.stop_editing() for editor in self.editors))

    async def _work(self, seconds: float, edits: int) -> None:
        await asyncio.sleep(seconds)
        waited = 0.0
        while self.acknowledged < edits and waited < WORK_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS

    @property
    def acknowledged(self) -> int:
        return sum(editor.acknowledged for editor in self.editors)

    async def _suffer(self, fault: Fault, began: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(began + fault.at - loop.time())
        if fault.target.startswith("client-"):
            editor = self.editors[int(fault.target.removeprefix("client-")) - 1]
            if fault.kind is Kind.RELOAD:
                editor.reload()
                return
            editor.go_offline()
            await asyncio.sleep(fault.seconds)
            editor.come_back()
            return
        await loop.run_in_executor(self._threads, self.site.begin, fault)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            try:
                await loop.run_in_executor(self._threads, self.site.end, fault)
            except (ServerFailedError, TimeoutError) as error:
                self.violations.append(Violation(Promise.DID_NOT_COME_BACK, f"{fault}: {error}"))

    async def settle(self, seconds: float, result: Result) -> None:
        """Wait until nothing is on its way any more and all clients are at the head."""
        began = time.monotonic()
        while (waiting := await self._waiting()) is not None:
            result.settled_seconds = time.monotonic() - began
            if result.settled_seconds > seconds:
                self.violations.append(
                    Violation(Promise.TOO_LATE, f"{seconds:g} s after the last fault: {waiting}")
                )
                return
            await asyncio.sleep(LOOK_SECONDS)
        result.settled_seconds = time.monotonic() - began

    async def _waiting(self) -> str | None:
        """Return what is still on its way, or None."""
        unacknowledged = {editor.name: editor.unacknowledged for editor in self.editors}
        if any(unacknowledged.values()):
            return f"unacknowledged: {unacknowledged}"
        lines, dead, head = await asyncio.to_thread(
            read_progress, self.site.database_url, self.sheet
        )
        if lines < self.publisher.edits or dead < self.publisher.dead:
            return (
                f"{lines} of {self.publisher.edits} messages committed, "
                f"{dead} of {self.publisher.dead} dead letters kept"
            )
        revisions = {editor.name: editor.revision for editor in self.editors}
        if any(revision != head for revision in revisions.values()):
            return f"the head is {head}, clients are at {revisions}"
        return None

    async def end(self) -> None:
        """Let everybody go and close their histories."""
        await asyncio.gather(*(editor.leave() for editor in self.editors))
        for history in self._histories:
            history.close()
        self._threads.shutdown()
