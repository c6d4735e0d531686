"""A disk that can be filled up: a small file system where one may be mounted, else a limit."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from tests.servers.missing import missing_service

CHUNK_BYTES = 1024 * 1024
BLOCK_BYTES = 4096

Means = Literal["tmpfs", "limit"]


class SmallDisk:
    """A folder on which there is suddenly no room left for its writers.

    `tmpfs` is a file system of its own and gives the real "no space left on device", to
    PostgreSQL and SQLite alike; to mount it needs root. `limit` needs no privilege on Linux: the
    kernel fails every write of the writers to a file (RLIMIT_FSIZE of 0, "file too large"), which
    is harder than a full disk, for what was allocated already fails, too.
    """

    def __init__(self, folder: Path, megabytes: int, means: Means | None = None) -> None:
        self.folder = folder
        self.is_full = False
        self._filler = folder / "filler"
        self._writers: Callable[[], Iterable[int]] = lambda: ()
        self._user: str | None = None
        folder.mkdir(parents=True)
        mounts = means != "limit" and _mount(folder, megabytes)
        self.means: Means = "tmpfs" if mounts else "limit"
        if means == "tmpfs" and not mounts:
            raise PermissionError(f"no file system may be mounted at {folder}")
        if not mounts and shutil.which("prlimit") is None:
            missing_service("prlimit", "to fill a disk takes Linux with util-linux.")

    def is_for(self, writers: Callable[[], Iterable[int]], user: str | None = None) -> None:
        """Say which processes write to this disk, asked whenever it matters, and whose they are."""
        self._writers = writers
        self._user = user

    def fill(self) -> None:
        """Leave no room."""
        self.is_full = True
        if self.means == "tmpfs":
            self._write_filler()
        else:
            self.admit(self._writers())

    def free(self) -> None:
        """Make room again."""
        self.is_full = False
        self._filler.unlink(missing_ok=True)
        if self.means == "limit":
            self.admit(self._writers())

    def admit(self, writers: Iterable[int]) -> None:
        """Let processes that were started meanwhile share the lot of the others."""
        if self.means == "limit":
            limit = "0:" if self.is_full else "unlimited:"
            for pid in writers:
                done = subprocess.run(
                    ["prlimit", f"--fsize={limit}", f"--pid={pid}"],
                    capture_output=True,
                    text=True,
                    # Of its own account: root in a container may not limit another's process.
                    user=self._user,
                    group=self._user,
                    extra_groups=() if self._user else None,
                )
                if done.returncode and Path(f"/proc/{pid}").exists():
                    raise PermissionError(done.stderr)

    def close(self) -> None:
        """Give the file system back, with all that is on it."""
        if self.means == "tmpfs":
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        shutil.rmtree(self.folder)

    def _write_filler(self) -> None:
        file = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (CHUNK_BYTES, BLOCK_BYTES, 1):
                with contextlib.suppress(OSError):  # no space left on device: what is wanted
                    while True:
                        os.write(file, bytes(size))
        finally:
            os.close(file)


def _mount(folder: Path, megabytes: int) -> bool:
    if os.getuid() != 0 or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0
