"""`manage.py pubsub_listener`: its arguments, its signals, its status line and its exit codes."""

import logging
import socket
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.management.running import outages, run_until, stop_on_signals
from cells.services.beats import listener_problem
from cells.streams.batches import Tally
from cells.streams.clients import subscriber_client
from cells.streams.listener import Listener, Status
from cells.streams.names import PubsubSetupError, Route

logger = logging.getLogger(__name__)

# On one hot ordering key a second puller gets nothing before the first one's messages are
# acknowledged; on many keys two keep the committer busy, and more only share the same work.
PULLERS = 2
# A commit of 500 costs a tenth less by the message, and has people wait twice as long.
BATCH_SIZE = 200


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
        stopping = stop_on_signals()
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
        before = Tally()

        def status_line(seconds: float) -> str:
            nonlocal before
            status = listener.status()
            line = format_status(status, before, seconds)
            before = status.tally
            return line

        run_until("listener", stopping, listener, status_line, self.stdout)
        client.transport.close()

    def _check(self) -> None:
        host = socket.gethostname()
        problem = listener_problem(host)
        if problem is None:
            raise CommandError(f"no listener runs on {host}; start one: manage.py pubsub_listener")
        if problem:
            raise CommandError(f"the listener on {host}: {problem}; its log says more")
        self.stdout.write("ok")


def format_status(status: Status, before: Tally, seconds: float) -> str:
    """Return one line: rates since `before`, `seconds` ago, and how things stand."""
    messages = (status.tally.messages - before.messages) / seconds
    edits = (status.tally.edits - before.edits) / seconds
    line = (
        f"{messages:,.0f} messages/s  {edits:,.0f} edits/s  "
        f"lag {status.lag_seconds:.1f} s  dead {status.tally.dead:,}"
    )
    return line + outages(
        (
            ("Pub/Sub", status.pubsub_down_seconds),
            ("database", status.database_down_seconds),
            *status.feeds_down_seconds.items(),
        )
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)
