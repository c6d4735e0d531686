import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import processes
from tests.servers.missing import missing_service

BUSY = """
import os, time
child = os.fork()
while time.process_time() < 0.2: pass
print(child, flush=True)
time.sleep(60)
"""
NET_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:59A3 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0        0 807699 1
   1: 0100007F:8002 0100007F:59A3 01 00000000:00000000 00:00000000 00000000 0        0 807700 1
   2: 0100007F:8004 0100007F:59A3 06 00000000:00000000 00:00000000 00000000 0        0 807701 1
   3: 0100007F:59A3 0100007F:8002 01 00000000:00000000 00:00000000 00000000 0        0 807702 1
"""


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[str]]:
    """Start a process that forks, and that worked for 0.2 s as its child did."""
    if not Path("/proc/self/stat").exists():
        missing_service("/proc", "what a process costs is only read on Linux.")
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        lines = {it.stdout.readline().strip() for _ in range(2)}
        yield it
        it.kill()
        for pid in lines - {"0"}:
            with Path(f"/proc/{pid}/stat").open() as stat:
                assert processes.parse_parent(stat.read()) > 0
            subprocess.run(["kill", pid], check=True)


def test_a_tree_counts_what_its_children_cost(busy: subprocess.Popen[str]) -> None:
    found = processes.tree(busy.pid)
    assert len(found) == 2
    assert 0.4 <= processes.cpu_seconds(found) < 2
    assert processes.memory(found).rss_bytes >= processes.memory(found).pss_bytes > 1_000_000
    assert processes.threads(found) == 2
    assert processes.descriptors(found) >= 4
    assert processes.cores_of(found)


def test_a_programs_name_may_contain_blanks_and_parentheses() -> None:
    stat = "12 (a (b) c) S 7 12 12 0 -1 4194304 100 0 0 0 1 2 30 40 20 0 1 0 1113239"
    assert processes.parse_parent(stat) == 7
    assert processes.parse_seconds_of_ended_children(stat) == pytest.approx(
        70 / processes.TICKS_PER_SECOND
    )


def test_only_established_connections_to_the_port_count() -> None:
    assert processes.parse_inodes(NET_TCP, 0x59A3) == {"807700"}


def test_memory_is_read_in_bytes() -> None:
    rollup = "5602-7fff ---p 00000000 00:00 0  [rollup]\nRss:  1748 kB\nPss:  248 kB\n"
    assert processes.parse_memory(rollup) == processes.Memory(1748 * 1024, 248 * 1024)
