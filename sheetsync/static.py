"""Static files, answered ahead of Django: a page asks for some sixty modules at once."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[..., Awaitable[None]]  # ASGI's three arguments, typed by each in its way


class StaticFiles:
    """WhiteNoise's own files and headers, without a thread and a stack of middleware for each.

    Through Django a file costs some milliseconds of the process, and the first cell waits for
    all of them. What WhiteNoise does not know when it starts goes on to Django, as everything
    does while sources are served as they are (DEBUG).
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        noise = WhiteNoiseMiddleware(None)
        self._files: dict[str, Any] = {} if noise.autorefresh else noise.files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._files.get(scope["path"]) if scope["type"] == "http" else None
        if file is None or scope["method"] not in ("GET", "HEAD"):
            await self._application(scope, receive, send)
            return
        asked = {
            f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
            for name, value in scope["headers"]
        }
        response = file.get_response(scope["method"], asked)
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in response.headers
        ]
        headers.append((b"x-content-type-options", b"nosniff"))  # as Django's middleware says
        body = b""
        if response.file is not None:
            with response.file as opened:
                body = opened.read()
        await send(
            {"type": "http.response.start", "status": int(response.status), "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})
