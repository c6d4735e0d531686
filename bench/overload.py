"""What the others feel while one client misbehaves: `python -m bench.overload`.

Twenty well-behaved sockets on one sheet, two of them editing, 20 edits a second in all; a calm
spell, then one of the scenarios from a process of its own. Latency counts from the moment at which
an edit was due. The server, and PostgreSQL, run on core 0, the clients on core 1. `measure` returns
rows; run as a script it prints them as Markdown.
"""

import argparse
import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench import cores
from bench.bare_client import Client, submission
from bench.offenders import SCENARIOS
from bench.results import percentile
from tests.servers.postgresql import PostgresqlServer
from tests.servers.sheetsync import WebServer, run_manage

NEIGHBOURS = 20
EDITORS = 2
EDITS_PER_SECOND = 20.0
CALM_SECONDS = 4.0
LEAD_SECONDS = 1.0  # for the offender's process to start
BIG_CELLS, BIG_TEXT = 100_000, 1_000  # 100 MB of text
MAKE_SHEET = (
    "from cells.services.access import create_sheet; "
    "create_sheet(None, 'Bench', slug='bench', link_role='editor')"
)
FILL_SHEET = f"""
import uuid
from cells.domain.operations import SetCells
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
text = "x" * {BIG_TEXT}
author = Author(AuthorKind.STREAM, "bench")
cells = [(number // 26, number % 26) for number in range({BIG_CELLS})]
from cells.domain.operations import parse_operation
from cells.models import Sheet
rows = {BIG_CELLS} // 26 + 1 - 1_000
operation = parse_operation({{"kind": "insert_rows", "before": None, "count": rows}})
assert commit([Submission("bench", uuid.uuid4(), operation, author)]).deltas
for at in range(0, len(cells), 1_000):
    part = tuple((row, column, text) for row, column in cells[at : at + 1_000])
    commit([Submission("bench", uuid.uuid4(), SetCells(part), author)])
print(Sheet.objects.get(slug="bench").head)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario on one deployment; latencies in ms, memory in MB, of the worker."""

    deployment: str
    scenario: str
    calm_p99: float
    p50: float
    p99: float
    max: float
    delivered: float
    lag_max: float  # of the measuring client itself
    waited: float  # share of the time in which the server could have run but had no core
    rss_before: float
    rss_peak: float
    offender: str

    def markdown(self) -> str:
        return (
            f"| {self.deployment} | {self.scenario} | {self.calm_p99:.1f} | {self.p50:.1f} "
            f"| **{self.p99:.1f}** | {self.max:.0f} | {self.delivered:.1%} | {self.lag_max:.0f} "
            f"| {self.waited:.0%} "
            f"| {self.rss_before:.0f} → {self.rss_peak:.0f} | {self.offender} |"
        )


HEADER = (
    "| deployment | scenario | calm p99 ms | p50 ms | p99 ms | max ms | delivered "
    "| client's own lag ms | core taken from the server | server MB, peak | the offender |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)

# -- the others ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Felt:
    """What the well-behaved sockets felt: (due moment, ms) of each delivery, and our own lag."""

    deliveries: list[tuple[float, float]] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)

    def between(self, begin: float, end: float) -> tuple[list[float], float]:
        """Return the latencies of edits due in a spell, sorted, and the share that came."""
        found = sorted(ms for due, ms in self.deliveries if begin <= due < end)
        expected = sum(begin <= due < end for due in self.sent) * (NEIGHBOURS - 1)
        return found, len(found) / max(1, expected)


@asynccontextmanager
async def neighbours(port: int, revision: int | None) -> AsyncIterator[Felt]:
    felt = Felt()

    def taker(place: int) -> Callable[[bytes], None]:
        def take(payload: bytes) -> None:
            now = time.monotonic()
            if payload.startswith(b'{"type":"cells.changed"') and b'"due:' in payload:
                for _author, cells in json.loads(payload)["changes"]:
                    for cell in cells:
                        if cell[2].startswith("due:") and cell[1] != place:
                            due = float(cell[2][4:])
                            felt.deliveries.append((due, (now - due) * 1000))

        return take

    clients = [Client(taker(place)) for place in range(NEIGHBOURS)]
    for client in clients:
        await client.dial(port, revision)
        await client.until_open()
    is_over = False

    async def edit(place: int) -> None:
        interval = EDITORS / EDITS_PER_SECOND
        began = time.monotonic() + interval * place / EDITORS
        number = 0
        while not is_over:
            due = began + number * interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            felt.sent.append(due)
            clients[place].transport.write(submission([(number % 1_000, place, f"due:{due!r}")]))
            number += 1

    async def watch_lag() -> None:
        while not is_over:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            felt.lags_ms.append((time.monotonic() - due) * 1000)

    working = [asyncio.create_task(edit(place)) for place in range(EDITORS)]
    working.append(asyncio.create_task(watch_lag()))
    try:
        yield felt
    finally:
        is_over = True
        await asyncio.gather(*working)
        await asyncio.sleep(2)
        felt.closes = [client.close_code for client in clients if client.close_code]
        for client in clients:
            client.transport.abort()


