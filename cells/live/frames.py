"""Frames on their way out: encoded once, then handed to every socket in the form it takes."""

from typing import TypedDict

_TEXT = 0x81  # a whole message in one frame, its payload UTF-8: RFC 6455, section 5.2


class SendMessage(TypedDict):
    """ASGI's message of one text frame; one object serves all sockets."""

    type: str
    text: str


class Frame:
    """One text frame: its JSON, and each form that a socket takes it in, made when first asked."""

    __slots__ = ("_message", "_wire", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self._message: SendMessage | None = None
        self._wire: bytes | None = None

    def __len__(self) -> int:
        """Return the bytes of the payload."""
        return len(self.payload)

    @property
    def message(self) -> SendMessage:
        """The frame as ASGI takes it."""
        if self._message is None:
            self._message = SendMessage(type="websocket.send", text=self.payload.decode())
        return self._message

    @property
    def wire(self) -> bytes:
        """The frame as it travels: a server's frames are not masked, so all sockets share it."""
        if self._wire is None:
            length = len(self.payload)
            if length < 126:
                header = bytes((_TEXT, length))
            elif length < 2**16:
                header = bytes((_TEXT, 126)) + length.to_bytes(2, "big")
            else:
                header = bytes((_TEXT, 127)) + length.to_bytes(8, "big")
            self._wire = header + self.payload
        return self._wire
