"""`manage.py pubsub_publisher`: its arguments, its signals, its status line and its exit codes."""

import logging
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.streams.clients import publisher_client
from cells.streams.names import PubsubSetupError, Route
from cells.streams.publishing import Publisher, PublisherStatus, Totals

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_STATUS_LINES = 1.0
SECONDS_BETWEEN_LOG_LINES = 10.0


class Command(BaseCommand):
    help = (
        "Publishes every revision of the sheets that have a publication in the admin, until "
        "SIGTERM or Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", help="instead of PUBSUB_PROJECT")
        parser.add_argument("--topic", help="instead of PUBSUB_TOPIC")
        parser.add_argument(
            "--create", action="store_true", help="make the topics where they are missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        try:
            route = Route.from_settings(options["project"], options["topic"])
            client = publisher_client()
            publisher = Publisher(client, route, create=options["create"])
        except PubsubSetupError as error:
            raise CommandError(str(error)) from error
        logger.info("publishing to %s where no other topic is named", route.topic_path)
        publisher.start()
        self._report_until(stopping, publisher)
        has_ended = publisher.stop()
        if not has_ended:
            # A thread hangs in a server that does not answer, and the interpreter would wait for
            # it. Nothing is lost: what has no answer is published again, under the same ids.
            logging.shutdown()
            sys.stdout.flush()
            os._exit(0)
        client.transport.close()

    def _report_until(self, stopping: threading.Event, publisher: Publisher) -> None:
        is_terminal = self.stdout.isatty()
        seconds = SECONDS_BETWEEN_STATUS_LINES if is_terminal else SECONDS_BETWEEN_LOG_LINES
        before, began = Totals(), time.monotonic()
        report_at = began + seconds
        while not stopping.wait(SECONDS_BETWEEN_STATUS_LINES):
            publisher.check()
            now = time.monotonic()
            if now < report_at:
                continue
            status = publisher.status()
            line = format_status(status, before, now - began)
            if is_terminal:
                # The cursor goes back to the start, so that a log line takes this one's place.
                self.stdout.write(f"\x1b[K{line}\r", ending="")
                self.stdout.flush()
            else:
                logger.info("%s", line)
            before, began, report_at = status.totals, now, now + seconds
        if is_terminal:
            self.stdout.write("")


def format_status(status: PublisherStatus, before: Totals, seconds: float) -> str:
    """Return one line: rates since `before`, `seconds` ago, and how things stand."""
    revisions = (status.totals.revisions - before.revisions) / seconds
    messages = (status.totals.messages - before.messages) / seconds
    line = (
        f"{revisions:,.0f} revisions/s  {messages:,.0f} messages/s  "
        f"behind {status.behind:,}  standing still {status.standing_still:,}"
    )
    for service, down in (
        ("Pub/Sub", status.pubsub_down_seconds),
        ("database", status.database_down_seconds),
    ):
        if down is not None:
            line += f"  {service} fails for {down:.0f} s"
    return line
