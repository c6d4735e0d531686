"""Plays Autobahn's cases against one server, inside the environment that has them converted.

`python fuzz.py SUITE URL CASES RESULTS`: the folder of the converted suite, the server's socket,
the cases ("1.*,2.*"), and the JSON file that each case's verdict goes to.
"""

import binascii
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autobahn.websocket import utf8validator
from twisted.internet import reactor

SUITE, URL, CASES, RESULTS = sys.argv[1:]

KEPT = ("behavior", "behaviorClose", "result", "resultClose", "remoteCloseCode", "duration")


def octets(text: Any) -> Any:
    """Return the bytes that a text of Python 2 stands for."""
    return text.encode("latin-1") if isinstance(text, str) else text


def text(payload: bytes) -> str:
    return payload.decode("latin-1")


# Stand-ins for what the suite imports: the first with Python 2's texts, the others hardly used.
sys.modules["binascii"] = SimpleNamespace(  # type: ignore[assignment]
    **vars(binascii) | {"b2a_hex": lambda data: octets(data).hex()}
)
sys.modules["pkg_resources"] = SimpleNamespace(  # type: ignore[assignment]
    resource_filename=lambda package, name: str(Path(SUITE, name))
)
sys.modules["twisted.internet.ssl"] = SimpleNamespace(  # type: ignore[assignment]
    ClientContextFactory=lambda: None
)
sys.modules["jinja2"] = SimpleNamespace()  # type: ignore[assignment]
sys.modules["autobahntestsuite"] = SimpleNamespace(version="")  # type: ignore[assignment]


class Validator(utf8validator.Utf8Validator):
    def validate(self, data: Any) -> Any:
        return super().validate(octets(data))  # type: ignore[no-untyped-call]


utf8validator.Utf8Validator = Validator  # type: ignore[misc]
sys.path.insert(0, SUITE)

import fuzzing  # noqa: E402
from case import Case  # noqa: E402

# The suite compares pickles, which on Python 3 tell equal texts apart.
Case.compare = lambda self, one, other: one == other


class Protocol(fuzzing.FuzzingClientProtocol):
    """Texts of Python 2 on the side of the cases, bytes on the wire; and no log of the wire."""

    def sendFrame(self, opcode: int, payload: Any = b"", **more: Any) -> None:  # noqa: N802
        super().sendFrame(opcode, octets(payload), **more | {"mask": octets(more.get("mask"))})

    def sendMessage(self, payload: Any, *more: Any, **named: Any) -> None:  # noqa: N802
        super().sendMessage(octets(payload), *more, **named)

    def sendMessageFrameData(self, payload: Any, *more: Any) -> Any:  # noqa: N802
        return super().sendMessageFrameData(octets(payload), *more)

    def sendCloseFrame(  # noqa: N802
        self,
        code: Any = None,
        reasonUtf8: Any = None,  # noqa: N803
        isReply: bool = False,  # noqa: N803
    ) -> None:
        super().sendCloseFrame(code, octets(reasonUtf8), isReply)

    def sendData(self, data: Any, *more: Any, **named: Any) -> None:  # noqa: N802
        super().sendData(octets(data), *more, **named)

    def onMessage(self, payload: bytes, binary: bool) -> None:  # noqa: N802
        super().onMessage(text(payload), binary)

    def onPing(self, payload: bytes) -> None:  # noqa: N802
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:  # noqa: N802
        super().onPong(text(payload))

    def logTxFrame(self, header: Any, *told: Any) -> None:  # noqa: N802
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def logRxFrame(self, header: Any, *told: Any) -> None:  # noqa: N802
        self.rxFrameStats[header.opcode] = self.rxFrameStats.get(header.opcode, 0) + 1

    def logRxOctets(self, *told: Any) -> None: ...  # noqa: N802
    def logTxOctets(self, *told: Any) -> None: ...  # noqa: N802


class Factory(fuzzing.FuzzingClientFactory):
    """Writes the verdicts to one file."""

    def createReports(self) -> None:  # noqa: N802
        (agent,) = self.agents
        verdicts = {
            case: {name: told[name] for name in KEPT} for case, told in self.agents[agent].items()
        }
        Path(RESULTS).write_text(json.dumps(verdicts, indent=1))


fuzzing.FuzzingClientProtocol = Protocol
Factory(
    {
        "servers": [{"agent": "SheetSync", "url": URL}],
        "cases": CASES.split(","),
        "outdir": "",
    }
)
reactor.run()  # type: ignore[misc]
