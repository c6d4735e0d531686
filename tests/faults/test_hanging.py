"""A process hangs while it holds a sheet's lock: the sheet goes on all the same."""

import asyncio
from pathlib import Path

from tests.faults.conftest import Load
from tests.servers.process import ServerProcess
from tests.servers.sheetsync import manage

HANG_WITH_THE_LOCK = """
import time
from django.db import connection, transaction
from cells.services.sql import lock_sheets
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SHOW idle_in_transaction_session_timeout")
    assert cursor.fetchone() == ("10s",)  # as deployed; nobody wants to wait for that here
    cursor.execute("SET idle_in_transaction_session_timeout = '2s'")
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
