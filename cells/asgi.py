"""The one line by which a project's ASGI application serves live sheets, too."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[Any]]


def with_live_sheets(application: Application) -> Application:
    """Return an application that serves the sheets' sockets, and hands the rest on.

    `application` is what `get_asgi_application()` returned, or what a project has around it, with
    sockets of its own. Sockets of other origins than ALLOWED_HOSTS are refused; SIGTERM drains the
    process where the server says ASGI's lifespan; in the embedded mode the process has the
    calculating worker as its child.
    """
    # Here, when the apps are loaded: a project's asgi.py may import this module before they are.
    from channels.routing import URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator

    from cells.calc.embedded import embedded_worker
    from cells.lifespan import lifespan
    from cells.protocol import SHEETS_PATH
    from cells.routing import websocket_urlpatterns

    sheets = AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns))
    has_other_sockets = not isinstance(application, ASGIHandler)

    async def serve(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(scope, receive, send)
            return
        if settings.EMBEDDED_CALCULATION:
            embedded_worker.start()  # with the first request: not every server says lifespan
        if scope["type"] == "websocket":
            path = _path_below_script(scope)
            if path.startswith(f"/{SHEETS_PATH}") or not has_other_sockets:
                await sheets({**scope, "path": path, "root_path": ""}, receive, send)
                return
        await application(scope, receive, send)

    return serve


def _path_below_script(scope: Any) -> str:
    """Return a path as Django's `path_info` has it: without what the project is mounted at."""
    prefix: str = settings.FORCE_SCRIPT_NAME or scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(prefix.rstrip("/"))
