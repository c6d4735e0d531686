"""PostgreSQL goes away while people edit: an outage pauses, it never loses."""

import asyncio
from collections.abc import Callable

import pytest

from tests.faults.conftest import Load
from tests.servers.postgresql import PostgresqlServer
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import WebServer


@pytest.mark.parametrize(
    "end", [PostgresqlServer.stop, PostgresqlServer.kill], ids=["stop", "crash"]
)
async def test_edits_pause_while_postgresql_is_gone_and_then_get_through_once(
    load: Load,
    servers: list[WebServer],
    postgresql: PostgresqlServer,
    end: Callable[[PostgresqlServer], object],
) -> None:
    await asyncio.to_thread(end, postgresql)
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
