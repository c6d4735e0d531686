"""Attendance: who has which sheets open, as pages show it that are no sheet's own.

Each process writes down its own people, over and over, in Redis (the first host), where what is
not repeated counts for nothing after a while; without Redis in its memory, there being no other.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec
from django.conf import settings
from django.utils.crypto import salted_hmac
from redis import Redis, RedisError
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cells.live.client import Client

logger = logging.getLogger(__name__)

TELL_SECONDS = 1.0  # how late a page may learn that somebody has come or gone
REPEAT_SECONDS = 5.0
KEEP_SECONDS = 16  # three repetitions lost: that process is gone
MAX_NAMED = 20  # of one process and sheet; of a crowd only the number is told
WRITE_SECONDS = 2.0
READ_SECONDS = 0.3  # what a page waits for something that it can do without
REST_SECONDS = 5.0  # after a failure: a Redis that hangs must not slow down every page
LOG_INTERVAL_SECONDS = 60.0

# By the clock of Redis: those of the machines differ. Sweeps what crashed processes left behind.
_WRITE = """
local now = tonumber(redis.call('TIME')[1])
for i, key in ipairs(KEYS) do
  local here = ARGV[i + 2]
  if here == '' then
    redis.call('HDEL', key, ARGV[1])
  else
    redis.call('HSET', key, ARGV[1], string.format('%d %s', now + ARGV[2], here))
    redis.call('EXPIRE', key, ARGV[2])
  end
  local all = redis.call('HGETALL', key)
  for j = 1, #all, 2 do
    if tonumber(string.match(all[j + 1], '^%d+')) < now then
      redis.call('HDEL', key, all[j])
    end
  end
end
"""


class Attendee(msgspec.Struct, frozen=True, array_like=True):
    """A person on a sheet; `key` tells people apart and says nothing else of them."""

    key: str
    name: str
    color: str

    @property
    def initials(self) -> str:
        """Up to two letters that stand for the name, as in the sheet's own bar."""
        words = self.name.split()
        return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


class Attendance(msgspec.Struct, frozen=True, array_like=True):
    """Those on a sheet: how many people, and the first of them by name."""

    count: int
    people: list[Attendee]


