"""Play Autobahn's WebSocket cases against the deployed server; write bench/AUTOBAHN.md.

`make autobahn`, ten minutes. The suite is installed from PyPI and converted into
bench/autobahn/build, which git ignores; nothing of it is ours.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.servers.process import free_port
from tests.servers.sheetsync import WebServer, uvicorn

HERE = Path(__file__).parent
BUILD = HERE / "build"
RESULTS = HERE.parent / "AUTOBAHN.md"
SUITE = "autobahntestsuite==25.10.1"

# Of binary messages the sheets' reader says no more than that they came.
CASES = {"through": "*", "past": "1.1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.1.*,9.3.*,9.5.*,9.7.*,10.*"}
SECTIONS = {
    1: "framing", 2: "pings and pongs", 3: "reserved bits", 4: "opcodes", 5: "fragmentation",
    6: "UTF-8", 7: "closing", 9: "limits", 10: "automatic fragments",
    12: "compression, by payload", 13: "compression, by parameters",
}  # fmt: skip
VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED")

Told = dict[str, dict[str, Any]]


def main() -> None:
    """Make the suite, play it over both ways, and write what came out."""
    python = _suite()
    port = free_port()
    command = ["bench.autobahn.echo:application" if ":" in word else word for word in uvicorn(port)]
    server = WebServer({}, log=BUILD / "server.log", command=command, port=port).start()
    try:
        told = {way: _play(python, f"{server.websocket_url}/{way}", way) for way in CASES}
    finally:
        server.stop()
    RESULTS.write_text(_report(told))
    print(f"written: {RESULTS}")


def _suite() -> Path:
    python = BUILD / "venv" / "bin" / "python"
    if not (BUILD / "suite").exists():
        BUILD.mkdir(exist_ok=True)
        _run(sys.executable, "-m", "venv", str(BUILD / "venv"))
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "install", "-r", str(HERE / "requirements.txt"))
        _run(*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", str(BUILD), SUITE)
        (sdist,) = BUILD.glob("autobahntestsuite-*.tar.gz")
        _run(str(python), str(HERE / "convert.py"), str(sdist), str(BUILD / "suite"))
    return python


def _play(python: Path, url: str, way: str) -> Told:
    results = BUILD / f"{way}.json"
    results.unlink(missing_ok=True)
    print(f"playing {CASES[way]} against {url}")
    with (BUILD / f"{way}.log").open("wb") as log:
        command = [str(python), str(HERE / "fuzz.py"), str(BUILD / "suite"), url, CASES[way]]
        subprocess.run([*command, str(results)], stdout=log, stderr=log, check=True)
    told: Told = json.loads(results.read_text())
    return told


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _report(told: dict[str, Told]) -> str:
    parts = [(HERE / "method.md").read_text()]
    for way, cases in told.items():
        counts = Counter((_section(case), verdict["behavior"]) for case, verdict in cases.items())
        parts.append(f"## `/{way}`: {len(cases)} cases\n\n")
        parts.append("| section | " + " | ".join(VERDICTS) + " |\n")
        parts.append("|---|" + "---:|" * len(VERDICTS) + "\n")
        for section in sorted({section for section, _ in counts}):
            row = [str(counts[section, verdict] or "–") for verdict in VERDICTS]
            parts.append(f"| {section} {SECTIONS[section]} | " + " | ".join(row) + " |\n")
        parts.append("\n")
        for verdict in ("NON-STRICT", "FAILED"):
            named = [case for case, one in cases.items() if one["behavior"] == verdict]
            parts.append(f"{verdict}: {', '.join(named) or 'none'}.\n\n")
    return "".join(parts).rstrip() + "\n"


def _section(case: str) -> int:
    return int(case.partition(".")[0])


if __name__ == "__main__":
    main()
