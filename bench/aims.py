"""The aims that the figures are held against, and how each is met."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench import opening
from bench.live import HOT_ROWS, SPREAD_ROWS
from bench.results import Results

# The two deployments that the aims are held against, by their keys.
DEPLOYMENTS = {"uvicorn-sqlite": "SQLite", "uvicorn-pg-redis": "PostgreSQL, Redis"}
DATABASES = {"SQLite": "SQLite", "PostgreSQL": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One aim and what was found; `shown` has the unit that `goal` has."""

    what: str
    of: str
    where: str
    goal: str
    shown: str
    is_met: bool


def judge(results: Results) -> list[Judged]:
    """Return each aim whose figures were measured."""
    return [judged for group in GROUPS for judged in group(results)]


def ratio_to_relay(results: Results, subject: str, sockets: int, rate: int, name: str) -> float:
    """Return the median over the rounds of subject ÷ relay; NaN where one was not measured."""
    return _ratio(results, subject, "relay", sockets, rate, name)


def _ratio(results: Results, subject: str, other: str, sockets: int, rate: int, name: str) -> float:
    def by_round(key: str) -> dict[int, float]:
        records = results.of("costs", subject=key, sockets=sockets, rate=rate)
        return {r["round"]: float(r[name]) for r in records if r.get(name) is not None}

    ours, theirs = by_round(subject), by_round(other)
    ratios = [ours[round_] / theirs[round_] for round_ in ours if theirs.get(round_)]
    return median(ratios) if ratios else math.nan


def _at_most(what: str, of: str, where: str, goal: float, found: float) -> Iterator[Judged]:
    if not math.isnan(found):
        yield Judged(what, of, where, f"≤ {goal:g} ×", f"{found:.3g} ×", found <= goal)


def _highest(results: Results) -> Iterator[Judged]:
    for sockets, goal in ((10, 4), (100, 30), (500, 100)):
        relay = results.first("highest", subject="relay", sockets=sockets)
        for key, name in DEPLOYMENTS.items():
            for rows in (SPREAD_ROWS, HOT_ROWS):
                ours = results.first("highest", subject=key, sockets=sockets, rows=rows)
                if relay is None or ours is None or not relay["rate"]:
                    continue
                ratio = ours["rate"] / relay["rate"]
                yield Judged(
                    "highest R, times the relay's",
                    name,
                    f"N = {sockets}, K = {rows:,}: R = {ours['rate']:,} to {relay['rate']:,}",
                    f"≥ {goal} ×",
                    f"{ratio:.3g} ×",
                    ratio >= goal,
                )


def _costs(results: Results) -> Iterator[Judged]:
    for what, sockets, rate, name, goal in (
        ("CPU a delivery, to the relay's", 100, 20, "all_cpu_ms", 0.8),
        ("p50, to the relay's", 100, 20, "p50_ms", 1.2),
        ("CPU a delivery, to the relay's", 500, 200, "all_cpu_ms", 0.10),
        ("p99, to the relay's", 500, 100, "p99_ms", 0.5),
    ):
        where = f"N = {sockets}, R = {rate}, K = {SPREAD_ROWS:,}"
        for key, deployment in DEPLOYMENTS.items():
            found = ratio_to_relay(results, key, sockets, rate, name)
            yield from _at_most(what, deployment, where, goal, found)
            if name == "all_cpu_ms" and key.endswith("redis"):
                alone = ratio_to_relay(results, key, sockets, rate, "server_cpu_ms")
                yield from _at_most(what, f"{deployment}, web process alone", where, goal, alone)


def _naive(results: Results) -> Iterator[Judged]:
    for sockets, rate in ((10, 20), (10, 100), (100, 20), (100, 100), (500, 20)):
        found = _ratio(results, "uvicorn-pg-redis", "naive", sockets, rate, "all_cpu_ms")
        where = f"N = {sockets}, R = {rate}, K = {SPREAD_ROWS:,}"
        yield from _at_most(
            "CPU a delivery, to the naive Channels consumer's",
            "PostgreSQL, Redis",
            where,
            0.07,
            found,
        )


