"""How each peer is started: command, folder, environment, readiness check and a sheet's path."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
    keeps: str = "in memory"
    package_folder: Path | None = PEERS  # where `npm ci` installs it

    @property
    def is_node(self) -> bool:
        """Else it wants DATABASE_URL, with the tables of `make_tables`, and REDIS_URL."""
        return self.package_folder is not None

    @property
    def folder(self) -> Path:
        return PEERS if self.is_node else ROOT

    def command(self, port: int) -> list[str]:
        """Return what serves on `port` of 127.0.0.1 when it is run in `folder`."""
        if self.is_node:
            return [_program("node"), f"{self.name}.mjs", str(port)]
        # The image's own command, so that both applications run under the same flags; but Channels
        # answers no lifespan messages by itself, and of an option given twice the last one counts.
        ours, theirs = "sheetsync.asgi:application", f"{NAIVE}.asgi:application"
        return [
            *(theirs if word == ours else word for word in uvicorn(port)),
            *("--lifespan", "off"),
        ]

    def sheet_path(self, slug: str) -> str:
        """Return the load generator's --path; a fresh slug is an empty sheet."""
        return f"/sheets/{slug}"


NAIVE_CHANNELS = Peer("naive", "naive Channels consumer", "in its database", package_folder=None)

PEERS_BY_NAME = {
    peer.name: peer
    for peer in (
        Peer("relay", "bare Express + ws relay"),
        NAIVE_CHANNELS,
        Peer("hocuspocus", "Hocuspocus/Yjs"),
        Peer("sharedb", "ShareDB"),
        Peer("ethercalc", "EtherCalc", "in files", package_folder=PEERS / "ethercalc"),
    )
}


class PeerServer(ServerProcess):
    """A peer in a process of its own; Node's peers are installed when they are first started."""

    def __init__(
        self,
        peer: Peer,
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        """Describe the peer; EtherCalc keeps its files beside `log`."""
        self.peer = peer
        self.port = port or free_port()
        own = {"NODE_ENV": "production", "OPENSHIFT_DATA_DIR": str(log.parent)}
        super().__init__(
            peer.label,
            peer.command(self.port),
            log=log,
            environment={**own, **(environment or {})},
            folder=peer.folder,
        )

    def start(self, seconds: float = 60) -> Self:
        install(self.peer)
        return super().start(seconds)

    def is_ready(self) -> bool:
        return answers_http(self.port, "/healthz")


def install(*peers: Peer) -> None:
    """Install peers of Node's, or all of them, as their lock files say, if it was not done yet."""
    for folder in {peer.package_folder for peer in peers or PEERS_BY_NAME.values()}:
        if folder is None:
            continue
        lock, installed = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [_program("npm"), "ci", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=folder, check=True)
            installed.touch()


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


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise ServerFailedError(f"{name} is not on this machine: install Node.js 20 or newer.")
    return program
