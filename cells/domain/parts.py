"""Parts: the steps that a step of the log consists of, each with what it replaced."""

from collections.abc import Iterator, Mapping
from typing import Any

from cells.domain.axes import AxisName
from cells.domain.operations import (
    Delete,
    Freeze,
    PutBack,
    ResizeBack,
    Restore,
    RestyleEach,
    SetCells,
    Several,
    Step,
)

Part = tuple[Step, Mapping[str, Any]]
"""A step, and what the log kept with it: its own part of that."""


def parts_of(step: Step, before: Mapping[str, Any]) -> list[Part]:
    """Return the parts of a step in the order in which they were done; of most it is the one."""
    if not isinstance(step, Several):
        return [(step, before)]
    names = [*AxisName, *(axis.deaths for axis in AxisName)]
    pasts = {name: iter(before.get(name, ())) for name in names}
    return [(part, _before_of(part, before, pasts)) for part in step.steps]


def _before_of(
    part: Step, before: Mapping[str, Any], pasts: Mapping[str, Iterator[Any]]
) -> Mapping[str, Any]:
    match part:
        case SetCells():
            # The past of an input that stays is None: see layout.set_inputs.
            return {"cells": [past for past in before.get("cells", ()) if past[2] is not None]}
        case RestyleEach():
            return {"cells": [past for past in before.get("cells", ()) if past[2] is None]}
        case Freeze():
            return {"frozen": before["frozen"]}
        case PutBack(axis) | Delete(axis) | Restore(axis) | ResizeBack(axis):
            return {axis: next(pasts[axis]), axis.deaths: next(pasts[axis.deaths], ())}
        case _:
            raise TypeError(f"a restore has no part such as {part}")
