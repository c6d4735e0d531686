"""What commands share that run until they are told to end: signals, and a status line."""

import _thread
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from django.core.management.base import OutputWrapper

from cells.services.process_beats import Beating

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_STATUS_LINES = 1.0
SECONDS_BETWEEN_LOG_LINES = 10.0


class Worker(Protocol):
    """Threads that work until they are stopped."""

    def start(self) -> None: ...

    def check(self) -> None: ...

    def stop(self) -> bool: ...


def stop_on_signals() -> threading.Event:
    """Return what SIGTERM and Ctrl-C set from now on."""
    stopping = threading.Event()

    def handle(*_: object) -> None:
        # In a thread, by what takes no lock: the handler runs in the middle of the main thread,
        # which may be about to wait for this very event, and would wait for itself for ever.
        _thread.start_new_thread(stopping.set, ())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stopping


def run_until(
    kind: str,
    stopping: threading.Event,
    worker: Worker,
    status_line: Callable[[float], str],
    stdout: OutputWrapper,
) -> None:
    """Run `worker`; exit the process at once if a thread of it hangs at the end.

    Meanwhile the process says how it is, as one of this `kind` (see services.process_beats).
    `status_line` takes the seconds since the last line. It is rewritten every second on a
    terminal, and logged every ten elsewhere.
    """
    # What has been loaded stays: to look through it for garbage again and again took a fifth of a
    # busy listener's time.
    gc.collect()
    gc.freeze()
    worker.start()
    beating = Beating(kind)
    beating.start()
    _report_until(stopping, worker, status_line, stdout)
    beating.end()
    if not worker.stop():
        # A thread hangs in a server that does not answer, and the interpreter would wait for it.
        # Nothing is lost: what was not acknowledged comes again, or is published again.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _report_until(
    stopping: threading.Event,
    worker: Worker,
    status_line: Callable[[float], str],
    stdout: OutputWrapper,
) -> None:
    is_terminal = stdout.isatty()
    seconds = SECONDS_BETWEEN_STATUS_LINES if is_terminal else SECONDS_BETWEEN_LOG_LINES
    began = time.monotonic()
    report_at = began + seconds
    while not stopping.wait(SECONDS_BETWEEN_STATUS_LINES):
        worker.check()
        now = time.monotonic()
        if now < report_at:
            continue
        line = status_line(now - began)
        if is_terminal:
            # The cursor goes back to the start, so that a log line takes this one's place.
            stdout.write(f"\x1b[K{line}\r", ending="")
            stdout.flush()
        else:
            logger.info("%s", line)
        began, report_at = now, now + seconds
    if is_terminal:
        stdout.write("")


def outages(services: Iterable[tuple[str, float | None]]) -> str:
    """Return the end of a status line: which services do not answer, and for how long."""
    return "".join(
        f"  {service} fails for {down:.0f} s" for service, down in services if down is not None
    )
