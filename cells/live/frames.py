"""Frames on their way out: encoded once, then handed to every socket in the form it takes."""

from typing import Required, TypedDict

# A whole message in one frame, its payload UTF-8 or any bytes: RFC 6455, section 5.2.
_TEXT = 0x81
_BINARY = 0x82


class SendMessage(TypedDict, total=False):
    """ASGI's message of one frame, of text or bytes; one object serves all sockets."""

    type: Required[str]
    text: str
    bytes: bytes


class Frame:
    """One text frame: its JSON, and each form that a socket takes it in, made when first asked."""

    __slots__ = ("_message", "_wire", "payload")

    opcode = _TEXT

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
            self._message = self._make_message()
        return self._message

    @property
    def wire(self) -> bytes:
        """The frame as it travels: a server's frames are not masked, so all sockets share it."""
        if self._wire is None:
            length = len(self.payload)
            if length < 126:
                header = bytes((self.opcode, length))
            elif length < 2**16:
                header = bytes((self.opcode, 126)) + length.to_bytes(2, "big")
            else:
                header = bytes((self.opcode, 127)) + length.to_bytes(8, "big")
            self._wire = header + self.payload
        return self._wire

    def _make_message(self) -> SendMessage:
        return SendMessage(type="websocket.send", text=self.payload.decode())


class BinaryFrame(Frame):
    """One binary frame: a piece of something packed."""

    __slots__ = ()

    opcode = _BINARY

    def _make_message(self) -> SendMessage:
        return SendMessage(type="websocket.send", bytes=self.payload)
