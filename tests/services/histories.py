"""Random histories of a sheet `prices`: everything that people and programs do, and undo."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cells.domain.axes import Axis, AxisName
from cells.domain.deltas import Delta
from cells.domain.operations import (
    AddressedOperation,
    Delete,
    Freeze,
    Insert,
    Intended,
    Move,
    Resize,
    RestoreTo,
    SetAddresses,
    SetCells,
    SetStyles,
    Undo,
)
from cells.domain.references import Axes, is_formula, to_shown
from cells.domain.reordering import ReorderCells
from cells.domain.styles import parse_change
from cells.domain.tombstones import told_apart
from cells.domain.values import SetValues
from cells.models import AuthorKind, LinkRole, Sheet
from cells.protocol import encode_delta
from cells.services.authors import Author
from cells.services.commit import Committed, Submission, commit
from cells.services.read import open_sheet, read_deltas

ALICE = Author(AuthorKind.GUEST, "Alice", origin=str(uuid.UUID(int=1)))
BOB = Author(AuthorKind.GUEST, "Bob", origin=str(uuid.UUID(int=2)))
CALCULATOR = Author(AuthorKind.CALCULATOR, "calculator")
CHANGES = [parse_change(what) for what in ({"bold": True}, {"fill": "#ffff00"}, "", {"bold": None})]
LOOKS = ("", '{"bold":true}', '{"italic":true}')
SHAPE = ("rows", "columns", "row_sizes", "column_sizes")
TEXTS = ("", "", "a", "b", "1", "=A1+1", "=B$2", "=SUM(A2:B4)", "=SUM(A2:C)")


def new_sheet() -> Sheet:
    Sheet.objects.all().delete()
    sheet = Sheet.objects.create(slug="prices", title="Prices", link_role=LinkRole.EDITOR)
    Sheet.objects.filter(pk=sheet.pk).update(rows=[[0, 6]], columns=[[0, 4]])
    return sheet


@dataclass
class Seen:
    """A sheet as somebody sees it who takes the frames of deltas."""

    cells: dict[tuple[int, int], list[Any]] = field(default_factory=dict)
    shape: dict[str, Any] = field(default_factory=dict)

    def take(self, deltas: Iterable[Delta]) -> "Seen":
        for delta in deltas:
            frame = json.loads(encode_delta(delta))
            for _, cells in frame["changes"]:
                for row, column, *what in cells:
                    content = what + ["", "", None][len(what) :]
                    self.cells[row, column] = [content[0], content[1], what[2:]]
                    if not any(content[:2]):
                        del self.cells[row, column]
            self.shape |= {name: frame[name] for name in (*SHAPE, "frozen") if name in frame}
            self.shape |= {
                axis.deaths: frame.get(axis.deaths, []) for axis in AxisName if axis in frame
            }
        return self

    def visible(self) -> Any:
        """Return what is on the screen: living rows and columns in order, sizes and cells."""
        axes = Axes(*(self._axis(name) for name in AxisName))
        rows, columns = (axis.ids_between(0, len(axis)) for axis in axes)
        sizes = [
            {
                id_: pixels
                for first, count, pixels in self.shape[name]
                for id_ in range(first, first + count)
                if id_ in ids
            }
            for name, ids in (("row_sizes", rows), ("column_sizes", columns))
        ]
        cells = {
            key: [to_shown(what[0], axes) if is_formula(what[0]) else what[0], what[1]]
            for key, what in self.cells.items()
            if key[0] in rows and key[1] in columns
        }
        return rows, columns, sizes, self.shape["frozen"], cells

    def _axis(self, name: AxisName) -> Axis:
        return Axis.from_runs(self.shape[name]).with_deaths(self.shape[name.deaths])


def seen_now(sheet: Sheet) -> Seen:
    opened = open_sheet(sheet.pk)
    shape = {name: json.loads(getattr(opened, name)) for name in SHAPE}
    for axis in AxisName:
        shape[axis], deaths = told_apart(shape[axis])
        shape[axis.deaths] = [list(death) for death in deaths]
    seen = Seen({}, shape | {"frozen": [opened.frozen_rows, opened.frozen_columns]})
    return seen.take(read_deltas(sheet.pk, 0, is_first_load=True))


@dataclass
class History:
    """A sheet, what was seen of it at each revision, and what its people have done."""

    random: Random
    sheet: Sheet = field(default_factory=new_sheet)
    seen: list[Seen] = field(default_factory=list)
    done: list[tuple[uuid.UUID, Author]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen.append(seen_now(self.sheet))

    def do(self, operation: Intended | AddressedOperation, author: Author = ALICE) -> bool:
        """Commit, and write down what is seen then; False if it was refused."""
        operation_id = uuid.uuid4()
        (outcome,) = commit([Submission("prices", operation_id, operation, author)]).outcomes
        if not isinstance(outcome, Committed):
            return False
        self.seen.append(seen_now(self.sheet))
        if not isinstance(operation, Undo | SetValues):
            self.done.append((operation_id, author))
        return True

    def go_on(self, count: int) -> None:
        for _ in range(count):
            author = self.random.choice((ALICE, BOB))
            match self.random.randrange(14):
                case 0 | 1 if self.done:
                    operation_id, author = self.random.choice(self.done[-5:])
                    self.do(Undo(operation_id, self.random.random() < 0.3), author)
                case 2:
                    self._calculate()
                case 3 if len(self.seen) > 2:
                    self.do(self._restore(), author)
                case _:
                    self.do(self._operation(), author)

    def _calculate(self) -> None:
        formulas = [key for key, what in self.seen[-1].cells.items() if what[0][:1] == "="]
        head = len(self.seen) - 1
        values = tuple((*key, self.random.randrange(100)) for key in formulas)
        if values:
            self.do(SetValues(head, values), CALCULATOR)

    def _restore(self) -> RestoreTo:
        revision = self.random.randrange(len(self.seen))
        corners = (*self._cell(), *self._cell()) if self.random.random() < 0.4 else None
        return RestoreTo(revision, corners)

    def _cell(self) -> tuple[int, int]:
        rows, columns, *_ = self.seen[-1].visible()
        if not rows or not columns:
            return 0, 0
        return self.random.choice(rows), self.random.choice(columns)

    def _operation(self) -> Intended | AddressedOperation:
        random = self.random
        axis = random.choice(list(AxisName))
        id_, other = (random.choice(self._cell()) for _ in range(2))
        match random.randrange(12):
            case 0 | 1 | 2:
                keys = [self._cell() for _ in range(random.randint(1, 4))]
                cells = tuple((*key, random.choice(TEXTS)) for key in keys)
                looks = {key: random.choice(LOOKS) for key in keys if random.random() < 0.3}
                return SetCells(cells, styles=tuple((*key, look) for key, look in looks.items()))
            case 3 | 4:
                row, column = self._cell()
                return SetStyles(((row, 1),), ((column, 1),), random.choice(CHANGES))
            case 5:
                return Insert(axis, random.choice((None, id_)), random.randint(1, 2))
            case 6:
                return Delete(axis, ((id_, 1),))
            case 7:
                return Move(axis, ((id_, 1),), random.choice((None, other)))
            case 8:
                return Resize(axis, ((id_, random.randint(1, 2)),), random.choice((None, 40, 80)))
            case 9:
                return Freeze(random.randrange(3), random.randrange(3))
            case 10:
                rows, columns, *_ = self.seen[-1].visible()
                chosen = random.sample(rows, min(len(rows), 3)) or [0]
                order = tuple(random.sample(range(len(chosen)), len(chosen)))
                runs = tuple((row, 1) for row in chosen)
                return ReorderCells(runs, tuple((column, 1) for column in columns[:2]), order)
            case _:
                return SetAddresses(((random.randrange(9), random.randrange(6), "here"),))
