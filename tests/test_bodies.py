"""What a stranger sends is bounded before Django writes it to the disk."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from sheetsync import bodies
from sheetsync.bodies import BoundedBodies

PIECE = b"x" * 100


@pytest.fixture(autouse=True)
def _small(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMPORT_MAX_BYTES = 900
    monkeypatch.setattr(bodies, "AROUND_A_FILE_BYTES", 100)
    monkeypatch.setattr(bodies, "MIN_LIMIT_BYTES", 0)


def ask(pieces: int, headers: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """Send so many pieces; return the status, and how many the application was given."""
    coming: Iterator[dict[str, Any]] = iter(
        {"type": "http.request", "body": PIECE, "more_body": at < pieces - 1}
        for at in range(pieces)
    )
    sent: list[dict[str, Any]] = []
    given = 0

    async def receive() -> Any:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal given
        while (message := await receive())["type"] == "http.request":
            given += 1
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                return

    scope = {"type": "http", "headers": headers}
    asyncio.run(BoundedBodies(application)(scope, receive, send))
    return sent[0]["status"], given


def test_a_body_up_to_the_limit_comes_through() -> None:
    assert ask(10, [(b"content-length", b"1000")]) == (200, 10)


def test_a_body_that_says_it_is_larger_is_not_read() -> None:
    assert ask(11, [(b"content-length", b"1100")]) == (413, 0)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"1")], [(b"content-length", b"?")]])
def test_a_body_that_grows_larger_is_cut_off(headers: list[tuple[bytes, bytes]]) -> None:
    assert ask(1_000, headers) == (413, 10)


def test_the_deployed_application_is_bounded() -> None:
    from sheetsync.asgi import application

    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        raise AssertionError("nothing of it is to be read")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-length", b"99999999999")]
    scope = {"type": "http", "method": "POST", "path": "/healthz", "headers": headers}
    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 413
