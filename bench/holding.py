"""What it takes to hold sockets: memory of a server, idle sockets on it, and 1,000 open sheets."""

import time
import uuid
from collections.abc import Iterator, Sequence

from bench import generator, processes
from bench.generator import LoadFailedError
from bench.live import Load, Plan
from bench.processes import Memory
from bench.results import Record, progress
from bench.subjects import Running, Stage, Subject

IDLE_SOCKETS = 500, 1_000
HELD_SECONDS = 3.0
CONNECTS_PER_SECOND = 500
SHEETS = 1_000
# A server whose door is crowded sends newcomers away for a moment; the generator does not return.
SHEETS_CONNECTS_PER_SECOND = 150
SHEETS_RATE = 100  # edits a second over all sheets: one in ten seconds on each


def memory(stage: Stage, subjects: Sequence[Subject], plan: Plan) -> Iterator[Record]:
    """Yield a record per subject: the server's memory as it starts, idles with sockets, worked."""
    for subject in subjects:
        try:
            yield _memory_of(stage, subject, plan)
        except LoadFailedError as error:
            progress(subject.key, f"left out: {error}")


def _memory_of(stage: Stage, subject: Subject, plan: Plan) -> Record:
    with subject.running(stage) as running:
        # What a server loads with its first socket belongs to the server.
        _held(subject, running, 1)
        time.sleep(1)
        found = {"start": processes.memory(running.server_pids())}
        for sockets in IDLE_SOCKETS:
            found[f"idle_{sockets}"] = _held(subject, running, sockets)
            progress(subject.key, f"{sockets} idle: {_mb(found[f'idle_{sockets}'])}")
        Load(100, 100).run(subject, running, plan.seconds)
        time.sleep(1)
        found["worked"] = processes.memory(running.server_pids())
        most = max(IDLE_SOCKETS)
        grown = found[f"idle_{most}"].pss_bytes - found["start"].pss_bytes
        return {
            "subject": subject.key,
            **{f"{name}_rss": memory_.rss_bytes for name, memory_ in found.items()},
            **{f"{name}_pss": memory_.pss_bytes for name, memory_ in found.items()},
            "bytes_per_socket": round(grown / most),
        }


def _held(subject: Subject, running: Running, sockets: int) -> Memory:
    """Return the server's memory while so many sockets on one sheet do nothing."""
    found: list[Memory] = []

    def weigh(mark: str) -> None:
        if mark == "open":
            time.sleep(HELD_SECONDS - 1)
            found.append(processes.memory(running.server_pids()))

    measured = generator.measure(
        "idle",
        subject,
        running,
        seconds=HELD_SECONDS,
        at_mark=weigh,
        sockets=sockets,
        connect_rate=CONNECTS_PER_SECOND,
    )
    if not measured.is_ok:
        raise LoadFailedError(f"{subject.key} did not hold {sockets} idle sockets")
    return found[0]


def sheets(stage: Stage, subjects: Sequence[Subject], plan: Plan) -> Iterator[Record]:
    """Yield a record per run of ours: 1,000 open sheets, two sockets on each, one of them edits."""
    for subject in subjects:
        if not subject.is_ours:
            continue
        with subject.running(stage) as running:
            assert running.database is not None
            prefix = uuid.uuid4().hex[:8]
            slugs = [f"{prefix}-{number}" for number in range(SHEETS)]
            running.database.make_sheets(slugs)
            _held(subject, running, 1)
            start = processes.memory(running.server_pids())
            for round_ in range(plan.runs):
                yield _work_on_sheets(subject, running, prefix, start, round_, plan)


def _work_on_sheets(
    subject: Subject, running: Running, prefix: str, start: Memory, round_: int, plan: Plan
) -> Record:
    opened: list[Memory] = []

    def weigh(mark: str) -> None:
        if mark == "begin":
            opened.append(processes.memory(running.server_pids()))

    measured = generator.measure(
        "run",
        subject,
        running,
        seconds=plan.seconds,
        at_mark=weigh,
        path=f"/ws/sheets/{prefix}-{{sheet}}/",
        sheets=SHEETS,
        sockets=2 * SHEETS,
        editors=SHEETS,
        rate=SHEETS_RATE,
        connect_rate=SHEETS_CONNECTS_PER_SECOND,
    )
    counts = measured.counts
    seconds = float(counts["measured_seconds"])
    progress(subject.key, f"{SHEETS} sheets: p50 {counts['p50_ms']}, p99 {counts['p99_ms']} ms")
    return {
        "subject": subject.key,
        "round": round_,
        "sheets": SHEETS,
        "rate": SHEETS_RATE,
        "ok": measured.is_ok,
        "p50_ms": counts["p50_ms"],
        "p99_ms": counts["p99_ms"],
        "connect_seconds": counts["connect_seconds"],
        "start_pss": start.pss_bytes,
        "open_pss": opened[0].pss_bytes,
        "server_cpu_share": round(measured.server_cpu_seconds / seconds, 4),
        "services_cpu_share": round(measured.services_cpu_seconds / seconds, 4),
        "all_cpu_ms": round(measured.cpu_ms_per_1000(with_services=True), 3),
    }


def _mb(found: Memory) -> str:
    return f"{found.pss_bytes / 1e6:.1f} MB"
