"""What somebody saw, line by line as JSON in a file: the evidence that the checker reads."""

import json
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class History:
    """One author's record; each event has its moment in seconds since `began`."""

    def __init__(self, folder: Path, name: str, began: float) -> None:
        self.name = name
        self._began = began
        self._file = (folder / f"{name}.jsonl").open("w")

    def note(self, what: str, **fields: Any) -> None:
        """Write down that something happened."""
        event = {"t": round(time.monotonic() - self._began, 3), "what": what, **fields}
        self._file.write(json.dumps(event) + "\n")

    def close(self) -> None:
        self._file.close()


def read_histories(folder: Path) -> dict[str, list[Event]]:
    """Return the events of everybody who kept a history in this folder, by name."""
    return {
        file.stem: [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted(folder.glob("*.jsonl"))
    }


class Digest:
    """A fingerprint of all filled cells, kept up to date with each cell that changes."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], str] = {}
        self.value = 0

    def put(self, row: int, column: int, text: str) -> None:
        """Set a cell; empty text is no cell."""
        for content in (self.cells.pop((row, column), ""), text):
            if content:
                self.value ^= _fingerprint(row, column, content)
        if text:
            self.cells[row, column] = text


def _fingerprint(row: int, column: int, text: str) -> int:
    return int.from_bytes(blake2b(f"{row},{column},{text}".encode(), digest_size=8).digest())


def living(runs: list[list[int]]) -> Iterator[int]:
    """Yield the ids of an axis as sent that are not deleted."""
    for first, count in runs:
        yield from range(first, first + count)
