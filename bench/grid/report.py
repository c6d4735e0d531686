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

AIMS = {"smooth": 55.0, "jumps": 40.0, "changes": 55.0}  # frames/s
FIRST_MS = 300  # after the HTML, of a sheet of 1,000,000 cells
KILOBYTES = 40  # of JavaScript, gzip

COUNTED = """The aim is less than 40 kB. Ours are the bodies as production sends them (decision 15).
What comes before the first cell is what the page itself names, with the script that stands in it;
the rest (toolbar, menus, clipboard, filling, find, help, touch) follows as soon as cells are
shown."""

INTRODUCTION = """# The grid, measured

`make bench-grid` wrote this on {at}, at commit {commit}, in headless Chromium
without a GPU, {cores} cores. Medians of {runs} runs, all grids in each; the best of a row is
**bold**. Frames are those of `requestAnimationFrame`, 60 a second at most.

Every grid shows the same texts in rows of 25 pixels, in a window of 1280 × 720 that has come to
rest. SheetSync is its own page as it is deployed, toolbar and all, fed through its wire contract
by a script that takes the server's place: a remote change is a frame that is decoded, checked
against the revision and merged. Its peers are their own minified bundles, filled from arrays in
memory and changed by the call that their documentation names.
"""


def write(
    figures: Figures,
    subjects: Sequence[Subject],
    sizes: Mapping[str, int],
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
    parts.append(_sizes(figures, subjects, sizes))
    parts.append("## A sheet of 1,000,000 cells, from a real server\n")
    parts.append(_large(figures))
    parts.append("## What falls short\n")
    parts.append(_shortfalls(figures, subjects, columns))
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


def _sizes(figures: Figures, subjects: Sequence[Subject], sizes: Mapping[str, int]) -> str:
    needed, needed_bytes, files, all_bytes = (
        statistics.median(figures["sheetsync", 0, name])
        for name in ("files to start", "bytes to start", "files", "bytes")
    )
    lines = ["| | kB, gzip |", "|---|--:|"]
    for subject in subjects:
        if subject.is_ours:
            start = f"{subject.label}, {needed:.0f} files that come before the first cell"
            lines.append(f"| {start} | {needed_bytes / 1000:.1f} |")
            everything = f"{subject.label}, all {files:.0f} files with what comes after it"
            lines.append(f"| {everything} | {all_bytes / 1000:.1f} |")
        else:
            lines.append(
                f"| {subject.label}, bundled and minified | {sizes[subject.key] / 1000:.1f} |"
            )
    lines.append("")
    lines.append(COUNTED)
    return "\n".join(lines) + "\n"


def _large(figures: Figures) -> str:
    first, whole, heap = (
        statistics.median(figures["sheetsync", 0, name]) for name in ("first", "whole", "heap")
    )
    return (
        f"First cell {first:,.0f} ms after the HTML (the aim is 300), the whole sheet in the "
        f"browser after {whole / 1000:,.1f} s, heap {heap / 1e6:,.0f} MB.\n"
    )


def _shortfalls(figures: Figures, subjects: Sequence[Subject], columns: Sequence[int]) -> str:
    """Return a line for each row that somebody else leads and each aim that is not reached."""
    lines = []
    for count in columns:
        for name, heading, divisor, is_less_better in LINES:
            by_subject = {
                subject.label: statistics.median(figures[subject.key, count, name]) / divisor
                for subject in subjects
            }
            leader = (min if is_less_better else max)(
                by_subject, key=lambda label: by_subject[label]
            )
            ours, best = by_subject[subjects[0].label], by_subject[leader]
            aim = AIMS.get(name, 0.0)
            if f"{ours:.0f}" != f"{best:.0f}":
                lines.append(
                    f"* {count} columns, {heading}: {ours:,.0f}; {leader} has {best:,.0f}."
                )
            if ours < aim:
                lines.append(f"* {count} columns, {heading}: {ours:,.0f}; the aim is {aim:.0f}.")
    first = statistics.median(figures["sheetsync", 0, "first"])
    if first > FIRST_MS:
        lines.append(f"* First cell of 1,000,000: {first:,.0f} ms; the aim is {FIRST_MS}.")
    kilobytes = statistics.median(figures["sheetsync", 0, "bytes to start"]) / 1000
    if kilobytes > KILOBYTES:
        lines.append(
            f"* JavaScript before the first cell: {kilobytes:.1f} kB; the aim is {KILOBYTES}."
        )
    return "\n".join(lines or ["Nothing."]) + "\n"
