"""Files: sent by pieces, and received whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

BYTES_PER_PIECE = 256 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": XLSX,
    ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
}


def media_type_of(path: Path) -> str:
    """Return what a file is by its name. Raises ValueError."""
    found = MEDIA_TYPES.get(path.suffix.lower())
    if found is None:
        raise ValueError(
            f"{path.name!r} cannot be imported: let it be one of {', '.join(MEDIA_TYPES)}"
        )
    return found


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a file by pieces, so that a large one is not in memory."""
    with path.open("rb") as file:
        while piece := file.read(BYTES_PER_PIECE):
            yield piece


def replace_file(path: Path, received: Iterable[bytes]) -> None:
    """Write a file beside its place and then put it there: half of one replaces nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in received:
                file.write(piece)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
