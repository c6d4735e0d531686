"""The live path: the highest rate that holds, and what a given load costs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench import generator, processes, search
from bench.generator import LoadFailedError, Measured
from bench.results import Record, Results, progress
from bench.subjects import MAIN, RELAY, Running, Stage, Subject

MAX_P99_MS = 250.0
MAX_RATE = 60_000  # beyond it the load generator is what is measured
HOT_ROWS = 2  # each editor writes these cells again and again, so that they can be conflated
SPREAD_ROWS = 1_000

SIZE_OF_ALL = 100  # at which every subject's highest rate is searched

# Where a search begins without earlier results: edits a second by sockets.
GUESSES = {
    "relay": {10: 20_000, 100: 2_000, 500: 250},
    "uvicorn-sqlite": {10: 29_000, 100: 29_000, 500: 25_000},
    "uvicorn-pg-redis": {10: 17_000, 100: 17_000, 500: 15_000},
    "hocuspocus": {10: 29_000, 100: 13_500, 500: 1_000},
    "sharedb": {10: 30_000, 100: 1_300, 500: 100},
    "ethercalc": {10: 9_500, 100: 130, 500: 10},
    "naive": {10: 500, 100: 90, 500: 5},
    "naive-sqlite": {100: 100},
}
GUESS = 8_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often; `make bench` and its quick form differ in nothing else."""

    sizes: Sequence[int] = (10, 100, 500)
    seconds: float = 5.0
    probe_seconds: float = 2.0  # while searching; what is found is confirmed for `seconds`
    cost_seconds: float = 4.0  # of a run that measures what a load costs
    runs: int = 3