def _intake(results: Results) -> Iterator[Judged]:
    for key, deployment in DEPLOYMENTS.items():
        records = results.of("intake", subject=key)
        if records:
            found = median(record["edits_per_second"] for record in records)
            is_met = found >= 30_000 and all(record["ok"] for record in records)
            yield Judged(
                "durable intake of one web process, over sockets",
                deployment,
                f"{records[0]['sockets']} sockets, {records[0]['window']} in flight each",
                "≥ 30,000/s",
                f"{found:,.0f}/s",
                is_met,
            )


def _opening(results: Results) -> Iterator[Judged]:
    for key, deployment in DEPLOYMENTS.items():
        for way, is_first in (
            (opening.PACKED, True),
            (opening.PACKED, False),
            (opening.COLD, True),
        ):
            found = results.of(
                "open", subject=key, cells=1_000_000, way=way.name, is_first=is_first
            )
            which = f"1,000,000 cells, {way.name}, {'first' if is_first else 'next'}"
            if found:
                answered = median(r["opened_ms"] for r in found)
                yield Judged(
                    "answer to an opening (sheet.opened)",
                    deployment,
                    which,
                    "≤ 10 ms",
                    f"{answered:,.1f} ms",
                    answered <= 10,
                )
                cpu = median(r["server_cpu_ms"] for r in found)
                yield Judged(
                    "server CPU of an opening, connection and sending included",
                    deployment,
                    which,
                    "≤ 10 ms",
                    f"{cpu:,.1f} ms",
                    cpu <= 10,
                )


def _memory(results: Results) -> Iterator[Judged]:
    relay = results.first("memory", subject="relay")
    for key, deployment in DEPLOYMENTS.items():
        ours = results.first("memory", subject=key)
        if ours is not None and relay is not None:
            found = ours["bytes_per_socket"] / relay["bytes_per_socket"]
            where = f"{ours['bytes_per_socket']:,} to {relay['bytes_per_socket']:,} bytes"
            yield from _at_most(
                "memory of an idle socket, to the relay's", deployment, where, 2, found
            )


def _size(results: Results) -> Iterator[Judged]:
    for database in DATABASES:
        records = results.of("size", database=database)
        for batch in dict.fromkeys(record["batch"] for record in records):
            medians = [
                median(
                    s
                    for r in records
                    if (r["batch"], r["size"]) == (batch, size)
                    for s in r["seconds"]
                )
                for size in ("full", "empty")
            ]
            cells = max(record["cells"] for record in records)
            yield from _at_most(
                "time of a commit, full to empty",
                database,
                f"{cells:,} cells and revisions, batches of {batch:,}",
                1.3,
                medians[0] / medians[1],
            )


def _overload(results: Results) -> Iterator[Judged]:
    for record in results.of("overload"):
        yield Judged(
            "p99 of the others under overload",
            record["deployment"],
            record["scenario"],
            "< 100 ms",
            f"{record['p99']:.1f} ms",
            record["p99"] < 100,
        )


def _draining(results: Results) -> Iterator[Judged]:
    records = results.of("draining")
    if records:
        last = median(record["until_open_max_seconds"] for record in records)
        unanswered = sum(record["unanswered"] for record in records)
        yield Judged(
            "a web process ends: its last client is open again elsewhere",
            "PostgreSQL, Redis",
            f"{records[0]['clients']} clients on two processes, {unanswered} edits unanswered",
            "≤ 1 s",
            f"{last:.2f} s",
            last <= 1 and unanswered == 0,
        )


GROUPS = (
    _highest,
    _costs,
    _naive,
    _intake,
    _opening,
    _memory,
    _size,
    _overload,
    _draining,
)
