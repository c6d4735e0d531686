"""How each peer is started: command, folder, environment, readiness check and the sheet's path.

Node's peers need `npm ci` in this folder once; the naive consumer needs a database and Redis.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import (
    ROOT,
    ServerFailedError,
    ServerProcess,
    answers_http,
    clean_environment,
    free_port,
)
from tests.servers.sheetsync import uvicorn

PEERS = Path(__file__).resolve().parent
NAIVE = "bench.peers.naive_channels"


@dataclass(frozen=True, slots=True)
class Peer:
    """One thing to pick instead of SheetSync; `name` is the load generator's --protocol."""

    name: str
    label: str
    path: str  # of a sheet's socket; {slug} is the sheet
    health_path: str = "/healthz"
    needs_services: bool = False  # DATABASE_URL and REDIS_URL

    def sheet_path(self, slug: str) -> str:
        return self.path.format(slug=slug)

    def command(self, port: int) -> list[str]:
        """Return what serves on `port` of 127.0.0.1 when it is run in `folder`."""
        if not self.needs_services:
            return [_node(), f"{self.name}.mjs", str(port)]
        # The image's own command, so that both applications run under the same flags; but Channels
        # answers no lifespan messages by itself, and of an option given twice the last one counts.
        ours, theirs = "sheetsync.asgi:application", f"{NAIVE}.asgi:application"
        return [
            *(theirs if word == ours else word for word in uvicorn(port)),
            *("--lifespan", "off"),
        ]

    @property
    def folder(self) -> Path:
        return ROOT if self.needs_services else PEERS


RELAY = Peer("relay", "bare Express + ws relay", "/sheets/{slug}")
NAIVE_CHANNELS = Peer("naive", "naive Channels consumer", "/sheets/{slug}", needs_services=True)

PEERS_BY_NAME = {peer.name: peer for peer in (RELAY, NAIVE_CHANNELS)}


class PeerServer(ServerProcess):
    """A peer in a process of its own. The naive consumer's tables are made by `start`."""

    def __init__(
        self,
        peer: Peer,
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.peer = peer
        self.port = port or free_port()
        super().__init__(
            peer.label,
            peer.command(self.port),
            log=log,
            environment={"NODE_ENV": "production", **(environment or {})},
            folder=peer.folder,
        )

    def is_ready(self) -> bool:
        return answers_http(self.port, self.peer.health_path)


def make_tables(environment: Mapping[str, str]) -> None:
    """Make the naive consumer's tables in the database that DATABASE_URL names."""
    made = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"],
        cwd=ROOT,
        env=clean_environment({**environment, "DJANGO_SETTINGS_MODULE": f"{NAIVE}.settings"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    if made.returncode:
        raise ServerFailedError(f"the tables of {NAIVE} were not made:\n{made.stderr}")


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise ServerFailedError("The peers need Node.js 20 or newer: install it.")
    return node
