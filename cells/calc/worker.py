"""The calculating worker: it takes sheets with formulas, follows their logs, and stores values."""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue

from django.db import Error as DatabaseError
from django.db import connection

from cells.calc.following import Calculator, FollowedSheet, SheetGoneError
from cells.calc.hints import Hints
from cells.services import calculations
from cells.services.calculations import DueCalculation
from cells.services.failures import is_outage
from cells.services.figures import figures
from cells.services.heads import SqliteHeads, read_heads
from cells.services.outages import Backoff, Outage

logger = logging.getLogger(__name__)

SEARCH_SECONDS = 0.2  # between two looks for sheets that nobody calculates
# Between two looks at the heads of the sheets that are held: on SQLite they cost microseconds,
# and with hints they only heal what was lost.
SQLITE_LOOK_SECONDS = 0.005
LOOK_SECONDS = 0.025
HINTED_LOOK_SECONDS = 1.0
LEASE_SECONDS = 6  # how long others leave a sheet alone whose worker has died, or hangs
RENEW_SECONDS = 2
NOTE_SECONDS = 1.0  # between two notes of how far a sheet is: a crash only repeats
VOLATILE_PAUSE_SECONDS = 0.3  # a stream's edits would have all RAND() stored with each of them
IDLE_SECONDS = 60.0  # after which a sheet is let go of, and its process ends
IDLE_SECONDS_WHEN_FULL = 5.0  # others wait for its place
MAX_SHEETS = 32  # that are held at a time: each has a process of its own
STEPS_AT_ONCE = 16  # most of a step is waiting for its process, for minutes if a formula is bad
STOP_SECONDS = 4.2  # an operator is promised 5 s


