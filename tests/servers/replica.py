"""A replica of one sheet, kept by the wire contract alone (DESIGN.md, section 6)."""

import gzip
import json
from typing import Any

Frame = dict[str, Any]


class Replica:
    """What a client holds: the cells, axes and sizes of a sheet as of `revision`."""

    def __init__(self) -> None:
        self.revision = 0
        self.cells: dict[tuple[int, int], str] = {}
        self.styles: dict[tuple[int, int], Frame] = {}
        self.values: dict[tuple[int, int], Any] = {}
        self.authors: dict[tuple[int, int], str | None] = {}
        self.rows: list[list[int]] = []
        self.columns: list[list[int]] = []
        self.row_sizes: list[list[int]] = []
        self.column_sizes: list[list[int]] = []
        self.frozen = [0, 0]

    def open(self, frame: Frame) -> None:
        """Take in `sheet.opened`."""
        if frame.get("afresh"):
            self.revision = 0
            for held in (self.cells, self.styles, self.values, self.authors):
                held.clear()
        self.rows, self.columns = frame["rows"], frame["columns"]
        self.row_sizes, self.column_sizes = frame["row_sizes"], frame["column_sizes"]
        self.frozen = frame["frozen"]

    def apply(self, frame: Frame) -> bool:
        """Take in `cells.changed`; False is a gap, after which the sheet must be opened again."""
        if frame["through"] <= self.revision and frame["through"] > 0:
            return True
        if frame["after"] > self.revision:
            return False
        for author, cells in frame["changes"]:
            for row, column, text, *others in cells:
                self.cells[row, column] = text
                self.styles.pop((row, column), None)
                self.values.pop((row, column), None)
                if len(others) == 2:
                    self.values[row, column] = others[1]
                if others and others[0]:
                    self.styles[row, column] = others[0]
                self.authors[row, column] = author
        for name in ("rows", "columns", "row_sizes", "column_sizes", "frozen"):
            if name in frame:
                setattr(self, name, frame[name])
        if not frame.get("more"):
            self.revision = frame["through"]
        return True

    def filled(self) -> dict[tuple[int, int], str]:
        """Return the cells that are not empty, deleted rows and columns included."""
        return {key: text for key, text in self.cells.items() if text}


class Packed:
    """A first load on its way in binary messages, as `cells.packed` announced it."""

    def __init__(self, announced: Frame) -> None:
        assert announced["encoding"] == "gzip"
        self.announced = announced
        self._data = b""

    def take(self, message: bytes) -> list[Frame] | None:
        """Take in one message; the last one gives the frames that were in all of them."""
        self._data += message
        assert len(self._data) <= self.announced["bytes"]
        if len(self._data) < self.announced["bytes"]:
            return None
        return [json.loads(line) for line in gzip.decompress(self._data).splitlines()]
