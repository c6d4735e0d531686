"""One sheet that is calculated: its log goes in, and what its formulas come to goes out."""

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import blake2s
from typing import Any, Protocol, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from django.conf import settings

from cells.announcing import announce_committed
from cells.calc.engine import Content, Failure, Formula, Position, Value, content_of
from cells.domain.axes import Axis
from cells.domain.deltas import CellState, Delta
from cells.domain.errors import Deleted, NoSuchSheet, UnknownId
from cells.domain.layout import CellId
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.values import MAX_VALUES_PER_OPERATION, SetValues
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.calculations import LeftOut
from cells.services.commit import Refused, Submission, commit
from cells.services.read import read_deltas, read_whole

logger = logging.getLogger(__name__)

CALCULATOR = Author(AuthorKind.CALCULATOR, "calculator")


LIMIT = "#LIMIT!"
MAX_LEFT_OUT = 1_000  # that are noted; more come of intent alone
MAX_CHARACTERS = 250_000  # of texts in a line of the log; it is read by the dozen


class SheetGoneError(Exception):
    """The sheet has been deleted."""


class Calculator(Protocol):
    """What is asked of whoever calculates: an Engine that is contained."""

    def load(self, cells: Mapping[Position, Content]) -> None: ...

    def set(self, cells: Mapping[Position, Content]) -> None: ...

    def evaluate(self, now: datetime) -> Mapping[Position, Value]: ...

    @property
    def volatile(self) -> bool: ...

    @property
    def left_out(self) -> Mapping[Position, Failure]: ...

    def close(self) -> None: ...

    def stop(self) -> None: ...


