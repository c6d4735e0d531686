"""Who calculates formulas: in the embedded mode a child of the web process, else calc_worker."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from django.conf import settings

from cells.calc.embedded import embedded_worker

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[Any]]


def calculating(application: Application) -> Application:
    """Start the child with the first request: not every server serves ASGI's lifespan."""

    async def serve(scope: Any, receive: Receive, send: Send) -> None:
        if settings.EMBEDDED_CALCULATION and scope["type"] != "lifespan":
            embedded_worker.start()
        await application(scope, receive, send)

    return serve