class Register:
    """Writes down, for one process, who is on its sheets."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._sheets: dict[int, Collection[Client]] = {}
        self._changed: set[int] = set()
        self._redis: AsyncRedis | None = None
        if settings.REDIS_URLS:
            self._redis = AsyncRedis.from_url(settings.REDIS_URLS[0], **_options(WRITE_SECONDS))
        self._writing = asyncio.Lock()
        self._complain = _Complaints()

    def changed(self, sheet_id: int, clients: Collection[Client]) -> None:
        """Note that somebody came to a sheet or left; `clients` is read when it is written down."""
        self._sheets[sheet_id] = clients
        self._changed.add(sheet_id)

    async def run(self) -> None:
        """Write until cancelled."""
        repeated_at = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            try:
                if time.monotonic() - repeated_at >= REPEAT_SECONDS:
                    repeated_at = time.monotonic()
                    self._changed |= self._sheets.keys()
                await self.write()
            except Exception:
                logger.exception("it could not be written down who is here; it is tried again")

    async def write(self) -> None:
        """Write down what has changed; never raises for a Redis that is gone."""
        async with self._writing:
            changed, self._changed = self._changed, set()
            if not changed:
                return
            told = {sheet_id: attendance_of(self._sheets[sheet_id]) for sheet_id in changed}
            for sheet_id, attendance in told.items():
                if attendance is None:
                    del self._sheets[sheet_id]
            if self._redis is None:
                _remember(told)
                return
            here = ["" if some is None else msgspec.json.encode(some) for some in told.values()]
            arguments: list[Any] = [self._process, KEEP_SECONDS, *here]
            try:
                writing: Any = self._redis.eval(_WRITE, len(told), *map(_key, told), *arguments)
                await writing
            except (RedisError, OSError) as error:
                # Who is here is repeated soon; who has left is forgotten by itself.
                self._complain(error)

    async def stop(self) -> None:
        """Write down who has left, and close the connection."""
        await self.write()
        if self._redis is not None:
            await self._redis.aclose()


def attendance_of(clients: Iterable[Client]) -> Attendance | None:
    """Return who these sockets are, each person once; None when there are none."""
    people = {client.person: client for client in clients}
    if not people:
        return None
    named = [
        Attendee(_anonymous(client.person), client.name, client.color)
        for client in list(people.values())[:MAX_NAMED]
    ]
    return Attendance(len(people), sorted(named, key=_by_name))


def read_attendance(sheet_ids: Collection[int]) -> dict[int, Attendance]:
    """Return who is on each of these sheets, in one round trip; those with nobody are left out.

    With Redis gone it is nobody, at once or within READ_SECONDS.
    """
    if not sheet_ids:
        return {}
    if not settings.REDIS_URLS:
        return {sheet_id: _here[sheet_id] for sheet_id in sheet_ids if sheet_id in _here}
    return _reader.read(list(sheet_ids))


class _Reader:
    """Reads for the pages' threads, and asks no Redis that has just failed."""

    def __init__(self) -> None:
        self._redis: tuple[str, Redis] | None = None
        self._rests_until = 0.0
        self._complain = _Complaints()

    def read(self, sheet_ids: list[int]) -> dict[int, Attendance]:
        if time.monotonic() < self._rests_until:
            return {}
        try:
            with self._connect(settings.REDIS_URLS[0]).pipeline(transaction=False) as pipeline:
                pipeline.time()
                for sheet_id in sheet_ids:
                    pipeline.hvals(_key(sheet_id))
                (now, _), *found = pipeline.execute()
        except (RedisError, OSError) as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            self._complain(error)
            return {}
        merged = {id_: _merged(told, now) for id_, told in zip(sheet_ids, found, strict=True)}
        return {sheet_id: some for sheet_id, some in merged.items() if some is not None}

    def _connect(self, url: str) -> Redis:
        if self._redis is None or self._redis[0] != url:
            self._redis = url, Redis.from_url(url, **_options(READ_SECONDS))
        return self._redis[1]


class _Complaints:
    """An outage is a line now and then, not one for each page."""

    def __init__(self) -> None:
        self._last = -LOG_INTERVAL_SECONDS

    def __call__(self, error: Exception) -> None:
        if time.monotonic() - self._last >= LOG_INTERVAL_SECONDS:
            self._last = time.monotonic()
            logger.warning("pages cannot show who is live; check REDIS_URL: %s", error)


_reader = _Reader()
_here: dict[int, Attendance] = {}  # without Redis; whole values, so that threads may read them


def _remember(told: dict[int, Attendance | None]) -> None:
    for sheet_id, attendance in told.items():
        if attendance is None:
            _here.pop(sheet_id, None)
        else:
            _here[sheet_id] = attendance


def _merged(told: list[bytes], now: int) -> Attendance | None:
    """Put together what all processes told of a sheet, but for those that fell silent."""
    people: dict[str, Attendee] = {}
    unnamed = 0
    for line in told:
        until, _, here = line.partition(b" ")
        if int(until) < now:
            continue
        attendance = msgspec.json.decode(here, type=Attendance)
        people |= {person.key: person for person in attendance.people}
        unnamed += attendance.count - len(attendance.people)
    if not people:
        return None
    return Attendance(len(people) + unnamed, sorted(people.values(), key=_by_name))


def _by_name(person: Attendee) -> tuple[str, str]:
    return person.name.casefold(), person.key


def _anonymous(person: str) -> str:
    # A guest is told apart by the session, whose key must not lie about.
    return salted_hmac("cells.live.attendance", person).hexdigest()[:16]


def _key(sheet_id: int) -> str:
    layer = settings.CHANNEL_LAYERS["default"]
    prefix: str = layer.get("CONFIG", {}).get("prefix", "sheetsync.")
    return f"{prefix}here.{sheet_id}"


def _options(seconds: float) -> dict[str, Any]:
    retry: Callable[..., Any] = Retry
    return {
        "socket_connect_timeout": seconds,
        "socket_timeout": seconds,
        "retry": retry(NoBackoff(), 0),  # the next look is the retry
    }
