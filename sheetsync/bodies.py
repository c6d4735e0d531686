"""How large a request's body may be, whatever it is sent to, and whoever sends it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[..., Awaitable[None]]  # ASGI's three arguments, typed by each in its way

MIN_LIMIT_BYTES = 16 * 1024 * 1024  # a message that Pub/Sub pushes
AROUND_A_FILE_BYTES = 1024 * 1024  # of a form, beside the file in it


class BoundedBodies:
    """Refuses larger bodies with 413, those without a length when they have grown too large.

    Django writes a whole body to the disk before it asks what the request is for: without a
    bound, strangers could fill it, at any address.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most = max(settings.IMPORT_MAX_BYTES + AROUND_A_FILE_BYTES, MIN_LIMIT_BYTES)
        told = dict(scope["headers"]).get(b"content-length", b"")
        if told.isdigit() and int(told[:20]) > most:
            await _refuse(send)
            return
        read = 0
        has_begun = False

        async def receive_some() -> Any:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return {"type": "http.disconnect"} if read > most else message

        async def note(message: dict[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        await self._application(scope, receive_some, note)
        if read > most and not has_begun:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"connection", b"close"),  # what is still coming is not read
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    sentence = "The request is too large; files have IMPORT_MAX_BYTES at the most.\n"
    await send({"type": "http.response.body", "body": sentence.encode()})
