"""Clients that misbehave, each in a process of its own: `python -m bench.offenders SCENARIO`.

Every one says in a line what became of it.
"""

import argparse
import asyncio
import math
import os
import random
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.bare_client import Client, frame_bytes, submission, text_frame

NICENESS = 10  # the clients that are measured come first on their core


async def flood(port: int, seconds: float, make: Callable[[int], bytes], rate: float) -> str:
    """Send `rate` frames a second, whatever comes back."""
    client = await Client().dial(port)
    await client.until_open()
    began, sent = time.monotonic(), 0
    while not client.closed.is_set() and (now := time.monotonic() - began) < seconds:
        due = int(now * rate)
        if due > sent:
            client.transport.write(b"".join(make(number) for number in range(sent, due)))
            sent = due
        await asyncio.sleep(0.001)
    return said(client, began, f"{sent:,} frames sent")


def said(client: Client, began: float, what: str) -> str:
    if client.close_code is None:
        return f"{what}; stays open"
    return f"{what}; {client.close_code} after {client.closed_at - began:.1f} s"


async def flood_presence(port: int, seconds: float, revision: int) -> str:
    def make(number: int) -> bytes:
        return text_frame({"type": "presence.update", "cell": [number % 1_000, 5]})

    return await flood(port, seconds, make, 10_000)


async def flood_pings(port: int, seconds: float, revision: int) -> str:
    return await flood(port, seconds, lambda number: frame_bytes(0x89, b"x" * 100), 10_000)


async def flood_malformed(port: int, seconds: float, revision: int) -> str:
    return await flood(port, seconds, lambda number: text_frame({"type": "?"}), 10_000)


async def flood_edits(port: int, seconds: float, revision: int) -> str:
    return await flood(
        port, seconds, lambda number: submission([(number % 1_000, 5, str(number))]), 10_000
    )


async def submit_backlog(port: int, seconds: float, frames: Iterator[bytes]) -> str:
    """Send as fast as it is taken, reading what comes back."""
    client = await Client().dial(port)
    await client.until_open()
    began, sent = time.monotonic(), 0
    for frame in frames:
        await client.can_write.wait()
        if client.closed.is_set() or time.monotonic() - began > seconds:
            break
        client.transport.write(frame)
        sent += len(frame)
        await asyncio.sleep(0)
    taken = sent - client.transport.get_write_buffer_size()
    return said(client, began, f"{taken / 1e6:.0f} MB taken in {time.monotonic() - began:.0f} s")


async def backlog_of_texts(port: int, seconds: float, revision: int) -> str:
    text = "x" * 1_200
    frames = (submission([(n, 5, text) for n in range(at, at + 200)]) for at in (0, 200) * 210)
    return await submit_backlog(port, seconds, frames)


