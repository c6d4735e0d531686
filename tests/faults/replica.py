"""What a client holds of its sheet, as the frames that it took have made it."""

from typing import Any

from tests.faults.history import Digest


class Replica:
    """One life of a replica: from a first load to a reload."""

    def __init__(self) -> None:
        self.revision = 0
        self.cells = Digest()
        self.rows: list[list[int]] = []
        self.columns: list[list[int]] = []
        self.row_sizes: list[list[int]] = []
        self.column_sizes: list[list[int]] = []
        self.frozen = [0, 0]
        self.shape_revision = 0

    def take_shape(self, frame: dict[str, Any], revision: int) -> None:
        """Take axes and sizes, unless newer ones came with sheet.opened, ahead of the cells."""
        if revision >= self.shape_revision:
            self.shape_revision = revision
            for name in ("rows", "columns", "row_sizes", "column_sizes", "frozen"):
                if name in frame:
                    setattr(self, name, frame[name])

    def take_cells(self, frame: dict[str, Any]) -> None:
        """Take the cells of a delta, and its axes and sizes where it has any."""
        for _, cells in frame["changes"]:
            for row, column, text, *style in cells:
                self.cells.put(row, column, text, *style[:1])
        self.take_shape(frame, frame["through"])

    def held(self) -> dict[str, Any]:
        """Return all of it as JSON takes it, for the history."""
        return {
            "revision": self.revision,
            "cells": [[*key, text] for key, text in self.cells.cells.items()],
            "styles": [[*key, style] for key, style in self.cells.styles.items()],
            "rows": self.rows,
            "columns": self.columns,
            "row_sizes": self.row_sizes,
            "column_sizes": self.column_sizes,
            "frozen": self.frozen,
        }
