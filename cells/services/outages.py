"""A service that does not answer: how long to wait, and to say so without flooding the log."""

import logging
import random
import threading
import time

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 3.0  # an outage that ends is over for the stream soon afterwards
SECONDS_BETWEEN_LINES = 5.0


class Outage:
    """One service, seen by several threads: whether it answers, and since when it does not."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._lock = threading.Lock()
        self._began: float | None = None
        self._last_line = float("-inf")
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why the service does not answer, as it was said last; empty while it does."""
        return self._reason

    @property
    def seconds(self) -> float | None:
        """How long the service has not answered; None while it does."""
        began = self._began
        return None if began is None else time.monotonic() - began

    def failed(self, reason: str) -> None:
        """Note a failure and log it, unless another one was logged a moment ago."""
        now = time.monotonic()
        with self._lock:
            self._reason = reason
            if self._began is None:
                self._began = now
            if now - self._last_line < SECONDS_BETWEEN_LINES:
                return
            self._last_line = now
            seconds = now - self._began
        logger.warning("%s fails for %.0f s, trying again: %s", self.service, seconds, reason)

    def recovered(self) -> None:
        """Note that the service answered."""
        if self._began is None:  # the common case costs no lock
            return
        with self._lock:
            began, self._began = self._began, None
            self._reason = ""
            self._last_line = float("-inf")
        if began is not None:
            seconds = time.monotonic() - began
            logger.warning("%s answers again, after %.1f s", self.service, seconds)


class Backoff:
    """The waits between one thread's attempts: doubling, with jitter, up to a limit."""

    def __init__(self) -> None:
        self._seconds = FIRST_WAIT_SECONDS

    def next_seconds(self) -> float:
        seconds = self._seconds
        self._seconds = min(seconds * 2, LONGEST_WAIT_SECONDS)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def reset(self) -> None:
        self._seconds = FIRST_WAIT_SECONDS
