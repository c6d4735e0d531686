"""Tables of the report in Markdown, and how its figures are written."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from bench.results import Record
from bench.subjects import SUBJECTS

Rows = Iterable[Sequence[object]]


def by(records: Iterable[Record], *names: str) -> Iterable[tuple[Any, list[Record]]]:
    """Yield groups of records that agree in these fields, in order of their first one."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in names), []).append(record)
    for key, found in groups.items():
        yield (key[0] if len(names) == 1 else key), found


def label(key: str) -> str:
    return SUBJECTS[key].label if key in SUBJECTS else key


def median_of(records: Iterable[Record], name: str) -> float:
    found = [record[name] for record in records if record.get(name) is not None]
    return float(median(found)) if found else math.nan


def ms(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:,.1f}"


def times(ratio: float) -> str:
    return "" if math.isnan(ratio) else f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def table(headings: Sequence[str], rows: Rows) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
