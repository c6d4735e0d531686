"""Files of 100,000 and 1,000,000 cells in and out: how long, and in how much memory.

`make bench-exchange` runs the commands, each in a process of its own, on SQLite and, where there is
one, PostgreSQL; beside them openpyxl and, where it is installed, pandas, which keep no sheet. Where
LibreOffice is installed, it opens the exported XLSX and says the same as the exported CSV. Writes
bench/EXCHANGE.md, after each size anew: what was measured is not lost with what was not.
"""

import argparse
import csv
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cells.domain.literals import parse_number
from tests.servers.missing import IS_CI
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import ROOT, clean_environment
from tests.servers.sheetsync import manage, run_manage

RESULTS = Path(__file__).parent / "EXCHANGE.md"
COLUMNS = 10
SIZES = (100_000, 1_000_000)
SECONDS = 1_800

OPENPYXL_WRITE = """
import csv, openpyxl, sys
book = openpyxl.Workbook(write_only=True)
page = book.create_sheet()
for row in csv.reader(open(sys.argv[1], newline="", encoding="utf-8")):
    page.append([float(text) if text.replace(".", "", 1).isdigit() else text for text in row])
book.save(sys.argv[2])
"""
OPENPYXL_READ = """
import csv, openpyxl, sys
page = openpyxl.load_workbook(sys.argv[1], read_only=True).worksheets[0]
csv.writer(open(sys.argv[2], "w", newline="")).writerows(page.iter_rows(values_only=True))
"""
PANDAS_WRITE = """
import pandas, sys
frame = pandas.read_csv(sys.argv[1], header=None)
frame.to_excel(sys.argv[2], header=False, index=False, engine="xlsxwriter")
"""
PANDAS_READ = """
import pandas, sys
frame = pandas.read_excel(sys.argv[1], header=None, engine="openpyxl")
frame.to_csv(sys.argv[2], header=False, index=False)
"""