# -- measuring -------------------------------------------------------------------------------------


def resident_mb(pid: int, name: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return math.nan


def start_new_peak(pid: int) -> None:
    """Let VmHWM begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def waited_seconds(pid: int) -> float:
    """Return how long the event loop's thread was ready to run while others had its core."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9


async def measure_one(kind: str, key: str, server: WebServer, revision: int | None) -> Row:
    scenario = SCENARIOS[key]
    (pid,) = server.worker_pids()
    async with neighbours(server.port, revision) as felt:
        await asyncio.sleep(1)  # the first edits warm what is lazy
        calm = time.monotonic(), time.monotonic() + CALM_SECONDS
        await asyncio.sleep(CALM_SECONDS)
        before = resident_mb(pid)
        start_new_peak(pid)
        offender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.offenders", key),
            *("--port", str(server.port), "--revision", str(revision or 0)),
            stdout=subprocess.PIPE,
        )
        await asyncio.sleep(LEAD_SECONDS)
        began, waited = time.monotonic(), waited_seconds(pid)
        out, _ = await offender.communicate()
        ended = max(time.monotonic(), began + 5)
        await asyncio.sleep(max(0, ended - time.monotonic()))
        peak = resident_mb(pid, "VmHWM")
        waited = (waited_seconds(pid) - waited) / (ended - began)
    calm_found, _ = felt.between(*calm)
    found, delivered = felt.between(began, ended)
    note = out.decode().strip()
    if felt.closes:
        note += f"; THE OTHERS WERE CLOSED: {felt.closes}"
    return Row(
        kind,
        scenario.name,
        percentile(calm_found, 0.99),
        percentile(found, 0.5),
        percentile(found, 0.99),
        max(found, default=math.nan),
        delivered,
        max(felt.lags_ms),
        waited,
        before,
        peak,
        note,
    )


@contextmanager
def deployment(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    environment = {"DEBUG": "0", "SECRET_KEY": "bench", "ALLOWED_HOSTS": "127.0.0.1"}
    environment |= {"LOG_LEVEL": "WARNING"}
    if kind == "SQLite":
        yield environment | {"DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}"}
        return
    folder.chmod(0o755)
    postgresql = PostgresqlServer(folder, is_durable=True)
    postgresql.initialize()
    postgresql.start()
    try:
        yield environment | {"DATABASE_URL": postgresql.new_database()}
    finally:
        postgresql.kill()


def measure(
    keys: Sequence[str] = tuple(SCENARIOS), kinds: Sequence[str] = ("SQLite", "PostgreSQL")
) -> Iterator[Row]:
    """Yield a row for each scenario and kind of deployment, each on a fresh server and sheet."""
    for kind in kinds:
        for key in keys:
            with tempfile.TemporaryDirectory(prefix="sheetsync-overload-") as name:
                folder = Path(name)
                with cores.on_core(cores.SERVER_CORE), deployment(kind, folder) as environment:
                    run_manage(environment, "migrate", "--verbosity=0")
                    run_manage(environment, "shell", "-v0", "-c", MAKE_SHEET)
                    revision = None
                    if SCENARIOS[key].is_large:
                        head = run_manage(environment, "shell", "-v0", "-c", FILL_SHEET)
                        revision = int(head.split()[-1])
                    server = WebServer(environment, log=folder / "web.log")
                    server.start()
                    try:
                        with cores.on_core(cores.LOAD_CORE):
                            yield uvloop.run(measure_one(kind, key, server, revision))
                    finally:
                        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), help=", ".join(SCENARIOS))
    parser.add_argument("--database", choices=("SQLite", "PostgreSQL"), action="append")
    chosen = parser.parse_args()
    print(HEADER)
    for row in measure(chosen.scenarios, chosen.database or ("SQLite", "PostgreSQL")):
        print(row.markdown(), flush=True)


if __name__ == "__main__":
    main()