@dataclass(slots=True)
class Totals:
    """What has been done since the start."""

    values: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Totals since the start, and how things stand."""

    totals: Totals
    sheets: int
    formulas: int
    failing: int
    database_down_seconds: float | None


class _Held:
    """A sheet that this worker holds."""

    def __init__(self, due: DueCalculation, sheet: FollowedSheet) -> None:
        self.sheet = sheet
        self.slug = due.slug
        self.time_zone = due.time_zone
        self.noted = due.revision
        self.noted_at = float("-inf")
        self.noted_volatile: bool | None = None
        self.head = due.head
        self.is_stale = True  # nothing has been calculated yet
        self.step: Future[int] | None = None
        self.used_at = time.monotonic()
        self.problem = ""
        self.backoff = Backoff()
        self.retry_at = 0.0

    @property
    def is_behind(self) -> bool:
        return self.is_stale or not self.sheet.is_settled or self.sheet.revision < self.head


class _Steppers:
    """Threads that do steps; unlike a pool's, each closes its connection to the database."""

    def __init__(self, count: int) -> None:
        self._steps: SimpleQueue[tuple[Future[int], Callable[[], int]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"sheet-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, step: Callable[[], int]) -> "Future[int]":
        """Have a thread do a step, as soon as one is free."""
        future: Future[int] = Future()
        self._steps.put((future, step))
        return future

    def end(self) -> None:
        """Return when all threads have ended; what they have not begun is left."""
        for _ in self._threads:
            self._steps.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (found := self._steps.get()) is not None:
            future, step = found
            try:
                future.set_result(step())
            except BaseException as error:  # noqa: BLE001 - whoever takes the result gets it
                future.set_exception(error)
        connection.close()


class Worker:
    """One thread looks for what there is to calculate; some more calculate, a sheet each.

    Several workers share the sheets: each holds some for a while, and takes over what another has
    left. Were two to hold the same one, both would store the same values.
    """

    def __init__(
        self, make_calculator: Callable[[str], Calculator], holder: uuid.UUID | None = None
    ) -> None:
        """Hold sheets as `holder`, or as one that nobody has been; at most one of a name may run.

        One that takes another's place, under its name, need not wait for its leases.
        """
        self._make = make_calculator
        self._id = holder or uuid.uuid4()
        self._database = Outage("The database")
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._hints = Hints(self._wake.set)
        self._heads = SqliteHeads() if connection.vendor == "sqlite" else None
        self._held: dict[int, _Held] = {}
        self._totals = Totals()
        self._failure: BaseException | None = None
        self._searched_at = self._renewed_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="calculator", daemon=True)

    def start(self) -> None:
        self._hints.start()
        self._thread.start()

    def check(self) -> None:
        """Raise what ended the thread: the process should end, too, instead of going dumb."""
        if self._failure is not None:
            raise self._failure

    def status(self) -> WorkerStatus:
        held = list(self._held.values())
        return WorkerStatus(
            replace(self._totals),
            len(held),
            sum(one.sheet.formulas for one in held),
            sum(bool(one.problem) for one in held),
            self._database.seconds,
        )

    def stop(self) -> bool:
        """Calculate nothing more, and return whether all has ended; others take over."""
        self._stopping.set()
        self._wake.set()
        self._hints.stop()
        self._thread.join(STOP_SECONDS)
        logger.info("stopped: %d values", self._totals.values)
        return not self._thread.is_alive()

    def _run(self) -> None:
        steppers = _Steppers(STEPS_AT_ONCE)
        try:
            self._work_until_stopped(steppers)
        except BaseException as error:
            self._failure = error
            raise
        finally:
            with contextlib.suppress(DatabaseError):
                calculations.let_go(self._id)
            for held in self._held.values():
                held.sheet.stop()
            steppers.end()
            for held in self._held.values():
                held.sheet.close()
            if self._heads is not None:
                self._heads.close()
            connection.close()

    def _work_until_stopped(self, steppers: _Steppers) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._look(steppers)
            except DatabaseError as error:
                if not is_outage(error):
                    raise
                self._database.failed(f"{type(error).__name__}: {str(error).strip()}")
                connection.close()  # what comes back is another server to this connection
                self._stopping.wait(backoff.next_seconds())
                continue
            self._database.recovered()
            backoff.reset()
            self._wake.wait(self._seconds_to_wait())
            self._wake.clear()

    def _seconds_to_wait(self) -> float:
        if not self._held:
            return SEARCH_SECONDS
        if self._heads is not None:
            return SQLITE_LOOK_SECONDS
        return HINTED_LOOK_SECONDS if self._hints.are_heard else LOOK_SECONDS

    def _look(self, steppers: _Steppers) -> None:
        """Look once around, and begin what can be begun."""
        now = time.monotonic()
        if now - self._renewed_at >= RENEW_SECONDS:
            self._renew()
            self._renewed_at = now
        if now - self._searched_at >= SEARCH_SECONDS:
            self._search()
            self._searched_at = now
        self._read_heads()
        for id_, held in list(self._held.items()):
            if held.step is not None and held.step.done():
                self._take_step(id_, held, held.step)
            if held.step is None and held.is_behind and held.retry_at <= now:
                held.is_stale = False
                held.step = steppers.begin(partial(self._step, held))
        self._let_go_of_idle(now)

    def _step(self, held: _Held) -> int:
        """Do one step of a sheet; runs beside other sheets' steps."""
        began = time.perf_counter()
        try:
            values = held.sheet.step()
            figures.calculation_seconds.note(time.perf_counter() - began)
            return values
        except DatabaseError:
            connection.close()
            raise
        finally:
            self._wake.set()

    def _take_step(self, id_: int, held: _Held, step: Future[int]) -> None:
        held.step = None
        try:
            values = step.result()
        except SheetGoneError:
            self._drop([id_])
            return
        except Exception as error:
            held.is_stale = True
            if isinstance(error, DatabaseError) and is_outage(error):
                raise
            # What is wrong with one sheet must not stop the others.
            logger.exception("sheet=%s cannot be calculated", held.slug)
            held.problem = f"{type(error).__name__}: {error}"
            held.retry_at = time.monotonic() + held.backoff.next_seconds()
            self._note(held)
            return
        self._totals.steps += 1
        self._totals.values += values
        held.problem = ""
        held.backoff.reset()
        now = time.monotonic()
        held.used_at = now
        if held.sheet.is_volatile and values:
            held.retry_at = now + VOLATILE_PAUSE_SECONDS
        is_new = held.noted_volatile is not held.sheet.is_volatile
        if held.sheet.is_settled and (is_new or now - held.noted_at >= NOTE_SECONDS):
            self._note(held)

    def _note(self, held: _Held) -> None:
        sheet = held.sheet
        is_volatile = sheet.is_volatile
        # Of what fails, only what was calculated before counts: somebody has to try it again.
        revision = held.noted if held.problem else sheet.revision
        calculations.note_calculated(
            sheet.sheet_id,
            self._id,
            revision,
            sheet.formulas,
            held.problem,
            is_volatile=is_volatile,
            left_out=sheet.left_out,
        )
        held.noted, held.noted_at = revision, time.monotonic()
        held.noted_volatile = is_volatile

    def _search(self) -> None:
        """Take sheets that nobody calculates, as many as there is room for."""
        room = MAX_SHEETS - len(self._held)
        if room <= 0:
            return
        due = calculations.find_due(self._held, self._id, room)
        if not due:
            return
        for found in calculations.hold(due, self._id, LEASE_SECONDS):
            calculator = self._make(found.slug)
            sheet = FollowedSheet(
                found.sheet_id, found.slug, found.time_zone, calculator, found.left_out
            )
            self._held[found.sheet_id] = _Held(found, sheet)
            self._hints.follow(found.sheet_id)
            logger.info("calculating sheet=%s from revision=%s", found.slug, found.revision)

    def _renew(self) -> None:
        """Hold for longer what is held; drop what another worker has taken meanwhile."""
        held = calculations.hold(list(self._held), self._id, LEASE_SECONDS) if self._held else []
        for found in held:
            one = self._held[found.sheet_id]
            one.is_stale |= found.is_stale
            if found.time_zone != one.time_zone:
                one.time_zone, one.is_stale = found.time_zone, True
                one.sheet.set_time_zone(found.time_zone)
        self._drop([id_ for id_ in self._held if id_ not in {one.sheet_id for one in held}])

    def _read_heads(self) -> None:
        if not self._held:
            return
        if self._heads is not None:
            heads = self._heads.read_if_changed(self._held)
        else:
            heads = read_heads(self._held)
        for id_, head in (heads or {}).items():
            held = self._held[id_]
            held.head = head
            if held.step is None and head < held.sheet.revision:
                held.sheet.forget()  # an older state of the database was brought back
                held.noted, held.is_stale = 0, True

    def _let_go_of_idle(self, now: float) -> None:
        idle = []
        is_full = len(self._held) >= MAX_SHEETS
        for id_, held in self._held.items():
            if held.step is not None:
                continue
            if is_full and held.problem:
                idle.append(id_)  # there is room for another one while this one waits
                continue
            if held.is_behind:
                held.used_at = now
                continue
            if held.noted != held.sheet.revision and now - held.noted_at >= NOTE_SECONDS:
                self._note(held)
            if now - held.used_at >= (IDLE_SECONDS_WHEN_FULL if is_full else IDLE_SECONDS):
                idle.append(id_)
        if idle:
            self._drop(idle)
            calculations.let_go(self._id, idle)

    def _drop(self, ids: list[int]) -> None:
        for id_ in ids:
            held = self._held.pop(id_)
            self._hints.leave(id_)
            if held.step is not None:
                held.step.add_done_callback(partial(_close, held.sheet))
            else:
                held.sheet.close()


def _close(sheet: FollowedSheet, _: Future[int]) -> None:
    sheet.close()
