"""Deltas: the state, as of one revision, of every cell touched since another."""

from dataclasses import dataclass
from typing import Any

CellState = tuple[int, int, str] | tuple[int, int, str, Any] | tuple[int, int, str, Any, Any]
"""A cell as clients see it: row id, column id, input and, where it has them, style and value.

Both are something that is encoded as the JSON that it stands for; the style is "" where a cell
has a value alone.
"""

Change = tuple[str | None, list[CellState]]
"""Cells with the author who touched them; None where the delta does not tell."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What a holder of any revision from `after` up needs to be at `through`.

    `rows`, `columns` and their sizes are whole, in their stored form, or None where nothing
    changed them; `frozen` is how many rows and columns stay in view. `has_more`: another delta
    follows and only the last one moves the revision. `lacks_cells`: they are too much for one
    frame, and have to be read.
    """

    after: int
    through: int
    changes: list[Change]
    rows: list[list[int]] | None = None
    columns: list[list[int]] | None = None
    row_sizes: list[list[int]] | None = None
    column_sizes: list[list[int]] | None = None
    frozen: tuple[int, int] | None = None
    has_more: bool = False
    lacks_cells: bool = False
