"""Google's public certificates, with which it can be told whether Google signed a token."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from cells.domain.errors import Unavailable

logger = logging.getLogger(__name__)

FETCH_SECONDS = 3  # Google answers in 0.1 s; Pub/Sub, which waits meanwhile, will try again
# So often at the most: whoever invents key ids must not have Google asked for each of them.
SECONDS_BETWEEN_FETCHES = 10
# How long certificates are trusted after their time if no new ones can be had. Google replaces
# its keys about once a week, and announces each long before it signs with it.
STALE_SECONDS = 24 * 60 * 60

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Certificates by key id, and until when they are fresh, by the clock of their owner."""

    by_key_id: Mapping[str, str]
    fresh_until: float


class Certificates:
    """The certificates at one address, kept for all threads for as long as its server says.

    They are fetched in a thread of their own, and each request waits for it for a bounded time,
    whatever hangs: the name's resolution, the connection or the answer.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Describe certificates in JSON, PEM texts by key id; nothing is fetched yet."""
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = _Kept({}, float("-inf"))
        self._next_fetch = float("-inf")
        self._fetching: threading.Event | None = None
        self._problem = ""

    def find(self, key_id: str) -> str | None:
        """Return the certificate of a key, or None if Google has no such key.

        Raises Unavailable when that cannot be said now.
        """
        kept = self._kept
        if self._clock() < kept.fresh_until and key_id in kept.by_key_id:
            return kept.by_key_id[key_id]
        problem = self._refresh()
        kept = self._kept
        if self._clock() < kept.fresh_until + STALE_SECONDS and key_id in kept.by_key_id:
            return kept.by_key_id[key_id]
        if problem:
            raise Unavailable(f"the certificates at {self._url} cannot be had: {problem}")
        return None

    def _refresh(self) -> str:
        """Fetch, unless that was done a moment ago; return what went wrong, or nothing."""
        with self._lock:
            if self._fetching is None:
                if self._clock() < self._next_fetch:
                    return self._problem
                self._fetching = threading.Event()
                threading.Thread(target=self._fetch, name="certificates", daemon=True).start()
            fetching = self._fetching
        if not fetching.wait(FETCH_SECONDS):
            return f"no answer within {FETCH_SECONDS} s"
        return self._problem

    def _fetch(self) -> None:
        problem = "fetching them broke off; the log has the traceback"
        try:
            self._kept = self._ask()
            problem = ""
        except (GoogleAuthError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            logger.warning("the certificates at %s cannot be had: %s", self._url, problem)
        finally:
            with self._lock:
                self._problem = problem
                self._next_fetch = self._clock() + SECONDS_BETWEEN_FETCHES
                fetching, self._fetching = self._fetching, None
            if fetching is not None:
                fetching.set()

    def _ask(self) -> _Kept:
        asked_at = self._clock()
        response = Request()(self._url, timeout=FETCH_SECONDS)
        if response.status != 200:
            raise ValueError(f"HTTP status {response.status}")
        found = json.loads(response.data)
        if not isinstance(found, dict) or not all(
            isinstance(text, str) and text.startswith("-----BEGIN") for text in found.values()
        ):
            raise ValueError("it is no JSON object of PEM texts by key id")
        return _Kept(found, asked_at + _max_age_seconds(response.headers))


@cache
def certificates_at(url: str) -> Certificates:
    """Return this process's certificates of an address."""
    return Certificates(url)


def _max_age_seconds(headers: Mapping[str, Any]) -> int:
    """Return how long an answer is fresh: RFC 9111, sections 4.2.1 and 4.2.3."""
    max_age = _MAX_AGE.search(headers.get("Cache-Control", ""))
    age = headers.get("Age", "0")
    if max_age is None:
        return 0
    return max(0, int(max_age[1]) - (int(age) if age.isdecimal() else 0))
