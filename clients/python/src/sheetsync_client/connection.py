"""The connection to a server: requests that are made again, unchanged, until they are answered."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import uuid4
from weakref import WeakSet

import httpx

from sheetsync_client.errors import SheetSyncError, TooManyRequests, Unavailable, error_of

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
CONNECT_SECONDS = 10.0

# What is not there at all, and what has gone in the middle.
UNANSWERED = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
)

T = TypeVar("T")

Body: TypeAlias = bytes | Callable[[], Iterable[bytes]]
"""What is sent, or what makes it anew for each attempt."""


class Closable(Protocol):
    """What ends when the connection is closed."""

    def close(self) -> None: ...


class Connection:
    """Sends requests in the name of a token."""

    def __init__(
        self, url: str, token: str, *, timeout_seconds: float, retry_seconds: float
    ) -> None:
        self._retry_seconds = retry_seconds
        self._open: WeakSet[Closable] = WeakSet()
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeouts(timeout_seconds),
        )

    def close(self) -> None:
        for line in list(self._open):
            line.close()
        self._http.close()

    def carry(self, line: Closable) -> None:
        """Close this as well, when the connection is closed."""
        self._open.add(line)

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = True,
    ) -> httpx.Response:
        """Return the answer to a request whose body is JSON. Raises SheetSyncError."""
        data = b"" if body is None else json.dumps(body, allow_nan=False).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send(
            method, path, data, params=params, headers=sent, is_repeatable=is_repeatable
        )

    def write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        expected_revision: int | None,
        key: str | None,
    ) -> Any:
        """Return the answer to a write, which is committed once however often it is sent."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        if expected_revision is not None:
            headers["If-Match"] = f'"{expected_revision}"'
        return self.ask(method, path, body=body, headers=headers).json()

    def send(
        self,
        method: str,
        path: str,
        body: Body,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        is_repeatable: bool = True,
    ) -> httpx.Response:
        """Return the answer to a request. Raises SheetSyncError."""

        def attempt() -> httpx.Response:
            content = body if isinstance(body, bytes) else body()
            response = self._http.request(
                method,
                path,
                content=content,
                params=_given(params),
                headers=headers,
                timeout=timeout or httpx.USE_CLIENT_DEFAULT,
            )
            raise_refusal(response)
            return response

        return self.trying(attempt, is_repeatable=is_repeatable)

    @contextmanager
    def stream(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> Iterator[httpx.Response]:
        """Give the answer to a GET, to be read as it comes; one attempt. Raises SheetSyncError."""
        with self._http.stream(
            "GET",
            path,
            params=_given(params),
            headers=headers,
            timeout=timeout or httpx.USE_CLIENT_DEFAULT,
        ) as response:
            if response.is_error:
                response.read()
            raise_refusal(response)
            yield response

    def trying(self, attempt: Callable[[], T], *, is_repeatable: bool = True) -> T:
        """Return what an attempt returns, the first that is answered; pauses grow in between.

        What is not repeatable is tried again where it has certainly not been done. Raises what
        the last attempt was refused with.
        """
        until = time.monotonic() + self._retry_seconds
        for number in count():
            try:
                return attempt()
            except UNANSWERED as error:
                failure: SheetSyncError = unanswered(error)
                is_undone = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            except SheetSyncError as error:
                failure = error
                is_undone = isinstance(error, TooManyRequests)
            failure.attempts = number + 1
            pause = pause_seconds(number, failure.retry_after_seconds)
            is_late = time.monotonic() + pause > until
            if not failure.retryable or is_late or not (is_repeatable or is_undone):
                raise failure
            time.sleep(pause)
        raise AssertionError("count() has no end")


def timeouts(seconds: float) -> httpx.Timeout:
    """Return so long for each piece of an answer, and less for finding the server."""
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def pause_seconds(failures: int, at_least: float) -> float:
    """Return how long to wait after so many failures: longer each time, and not all at once."""
    longest: float = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(failures, 10))
    pause = longest * random.uniform(0.5, 1)  # noqa: S311 - nobody gains by guessing it
    return max(pause, at_least)


def unanswered(error: httpx.TransportError) -> Unavailable:
    """Return the refusal that no answer is."""
    failure = Unavailable(
        f"the server does not answer: {str(error) or type(error).__name__}", code="unavailable"
    )
    failure.__cause__ = error
    return failure


def raise_refusal(response: httpx.Response) -> None:
    """Raise SheetSyncError for an answer that is a refusal, be it a proxy's."""
    if not response.is_error:
        return
    try:
        problem = response.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        code, detail = "internal", f"the server answers {response.status_code}"
    error = error_of(response.status_code, code, detail)
    error.retry_after_seconds = _seconds(response.headers.get("Retry-After", ""))
    raise error


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _given(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Leave out what is None: httpx would send it as an empty text."""
    return {name: value for name, value in (params or {}).items() if value is not None} or None
