"""Opening a sheet: cold, at three sizes; and catching up after 10,000 missed revisions."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import generator, processes
from bench.generator import LoadFailedError
from bench.live import Plan, rest
from bench.results import Record, progress
from bench.subjects import Running, Stage, Subject, start_pinned

SIZES = 10_000, 100_000, 1_000_000  # cells
COLUMNS = 100
CELLS_PER_OPERATION = 10_000  # the most that one operation may have
MISSED_REVISIONS = 10_000
MISSED_FROM_CELLS = 100_000  # the size of the sheet that they are missed on


@dataclass(frozen=True, slots=True)
class Way:
    """One way to open a sheet: a protocol of the generator's, and what the database holds."""

    name: str
    protocol: str
    has_snapshot: bool


COLD = Way("nothing packed yet", "sheetsync", has_snapshot=False)
PACKED = Way("packed", "sheetsync-packed", has_snapshot=True)
WAYS = (COLD, PACKED)


def cold(
    stage: Stage, subjects: Sequence[Subject], plan: Plan, sizes: Sequence[int] = SIZES
) -> Iterator[Record]:
    """Yield a record per run: the first opening by a server that just started, and the next one."""
    for subject in subjects:
        for cells in sizes:
            with subject.running(stage) as running:
                slug = fill_sheet(running, cells)
                for way in WAYS:
                    for round_ in range(plan.runs):
                        _restart(subject, running)
                        _prepare(running, slug, way)
                        for is_first in (True, False):
                            yield {
                                "subject": subject.key,
                                "way": way.name,
                                "cells": cells,
                                "round": round_,
                                "is_first": is_first,
                                **_open(subject, running, slug, way),
                            }
                            rest(running)  # what is packed behind an opening is none of the next


def _prepare(running: Running, slug: str, way: Way) -> None:
    """Let the database hold a packed snapshot, or none; openings before this have stored one."""
    assert running.database is not None
    if not way.has_snapshot:
        running.database.ask("drop_snapshot", slug=slug)
    elif not running.database.ask("has_snapshot", slug=slug):
        raise LoadFailedError(f"nothing packed {slug}, though it was opened")


def catch_up(stage: Stage, subjects: Sequence[Subject], plan: Plan) -> Iterator[Record]:
    """Yield a record per run: a client comes back that missed 10,000 revisions of a cell each."""
    for subject in subjects:
        with subject.running(stage) as running:
            slug = fill_sheet(running, MISSED_FROM_CELLS)
            assert running.database is not None
            seen = running.database.head(slug)
            running.database.ask(
                "time_commits",
                slug=slug,
                rows=MISSED_FROM_CELLS // COLUMNS,
                columns=COLUMNS,
                batch=1_000,
                times=MISSED_REVISIONS // 1_000,
                seed=1,
            )
            for round_ in range(plan.runs):
                _restart(subject, running)
                yield {
                    "subject": subject.key,
                    "missed": MISSED_REVISIONS,
                    "cells_of_sheet": MISSED_FROM_CELLS,
                    "round": round_,
                    **_open(subject, running, slug, COLD, revision=seen),
                }


def fill_sheet(running: Running, cells: int) -> str:
    """Make a sheet of so many cells, through commit as everything else, and return its slug."""
    assert running.database is not None
    slug = f"cells-{cells}"
    began = time.monotonic()
    running.database.make_sheets([slug], rows=max(1_000, cells // COLUMNS), columns=COLUMNS)
    running.database.ask(
        "fill",
        slug=slug,
        cells=cells,
        columns=COLUMNS,
        per_operation=CELLS_PER_OPERATION,
        per_batch=1,
    )
    progress(f"{slug} filled in {time.monotonic() - began:.1f} s")
    return slug


def _restart(subject: Subject, running: Running) -> None:
    """Start the server anew, and let it open another sheet: what it loads for that is not ours."""
    running.server.kill()
    start_pinned(running.server)
    generator.measure("open", subject, running, count=1)


def _open(
    subject: Subject, running: Running, slug: str, way: Way, revision: int | None = None
) -> Record:
    before = processes.memory(running.server_pids())
    measured = generator.measure(
        "open",
        subject,
        running,
        protocol=way.protocol,
        path=f"/ws/sheets/{slug}/",
        revision="null" if revision is None else revision,
        count=1,
    )
    after = processes.memory(running.server_pids())
    counts = measured.counts
    progress(
        subject.key,
        f"{way.name} {slug}: opened {counts['opened_ms']} ms, last {counts['last_cell_ms']} ms,",
        f"{counts['bytes'] / 1e6:.2f} MB, server {measured.server_cpu_seconds * 1000:.1f} CPU-ms",
    )
    return {
        "ok": measured.is_ok,
        "cells_received": counts["cells"],
        "frames": counts["frames"],
        "bytes": counts["bytes"],
        "opened_ms": counts["opened_ms"],
        "first_cells_ms": counts["first_cells_ms"],
        "last_cell_ms": counts["last_cell_ms"],
        "server_cpu_ms": round(measured.server_cpu_seconds * 1000, 2),
        "services_cpu_ms": round(measured.services_cpu_seconds * 1000, 2),
        "pss_before": before.pss_bytes,
        "pss_after": after.pss_bytes,
    }