async def backlog_of_pastes(port: int, seconds: float, revision: int) -> str:
    frames = (
        submission([(n % 500, 5 + n // 500, f"{at} {n}") for n in range(10_000)])
        for at in range(500)
    )
    return await submit_backlog(port, seconds, frames)


async def backlog_of_cells(port: int, seconds: float, revision: int) -> str:
    frames = (submission([(n % 1_000, 5, f"{n} {'x' * 50}")]) for n in range(500_000))
    return await submit_backlog(port, seconds, frames)


async def open_large(port: int, seconds: float, clients: int) -> str:
    began = time.monotonic()
    opened = [await Client().dial(port) for _ in range(clients)]
    results = await asyncio.gather(
        *(asyncio.wait_for(client.until_open(), seconds) for client in opened),
        return_exceptions=True,
    )
    failures = [result for result in results if result is not None]
    megabytes = sum(client.bytes_in for client in opened) / 1e6
    return f"{clients} read {megabytes:.0f} MB in {time.monotonic() - began:.1f} s" + (
        f"; {failures[0]!r}" if failures else ""
    )


async def open_large_once(port: int, seconds: float, revision: int) -> str:
    return await open_large(port, seconds, 1)


async def open_large_by_five(port: int, seconds: float, revision: int) -> str:
    return await open_large(port, seconds, 5)


async def catch_up_large(port: int, seconds: float, revision: int) -> str:
    began = time.monotonic()
    client = await Client().dial(port, 1)
    await asyncio.wait_for(client.until_open(), seconds)
    return f"{client.bytes_in / 1e6:.0f} MB in {time.monotonic() - began:.1f} s"


async def read_nothing(port: int, seconds: float, revision: int) -> str:
    """Twenty sockets open the sheet and then read nothing, while a writer fills it."""
    sleepers = [await Client().dial(port) for _ in range(20)]
    for client in sleepers:
        await client.until_open()
        client.transport.pause_reading()
    writer = await Client().dial(port)
    await writer.until_open()
    began, sent = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds - 2:
        if now * 60 > sent:
            writer.transport.write(submission([(sent % 1_000, 5, f"{sent} " + "x" * 30_000)]))
            sent += 1
        await asyncio.sleep(0.002)
    for client in sleepers:
        client.transport.resume_reading()
    await asyncio.wait([asyncio.ensure_future(c.closed.wait()) for c in sleepers], timeout=2)
    codes = sorted({str(client.close_code) for client in sleepers})
    return f"20 sleepers while {sent * 30 / 1000:.0f} MB were written: {', '.join(codes)}"


async def stampede(port: int, seconds: float, revision: int) -> str:
    """2,000 sockets connect within a second and open the sheet; whoever is refused comes back."""
    began = time.monotonic()
    codes: dict[int | None, int] = {}
    opened_at: list[float] = []
    kept: list[Client] = []

    async def visit(number: int) -> None:
        await asyncio.sleep(number / 2_000)
        failures = 0
        while True:
            client = Client()
            try:
                await client.dial(port)
                await client.until_open()
            except OSError:
                codes[client.close_code] = codes.get(client.close_code, 0) + 1
                failures += 1
                await asyncio.sleep(random.random() * min(15.0, 0.1 * 2**failures))
            else:
                opened_at.append(time.monotonic() - began)
                kept.append(client)
                return

    visits = [asyncio.create_task(visit(number)) for number in range(2_000)]
    await asyncio.wait(visits, timeout=seconds)
    for task in visits:
        task.cancel()
    refused = ", ".join(f"{count} × {code}" for code, count in codes.items()) or "none refused"
    last = f"{max(opened_at):.1f} s" if opened_at else "never"
    left = sum(client.closed.is_set() for client in kept)
    megabytes = sum(client.bytes_in for client in kept) / 1e6
    return (
        f"{len(opened_at)} open, half after {statistics.median(opened_at or [math.nan]):.1f} s, "
        f"the last after {last}; {refused}; {left} closed later; {megabytes:.0f} MB sent to them"
    )


async def nothing(port: int, seconds: float, revision: int) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    offend: Callable[[int, float, int], Coroutine[Any, Any, str]]
    seconds: float = 8.0
    is_large: bool = False


SCENARIOS = {
    "calm": Scenario("nothing", nothing),
    "sleepers": Scenario("20 sockets read nothing", read_nothing, 12),
    "presence": Scenario("10,000 cursor movements a second", flood_presence, 5),
    "pings": Scenario("10,000 pings a second", flood_pings, 5),
    "malformed": Scenario("10,000 malformed frames a second", flood_malformed, 5),
    "edits": Scenario("10,000 edits a second", flood_edits, 6),
    "stampede": Scenario("2,000 sockets within a second", stampede, 15),
    "open": Scenario("one opens 100 MB", open_large_once, 15, is_large=True),
    "open5": Scenario("five open 100 MB at once", open_large_by_five, 30, is_large=True),
    "catchup": Scenario("one catches up on 100 MB", catch_up_large, 15, is_large=True),
    "texts": Scenario("100 MB of edits: 200 long texts each", backlog_of_texts, 12),
    "pastes": Scenario("100 MB of edits: 10,000 short cells each", backlog_of_pastes, 12),
    "cells": Scenario("100 MB of edits: one cell each", backlog_of_cells, 12),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--revision", type=int, required=True, help="of the sheet as it is filled")
    chosen = parser.parse_args()
    os.nice(NICENESS)
    scenario = SCENARIOS[chosen.scenario]
    print(uvloop.run(scenario.offend(chosen.port, scenario.seconds, chosen.revision)))


if __name__ == "__main__":
    main()
