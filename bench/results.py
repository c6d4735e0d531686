"""What was measured, kept in bench/results.json so that sections can be measured one at a time."""

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.generator import core_model
from tests.servers.process import ROOT

FILE = ROOT / "bench" / "results.json"

Record = Mapping[str, Any]
"""One measurement: flat, of JSON's types; `subject`, `sockets`, `rate` and so on name it."""


@dataclass(slots=True)
class Results:
    """Sections of records, each with when and how it was measured."""

    sections: dict[str, list[Record]] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "Results":
        if not FILE.exists():
            return cls()
        kept = json.loads(FILE.read_text())
        return cls(kept["sections"], kept["about"])

    def save(self) -> None:
        """Write a record a line, so that a change shows as one."""
        sections = ",\n".join(
            f"{json.dumps(name)}: [\n"
            + ",\n".join(f" {json.dumps(record)}" for record in records)
            + "\n]"
            for name, records in self.sections.items()
        )
        about = json.dumps(self.about, indent=1)
        FILE.write_text(f'{{"about": {about},\n"sections": {{\n{sections}\n}}}}\n')

    def of(self, section: str, **wanted: object) -> list[Record]:
        """Return the records of a section whose fields are as wanted."""
        return [
            record
            for record in self.sections.get(section, [])
            if all(record.get(name) == value for name, value in wanted.items())
        ]

    def first(self, section: str, **wanted: object) -> Record | None:
        return next(iter(self.of(section, **wanted)), None)

    def replace(self, section: str, records: Iterable[Record]) -> None:
        """Replace a section by records that are measured while they are taken."""
        began = time.monotonic()
        self.sections[section] = list(records)
        self.about[section] = {
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "took_seconds": round(time.monotonic() - began),
            "commit": commit(),
            "machine": f"{os.cpu_count()} cores, {core_model()}",
            "python": platform.python_version(),
        }


def commit() -> str:
    """Return the commit that was measured, marked where the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or "unknown"


_began = time.monotonic()


def progress(*words: object) -> None:
    """Say on stderr what is being done, and how long it all takes so far."""
    elapsed = time.monotonic() - _began
    text = " ".join(str(word) for word in words)
    print(f"[{elapsed // 60:3.0f}:{elapsed % 60:02.0f}] {text}", file=sys.stderr, flush=True)


def percentile(found: Sequence[float], share: float) -> float:
    """Return a percentile of sorted figures; NaN of none."""
    return found[min(len(found) - 1, math.ceil(len(found) * share) - 1)] if found else math.nan
