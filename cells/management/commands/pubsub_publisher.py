"""`manage.py pubsub_publisher`: its arguments, its signals, its status line and its exit codes."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.management.running import outages, run_until, stop_on_signals
from cells.streams.clients import publisher_client
from cells.streams.names import PubsubSetupError, Route
from cells.streams.publishing import Publisher, PublisherStatus, Totals

logger = logging.getLogger(__name__)


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
        stopping = stop_on_signals()
        try:
            route = Route.from_settings(options["project"], options["topic"])
            client = publisher_client()
            publisher = Publisher(client, route, create=options["create"])
        except PubsubSetupError as error:
            raise CommandError(str(error)) from error
        logger.info("publishing to %s where no other topic is named", route.topic_path)
        before = Totals()

        def status_line(seconds: float) -> str:
            nonlocal before
            status = publisher.status()
            line = format_status(status, before, seconds)
            before = status.totals
            return line

        run_until("publisher", stopping, publisher, status_line, self.stdout)
        client.transport.close()


def format_status(status: PublisherStatus, before: Totals, seconds: float) -> str:
    """Return one line: rates since `before`, `seconds` ago, and how things stand."""
    revisions = (status.totals.revisions - before.revisions) / seconds
    messages = (status.totals.messages - before.messages) / seconds
    line = (
        f"{revisions:,.0f} revisions/s  {messages:,.0f} messages/s  "
        f"behind {status.behind:,}  standing still {status.standing_still:,}"
    )
    return line + outages(
        (("Pub/Sub", status.pubsub_down_seconds), ("database", status.database_down_seconds))
    )
