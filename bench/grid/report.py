"""bench/GRID.md: what was measured of the grids, beside the aims."""

import os
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from bench.grid.pages import Subject
from bench.results import commit
from tests.servers.process import ROOT

FILE = ROOT / "bench" / "GRID.md"

Figures: TypeAlias = dict[tuple[str, int, str], list[float]]
"""What was measured, a value a run, by (subject, columns, name); 0 columns: a real server's."""

# Name, heading, divisor, whether less is better.
LINES = (
    ("first", "first cell painted, ms after HTML", 1, True),
    ("smooth", "frames/s, scrolling smoothly", 1, False),
    ("jumps", "frames/s, a jump in each frame", 1, False),
    ("changes", "frames/s, 1,000 remote changes/s", 1, False),
    ("heap", "JavaScript heap, MB", 1_000_000, True),
)

INTRODUCTION = """# The grid, measured

`make bench-grid` wrote this on {at}, at commit {commit}, in headless Chromium
without a GPU, {cores} cores. Medians of {runs} runs, all grids in each; the best of a row is
**bold**. Frames are those of `requestAnimationFrame`, 60 a second at most.

Every grid shows the same texts in rows of 25 pixels, in a window of 1280 × 720. SheetSync is its
own page as it is deployed, toolbar and all, fed through its wire contract by a script that takes
the server's place: a remote change is a frame that is decoded, checked against the revision and
merged. Its peers are their own minified bundles, filled from arrays in memory and changed by the
call that their documentation names.
"""


def write(
    figures: Figures,
    subjects: Sequence[Subject],
    sizes: Mapping[str, int],
    ours: tuple[int, int, int],
    rows: int,
    columns: Sequence[int],
) -> None:
    runs = max(map(len, figures.values()))
    parts = [
        INTRODUCTION.format(
            at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            commit=commit(),
            cores=os.cpu_count(),
            runs=runs,
        )
    ]
    for count in columns:
        parts.append(f"## {rows:,} rows × {count} columns\n")
        parts.append(_table(figures, subjects, count))
    parts.append("## JavaScript, compressed\n")
    parts.append(_sizes(subjects, sizes, ours))
    parts.append("## A sheet of 1,000,000 cells, from a real server\n")
    parts.append(_large(figures))
    FILE.write_text("\n".join(parts))


def _table(figures: Figures, subjects: Sequence[Subject], columns: int) -> str:
    lines = [
        "| | " + " | ".join(subject.label for subject in subjects) + " |",
        "|---|" + "--:|" * len(subjects),
    ]
    for name, heading, divisor, is_less_better in LINES:
        values = [
            statistics.median(figures[subject.key, columns, name]) / divisor for subject in subjects
        ]
        best = (min if is_less_better else max)(values)
        # Nobody is better by what the table does not show.
        shown = [f"**{v:,.0f}**" if f"{v:.0f}" == f"{best:.0f}" else f"{v:,.0f}" for v in values]
        lines.append(f"| {heading} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _sizes(
    subjects: Sequence[Subject], sizes: Mapping[str, int], ours: tuple[int, int, int]
) -> str:
    served, modules, bundled = ours
    lines = ["| | kB, gzip |", "|---|--:|"]
    for subject in subjects:
        if subject.is_ours:
            lines.append(f"| {subject.label}, {modules} modules as served | {served / 1000:.1f} |")
            lines.append(f"| {subject.label}, if bundled and minified | {bundled / 1000:.1f} |")
        else:
            lines.append(
                f"| {subject.label}, bundled and minified | {sizes[subject.key] / 1000:.1f} |"
            )
    lines.append("")
    lines.append(
        "The aim is less than 40 kB. There is no build step, so nothing minifies our modules."
    )
    return "\n".join(lines) + "\n"


def _large(figures: Figures) -> str:
    first, whole, heap = (
        statistics.median(figures["sheetsync", 0, name]) for name in ("first", "whole", "heap")
    )
    return (
        f"First cell {first:,.0f} ms after the HTML (the aim is 300), the whole sheet in the "
        f"browser after {whole / 1000:,.1f} s, heap {heap / 1e6:,.0f} MB.\n"
    )
