"""The pages that are measured: our own as it is deployed, and those of the peers."""

import functools
import gzip
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BUILD = FOLDER / "build"
WATCH = (FOLDER / "watch.js").read_text()
SOCKET = (FOLDER / "socket.js").read_text()


@dataclass(frozen=True, slots=True)
class Subject:
    """One grid: its page's address for a size, and what has to run before the page's own."""

    key: str
    label: str
    url: str
    is_ours: bool = False

    def address(self, rows: int, columns: int) -> str:
        return self.url if self.is_ours else f"{self.url}?rows={rows}&columns={columns}"

    def script(self, rows: int, columns: int) -> str:
        """Return what the browser runs before anything of the page's."""
        ours = f"window.bench = {{ rows: {rows}, columns: {columns} }};\n{SOCKET}"
        return f"{ours if self.is_ours else ''}\n{WATCH}"


PEERS = {"glide": "Glide Data Grid 6.0", "revogrid": "RevoGrid 4.28"}

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{label}</title>
<style>html, body, #host {{ height: 100%; margin: 0; }}</style>
{style}
<div id="host"></div>
<div id="portal" style="position: fixed; left: 0; top: 0; z-index: 9"></div>
<script type="module" src="{key}.js"></script>
"""


def build() -> None:
    """Install the peers and bundle each as its users would: minified, for production."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed: install Node.js 20 or newer.")
    if not (FOLDER / "node_modules").exists():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)
    shutil.rmtree(BUILD, ignore_errors=True)
    for key, label in PEERS.items():
        _bundle(FOLDER / "peers" / f"{key}.js", BUILD / f"{key}.js")
        style = f'<link rel="stylesheet" href="{key}.css">' * (BUILD / f"{key}.css").exists()
        (BUILD / f"{key}.html").write_text(PAGE.format(key=key, label=label, style=style))


def _bundle(entry: Path, to: Path) -> None:
    subprocess.run(
        [
            FOLDER / "node_modules" / ".bin" / "esbuild",
            *(entry, f"--outfile={to}", "--bundle", "--minify", "--format=esm"),
            *("--define:process.env.NODE_ENV='production'", "--log-level=error"),
        ],
        cwd=FOLDER,
        check=True,
    )


@contextmanager
def serving_peers() -> Iterator[list[Subject]]:
    """Serve the peers' pages from a free port of 127.0.0.1."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(BUILD)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        port = server.server_address[1]
        yield [
            Subject(key, label, f"http://127.0.0.1:{port}/{key}.html")
            for key, label in PEERS.items()
        ]
    finally:
        server.shutdown()
        server.server_close()


def bytes_of_peer(key: str) -> int:
    """Return the JavaScript of a peer's page, compressed as a server would send it."""
    return _compressed((BUILD / f"{key}.js").read_bytes())


def _compressed(data: bytes) -> int:
    return len(gzip.compress(data, 9))
