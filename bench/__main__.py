"""`make bench`: measures SheetSync and its peers, keeps the figures, writes bench/RESULTS.md.

Sections can be measured one at a time (`--only open,memory`); their figures replace the earlier
ones in bench/results.json, from which the report is made (`--render` does only that).
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from bench import (
    committing,
    cores,
    draining,
    generator,
    holding,
    live,
    opening,
    overload,
    report,
)
from bench.generator import LoadFailedError
from bench.live import Load, Plan
from bench.results import Record, Results, progress
from bench.subjects import (
    IN_MEMORY,
    MAIN,
    NAIVE,
    NAIVE_SQLITE,
    OTHER_DEPLOYMENTS,
    PEERS,
    SUBJECTS,
    Stage,
    Subject,
)
from tests.servers.process import ServerFailedError

QUICK = Plan(sizes=(10, 100), seconds=2, probe_seconds=1.5, cost_seconds=2, runs=1)

# What each load is measured of, besides the relay; a peer is left out where it is beyond it.
LOADS: Sequence[tuple[Load, Sequence[Subject]]] = (
    (Load(10, 20), (*MAIN, *IN_MEMORY, NAIVE)),
    (Load(10, 100), (*MAIN, *IN_MEMORY, NAIVE)),
    (Load(100, 20), (*MAIN, *OTHER_DEPLOYMENTS, *IN_MEMORY, NAIVE, NAIVE_SQLITE)),
    (Load(100, 100), (*MAIN, *OTHER_DEPLOYMENTS, *IN_MEMORY, NAIVE)),
    (Load(500, 20), (*MAIN, *IN_MEMORY, NAIVE)),
    (Load(500, 100), (*MAIN, *IN_MEMORY, NAIVE)),
    (Load(500, 200), MAIN),
)

# Of bench.overload's scenarios those that there are aims for; it has more.
OVERLOADS = ("sleepers", "edits", "stampede", "texts", "cells", "pastes")


class Bench:
    """The sections, each a function that yields its records."""

    def __init__(
        self, stage: Stage, results: Results, plan: Plan, chosen: Sequence[Subject]
    ) -> None:
        self.stage = stage
        self.results = results
        self.plan = plan
        self.chosen = chosen
        self.is_quick = plan is QUICK

    def highest(self) -> Iterable[Record]:
        return live.highest(
            self.stage, self._of(*SUBJECTS.values()), (*PEERS, *MAIN), self.plan, self.results
        )

    def costs(self) -> Iterable[Record]:
        loads = [
            (load, live.with_relay(self._able(load, self._of(*subjects))))
            for load, subjects in LOADS
            if load.sockets in self.plan.sizes
        ]
        subjects = live.with_relay(self._of(*SUBJECTS.values()))
        return live.costs(self.stage, subjects, self.plan, loads)

    def memory(self) -> Iterable[Record]:
        return holding.memory(self.stage, self._of(*MAIN, *PEERS), self.plan)

    def sheets(self) -> Iterable[Record]:
        return holding.sheets(self.stage, self._of(*MAIN), self.plan)

    def open(self) -> Iterable[Record]:
        sizes = opening.SIZES[:-1] if self.is_quick else opening.SIZES
        return opening.cold(self.stage, self._of(*MAIN), self.plan, sizes)

    def catch_up(self) -> Iterable[Record]:
        return opening.catch_up(self.stage, self._of(*MAIN), self.plan)

    def size(self) -> Iterable[Record]:
        cells = committing.FULL_CELLS // (20 if self.is_quick else 1)
        return committing.against_size(self.stage, ("SQLite", "PostgreSQL"), self.plan, cells)

    def intake(self) -> Iterable[Record]:
        return committing.intake(self.stage, self._of(*MAIN), self.plan)

    def overload(self) -> Iterable[Record]:
        return map(asdict, overload.measure(OVERLOADS))

    def draining(self) -> Iterable[Record]:
        return draining.rounds(self.plan.runs)

    def _able(self, load: Load, subjects: Sequence[Subject]) -> list[Subject]:
        """Leave out peers whose highest rate is known to be below."""
        return [subject for subject in subjects if subject in MAIN or self._can(subject, load)]

    def _can(self, subject: Subject, load: Load) -> bool:
        known = self.results.first("highest", subject=subject.key, sockets=load.sockets)
        return known is None or bool(known["rate"] >= load.rate)

    def _of(self, *subjects: Subject) -> list[Subject]:
        return [subject for subject in subjects if subject in self.chosen]


SECTIONS: dict[str, Callable[[Bench], Iterable[Record]]] = {
    "highest": Bench.highest,
    "costs": Bench.costs,
    "memory": Bench.memory,
    "sheets": Bench.sheets,
    "open": Bench.open,
    "catchup": Bench.catch_up,
    "size": Bench.size,
    "intake": Bench.intake,
    "overload": Bench.overload,
    "draining": Bench.draining,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", type=_names(SECTIONS), default=tuple(SECTIONS), metavar="SECTION,…"
    )
    parser.add_argument(
        "--subjects", type=_names(SUBJECTS), default=tuple(SUBJECTS), metavar="SUBJECT,…"
    )
    parser.add_argument("--quick", action="store_true", help="one short run of each; not kept")
    parser.add_argument("--render", action="store_true", help="only write the report again")
    options = parser.parse_args()
    results, failed = Results.load(), list[str]()
    if not options.render:
        # Ended by `kill` too, the servers go with it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
        is_kept = not options.quick and options.subjects == tuple(SUBJECTS)
        plan = QUICK if options.quick else Plan()
        failed = measure(results, options.only, options.subjects, plan)
        if not is_kept:
            only = {name: results.sections[name] for name in options.only if name not in failed}
            print(report.markdown(Results(only, results.about), is_partial=True))
            print("A quick or partial run: nothing of it is kept.")
            sys.exit(_say(failed))
    report.write(results)
    print(report.FILE.read_text())
    sys.exit(_say(failed))


def _say(failed: Sequence[str]) -> str | None:
    return f"Sections that failed: {', '.join(failed)}" if failed else None


def measure(
    results: Results, sections: Sequence[str], subjects: Sequence[str], plan: Plan
) -> list[str]:
    """Measure sections in order, keep each before the next, and return those that failed."""
    if not cores.are_there():
        sys.exit("This needs two cores: one for the servers, one for the load generator.")
    generator.build()
    began, failed = time.monotonic(), list[str]()
    with Stage() as stage:
        progress(
            f"servers and services on core {cores.SERVER_CORE},",
            f"load generator on core {cores.LOAD_CORE}: {generator.core_model()}",
        )
        bench = Bench(stage, results, plan, [SUBJECTS[key] for key in subjects])
        for name in sections:
            progress(f"-- {name}")
            try:
                results.replace(name, SECTIONS[name](bench))
            except (LoadFailedError, ServerFailedError) as error:
                progress(f"{name} failed, its earlier figures stay: {error}")
                failed.append(name)
            if plan is not QUICK and len(subjects) == len(SUBJECTS):
                results.save()
    progress(f"done in {(time.monotonic() - began) / 60:.1f} minutes")
    return failed


def _names(allowed: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    known = tuple(allowed)

    def parse(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(
                f"{', '.join(sorted(unknown))} unknown; there are {', '.join(known)}"
            )
        return names

    return parse


if __name__ == "__main__":
    main()