@dataclass(frozen=True, slots=True)
class Load:
    """N sockets on one sheet, a tenth of them editing, `rate` edits a second in all."""

    sockets: int
    rate: int
    rows: int = SPREAD_ROWS

    @property
    def editors(self) -> int:
        return max(1, self.sockets // 10)

    def run(self, subject: Subject, running: Running, seconds: float) -> Measured:
        return generator.measure(
            "run",
            subject,
            running,
            seconds=seconds,
            sockets=self.sockets,
            editors=self.editors,
            rate=self.rate,
            rows=self.rows,
        )

    def name(self) -> dict[str, int]:
        return {"sockets": self.sockets, "rate": self.rate, "rows": self.rows}


# -- the highest rate -----------------------------------------------------------------------------


def highest(
    stage: Stage,
    subjects: Sequence[Subject],
    of_all_sizes: Sequence[Subject],
    plan: Plan,
    before: Results,
) -> Iterator[Record]:
    """Yield a record per subject, size and kind of work: the highest rate that held."""
    for sockets in plan.sizes:
        for subject in subjects:
            if sockets != SIZE_OF_ALL and subject not in of_all_sizes:
                continue
            for rows in (SPREAD_ROWS, HOT_ROWS) if subject in MAIN else (SPREAD_ROWS,):
                with subject.running(stage) as running:
                    yield _search(subject, running, sockets, rows, plan, before)


def _search(
    subject: Subject, running: Running, sockets: int, rows: int, plan: Plan, before: Results
) -> Record:
    began = time.monotonic()
    confirmed: list[Measured] = []

    def run(rate: int, seconds: float) -> Measured | None:
        try:
            measured = Load(sockets, rate, rows).run(subject, running, seconds)
        except LoadFailedError as error:
            progress(subject.key, f"N={sockets} R={rate}: {error}")
            return None
        is_held = holds(measured)
        progress(
            subject.key,
            f"N={sockets} K={rows} R={rate}: {'held' if is_held else 'not held'},",
            f"p99 {measured.p99_ms:.1f} ms, load {measured.counts['load_share']:.0%}",
        )
        if not is_held:
            rest(running)
        return measured

    def holds_once(rate: int) -> bool:
        measured = run(rate, plan.probe_seconds)
        return measured is not None and holds(measured)

    def holds_median(rate: int) -> bool:
        nonlocal confirmed
        confirmed = []
        for _ in range(plan.runs):
            measured = run(rate, plan.seconds)
            if measured is not None and holds(measured):
                confirmed.append(measured)
            elif plan.runs == 1 or confirmed == []:
                return False
        return len(confirmed) * 2 > plan.runs

    known = before.first("highest", subject=subject.key, sockets=sockets, rows=rows)
    guess = int(known["rate"]) if known else 0
    found = search.bracket(
        holds_once,
        guess or GUESSES.get(subject.key, {}).get(sockets, GUESS),
        at_most=MAX_RATE,
        step=1.25 if guess else 1.4,
    )
    found = search.confirm(holds_median, found)
    return {
        "subject": subject.key,
        "sockets": sockets,
        "rows": rows,
        "rate": found,
        "is_at_most": found == MAX_RATE,
        "p99_ms": round(median(run_.p99_ms for run_ in confirmed), 1) if found else None,
        "load_share": _median(confirmed, "load_share"),
        "behind_ms": _median(confirmed, "behind_ms"),
        "took_seconds": round(time.monotonic() - began),
    }


def holds(measured: Measured) -> bool:
    """Say whether every edit reached every other socket, in time."""
    return measured.is_ok and measured.p99_ms < MAX_P99_MS


def _median(runs: Sequence[Measured], name: str) -> float | None:
    return round(median(float(run.counts[name]) for run in runs), 4) if runs else None


def rest(running: Running) -> None:
    """Wait until a server that was overloaded has got over it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        before = processes.cpu_seconds(running.server_pids())
        time.sleep(0.3)
        if processes.cpu_seconds(running.server_pids()) - before < 0.03:
            return


# -- what a load costs ----------------------------------------------------------------------------


def costs(
    stage: Stage,
    subjects: Sequence[Subject],
    plan: Plan,
    loads: Sequence[tuple[Load, Sequence[Subject]]],
) -> Iterator[Record]:
    """Yield a record per run: in each round each subject once, beside the relay of that round."""
    with ExitStack() as stack:
        start = partial(_start, stack, stage)
        running = {subject.key: start(subject) for subject in subjects}
        for subject in subjects:  # nobody's first run counts: programs get faster by running
            Load(10, 100).run(subject, running[subject.key], min(2, plan.seconds))
        for load, of_load in loads:
            for round_ in range(plan.runs):
                for subject in of_load:
                    if subject.key in running:
                        yield _cost(subject, running[subject.key], load, round_, plan)


def _start(stack: ExitStack, stage: Stage, subject: Subject) -> Running:
    return stack.enter_context(subject.running(stage))


def _cost(subject: Subject, running: Running, load: Load, round_: int, plan: Plan) -> Record:
    named = {"subject": subject.key, **load.name(), "round": round_}
    try:
        measured = load.run(subject, running, plan.cost_seconds)
    except LoadFailedError as error:
        progress(subject.key, load, str(error))
        return named | {"ok": False, "failed": str(error).splitlines()[-1][:200]}
    if not measured.is_ok:
        rest(running)
    counts = measured.counts
    record = named | {
        "ok": measured.is_ok,
        "delivered_share": round(counts["delivered"] / max(1, counts["expected"]), 4),
        "p50_ms": counts["p50_ms"],
        "p99_ms": counts["p99_ms"],
        "server_cpu_ms": round(measured.cpu_ms_per_1000(with_services=False), 3),
        "all_cpu_ms": round(measured.cpu_ms_per_1000(with_services=True), 3),
        "load_share": counts["load_share"],
        "behind_ms": counts["behind_ms"],
        "frames": counts["frames"],
        "bytes_in": counts["bytes_in"],
    }
    progress(
        subject.key,
        f"N={load.sockets} R={load.rate} round {round_ + 1}: p50 {counts['p50_ms']} ms,",
        f"p99 {counts['p99_ms']} ms, {record['all_cpu_ms']} CPU-ms/1,000",
    )
    return record


def with_relay(subjects: Sequence[Subject]) -> list[Subject]:
    """Return the subjects with the relay, first: ratios are to it."""
    return [RELAY, *(subject for subject in subjects if subject.key != RELAY.key)]
