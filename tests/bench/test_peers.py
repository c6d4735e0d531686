"""The peer that is a Django project of ours; `node bench/peers/verify.mjs` tries the others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from bench.peers.servers import NAIVE_CHANNELS, PeerServer, make_tables
from tests.servers.redis import RedisServer


@pytest.fixture
def naive(
    tmp_path: Path,
    redis_server: RedisServer,
) -> Iterator[PeerServer]:
    database_url = f"sqlite:///{tmp_path / 'naive.sqlite3'}"
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_server.url}
    make_tables(environment)
    server = PeerServer(NAIVE_CHANNELS, log=tmp_path / "naive.log", environment=environment)
    server.start()
    yield server
    server.kill()


async def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


async def test_naive_consumer_shows_an_edit_to_all_others_and_keeps_it(naive: PeerServer) -> None:
    url = f"ws://127.0.0.1:{naive.port}{NAIVE_CHANNELS.sheet_path('prices')}"
    async with connect(url) as alice, connect(url) as bob:
        assert await receive(alice) == await receive(bob) == {"type": "state", "cells": {}}
        first = {"type": "edit", "cell": [1, 2], "value": "17"}
        second = {"type": "edit", "cell": [1, 3], "value": "18"}
        await alice.send(json.dumps(first))
        assert await receive(bob) == first
        await bob.send(json.dumps(second))
        assert await receive(alice) == second, "an author is not told of its own edit"
    async with connect(url) as carol:
        assert await receive(carol) == {"type": "state", "cells": {"1:2": "17", "1:3": "18"}}
