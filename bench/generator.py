"""Runs the load generator of bench/load, and weighs the servers while it measures."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import cores, processes
from bench.subjects import Running, Subject
from tests.servers.process import ROOT

FOLDER = ROOT / "bench" / "load"
PROGRAM = FOLDER / "build" / "load"
# Beyond what was asked for: opening hundreds of sockets of a slow peer, and settling.
PATIENCE_SECONDS = 90.0


class LoadFailedError(Exception):
    """The generator could not do what it was to do; the message is its own."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the generator counted, and what the servers used between its begin and end."""

    counts: Mapping[str, Any]
    server_cpu_seconds: float
    services_cpu_seconds: float

    @property
    def is_ok(self) -> bool:
        return bool(self.counts["ok"])

    @property
    def p99_ms(self) -> float:
        """The tail; infinite where nothing was delivered."""
        found = self.counts["p99_ms"]
        return float("inf") if found is None else float(found)

    def cpu_ms_per_1000(self, *, with_services: bool) -> float:
        """Return the processor time for 1,000 deliveries."""
        seconds = self.server_cpu_seconds + (self.services_cpu_seconds if with_services else 0)
        return seconds * 1e6 / max(1, int(self.counts["delivered"]))


@dataclass(slots=True)
class _Weights:
    """CPU times of a subject when the generator said that it began and ended."""

    running: Running
    taken: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, mark: str) -> None:
        self.taken[mark] = (
            processes.cpu_seconds(self.running.server_pids()),
            processes.cpu_seconds(self.running.service_pids()),
        )


def build() -> None:
    """Compile the generator where its sources are newer."""
    if shutil.which("cc") is None or shutil.which("make") is None:
        raise SystemExit("The load generator needs a C compiler and make: apt install gcc make.")
    subprocess.run(["make", "-s", "-C", str(FOLDER)], check=True)


def measure(
    mode: str,
    subject: Subject,
    running: Running,
    *,
    seconds: float = 0,
    at_mark: Callable[[str], None] | None = None,
    **options: object,
) -> Measured:
    """Run `load MODE` against a subject that serves.

    The generator's own marks, `open`, `begin` and `end`, are handed to `at_mark` as they come.
    Options are its options: `connect_rate=100` is `--connect-rate 100`.
    """
    if "path" not in options:
        options["path"] = running.new_path()
    options = {"protocol": subject.protocol} | options
    words = [word for name, value in options.items() for word in (_option(name), str(value))]
    command = [
        *(str(PROGRAM), mode, "--port", str(running.port)),
        *("--core", str(cores.LOAD_CORE), *words),
        *(("--seconds", str(seconds)) if seconds else ()),
    ]
    weights = _Weights(running)
    weights.take("begin")
    deadline = time.monotonic() + seconds + PATIENCE_SECONDS
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if line.split()[:1] in (["begin"], ["end"], ["open"]):
                    mark = line.split()[0]
                    weights.take(mark)
                    if at_mark is not None:
                        at_mark(mark)
                if time.monotonic() > deadline:
                    raise LoadFailedError(f"{' '.join(command)}: too late\n{''.join(said)}")
            process.wait(max(1, deadline - time.monotonic()))
        finally:
            process.kill()
        printed = process.stdout.read()
    if "end" not in weights.taken:
        weights.take("end")
    if process.returncode or not printed:
        raise LoadFailedError(f"{' '.join(command)}: {process.returncode}\n{''.join(said)}")
    return Measured(
        json.loads(printed),
        *(
            after - before
            for before, after in zip(weights.taken["begin"], weights.taken["end"], strict=True)
        ),
    )


def core_model() -> str:
    """Return what the kernel calls the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
