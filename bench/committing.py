"""What commit takes in: against the size of the database, and over sockets."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from bench import cores, generator
from bench.database import Database
from bench.live import Plan
from bench.results import Record, progress
from bench.subjects import Running, Stage, Subject

GRID = 1_000  # rows and columns of both sheets
FULL_CELLS = 1_000_000  # and as many revisions: each cell was an edit of its own
FILL_BATCH = 2_000
# Edits of one cell in a batch, how many batches in a turn, and how many turns.
BATCHES = ((1, 20, 10), (100, 5, 8), (1_000, 2, 8))
INTAKE_SOCKETS = 10
INTAKE_WINDOW = 500


def against_size(
    stage: Stage, kinds: Sequence[str], plan: Plan, cells: int = FULL_CELLS
) -> Iterator[Record]:
    """Yield a record per turn on an empty and on a full database, which take turns."""
    for kind in kinds:
        with ExitStack() as stack:
            databases = {
                name: stack.enter_context(_database(stage, kind)) for name in ("empty", "full")
            }
            slug = "grid"
            for database in databases.values():
                database.make_sheets([slug], rows=GRID, columns=GRID)
            progress(f"{kind}: filling {cells:,} cells by as many revisions")
            databases["full"].ask(
                "fill",
                slug=slug,
                cells=cells,
                columns=GRID,
                per_operation=1,
                per_batch=FILL_BATCH,
            )
            for database in databases.values():  # connections, caches, statistics
                _time(database, slug, 10, 20, seed=0)
            for batch, times, turns in BATCHES:
                for turn in range(turns if plan.runs > 1 else 1):
                    for name, database in databases.items():
                        seconds = _time(database, slug, batch, times, seed=turn + 1)
                        yield {
                            "database": kind,
                            "size": name,
                            "cells": cells if name == "full" else 0,
                            "batch": batch,
                            "turn": turn,
                            "seconds": [round(one, 6) for one in seconds],
                            "bytes_on_disk": database.size_bytes(),
                        }
                progress(f"{kind}: batches of {batch} on an empty and a full database")


def _database(stage: Stage, kind: str) -> Database:
    made = (
        stage.templates.new_sqlite()
        if kind == "SQLite"
        else stage.templates.new_postgresql(stage.postgresql)
    )
    with cores.on_core(cores.SERVER_CORE):  # with the database that it commits to
        made.start()
    return made


def _time(database: Database, slug: str, batch: int, times: int, *, seed: int) -> list[float]:
    seconds: list[float] = database.ask(
        "time_commits", slug=slug, rows=GRID, columns=GRID, batch=batch, times=times, seed=seed
    )
    return seconds


def intake(stage: Stage, subjects: Sequence[Subject], plan: Plan) -> Iterator[Record]:
    """Yield a record per run: sockets that keep as much in flight as one web process takes in."""
    for subject in subjects:
        if not subject.is_ours:
            continue
        with subject.running(stage) as running:
            for round_ in range(plan.runs):
                yield _take_in(subject, running, round_, plan)


def _take_in(subject: Subject, running: Running, round_: int, plan: Plan) -> Record:
    measured = generator.measure(
        "intake",
        subject,
        running,
        seconds=plan.seconds,
        sockets=INTAKE_SOCKETS,
        window=INTAKE_WINDOW,
    )
    counts = measured.counts
    progress(subject.key, f"intake {counts['acknowledged_per_second']:,.0f} edits/s")
    return {
        "subject": subject.key,
        "round": round_,
        "sockets": INTAKE_SOCKETS,
        "window": INTAKE_WINDOW,
        "ok": measured.is_ok,
        "edits_per_second": counts["acknowledged_per_second"],
        "acknowledged_p50_ms": counts["acknowledged_p50_ms"],
        "acknowledged_p99_ms": counts["acknowledged_p99_ms"],
        "refused": counts["refused"],
        "closes": counts["closes"],
        "load_share": counts["load_share"],
        "server_cpu_share": round(measured.server_cpu_seconds / float(counts["seconds"]), 3),
        "services_cpu_share": round(measured.services_cpu_seconds / float(counts["seconds"]), 3),
    }
