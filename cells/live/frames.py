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
            self._wire = _framed(_TEXT, self.payload)
        return self._wire


class BinaryFrame(Frame):
    """A binary frame for one socket: a piece of something packed, copied only when it is sent."""

    __slots__ = ("_piece",)

    def __init__(self, piece: memoryview) -> None:
        super().__init__(b"")
        self._piece = piece

    def __len__(self) -> int:
        return len(self._piece)

    @property
    def message(self) -> SendMessage:
        return SendMessage(type="websocket.send", bytes=bytes(self._piece))

    @property
    def wire(self) -> bytes:
        return _framed(_BINARY, self._piece)


def _framed(opcode: int, payload: bytes | memoryview) -> bytes:
    length = len(payload)
    if length < 126:
        header = bytes((opcode, length))
    elif length < 2**16:
        header = bytes((opcode, 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((opcode, 127)) + length.to_bytes(8, "big")
    return header + payload
