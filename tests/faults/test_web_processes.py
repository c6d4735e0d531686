"""A web process ends in the middle of a burst: what it acknowledged is in the log."""

import asyncio
from pathlib import Path

from tests.faults.conftest import Load
from tests.servers.process import ServerProcess
from tests.servers.sheetsync import WebServer, manage


async def test_sigterm_closes_with_1012_and_keeps_what_was_acknowledged(
    load: Load, servers: list[WebServer]
) -> None:
    await asyncio.to_thread(servers[0].stop)
    for author in load.authors[:2]:
        await author.until(lambda author=author: author.close_codes, "a closed socket")  # type: ignore[misc]
        assert author.close_codes[0] == 1012
    load.check()
    await asyncio.to_thread(servers[0].start)
    await load.until_acknowledged_more()
    assert load.authors[2].close_codes == []
    await load.end()


async def test_sigkill_keeps_what_was_acknowledged_and_retries_commit_nothing_twice(
    load: Load, servers: list[WebServer]
) -> None:
    for server in servers:
        await asyncio.to_thread(server.kill)
        load.check()
        await asyncio.to_thread(server.start)
        await load.until_acknowledged_more()
    assert {code for author in load.authors for code in author.close_codes} <= {None, 1006}
    await load.end()


HANG_WITH_THE_LOCK = """
import time
from django.db import connection, transaction
from cells.services.sql import lock_sheets
with transaction.atomic(), connection.cursor() as cursor:
    lock_sheets(cursor, ["prices"])
    print("locked", flush=True)
    time.sleep(3600)
"""


async def test_a_process_that_hangs_with_a_sheets_lock_stalls_it_only_for_a_while(
    load: Load, tmp_path: Path
) -> None:
    hanging = ServerProcess(
        "a process that hangs",
        manage("shell", "-v", "0", "-c", HANG_WITH_THE_LOCK),
        log=tmp_path / "hanging.log",
        environment={"DATABASE_URL": load.deployment.database_url},
    )
    await asyncio.to_thread(hanging.start)
    try:
        await asyncio.to_thread(hanging.wait_until, lambda: "locked" in hanging.output(), "a lock")
        await load.until_acknowledged_more(100)  # beyond what was on its way
        assert hanging.is_running
    finally:
        await asyncio.to_thread(hanging.kill)
    await load.end()
