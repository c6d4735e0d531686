"""The load of the soak and of the upgrade: people on sheets.

They edit, reload, look at other sheets, go offline and come back.
"""

import asyncio
import http.client
import random
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from tests.servers.retrying import RetryingClient

MEAN_SECONDS_BETWEEN_ACTIONS = 1.0
AWAY_SECONDS = 2.0, 20.0
VISIT_SECONDS = 2.0, 10.0
EDITS_WHILE_AWAY = 3
PAGE_SECONDS = 30.0  # what a browser waits for a page, and more
PAGE_ATTEMPTS = 3
ACTIONS = {"edit": 93, "reload": 3, "go_offline": 2, "visit": 2}  # of a hundred


class Address(Protocol):
    """Where people go: a web server, or what stands in front of several."""

    port: int

    @property
    def websocket_url(self) -> str: ...


class Person:
    """One browser tab on one sheet, over as many page loads, sockets and servers as it takes."""

    def __init__(
        self,
        servers: Sequence[Address],
        sheet: str,
        others: Sequence[str],
        column: int,
        seed: int,
    ) -> None:
        self._servers = servers
        self._others = others
        self._column = column
        self._random = random.Random(seed)
        self._edits = 0
        self.sheet = sheet
        self.acknowledged: dict[str, int] = {}
        self.waits: list[float] = []  # of what was acknowledged on the page that submitted it
        self.done: Counter[str] = Counter()
        self.pages_again = 0  # that came only when they were asked for once more
        self.client = self._new_client(sheet)

    async def live(self, until: float) -> None:
        """Do one thing after another until the loop's clock says `until`; then come to rest."""
        loop = asyncio.get_running_loop()
        await self.client.until_open()
        while loop.time() < until:
            await asyncio.sleep(self._random.expovariate(1 / MEAN_SECONDS_BETWEEN_ACTIONS))
            (action,) = self._random.choices(list(ACTIONS), list(ACTIONS.values()))
            self.done[action] += 1
            await getattr(self, action)()
        await self.client.until_acknowledged()
        self._keep_acknowledged()

    async def edit(self) -> None:
        self._edits += 1
        row = self._random.randrange(1_000)
        await self.client.put(row, self._column, f"{self._column}: {self._edits}")

    async def reload(self) -> None:
        """Load the page anew: the cells are gone, the journal of unacknowledged edits is not."""
        await self._come_back(keeps_replica=False)

    async def go_offline(self) -> None:
        """Edit without a socket for a while, then catch up from the revision left at."""
        await self.client.leave()
        for _ in range(EDITS_WHILE_AWAY):
            await self.edit()
        await asyncio.sleep(self._random.uniform(*AWAY_SECONDS))
        await self._come_back(keeps_replica=True)

    async def visit(self) -> None:
        """Look at a sheet that nobody else has open, so that servers open and close its hub."""
        visitor = self._new_client(self._random.choice(self._others))
        await visitor.until_open()
        await visitor.put(self._random.randrange(100), self._column, "a visit")
        await asyncio.sleep(self._random.uniform(*VISIT_SECONDS))
        await visitor.until_acknowledged()
        await visitor.leave()

    async def _come_back(self, *, keeps_replica: bool) -> None:
        before = self.client
        await before.leave()
        self._keep_acknowledged()
        if not keeps_replica:
            await self._load_page()
        self.client = self._new_client(self.sheet)
        self.client.unacknowledged = before.unacknowledged
        if keeps_replica:
            self.client.replica = before.replica
        await self.client.until_open()

    async def _load_page(self) -> None:
        """Load the page; once more where the connection broke off, as browsers and proxies do."""
        for _ in range(PAGE_ATTEMPTS):
            port = self._random.choice(self._servers).port
            status = await asyncio.to_thread(_status_of, port, f"/sheets/{self.sheet}/")
            if status is not None:
                assert status == 200, f"the page of {self.sheet} was answered with {status}"
                return
            self.pages_again += 1
        raise AssertionError(f"the page of {self.sheet} was not served")

    def _new_client(self, sheet: str) -> RetryingClient:
        return RetryingClient(self._random.choice(self._servers).websocket_url, sheet)

    def _keep_acknowledged(self) -> None:
        self.acknowledged |= self.client.acknowledged
        self.waits += self.client.waits


def _status_of(port: int, path: str) -> int | None:
    """Return the status of a GET; None where the connection broke off before it was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PAGE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
