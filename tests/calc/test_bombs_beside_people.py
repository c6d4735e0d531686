"""Bombs are typed into a sheet that ten people edit: they notice nothing."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from tests.calc.test_calculator import DEEP_LET, GROWTH, LARGE_ARRAY, PARENTHESES, SLOW
from tests.servers.databases import Databases
from tests.servers.deployment import Deployment
from tests.servers.retrying import RetryingClient
from tests.servers.sheetsync import Calculator, WebServer

PRODUCT = "=SUM(" + "*".join(["A:A"] * 200) + ")"
BOMBS = [DEEP_LET, GROWTH, LARGE_ARRAY, PARENTHESES, SLOW, PRODUCT, "=C7+C6"]
PEOPLE = 10
EDITS = 40


async def test_ten_people_notice_nothing_of_a_bomb_of_each_kind(
    new_database: Databases,
    web_server: Callable[..., WebServer],
    calculator: Callable[..., Calculator],
) -> None:
    deployment = Deployment(new_database("sqlite", "prices"))
    environment = {"DATABASE_URL": deployment.database_url, "EMBEDDED_CALCULATION": "0"}
    web = await asyncio.to_thread(web_server, environment)
    limits = ("--seconds", "1", "--megabytes", "200")
    worker = await asyncio.to_thread(calculator, environment, *limits)

    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(RetryingClient(web.websocket_url))
            for _ in range(PEOPLE)
        ]
        reader = people[0]
        await reader.put(99, 0, "=SUM(A1:A99)")
        await reader.until(lambda: reader.replica.values.get((99, 0)) == 0, "a first sum")
        typing = [asyncio.create_task(type_on(person, n)) for n, person in enumerate(people)]
        for row, bomb in enumerate(BOMBS):
            await reader.put(row, 2, bomb)
            await asyncio.sleep(0.2)
        await asyncio.gather(*typing)
        for person in people:
            await person.until_acknowledged()
            assert person.close_codes == []
            assert person.rejected == []

        total = PEOPLE * (EDITS - 1)  # the last number of each
        await reader.until(
            lambda: reader.replica.values.get((99, 0)) == total, f"a sum of {total}", 60
        )
        await reader.until(
            lambda: all((row, 2) in reader.replica.values for row in range(len(BOMBS))),
            "a verdict on each bomb",
            60,
        )
        values = [reader.replica.values[row, 2] for row in range(len(BOMBS))]
        assert [error_of(value) for value in values[:3]] == ["#LIMIT!"] * 3, values
        assert error_of(values[3]) == "#ERROR!", values
        assert error_of(values[6]) == "#CIRC!", values
        for person in people[1:]:
            await person.until_revision(reader.replica.revision)
            assert person.replica.values == reader.replica.values
    assert await asyncio.to_thread(worker.stop) == 0


async def type_on(person: RetryingClient, row: int) -> None:
    for number in range(EDITS):
        await person.put(row, 0, str(number))
        await asyncio.sleep(0.05)


def error_of(value: Any) -> str:
    return str(value["error"]) if isinstance(value, dict) else str(value)
