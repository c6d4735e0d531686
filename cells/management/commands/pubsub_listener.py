"""`manage.py pubsub_listener`: its arguments, its signals, its status line and its exit codes."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.services.beats import listener_problem
from cells.streams.batches import Tally
from cells.streams.clients import subscriber_client
from cells.streams.listener import Listener, Status
from cells.streams.names import PubsubSetupError, Route

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_STATUS_LINES = 1.0
SECONDS_BETWEEN_LOG_LINES = 10.0

# On one hot ordering key a second puller gets nothing before the first one's messages are
# acknowledged; on many keys two keep the committer busy, and more only share the same work.
PULLERS = 2
BATCH_SIZE = 500  # beyond it a commit gets longer, but no cheaper by the message


class Command(BaseCommand):
    help = "Commits the edits that come through Pub/Sub, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", help="instead of PUBSUB_PROJECT")
        parser.add_argument("--topic", help="instead of PUBSUB_TOPIC")
        parser.add_argument("--subscription", help="instead of PUBSUB_SUBSCRIPTION")
        parser.add_argument(
            "--create",
            action="store_true",
            help="make the topic and the subscription where they are missing",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="start nothing; exit with 0 if a listener on this host hears, with 1 if not",
        )
        parser.add_argument(
            "--pullers",
            type=_positive,
            default=PULLERS,
            help="threads that pull at the same time (default: %(default)s)",
        )
        parser.add_argument(
            "--batch-size",
            type=_positive,
            default=BATCH_SIZE,
            help="the most messages in one transaction (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
            return
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        try:
            route = Route.from_settings(
                options["project"], options["topic"], options["subscription"]
            )
            client = subscriber_client()
            listener = Listener(
                client,
                route,
                pullers=options["pullers"],
                batch_size=options["batch_size"],
                create=options["create"],
            )
        except PubsubSetupError as error:
            raise CommandError(str(error)) from error
        logger.info("listening to %s", route.subscription_path)
        listener.start()
        self._report_until(stopping, listener)
        has_ended = listener.stop()
        if not has_ended:
            # A thread hangs in a server that does not answer, and the interpreter would wait for
            # it. Nothing is lost: what was not acknowledged comes again.
            logging.shutdown()
            sys.stdout.flush()
            os._exit(0)
        client.transport.close()

    def _check(self) -> None:
        host = socket.gethostname()
        problem = listener_problem(host)
        if problem is None:
            raise CommandError(f"no listener runs on {host}; start one: manage.py pubsub_listener")
        if problem:
            raise CommandError(f"the listener on {host}: {problem}; its log says more")
        self.stdout.write("ok")

    def _report_until(self, stopping: threading.Event, listener: Listener) -> None:
        is_terminal = self.stdout.isatty()
        seconds = SECONDS_BETWEEN_STATUS_LINES if is_terminal else SECONDS_BETWEEN_LOG_LINES
        before, began = Tally(), time.monotonic()
        report_at = began + seconds
        while not stopping.wait(SECONDS_BETWEEN_STATUS_LINES):
            listener.check()
            now = time.monotonic()
            if now < report_at:
                continue
            status = listener.status()
            line = format_status(status, before, now - began)
            if is_terminal:
                # The cursor goes back to the start, so that a log line takes this one's place.
                self.stdout.write(f"\x1b[K{line}\r", ending="")
                self.stdout.flush()
            else:
                logger.info("%s", line)
            before, began, report_at = status.tally, now, now + seconds
        if is_terminal:
            self.stdout.write("")


def format_status(status: Status, before: Tally, seconds: float) -> str:
    """Return one line: rates since `before`, `seconds` ago, and how things stand."""
    messages = (status.tally.messages - before.messages) / seconds
    edits = (status.tally.edits - before.edits) / seconds
    line = (
        f"{messages:,.0f} messages/s  {edits:,.0f} edits/s  "
        f"lag {status.lag_seconds:.1f} s  dead {status.tally.dead:,}"
    )
    for service, down in (
        ("Pub/Sub", status.pubsub_down_seconds),
        ("database", status.database_down_seconds),
        *status.feeds_down_seconds.items(),
    ):
        if down is not None:
            line += f"  {service} fails for {down:.0f} s"
    return line


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)
