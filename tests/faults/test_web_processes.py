"""A web process ends in the middle of a burst: what it acknowledged is in the log."""

import asyncio

from tests.faults.conftest import Load
from tests.servers.sheetsync import WebServer


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
