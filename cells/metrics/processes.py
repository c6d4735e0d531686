"""Metrics of our own processes: sockets, commits, what waits, what was refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from cells.services.figures import Distribution
from cells.services.process_beats import Process, Told, living_processes, missed_processes

KINDS = ("web", "listener", "publisher", "calculator")
LABELS = ["process", "kind"]

_GAUGES: Sequence[tuple[str, str, Callable[[Told], float]]] = (
    ("sockets", "WebSockets that are open.", lambda told: told.sockets),
    ("open_sheets", "Sheets that somebody has open here: hubs.", lambda told: told.live.sheets),
    (
        "backlog_bytes",
        "Bytes that sockets have not been sent, in outboxes and transports.",
        lambda told: told.live.backlog.bytes,
    ),
    ("backlog_frames", "Frames in outboxes.", lambda told: told.live.backlog.frames),
    (
        "backlog_sockets",
        "Sockets that have not been sent all.",
        lambda told: told.live.backlog.sockets,
    ),
    (
        "backlog_largest_bytes",
        "The largest backlog of a single socket; at 4 MiB it is closed.",
        lambda told: told.live.backlog.largest_bytes,
    ),
)
_HISTOGRAMS: Sequence[tuple[str, str, Callable[[Told], Distribution]]] = (
    (
        "commit_seconds",
        "How long a batch took to commit; a listener's without its last COMMIT.",
        lambda told: told.commit_seconds,
    ),
    (
        "commit_submissions",
        "How many edits were committed together.",
        lambda told: told.commit_submissions,
    ),
    (
        "delta_bytes",
        "What each batch of sockets' edits sends to every socket of its sheet.",
        lambda told: told.delta_bytes,
    ),
    (
        "calculation_seconds",
        "How long a step of calculating a sheet took, with its commit.",
        lambda told: told.calculation_seconds,
    ),
)


def process_metrics() -> Iterator[Metric]:
    """Yield the metrics of all living processes. Raises django.db.Error."""
    processes = living_processes()
    started = GaugeMetricFamily(
        "sheetsync_process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        labels=[*LABELS, "version"],
    )
    for beat, _ in processes:
        started.add_metric([beat.name, beat.kind, beat.version], beat.started_at.timestamp())
    yield started
    missed = Counter(beat.kind for beat in missed_processes())
    lost = GaugeMetricFamily(
        "sheetsync_processes_lost",
        "Processes that were killed, or hang: silent within the last hour without an end.",
        labels=["kind"],
    )
    for kind in KINDS:
        lost.add_metric([kind], missed[kind])
    yield lost
    web = [process for process in processes if process.beat.kind == "web"]
    for name, text, gauge in _GAUGES:
        family = GaugeMetricFamily(f"sheetsync_{name}", text, labels=LABELS)
        for beat, told in web:
            family.add_metric([beat.name, beat.kind], gauge(told))
        yield family
    yield from _counters(processes)
    for name, text, histogram in _HISTOGRAMS:
        yield _histogram(f"sheetsync_{name}", text, processes, histogram)


def _counters(processes: Sequence[Process]) -> Iterator[Metric]:
    healed = CounterMetricFamily(
        "sheetsync_gaps_healed",
        "Times that a hub read from the log what no frame had brought: hints that were lost, and "
        "commits of other programs.",
        labels=LABELS,
    )
    refusals = CounterMetricFamily(
        "sheetsync_refusals", "Edits and frames that were refused.", labels=[*LABELS, "code"]
    )
    closings = CounterMetricFamily(
        "sheetsync_sockets_closed",
        "WebSockets that the server closed, by close code.",
        labels=[*LABELS, "code"],
    )
    for beat, told in processes:
        labels = [beat.name, beat.kind]
        if beat.kind == "web":
            healed.add_metric(labels, told.gaps_healed)
        for code, count in told.refusals.items():
            refusals.add_metric([*labels, code], count)
        for code, count in told.closings.items():
            closings.add_metric([*labels, code], count)
    yield from (healed, refusals, closings)


def _histogram(
    name: str, text: str, processes: Sequence[Process], of: Callable[[Told], Distribution]
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=LABELS)
    for beat, told in processes:
        found = of(told)
        if any(found.counts):
            bounds = [*map(_bound, found.bounds), "+Inf"]
            buckets = list(zip(bounds, accumulate(found.counts), strict=True))
            family.add_metric([beat.name, beat.kind], buckets, found.sum)
    return family


def _bound(bound: float) -> str:
    return f"{bound:g}" if bound < 1_000 else f"{bound:.0f}"
