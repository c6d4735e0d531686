"""A web process is asked to end while it commits: who waits for an answer gets it first."""

import asyncio
import json
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.typing import Origin

from tests.servers.deployment import Deployment
from tests.servers.sheetsync import WebServer

EDITS = 40


@contextmanager
def held_up_commits(deployment: Deployment) -> Iterator[None]:
    """Hold the database's only write lock: what is submitted is at hand until this ends."""
    holder = sqlite3.connect(deployment.database_url.removeprefix("sqlite:///"), timeout=20)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
    finally:
        holder.close()


async def frames_until_close(socket: ClientConnection) -> list[dict[str, Any]]:
    frames = []
    try:
        async for text in socket:
            frames.append(json.loads(text))
    except ConnectionClosed:
        pass
    return frames


async def dial(server: WebServer) -> ClientConnection:
    address = f"{server.websocket_url}/ws/sheets/prices/"
    return await connect(address, origin=Origin(server.url), proxy=None)


async def open_sheet(server: WebServer) -> ClientConnection:
    socket = await dial(server)
    opening = {"type": "sheet.open", "protocol": 1, "client_id": str(uuid.uuid4())}
    await socket.send(json.dumps(opening))
    while json.loads(await socket.recv())["type"] != "presence.changed":
        pass
    return socket


async def submit(socket: ClientConnection, row: int) -> str:
    operation_id = str(uuid.uuid4())
    operation = {"kind": "set_cells", "cells": [[row, 0, "x"]]}
    frame = {"type": "operation.submit", "operation_id": operation_id, "operation": operation}
    await socket.send(json.dumps(frame))
    return operation_id


def readiness(server: WebServer) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())["status"]
    finally:
        connection.close()


@pytest.fixture
def deployment(new_database: Callable[[str], str]) -> Deployment:
    deployment = Deployment(new_database("sqlite"))
    deployment.make_sheets("prices")
    return deployment


async def test_sigterm_answers_the_edits_at_hand_before_it_closes_with_1012(
    deployment: Deployment, web_server: Callable[..., WebServer]
) -> None:
    server = web_server({"DATABASE_URL": deployment.database_url})
    socket = await open_sheet(server)
    with held_up_commits(deployment):
        ids = [await submit(socket, number) for number in range(EDITS)]
        await (await socket.ping())  # answered in order: all edits have been read
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(
            server.wait_until, lambda: readiness(server) == (503, "draining"), "a drain"
        )
        late = await dial(server)
        await late.wait_closed()
        assert late.close_code == 1012
        assert socket.state is State.OPEN
    frames = await frames_until_close(socket)
    assert socket.close_code == 1012
    committed = [f["operations"] for f in frames if f["type"] == "operations.committed"]
    answered = dict(line for operations in committed for line in operations)
    assert answered == {id_: number for number, id_ in enumerate(ids, 1)}
    assert [line.operation_id for line in deployment.log()] == ids
    await asyncio.to_thread(server.wait_for_exit)


async def test_a_commit_that_hangs_does_not_keep_a_process_from_its_end(
    deployment: Deployment, web_server: Callable[..., WebServer]
) -> None:
    server = web_server({"DATABASE_URL": deployment.database_url})
    socket = await open_sheet(server)
    with held_up_commits(deployment):
        await submit(socket, 0)
        server.process.send_signal(signal.SIGTERM)
        await socket.wait_closed()
        assert socket.close_code == 1012
        await asyncio.to_thread(server.wait_for_exit)
    assert deployment.log() == []
