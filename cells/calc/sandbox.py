"""A sheet's engine in a process of its own: started, asked, limited in time, ended."""

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import IO

import msgspec

from cells.calc.engine import Content, Position, Value
from cells.calc.frames import (
    LENGTH,
    ORPHAN_SECONDS,
    OUT_OF_MEMORY,
    Answer,
    At,
    Cell,
    Done,
    Evaluate,
    Load,
    Request,
    Set,
    Values,
    Walk,
    encode,
)

DEFAULT_MEMORY_BYTES = 2**30  # above what the process has at start, which is about 60 MB
DEFAULT_SECONDS = 5.0
START_SECONDS = 30.0  # for the interpreter and the engine on a machine that is very busy
# Taking cells in is allowed more the more there are; it takes about 4 µs each.
SECONDS_PER_CELL = 50e-6
# So that no sheet fills the parent's memory, which has no limit of its own.
MAX_ANSWER_BYTES = 64 * 2**20

_ROOT = Path(__file__).resolve().parents[2]
# What an interpreter may need to find its libraries. Nothing else of the parent's: its environment
# holds the database's password.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# What Rust's standard library says before it gives up. https://doc.rust-lang.org/std/alloc/fn.handle_alloc_error.html
_NO_MEMORY = b"memory allocation of"
_CHUNK = 2**20
PATIENCE = 5  # times the limit, by the clock, for a process that waits for a processor
MIN_LEFT_SECONDS = 0.02  # what the kernel counts in steps of 10 ms cannot tell from nothing
_FAREWELL_SECONDS = 1.0  # between the end of a process's output and its own


class Cause(StrEnum):
    """Why a process ended, or was ended, with a request in hand."""

    TIME = "time"
    MEMORY = "memory"
    CRASH = "crash"