PEERS: dict[str, Callable[[], bool]] = {
    "PostgreSQL": lambda: shutil.which("psql") is not None,
    "pandas": lambda: importlib.util.find_spec("pandas") is not None,
    "LibreOffice": lambda: shutil.which("soffice") is not None,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process took to do `what` with so many cells."""

    what: str
    cells: int
    seconds: float
    peak_mb: float


def measure(what: str, cells: int, command: Sequence[str], database: str = "") -> Measured:
    """Run a command to its end; its peak is what the kernel says of it and its children."""
    environment = clean_environment({"DATABASE_URL": database} if database else {})
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    found = Measured(what, cells, seconds, usage.ru_maxrss * unit / 1e6)
    print(f"{cells:>9,} cells  {what:<44} {seconds:6.1f} s  {found.peak_mb:6.0f} MB", flush=True)
    return found


def write_file(file: Path, cells: int) -> None:
    """Write what such files have: names, numbers, dates, a text with a comma, empty fields."""
    day = date(2026, 1, 1)
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        for row in range(cells // COLUMNS):
            writer.writerow(
                [
                    *(f"SYM{row % 5_000}", row, f"{row * 0.01:.4f}", f"{row % 97}.5"),
                    *(day + timedelta(days=row % 300), "Müller, Köln", f"note {row}", row % 7),
                    *("TRUE" if row % 2 else "FALSE", f"{row % 100}%"),
                ]
            )


def ours(kind: str, database: str, folder: Path, cells: int) -> Iterator[Measured]:
    """Yield what our commands take, there and back."""
    run_manage({"DATABASE_URL": database}, "migrate", "--verbosity=0")
    run_manage(
        {"DATABASE_URL": database},
        *("shell", "-v0", "-c"),
        "from cells.services.access import create_sheet\n"
        "for slug in ('one', 'two'): create_sheet(None, slug, slug=slug)",
    )
    given, out, book = (folder / name for name in ("given.csv", "out.csv", "out.xlsx"))
    back = folder / "back.csv"
    command = manage("import_sheet", str(given), "--sheet", "one")
    yield measure(f"import_sheet, CSV, {kind}", cells, command, database)
    command = manage("export_sheet", "one", str(out))
    yield measure(f"export_sheet, CSV, {kind}", cells, command, database)
    command = manage("export_sheet", "one", str(book))
    yield measure(f"export_sheet, XLSX, {kind}", cells, command, database)
    if out.read_bytes() != given.read_bytes():
        raise SystemExit("what came out as CSV is not what went in")
    command = manage("import_sheet", str(book), "--sheet", "two")
    yield measure(f"import_sheet, XLSX, {kind}", cells, command, database)
    run_manage({"DATABASE_URL": database}, "export_sheet", "two", str(back))
    differing = sum(not is_same(*pair) for pair in pairs(given, back))
    if differing:
        raise SystemExit(f"{differing:,} cells are not what they were, by way of XLSX")


def peers(folder: Path, cells: int) -> Iterator[Measured]:
    given, book, out = (folder / name for name in ("given.csv", "peer.xlsx", "peer.csv"))
    programs = [("openpyxl", OPENPYXL_WRITE, OPENPYXL_READ)]
    if PEERS["pandas"]():
        programs.append(("pandas", PANDAS_WRITE, PANDAS_READ))
    for name, write, read in programs:
        command = [sys.executable, "-c", write, str(given), str(book)]
        yield measure(f"{name}, CSV to XLSX, no sheet kept", cells, command)
        command = [sys.executable, "-c", read, str(book), str(out)]
        yield measure(f"{name}, XLSX to CSV, no sheet kept", cells, command)


def libreoffice_agrees(folder: Path) -> int | None:
    """Have LibreOffice say what the exported XLSX holds; return of how many cells it says so."""
    program = shutil.which("soffice")
    if program is None:
        return None
    office = folder / "office"
    subprocess.run(
        [
            *(program, "--headless", f"-env:UserInstallation=file://{folder}/profile"),
            *("--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir"),
            *(str(office), str(folder / "out.xlsx")),
        ],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    compared = 0
    for ours_, theirs in pairs(folder / "out.csv", office / "out.csv"):
        if not is_same(ours_, theirs):
            raise SystemExit(f"LibreOffice shows {theirs!r} where the sheet has {ours_!r}")
        compared += 1
    return compared


def pairs(one: Path, other: Path) -> Iterator[tuple[str, str]]:
    with (
        one.open(newline="", encoding="utf-8") as first,
        other.open(newline="", encoding="utf-8") as second,
    ):
        for row, its in zip(csv.reader(first), csv.reader(second), strict=True):
            yield from zip(row, its, strict=True)


def is_same(one: str, other: str) -> bool:
    """Compare as values: 12% is 0.12, 1.50 is 1.5."""
    if one == other:
        return True
    numbers = parse_number(one), parse_number(other)
    return numbers[0] is not None and numbers[0] == numbers[1]


def report(found: Sequence[Measured], office: int | None) -> str:
    lines = [
        "# Files in and out",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench-exchange`: {os.cpu_count()} "
        f"cores, Python {sys.version.split()[0]}. Each is a process of its own, its start (half a "
        "second) and, of ours, the commits included; the peak is that process's memory. Ten "
        "columns: texts, numbers, dates, truths, per cents. What comes out as CSV is compared with "
        "what went in byte by byte, by way of XLSX by value.",
        "",
        "| | " + " | ".join(f"{cells:,} cells" for cells in SIZES) + " |",
        "|---|" + "---|" * len(SIZES),
    ]
    for what in dict.fromkeys(each.what for each in found):
        by_size = {each.cells: each for each in found if each.what == what}
        texts = [
            f"{by_size[cells].seconds:.1f} s, {by_size[cells].peak_mb:.0f} MB"
            if cells in by_size
            else ""
            for cells in SIZES
        ]
        lines.append(f"| {what} | " + " | ".join(texts) + " |")
    if office is not None:
        lines += ["", f"LibreOffice opened the exported XLSX and showed the same {office:,} cells."]
    missing = [name for name, is_there in PEERS.items() if not is_there()]
    if missing:
        lines += ["", f"Not on this machine: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small size; writes nothing")
    parser.add_argument("--report", type=Path, default=RESULTS, help="the file that is written")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    arguments = parser.parse_args()
    found: list[Measured] = []
    office = None
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sheetsync-files-")))
        home.chmod(0o755)  # PostgreSQL does not run as root
        server = None
        if arguments.only != "sqlite" and PEERS["PostgreSQL"]():
            (home / "postgresql").mkdir(mode=0o755)
            server = PostgresqlServer(home / "postgresql")
            server.initialize()
            server.start()
            stack.callback(server.kill)
        for cells in SIZES[: 1 if arguments.quick else None]:
            folder = home / str(cells)
            folder.mkdir()
            write_file(folder / "given.csv", cells)
            if arguments.only != "postgresql":
                found += ours("SQLite", f"sqlite:///{folder}/db.sqlite3", folder, cells)
            if server is not None:
                found += ours("PostgreSQL", server.new_database(None), folder, cells)
            found += peers(folder, cells)
            if office is None:
                office = libreoffice_agrees(folder)
                if office is not None:
                    print(f"LibreOffice agrees on {office:,} cells", flush=True)
            if not arguments.quick and not IS_CI:
                arguments.report.write_text(report(found, office))
                print(f"{arguments.report} has what was measured so far", flush=True)


if __name__ == "__main__":
    main()
