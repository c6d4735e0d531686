"""Reordering by docs/protocol.md alone: what moves where, what is left of it, its way back."""

from collections.abc import Callable
from typing import Any

Frame = dict[str, Any]


def named(runs: list[list[int]]) -> list[int]:
    """Return the ids that runs name, in their order."""
    return [id_ for first, count in runs for id_ in range(first, first + count)]


def sources(operation: Frame) -> dict[int, int]:
    """Return for each row, in the order in which they are named, the one whose cells it gets."""
    rows = named(operation["rows"])
    return {row: rows[place] for row, place in zip(rows, operation["order"], strict=True)}


def way_back(operation: Frame) -> dict[int, int]:
    """Return `sources` of what takes an operation back."""
    there = sources(operation)
    back = {source: row for row, source in there.items()}
    return {row: back[row] for row in there}


def living(wanted: dict[int, int], is_alive: Callable[[int], bool]) -> dict[int, int]:
    """Return `sources` among the rows that are left, whose cells keep their order."""
    left = [source for source in wanted.values() if is_alive(source)]
    return dict(zip([row for row in wanted if is_alive(row)], left, strict=True))


def is_rest_of(logged: Frame, submitted: Frame, is_gone: Callable[[str, int], bool]) -> bool:
    """Say whether the log has what was submitted, but for rows and columns that are gone."""
    if {logged["kind"], submitted["kind"]} != {"reorder_cells"}:
        return False
    rows, columns = set(named(logged["rows"])), named(logged["columns"])
    dropped = set(named(submitted["rows"])) - rows
    if sources(logged) != living(sources(submitted), lambda row: row not in dropped):
        return False
    all_columns = named(submitted["columns"])
    return columns == [id_ for id_ in all_columns if id_ in set(columns)] and all(
        [is_gone("rows", row) for row in dropped]
        + [is_gone("columns", id_) for id_ in set(all_columns) - set(columns)]
    )
