"""The process that one sheet's engine runs in.

Started as `python -m cells.calc.engine_process --memory BYTES`, by sandbox.py. It knows neither
Django nor the database. It reads requests from its standard input, one by one, writes answers to
its standard output, and ends when its input does.
"""

import argparse
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import BinaryIO, assert_never

import msgspec

from cells.calc.engine import Content, Engine, Position
from cells.calc.formualizer_engine import FormualizerEngine
from cells.calc.frames import (
    LENGTH,
    ORPHAN_SECONDS,
    OUT_OF_MEMORY,
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

NICENESS = 5  # whoever serves pages and sockets goes first
WATCH_SECONDS = 0.05
MAX_FILE_BYTES = 2**20  # what it may write of its troubles


def main() -> None:
    """Set the limits and serve requests until the input ends."""
    parser = argparse.ArgumentParser(prog="cells.calc.engine_process")
    parser.add_argument("--memory", type=int, required=True, help="bytes above those at start")
    memory_bytes = parser.parse_args().memory
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends this one
    os.nice(NICENESS)
    # Answers go to a descriptor of their own: whatever a library prints must not come between.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the sheet
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    engine = FormualizerEngine()
    _limit_memory(memory_bytes)
    try:
        serve(engine, sys.stdin.buffer, answers.write)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: an orderly end would need memory, too


def serve(engine: Engine, requests: BinaryIO, answer: Callable[[bytes], object]) -> None:
    """Answer each request in turn, until there are no more."""
    decoder = msgspec.msgpack.Decoder(Request)
    while True:
        head = requests.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        body = requests.read(LENGTH.unpack(head)[0])
        # Left to the kernel, for no handler of Python's runs while the engine is at work.
        signal.alarm(ORPHAN_SECONDS)
        _answer(engine, decoder.decode(body), answer)
        signal.alarm(0)


def _answer(engine: Engine, request: Request, answer: Callable[[bytes], object]) -> None:
    match request:
        case Load(cells):
            engine.load(_by_position(cells))
        case Set(cells):
            engine.set(_by_position(cells))
        case Evaluate(now):
            values = engine.evaluate(datetime.fromisoformat(now))
            rows = [(row, column, value) for (row, column), value in values.items()]
            answer(encode(Values(rows, engine.volatile)))
            return
        case Walk(cells, now):
            for row, column in engine.walk(_by_position(cells), datetime.fromisoformat(now)):
                signal.alarm(ORPHAN_SECONDS)
                answer(encode(At(row, column, process_time())))
        case _:
            assert_never(request)
    answer(encode(Done(engine.volatile)))


def _by_position(cells: list[Cell]) -> dict[Position, Content]:
    return {(row, column): content for row, column, content in cells}


def _limit_memory(above: int) -> None:
    """Let this process have no more than so many bytes above what it has now.

    Linux refuses memory beyond the limit, and the engine ends. Other systems know no such limit
    (macOS accepts it and does nothing), so a thread looks at what is in use.
    """
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limit = pages * resource.getpagesize() + above
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    else:
        limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + above  # bytes on macOS
        threading.Thread(target=_watch_memory, args=(limit,), daemon=True).start()


def _watch_memory(limit: int) -> None:
    pause = threading.Event()
    while not pause.wait(WATCH_SECONDS):
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > limit:
            os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
