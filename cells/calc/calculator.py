"""One sheet's calculation, contained: what one formula does to the engine stays that formula's."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from cells.calc.engine import Content, Failure, Formula, Position, Value
from cells.calc.formula_text import refusal_of
from cells.calc.sandbox import (
    DEFAULT_MEMORY_BYTES,
    DEFAULT_SECONDS,
    Cause,
    EngineEnded,
    Sandbox,
)
from cells.domain.addresses import format_address
from cells.domain.errors import SheetSyncError

logger = logging.getLogger(__name__)

# Of one evaluation, each at the price of a new process and a walk. Whoever brings more at once does
# it by intent; then all formulas that came with them are stopped together.
MAX_CULPRITS = 8
# A whole walk may take so many times the limit of one formula, …
WALK_FACTOR = 3
WALK_SECONDS_PER_FORMULA = 200e-6  # … and what walking costs, which is a quarter of this
# Of the limit, what the formulas of a sheet may still take once the slowest are stopped.
SHARE_LEFT = 0.5
MAX_LOGGED = 20  # cells that are named in one line of the log


class CalculationFailed(SheetSyncError):
    """The sheet cannot be calculated, not even without its formulas; nothing has changed."""

    code = "calculation_failed"
    retryable = True


class Calculator:
    """The values of one sheet's formulas.

    It keeps the contents, so that a process that has died can be replaced. A formula that took too
    much is quarantined: its value is #LIMIT! with a reason, and it is left out until it is set
    again. Synchronous, and for one thread at a time.

    `evaluate` takes `seconds` at most where nothing is wrong. One guilty formula costs `seconds`
    twice and loading twice; each further one, `seconds` and loading once more. At worst, with more
    than MAX_CULPRITS that each use up what they may, it is (MAX_CULPRITS + 4) × (loading +
    (WALK_FACTOR + 1) × `seconds`): four minutes with the defaults.
    """

    def __init__(
        self,
        *,
        name: str = "",
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        seconds: float = DEFAULT_SECONDS,
    ) -> None:
        """Prepare an empty sheet; `name` is what the log calls it. No process is started yet."""
        self._name = name
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._sandbox: Sandbox | None = None
        self._cells: dict[Position, Content] = {}
        self._stopped: dict[Position, Failure] = {}  # refused, or quarantined
        self._values: dict[Position, Value] = {}  # as they were last returned
        self._suspects: set[Position] = set()  # formulas set since the last good evaluation
        self._unsent: dict[Position, Content] = {}
        self._is_loaded = False  # whether the process has all but what is unsent
        self._is_stopped = False

    @property
    def volatile(self) -> bool:
        """Whether a formula may change by itself, as of the last evaluation."""
        return self._sandbox is not None and self._sandbox.volatile

    @property
    def left_out(self) -> dict[Position, Failure]:
        """The formulas that took too much, and what stands in for them."""
        return {at: one for at, one in self._stopped.items() if one.error == "#LIMIT!"}

    @property
    def pid(self) -> int | None:
        """The id of the engine's process, None while there is none."""
        return self._sandbox.pid if self._sandbox else None

    def load(self, cells: Mapping[Position, Content]) -> None:
        """Replace the whole sheet. Nothing is calculated yet."""
        self._cells = {}
        self._stopped = {}
        self._values = {}
        self._suspects = set()
        self._unsent = {}
        self._is_loaded = False
        self.set(cells)

    def set(self, cells: Mapping[Position, Content]) -> None:
        """Change some cells; None empties one. Nothing is calculated yet."""
        for position, content in cells.items():
            self._stopped.pop(position, None)
            self._values.pop(position, None)
            self._suspects.discard(position)
            if content is None:
                self._cells.pop(position, None)
            else:
                self._cells[position] = content
            if isinstance(content, Formula):
                reason = refusal_of(content.text)
                if reason is None:
                    self._suspects.add(position)
                else:
                    self._stopped[position] = Failure("#ERROR!", reason)
            self._unsent[position] = self._stopped.get(position, content)

    def evaluate(self, now: datetime) -> dict[Position, Value]:
        """Calculate, and return the values of formulas that differ from those last returned.

        A formula that was set since then is among them whatever its value. `now`, with its time
        zone, is what NOW() and TODAY() say. Raises CalculationFailed.
        """
        try:
            found = self._attempt(now)
        except EngineEnded as ended:
            logger.warning("sheet=%s the engine ended: cause=%s", self._name, ended.cause)
            found = self._contain(ended.cause, now)
        self._suspects.clear()
        changed = {
            position: value
            for position, value in found.items()
            if not _is_same(value, self._values.get(position))
        }
        self._values.update(changed)
        return changed

    def stop(self) -> None:
        """Have what is being calculated fail, and nothing begun any more. From any thread."""
        self._is_stopped = True
        sandbox = self._sandbox
        if sandbox is not None:
            sandbox.kill()

    def close(self) -> None:
        """End the process. A later evaluation starts another one."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        self._is_loaded = False

    def _attempt(self, now: datetime) -> dict[Position, Value]:
        if self._sandbox is not None and not self._sandbox.is_alive:  # it died with nothing to do
            self.close()
        if self._sandbox is None:
            self._sandbox = self._start()
        if not self._is_loaded:
            self._sandbox.load(self._contents())
        elif self._unsent:
            self._sandbox.set(self._unsent)
        self._is_loaded = True
        self._unsent = {}
        return self._sandbox.evaluate(now)

    def _contents(self) -> dict[Position, Content]:
        return {**self._cells, **self._stopped}

    def _contain(self, cause: Cause, now: datetime) -> dict[Position, Value]:
        """Stop the formulas that did it, and calculate the others."""
        for _ in range(MAX_CULPRITS + 1):
            culprits = self._walk(now)
            self._stop(culprits, together=len(culprits) > 1)
            if not culprits:
                try:
                    return self._attempt(now)
                except EngineEnded as ended:
                    cause = ended.cause
                    break
        # No formula did it alone, or too many did.
        stopped = dict(self._stopped)
        for group in (set(self._suspects), set(self._formulas())):
            self._stop(dict.fromkeys(group, cause), together=True)
            self.close()
            try:
                return self._attempt(now)
            except EngineEnded as ended:
                cause = ended.cause
        self._stopped = stopped
        raise self._failed(cause)

    def _start(self) -> Sandbox:
        if self._is_stopped:
            raise CalculationFailed("The calculation has been ended; another worker does it.")
        try:
            return Sandbox(memory_bytes=self._memory_bytes, seconds=self._seconds)
        except OSError as error:
            raise CalculationFailed(f"No process for formulas can be started: {error}.") from error

    def _failed(self, cause: Cause) -> CalculationFailed:
        self.close()
        return CalculationFailed(
            f"The sheet's {len(self._cells):,} cells cannot be calculated (cause: {cause}). "
            "Remove some, or give its process more memory or time."
        )

    def _walk(self, now: datetime) -> dict[Position, Cause]:
        """Calculate formula by formula in a new process, and return which must be stopped."""
        self.close()
        self._sandbox = self._start()
        formulas = sum(1 for _ in self._formulas())
        allowed = self._seconds * WALK_FACTOR + formulas * WALK_SECONDS_PER_FORMULA
        spent: dict[Position, float] = {}
        at: Position | None = None
        began = since = 0.0
        try:
            for position in self._sandbox.walk(self._contents(), now):
                reached = self._sandbox.walked_seconds
                if at is None:
                    began = reached
                else:
                    spent[at] = spent.get(at, 0.0) + reached - since
                at, since = position, reached
                if reached - began > allowed:
                    return self._slowest(spent)
        except EngineEnded as ended:
            if at is None:
                raise self._failed(ended.cause) from ended
            return {at: ended.cause}
        self._is_loaded = True
        self._unsent = {}
        return self._slowest(spent)

    def _formulas(self) -> Iterable[Position]:
        return (
            position
            for position, content in self._cells.items()
            if isinstance(content, Formula) and position not in self._stopped
        )

    def _slowest(self, spent: Mapping[Position, float]) -> dict[Position, Cause]:
        """Return which formulas must go so that the others keep well within the limit."""
        costs = {at: seconds - WALK_SECONDS_PER_FORMULA for at, seconds in spent.items()}
        total = sum(cost for cost in costs.values() if cost > 0)
        slowest: dict[Position, Cause] = {}
        if total <= self._seconds:
            return slowest
        for at in sorted(costs, key=costs.__getitem__, reverse=True):
            if total <= self._seconds * SHARE_LEFT:
                break
            total -= costs[at]
            slowest[at] = Cause.TIME
        return slowest

    def _stop(self, culprits: Mapping[Position, Cause], *, together: bool) -> None:
        for position, cause in culprits.items():
            self._stopped[position] = Failure("#LIMIT!", self._reason(cause, together=together))
        if culprits:
            self._is_loaded = False
            logger.warning(
                "sheet=%s cells=%s count=%d are left out until they are edited: cause=%s",
                self._name,
                ",".join(format_address(*position) for position in list(culprits)[:MAX_LOGGED]),
                len(culprits),
                ",".join({*culprits.values()}),
            )

    def _reason(self, cause: Cause, *, together: bool) -> str:
        who = "Together with others it" if together else "It"
        match cause:
            case Cause.TIME:
                what = f"took more than {self._seconds:g} s to calculate"
            case Cause.MEMORY:
                what = f"needed more than {self._memory_bytes // 2**20:,} MB of memory"
            case Cause.CRASH:
                what = "made the calculation break off"
        return f"{who} {what}. It is left out until it is edited: let it do less."


def _is_same(value: Value, before: Value | None) -> bool:
    # 1 and TRUE are equal to Python, and not to a sheet.
    return value == before and isinstance(value, bool) is isinstance(before, bool)
