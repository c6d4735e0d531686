"""PostgreSQL is stopped while people edit: what they are told, besides that nothing is lost."""

import asyncio

from tests.faults.conftest import Load
from tests.servers.postgresql import PostgresqlServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer


async def test_edits_pause_while_postgresql_is_gone_and_then_get_through_once(
    load: Load,
    servers: list[WebServer],
    postgresql: PostgresqlServer,
) -> None:
    await asyncio.to_thread(postgresql.stop)
    try:
        for author in load.authors:
            await author.until(lambda author=author: len(author.rejected) > 100, "rejections")  # type: ignore[misc]
        before = [len(author.acknowledged) for author in load.authors]
        late = RetryingClient(servers[0].websocket_url)
        await late.until(lambda: 1013 in late.close_codes, "a refused opening")
        assert [len(author.acknowledged) for author in load.authors] == before
        assert {code for author in load.authors for code in author.close_codes} == set()
    finally:
        await asyncio.to_thread(postgresql.start)
    await late.until_open()
    await load.until_acknowledged_more()
    for author in load.authors:
        assert {frame["code"] for frame in author.rejected} == {"unavailable"}
    load.authors.append(late)
    await load.end()