class EngineEnded(Exception):
    """The process is gone and its sheet with it; a new one has to be loaded."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


class Sandbox:
    """One sheet's engine in a process of its own: the methods of `Engine`, with limits.

    Each method raises EngineEnded where the process does not answer in time, takes too much memory
    or dies; then the process is ended and reaped, and so it is with every later call. For one
    thread at a time.
    """

    def __init__(self, *, memory_bytes: int, seconds: float) -> None:
        self.volatile = False
        self.walked_seconds = 0.0
        """What the process had used of a processor when the walk came to its last position."""
        self._seconds = seconds
        self._unread = bytearray()
        self._decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
        # A file, not a pipe that fills up and stops the process, and not the parent's own output:
        # what a library says in its last moments may quote a cell.
        self._troubles: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-E", "-s", "-X", "utf8", "-m", "cells.calc.engine_process"),
                *("--memory", str(memory_bytes)),
            ],
            cwd=_ROOT,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._troubles,
            bufsize=0,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both were asked to be pipes")
        self._to, self._from = self._process.stdin, self._process.stdout
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)
        self._started = False

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs; one that has died since the last request does not."""
        return self._process.poll() is None

    def load(self, cells: Mapping[Position, Content]) -> None:
        """Replace the whole sheet."""
        self._finish(Load(_listed(cells)), self._seconds + len(cells) * SECONDS_PER_CELL)

    def set(self, cells: Mapping[Position, Content]) -> None:
        """Change some cells."""
        self._finish(Set(_listed(cells)), self._seconds + len(cells) * SECONDS_PER_CELL)

    def evaluate(self, now: datetime) -> dict[Position, Value]:
        """Calculate what has changed, and return the values of formulas that are new or differ."""
        self._send(Evaluate(now.isoformat()), self._seconds)
        answer = self._receive(self._seconds)
        if not isinstance(answer, Values):
            raise self._ended(Cause.CRASH)
        self.volatile = answer.volatile
        return {(row, column): value for row, column, value in answer.values}

    def walk(self, cells: Mapping[Position, Content], now: datetime) -> Iterator[Position]:
        """Load the sheet and calculate formula by formula; each has the whole limit of time."""
        loading = self._seconds + len(cells) * SECONDS_PER_CELL
        self._send(Walk(_listed(cells), now.isoformat()), loading)
        allowed = loading
        while True:
            match self._receive(allowed):
                case At(row, column, seconds):
                    self.walked_seconds = seconds
                    yield row, column
                    allowed = self._seconds
                case Done(volatile):
                    self.volatile = volatile
                    return
                case Values():
                    raise self._ended(Cause.CRASH)

    def kill(self) -> None:
        """End the process; who waits for an answer gets EngineEnded. From any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process and wait until it is gone. Harmless when it is."""
        self._process.kill()  # does nothing to a process that has been waited for
        self._process.wait()
        for pipe in (self._to, self._from, self._troubles):
            pipe.close()

    def _finish(self, request: Request, allowed: float) -> None:
        self._send(request, allowed)
        answer = self._receive(allowed)
        if not isinstance(answer, Done):
            raise self._ended(Cause.CRASH)
        self.volatile = answer.volatile

    def _send(self, request: Request, allowed: float) -> None:
        if self._to.closed:
            raise EngineEnded(Cause.CRASH)
        deadline = monotonic() + self._allowed(allowed)
        rest = memoryview(encode(request))
        poll = select.poll()
        poll.register(self._to, select.POLLOUT)
        while rest:
            if not poll.poll(_milliseconds(deadline)):
                raise self._ended(Cause.TIME)
            try:
                rest = rest[os.write(self._to.fileno(), rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended(Cause.CRASH) from None

    def _receive(self, allowed: float) -> Answer:
        began, used = monotonic(), self._used()
        deadline = began + self._allowed(allowed)
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        wanted = LENGTH.size
        while True:
            if len(self._unread) >= LENGTH.size:
                wanted = LENGTH.size + LENGTH.unpack_from(self._unread)[0]
                if wanted > MAX_ANSWER_BYTES:
                    raise self._ended(Cause.MEMORY)
            if len(self._unread) >= max(wanted, LENGTH.size + 1):
                answer = self._decoder.decode(bytes(self._unread[LENGTH.size : wanted]))
                del self._unread[:wanted]
                self._started = True
                return answer
            if not poll.poll(_milliseconds(deadline)):
                # On a busy machine time goes by without the process: that is not its fault.
                left = self._allowed(allowed) - (self._used() - used)
                latest = began + self._allowed(allowed * PATIENCE)
                if left < MIN_LEFT_SECONDS or monotonic() >= latest:
                    raise self._ended(Cause.TIME)
                deadline = min(monotonic() + left, latest)
                continue
            try:
                read = os.read(self._from.fileno(), _CHUNK)
            except BlockingIOError:
                continue
            if not read:
                raise self._ended(Cause.CRASH)
            self._unread += read

    def _allowed(self, seconds: float) -> float:
        if not self._started:
            seconds += START_SECONDS
        return min(seconds, ORPHAN_SECONDS / 2)

    def _used(self) -> float:
        """Return the seconds of a processor that the process has used; where nobody tells, all."""
        try:
            # The fields utime and stime of proc(5), behind the name, which may hold anything.
            fields = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return monotonic()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _ended(self, cause: Cause) -> EngineEnded:
        """End what is left of the process, and return what it ended of."""
        if cause is Cause.CRASH:
            try:
                code = self._process.wait(_FAREWELL_SECONDS)
            except subprocess.TimeoutExpired:  # it lives, and talks nonsense
                code = None
            self._troubles.seek(0)
            if code == OUT_OF_MEMORY or _NO_MEMORY in self._troubles.read():
                cause = Cause.MEMORY
        self.close()
        return EngineEnded(cause)


def _listed(cells: Mapping[Position, Content]) -> list[Cell]:
    return [(row, column, content) for (row, column), content in cells.items()]


def _milliseconds(deadline: float) -> float:
    return max(0.0, (deadline - monotonic()) * 1_000)
