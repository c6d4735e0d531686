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
    """A fingerprint of all cells that hold or look like something, kept up to date."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], str] = {}  # filled ones
        self.styles: dict[tuple[int, int], str] = {}  # as canonical text
        self.value = 0

    def at(self, key: tuple[int, int]) -> tuple[str, str]:
        """Return what a cell holds, and its style."""
        return self.cells.get(key, ""), self.styles.get(key, "")

    def put(self, row: int, column: int, text: str, style: object = "") -> None:
        """Set a cell and its style; both empty is no cell."""
        key, looks = (row, column), canonical(style)
        for content in (self.at(key), (text, looks)):
            if content != ("", ""):
                self.value ^= _fingerprint(row, column, *content)
        for values, value in ((self.cells, text), (self.styles, looks)):
            if value:
                values[key] = value
            else:
                values.pop(key, None)


def canonical(style: object) -> str:
    """Return one text for a style, in whatever order its keys come."""
    if isinstance(style, str):
        return style
    return json.dumps(style, sort_keys=True) if style else ""


def _fingerprint(row: int, column: int, text: str, style: str) -> int:
    content = json.dumps([row, column, text, style]).encode()
    return int.from_bytes(blake2b(content, digest_size=8).digest())


def living(runs: list[list[int]]) -> Iterator[int]:
    """Yield the ids of an axis as sent that are not deleted."""
    for first, count in runs:
        yield from range(first, first + count)