class FollowedSheet:
    """A sheet while one worker has it. Of one thread at a time.

    What is computed and not stored, because an edit came in between or the database went away, is
    tried again at the next step.
    """

    def __init__(
        self,
        sheet_id: int,
        slug: str,
        time_zone: str,
        calculator: Calculator,
        left_out: LeftOut = (),
    ) -> None:
        """Prepare to follow a sheet; `left_out` as it was noted by who followed it before."""
        self.sheet_id = sheet_id
        self.revision = 0
        """All up to here has been read."""
        self._slug = slug
        self._zone = _zone(time_zone)
        self._calculator = calculator
        self._axes: Axes | None = None
        self._left_out = {
            (row, column): (digest, Failure(LIMIT, reason))
            for row, column, digest, reason in left_out
        }
        self._formulas: dict[CellId, str] = {}
        self._formulas_at: dict[Position, CellId] = {}
        self._stored: dict[CellId, Any] = {}
        self._computed: dict[CellId, Value] = {}
        self._unsaved: dict[CellId, None] = {}  # in the order of the calculation

    def set_time_zone(self, name: str) -> None:
        """Take the time zone that the sheet has by now: that of NOW() and TODAY()."""
        self._zone = _zone(name)

    @property
    def formulas(self) -> int:
        """How many formulas the sheet has."""
        return len(self._formulas)

    @property
    def left_out(self) -> list[tuple[int, int, str, str]]:
        """The formulas that took too much, as they are to be noted."""
        return [
            (*key, digest, failure.reason)
            for key, (digest, failure) in self._left_out.items()
            if key in self._formulas
        ][:MAX_LEFT_OUT]

    @property
    def is_volatile(self) -> bool:
        """Whether values change by themselves."""
        return self._calculator.volatile

    @property
    def is_settled(self) -> bool:
        """Whether all values of `revision` are stored."""
        return self._axes is not None and not self._unsaved

    def step(self) -> int:
        """Read what is new, calculate, and store values; return how many.

        Raises SheetGoneError, and django.db.Error: then the same step may be tried again.
        """
        axes = self._axes
        if axes is None or not self._take_news(axes):
            self._load()
        for position, value in self._calculator.evaluate(datetime.now(self._zone)).items():
            key = self._formulas_at[position]
            self._computed[key] = _storable(value)
            self._unsaved[key] = None
        for position, failure in self._calculator.left_out.items():
            key = self._formulas_at[position]
            self._left_out[key] = (_digest(self._formulas[key]), failure)
        self._unsaved = {key: None for key in self._unsaved if self._is_unsaved(key)}
        return self._store()

    def forget(self) -> None:
        """Begin anew with the next step: what was read is not what there is."""
        self._axes = None

    def stop(self) -> None:
        """Have a step that another thread is in fail, and each later one."""
        self._calculator.stop()

    def close(self) -> None:
        """End the process that calculates."""
        self._calculator.close()

    def _load(self) -> None:
        """Begin anew with the sheet as it is, in the present order of its rows and columns."""
        found = read_whole(self.sheet_id)
        if found is None:
            raise SheetGoneError
        axes, deltas = found
        self._axes = None  # again, should anything fail below
        self._formulas, self._formulas_at = {}, {}
        self._stored, self._computed, self._unsaved = {}, {}, {}
        self._calculator.load(dict(self._contents(axes, deltas)))
        self._axes, self.revision = axes, deltas[-1].through

    def _take_news(self, axes: Axes) -> bool:
        """Take in what has changed since; False if rows or columns have, and all has to move."""
        deltas = list(read_deltas(self.sheet_id, self.revision))
        if not deltas:
            raise SheetGoneError
        last = deltas[-1]
        if last.through < self.revision:
            return False  # an older state of the database was brought back
        now = Axes(
            axes.rows if last.rows is None else Axis.from_runs(last.rows),
            axes.columns if last.columns is None else Axis.from_runs(last.columns),
        )
        if not (now.rows.continues(axes.rows) and now.columns.continues(axes.columns)):
            return False
        self._axes = axes = now
        self._calculator.set(dict(self._contents(axes, deltas)))
        self.revision = last.through
        return True

    def _contents(self, axes: Axes, deltas: Iterable[Delta]) -> Iterator[tuple[Position, Content]]:
        """Yield what stands where by the deltas, and note what is stored of formulas."""
        for delta in deltas:
            for _, cells in delta.changes:
                for cell in cells:
                    try:
                        position = axes.rows.position_of(cell[0]), axes.columns.position_of(cell[1])
                    except (Deleted, UnknownId):
                        continue
                    yield position, self._content(axes, cell, position)

    def _content(self, axes: Axes, cell: CellState, position: Position) -> Content:
        key, text = (cell[0], cell[1]), cell[2]
        if not is_formula(text):
            if self._formulas.pop(key, None) is not None:
                del self._formulas_at[position]
            return content_of(text)
        self._formulas[key], self._formulas_at[position] = text, key
        self._stored[key] = msgspec.json.decode(cell[4]) if len(cell) == 5 else None
        self._unsaved[key] = None  # until it is compared
        digest, failure = self._left_out.get(key, ("", None))
        if failure is not None:
            # Typed anew, it would have no value: then it is tried again.
            if len(cell) == 5 and digest == _digest(text):
                return failure
            del self._left_out[key]
        return Formula(to_shown(text, axes))

    def _is_unsaved(self, key: CellId) -> bool:
        if key not in self._formulas or key not in self._computed:
            return False
        stored, computed = self._stored.get(key), self._computed[key]
        if _is_number(stored) and _is_number(computed):
            return float(stored) != float(computed)  # a database may write 1e23 out
        # TRUE is not 1, though Python takes them for equal.
        return stored != computed or isinstance(stored, bool) != isinstance(computed, bool)

    def _store(self) -> int:
        stored = 0
        for cells in self._portions():
            stored += self._commit(SetValues(self.revision, cells))
        return stored

    def _portions(self) -> Iterator[tuple[tuple[int, int, Value], ...]]:
        """Yield what is unsaved in portions that one line of the log may hold."""
        portion: list[tuple[int, int, Value]] = []
        characters = 0
        for key in list(self._unsaved):
            value = self._computed[key]
            portion.append((*key, value))
            characters += len(value) if isinstance(value, str) else 0
            if len(portion) == MAX_VALUES_PER_OPERATION or characters > MAX_CHARACTERS:
                yield tuple(portion)
                portion, characters = [], 0
        if portion:
            yield tuple(portion)

    def _commit(self, values: SetValues) -> int:
        result = commit([Submission(self._slug, uuid.uuid4(), values, CALCULATOR)])
        announce_committed(result)
        (outcome,) = result.outcomes
        if isinstance(outcome, Refused):
            if isinstance(outcome.error, NoSuchSheet):
                raise SheetGoneError
            return 0  # edits came in between: the next step reads them
        delta = result.deltas[self.sheet_id]
        written = [(cell[0], cell[1]) for _, cells in delta.changes for cell in cells]
        for key in written:
            self._stored[key] = self._computed[key]
            self._unsaved.pop(key, None)
        if delta.after == self.revision:  # nothing came in between
            self.revision = delta.through
        return len(written)


def _digest(text: str) -> str:
    return blake2s(text.encode(), digest_size=8).hexdigest()


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        logger.warning("there is no time zone %r here; taking %s", name, settings.TIME_ZONE)
        return ZoneInfo(settings.TIME_ZONE)


def _storable(value: Value) -> Value:
    """Return a value that the JSON of a database can hold."""
    if not isinstance(value, str):
        return value
    if "\0" in value:
        return {"error": "#VALUE!", "reason": "the text has the character NUL in it"}
    return value if value.isascii() else value.encode(errors="replace").decode()
