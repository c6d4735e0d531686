"""`make faults`: many seeds, or one again. Prints each round and ends with a line of results."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.disk import Means
from tests.faults.round import Result, run_round
from tests.faults.schedule import Mode
from tests.faults.site import Services, Site
from tests.servers.pubsub import PubsubEmulator

SECONDS = 20.0
SEEDS_A_SITE = 10  # then new processes and a new database: some defects need age, some youth


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    modes = list(Mode) if options.mode == "all" else [Mode(options.mode)]
    seeds = [options.seed] if options.seed is not None else range(1, options.seeds + 1)
    # Each seed runs in one mode, unless a seed or a mode was asked for.
    rounds = [
        (mode, seed)
        for place, mode in enumerate(modes)
        for seed in seeds
        if options.seed is not None or seed % len(modes) == place
    ]
    folder = Path(tempfile.mkdtemp(prefix="sheetsync-faults-"))
    say(f"{len(rounds)} rounds of {options.seconds:g} s; histories and logs: {folder}")
    results: list[Result] = []
    try:
        with services(folder, options.disk) as running:
            for result in play(running, rounds, options.seconds):
                results.append(result)
                say(line(len(results), len(rounds), result))
                if result.violations:
                    say(result.report())
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        say(str(missing))
        return 2
    except KeyboardInterrupt:
        say("interrupted; what was run until now:")
    if not any(result.violations for result in results):
        shutil.rmtree(folder)
    say(table(results, options.seconds))
    say(json.dumps(summary(results, options.seconds)))
    return 1 if any(result.violations for result in results) else 0


@contextmanager
def services(folder: Path, disk: Means | None) -> Iterator[Services]:
    """Start an emulator, and what else is wanted when it is wanted."""
    with ExitStack() as ending:
        folder.chmod(0o755)
        emulator = PubsubEmulator(folder).start()
        ending.callback(emulator.kill)
        running = Services(folder, lambda: emulator.host, disk)
        ending.callback(running.close)
        yield running


def play(running: Services, rounds: list[tuple[Mode, int]], seconds: float) -> Iterator[Result]:
    """Run the rounds, those of a mode on one site for a while."""
    while rounds:
        mode = rounds[0][0]
        batch = [one for one in rounds[:SEEDS_A_SITE] if one[0] is mode]
        rounds = rounds[len(batch) :]
        site = Site(mode, running, [f"seed-{seed}" for _, seed in reversed(batch)]).start()
        try:
            for place, (_, seed) in enumerate(batch):
                result = asyncio.run(run_round(site, seed, seconds))
                yield result
                if result.violations:  # whatever is wrong must not be blamed on the next seed
                    rounds = batch[place + 1 :] + rounds
                    break
        finally:
            site.close()


def line(number: int, count: int, result: Result) -> str:
    """Return one round's result in a line."""
    faults = sum(result.faults.values())
    verdict = f"{len(result.violations)} VIOLATIONS" if result.violations else "ok"
    return (
        f"{time.strftime('%H:%M:%S')} {number}/{count} "
        f"{result.mode} seed {result.seed}: {verdict}; {faults} faults, "
        f"{result.acknowledged} edits acknowledged, {result.put_off} put off, "
        f"{result.refused} refused, {result.messages} messages, {result.reconnects} sockets, "
        f"{result.packed} packed first loads, "
        f"settled in {result.settled_seconds:.1f} s"
        + "".join(f"\n    {note}" for note in result.notes)
    )


def summary(results: list[Result], seconds: float) -> dict[str, object]:
    """Return all rounds together, for a program to read."""
    faults: Counter[str] = Counter()
    codes: Counter[int] = Counter()
    for result in results:
        faults += result.faults
        codes += result.close_codes
    return {
        "date": time.strftime("%Y-%m-%d"),
        "seconds": seconds,
        "seeds": {mode: sum(result.mode is mode for result in results) for mode in Mode},
        "faults": dict(sorted(faults.items())),
        "acknowledged": sum(result.acknowledged for result in results),
        "put_off": sum(result.put_off for result in results),
        "refused": sum(result.refused for result in results),
        "messages": sum(result.messages for result in results),
        "sockets": sum(result.reconnects for result in results),
        "packed_first_loads": sum(result.packed for result in results),
        "close_codes": {str(code): count for code, count in sorted(codes.items())},
        "longest_settling_seconds": round(max((r.settled_seconds for r in results), default=0), 1),
        "disk": sorted({result.disk for result in results}),
        "violations": sum(len(result.violations) for result in results),
        "failed": [f"{r.mode} {r.seed}" for r in results if r.violations],
    }


def table(results: list[Result], seconds: float) -> str:
    """Return all rounds by mode as a table in Markdown."""
    rows = [
        "| mode | seeds | faults | edits acknowledged | messages | longest settling | violations |",
        "|---|---|---|---|---|---|---|",
    ]
    for mode in Mode:
        of_mode = [result for result in results if result.mode is mode]
        if of_mode:
            rows.append(
                f"| {mode} | {len(of_mode)} of {seconds:g} s "
                f"| {sum(len(result.schedule) for result in of_mode):,} "
                f"| {sum(result.acknowledged for result in of_mode):,} "
                f"| {sum(result.messages for result in of_mode):,} "
                f"| {max(result.settled_seconds for result in of_mode):.1f} s "
                f"| {sum(len(result.violations) for result in of_mode)} |"
            )
    return "\n".join(rows)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=15, help="run the seeds 1 to this")
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--mode", choices=["all", *Mode], default="all")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long faults go on")
    parser.add_argument("--disk", choices=["tmpfs", "limit"], help="how to fill it, see disk.py")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
