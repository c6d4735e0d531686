"""What a person does next: some edit of what they see, drawn at random."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

ROWS, COLUMNS = 40, 8  # where people edit: small, so that they overwrite each other
# Below, one client pastes so much that first loads are worth a packed snapshot.
PASTED_ROWS = range(100, 900)
ROWS_A_PASTE = 400
LOOKS = ("", {"bold": True}, {"fill": "#fff2cc", "format": "percent", "decimals": 1})
CHANGES = (*LOOKS, {"bold": None}, {"italic": True, "fill": None})
TAKE_BACKS = ("undo", "redo")

Frame = dict[str, Any]


class Edits:
    """One person's edits, each with a text of its own; one draw from `draw` follows the other."""

    def __init__(self, name: str, draw: random.Random) -> None:
        self._name = name
        self._draw = draw
        self._done: list[str] = []  # one's own operations in the log, as a person would undo them
        self._undone: list[str] = []
        self._number = 0

    def pastes(self, rows: list[int], columns: list[int]) -> Iterator[Frame]:
        """Fill a large part of a sheet of these living row and column ids."""
        for start in range(PASTED_ROWS.start, PASTED_ROWS.stop, ROWS_A_PASTE):
            keys = itertools.product(rows[start : start + ROWS_A_PASTE], columns[:COLUMNS])
            cells = [[row, column, self._text()] for row, column in keys]
            yield {"kind": "set_cells", "cells": cells}

    def invent(
        self, rows: list[int], columns: list[int], revision: int, *, may_take_back: bool
    ) -> Frame:
        """Return some edit of a sheet at a revision with these living row and column ids.

        An undo or a redo only for `may_take_back`: the next one waits for the answer to the last.
        """
        draw = self._draw
        chance = draw.random()
        if chance < 0.12 and may_take_back and (taking_back := self._take_back()) is not None:
            return taking_back
        if chance < 0.17:
            return self._restyling(rows, columns)
        if chance < 0.2:
            return self._sorting(rows, columns)
        if chance < 0.21:
            return self._restoring(revision)
        if chance < 0.93:
            count = draw.choice([1, 1, 1, 2, 5])
            cells = [self._cell(rows, columns) for _ in range(count)]
            if any(len(cell) > 3 for cell in cells):
                # Named twice, the log gives both the looks that either was given last.
                cells = list({(cell[0], cell[1]): cell for cell in cells}.values())
            return {"kind": "set_cells", "cells": cells}
        axis, ids = ("rows", rows) if draw.random() < 0.8 else ("columns", columns)
        few = [[draw.choice(ids[: ROWS if axis == "rows" else COLUMNS]), 1]]
        if chance < 0.95:
            before = draw.choice([*ids[:ROWS], None])
            return {"kind": f"insert_{axis}", "before": before, "count": draw.randint(1, 3)}
        if chance < 0.96 and len(ids) > COLUMNS * 2:
            return {"kind": f"delete_{axis}", axis: few}
        if chance < 0.98:
            before = draw.choice([id_ for id_ in ids[:ROWS] if id_ != few[0][0]])
            return {"kind": f"move_{axis}", axis: few, "before": before}
        if chance < 0.99:
            return {"kind": "freeze", "rows": draw.randint(0, 2), "columns": draw.randint(0, 2)}
        return {"kind": "resize", axis: few, "size": draw.choice([None, 20, 50, 120])}

    def note_done(self, operation_id: str, operation: Frame) -> None:
        """Remember an operation that is in the log now: it may be taken back."""
        match operation["kind"]:
            case "undo":
                self._done.remove(operation["operation_id"])
                self._undone.append(operation["operation_id"])
            case "redo":
                self._undone.remove(operation["operation_id"])
                self._done.append(operation["operation_id"])
            case _:
                self._done.append(operation_id)

    def _take_back(self) -> Frame | None:
        """Return an undo or a redo, if there is one to do."""
        if self._undone and self._draw.random() < 0.4:
            return {"kind": "redo", "operation_id": self._undone[-1]}
        return {"kind": "undo", "operation_id": self._done[-1]} if self._done else None

    def _sorting(self, rows: list[int], columns: list[int]) -> Frame:
        few = self._draw.sample(rows[:ROWS], self._draw.randint(2, 6))
        order = list(range(len(few)))
        self._draw.shuffle(order)
        return {
            "kind": "reorder_cells",
            "rows": [[row, 1] for row in few],
            "columns": [[column, 1] for column in self._draw.sample(columns[:COLUMNS], 3)],
            "order": order,
        }

    def _restoring(self, revision: int) -> Frame:
        """Return a restore of what was seen a while ago, mostly of a range."""
        draw = self._draw
        restore: Frame = {"kind": "restore", "revision": max(0, revision - draw.randint(0, 30))}
        if draw.random() < 0.8:
            # Ids that a new sheet has, so that there were such whenever it was.
            corners = [draw.randrange(most) for most in (ROWS, COLUMNS, ROWS, COLUMNS)]
            restore["range"] = corners
        return restore

    def _restyling(self, rows: list[int], columns: list[int]) -> Frame:
        return {
            "kind": "set_styles",
            "rows": [[self._draw.choice(rows[:ROWS]), 1] for _ in range(self._draw.randint(1, 3))],
            "columns": [[self._draw.choice(columns[:COLUMNS]), 1]],
            "style": self._draw.choice(CHANGES),
        }

    def _cell(self, rows: list[int], columns: list[int]) -> list[object]:
        text = self._text() if self._draw.random() < 0.92 else ""
        cell = [self._draw.choice(rows[:ROWS]), self._draw.choice(columns[:COLUMNS]), text]
        return [*cell, self._draw.choice(LOOKS)] if self._draw.random() < 0.1 else cell

    def _text(self) -> str:
        self._number += 1
        return f"{self._name} {self._number}"
