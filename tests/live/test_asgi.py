"""What a project's ASGI application is with live sheets around it."""

from typing import Any

from django.core.asgi import get_asgi_application
from pytest_django import Settings
from websockets.asyncio.client import connect

from cells.asgi import Receive, Send, with_live_sheets
from cells.protocol import CloseCode
from tests.live.conftest import LiveServer


def socket_at(path: str) -> dict[str, Any]:
    origin = (b"origin", b"http://testserver")
    return {"type": "websocket", "path": path, "headers": [origin], "root_path": ""}


async def sent_by(application: Any, scope: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []
    messages = iter(["websocket.connect", "websocket.disconnect"])

    async def receive() -> dict[str, Any]:
        return {"type": next(messages), "code": 1000}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent


async def test_a_project_keeps_the_sockets_of_its_own() -> None:
    async def chat(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "subprotocol": scope["path"]})

    (answer,) = await sent_by(with_live_sheets(chat), socket_at("/ws/chat/"))
    assert answer == {"type": "websocket.accept", "subprotocol": "/ws/chat/"}


async def test_where_there_are_no_others_a_socket_elsewhere_is_refused() -> None:
    application = with_live_sheets(get_asgi_application())
    (answer,) = await sent_by(application, socket_at("/ws/chat/"))
    assert answer == {"type": "websocket.close", "code": CloseCode.NO_SUCH_SHEET}


async def test_sheets_are_found_below_what_the_project_is_mounted_at(
    live: LiveServer, settings: Settings
) -> None:
    settings.FORCE_SCRIPT_NAME = "/office"
    address = f"ws://127.0.0.1:{live.port}/office/ws/sheets/none/"
    async with connect(address, origin=live.origin, proxy=None) as socket:
        await socket.wait_closed()
    assert socket.close_code == CloseCode.NO_SUCH_SHEET
