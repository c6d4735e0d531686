"""What processes cost, as Linux tells it: processor time, memory, descriptors, threads."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Memory:
    """In `pss_bytes` a page that n processes share counts an n-th, so that sums mean something."""

    rss_bytes: int
    pss_bytes: int

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss_bytes + other.rss_bytes, self.pss_bytes + other.pss_bytes)


def tree(root: int) -> list[int]:
    """Return `root` and all that descends from it, less what has ended."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                parent = parse_parent((folder / "stat").read_text())
                children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:  # grows while it is read
        found += children.get(pid, ())
    return [pid for pid in found if (PROC / str(pid)).exists()]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of processes since they began, their ended children included."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            # To the nanosecond, where /proc counts ticks of 10 ms: the process's own clock, as
            # clock_getcpuclockid(3) makes it.
            total += time.clock_gettime((~pid << 3) | 2)
            total += parse_seconds_of_ended_children((PROC / str(pid) / "stat").read_text())
    return total


def memory(pids: Iterable[int]) -> Memory:
    total = Memory(0, 0)
    for pid in pids:
        with contextlib.suppress(OSError):
            total += parse_memory((PROC / str(pid) / "smaps_rollup").read_text())
    return total


def descriptors(pids: Iterable[int]) -> int:
    return sum(_count(PROC / str(pid) / "fd") for pid in pids)


def threads(pids: Iterable[int]) -> int:
    return sum(_count(PROC / str(pid) / "task") for pid in pids)


def connections_to(port: int, pids: Iterable[int]) -> int:
    """Return how many established TCP connections to `port` of this machine these hold."""
    inodes = parse_inodes((PROC / "net/tcp").read_text(), port)
    targets = {f"socket:[{inode}]" for inode in inodes}
    return sum(target in targets for pid in pids for target in _targets(pid))


def cores_of(pids: Iterable[int]) -> set[int]:
    """Return the cores that any thread of these processes may run on."""
    cores: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in (PROC / str(pid) / "task").iterdir():
                cores |= os.sched_getaffinity(int(task.name))
    return cores


def parse_parent(stat: str) -> int:
    """Return the parent's id from /proc/PID/stat; a program's name may contain blanks."""
    return int(_fields(stat)[1])


def parse_seconds_of_ended_children(stat: str) -> float:
    """Return cutime + cstime of /proc/PID/stat (proc_pid_stat(5), fields 16 and 17)."""
    fields = _fields(stat)
    return (int(fields[13]) + int(fields[14])) / TICKS_PER_SECOND


def parse_memory(rollup: str) -> Memory:
    """Return what /proc/PID/smaps_rollup says."""
    sizes = {}
    for line in rollup.splitlines()[1:]:
        name, _, size = line.partition(":")
        sizes[name] = int(size.split()[0]) * 1024
    return Memory(sizes["Rss"], sizes["Pss"])


def parse_inodes(table: str, port: int) -> set[str]:
    """Return the sockets in /proc/net/tcp that are connected to `port`."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {row[9] for row in rows if row[2].endswith(f":{port:04X}") and row[3] == ESTABLISHED}


def _fields(stat: str) -> list[str]:
    return stat.rpartition(")")[2].split()


def _count(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(1 for _ in folder.iterdir())
    return 0


def _targets(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for link in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())
