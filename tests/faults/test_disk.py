import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disk import Means, SmallDisk

# Writes a row for each line that it is sent, and says how that went.
WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE IF NOT EXISTS texts (text)")
print("ready", flush=True)
for line in sys.stdin:
    try:
        database.execute("INSERT INTO texts VALUES (?)", [line * 1000])
    except sqlite3.OperationalError:
        print("failed", flush=True)
    else:
        print("written", flush=True)
"""


@pytest.mark.parametrize("means", ["tmpfs", "limit"])
def test_a_full_disk_takes_nothing_and_a_freed_one_does_again(tmp_path: Path, means: Means) -> None:
    try:
        disk = SmallDisk(tmp_path / "disk", megabytes=8, means=means)
    except PermissionError:
        return  # what may not be mounted is not used; every round then uses the limit
    assert disk.means == means
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(disk.folder / "file.sqlite3")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    told, answers = writer.stdin, writer.stdout
    assert told is not None
    assert answers is not None

    def write() -> str:
        told.write("some text\n")
        return answers.readline().strip()

    try:
        disk.is_for(lambda: [writer.pid])
        assert answers.readline() == "ready\n"
        assert write() == "written"
        disk.fill()
        assert write() == "failed"
        disk.free()
        assert write() == "written"
    finally:
        told.close()
        writer.wait()
        answers.close()
        disk.close()
