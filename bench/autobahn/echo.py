"""What Autobahn meets: the deployed server, with an application that sends back what it is sent.

`/through` answers through ASGI; `/past` answers text past it, with the sheets' own reading and
writing of frames (`cells/live/direct.py`), which hands a binary message on without what is in it:
no sheet takes any.
"""

from collections.abc import Awaitable
from typing import Any

from cells.asgi import Receive, Send
from cells.live.direct import DirectSocket
from cells.live.frames import Frame


async def application(scope: Any, receive: Receive, send: Send) -> None:
    """Echo on sockets; answer 200 to every request; say ASGI's lifespan, as the command wants."""
    match scope["type"]:
        case "websocket":
            await _echo(scope["path"] == "/past", receive, send)
        case "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})
        case "lifespan":
            for stage in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{stage}.complete"})


async def _echo(goes_past: bool, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    if goes_past:
        direct = DirectSocket.under(send)
        if direct is None:
            raise RuntimeError("the server is not the one that frames go past")
        direct.listen(lambda payload: _answer(direct, Frame(payload or b"")), lambda: True)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def _answer(direct: DirectSocket, frame: Frame) -> Awaitable[None] | None:
    return None if direct.write(frame.wire) else _answer_later(direct, frame)


async def _answer_later(direct: DirectSocket, frame: Frame) -> None:
    while not direct.write(frame.wire):
        await direct.wait_until_writable()
