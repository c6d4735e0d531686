"""`manage.py calc_worker`: its arguments, its signals, its status line and its exit codes."""

import logging
import sys
import threading
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.calc.calculator import Calculator
from cells.calc.frames import ORPHAN_SECONDS
from cells.calc.sandbox import DEFAULT_MEMORY_BYTES, DEFAULT_SECONDS
from cells.calc.worker import Totals, Worker, WorkerStatus
from cells.management.running import outages, run_until, stop_on_signals

logger = logging.getLogger(__name__)

MAX_SECONDS = ORPHAN_SECONDS / 2  # the process itself gives up soon afterwards
MIN_MEGABYTES = 50  # above what the engine has to begin with


class Command(BaseCommand):
    help = (
        "Calculates the formulas of all sheets and stores their values, until SIGTERM or Ctrl-C. "
        "Start several to share the load."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=DEFAULT_SECONDS,
            help="how long a sheet's formulas may take, 30 at most (%(default)g)",
        )
        parser.add_argument(
            "--megabytes",
            type=int,
            default=DEFAULT_MEMORY_BYTES // 2**20,
            help="how much memory a sheet's process may take (%(default)s)",
        )
        parser.add_argument(
            "--holder",
            type=uuid.UUID,
            help="the name, a UUID, of a worker that has ended, whose sheets this one goes on with",
        )
        parser.add_argument(
            "--until-stdin-ends",
            action="store_true",
            help="end with the process that started this one, as a web process does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["seconds"] <= MAX_SECONDS or options["megabytes"] < MIN_MEGABYTES:
            raise CommandError(
                f"--seconds must be above 0 and at most {MAX_SECONDS:g}, --megabytes at least "
                f"{MIN_MEGABYTES}."
            )
        stopping = stop_on_signals()
        if options["until_stdin_ends"]:
            threading.Thread(target=_await_end, args=(stopping,), daemon=True).start()
        limits = {
            "seconds": options["seconds"],
            "memory_bytes": options["megabytes"] * 2**20,
        }
        worker = Worker(lambda slug: Calculator(name=slug, **limits), options["holder"])
        logger.info("calculating what has formulas")
        before = Totals()

        def status_line(seconds: float) -> str:
            nonlocal before
            status = worker.status()
            line = format_status(status, before, seconds)
            before = status.totals
            return line

        run_until("calculator", stopping, worker, status_line, self.stdout)


def format_status(status: WorkerStatus, before: Totals, seconds: float) -> str:
    """Return one line: rates since `before`, `seconds` ago, and how things stand."""
    values = (status.totals.values - before.values) / seconds
    steps = (status.totals.steps - before.steps) / seconds
    line = (
        f"{values:,.0f} values/s  {steps:,.0f} calculations/s  sheets {status.sheets:,}  "
        f"formulas {status.formulas:,}  failing {status.failing:,}"
    )
    return line + outages((("database", status.database_down_seconds),))


def _await_end(stopping: threading.Event) -> None:
    sys.stdin.buffer.read()
    stopping.set()
