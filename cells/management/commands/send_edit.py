"""`manage.py send_edit`: an edit from the command line, through Pub/Sub like any program's."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cells.domain.errors import SheetSyncError
from cells.streams.clients import publisher_client
from cells.streams.names import PubsubSetupError, Route
from cells.streams.sending import new_edit_id, send_edit


class Command(BaseCommand):
    help = (
        "Publishes one edit of a sheet to Pub/Sub; the listener commits it. "
        "For example: send_edit demo B2=42 C3='hello world'"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sheet", help="the slug in the sheet's address")
        parser.add_argument(
            "edits", nargs="*", metavar="CELL=VALUE", help="B2=42; nothing after the = clears"
        )
        parser.add_argument(
            "--append",
            action="append",
            metavar="ROW",
            help="a row below the last used one, as CSV: 'EURUSD,1.0842'; may be given again",
        )
        parser.add_argument(
            "--upsert",
            nargs="+",
            metavar="HEADER=VALUE",
            help="the row that the first of these finds gets the others: Symbol=EURUSD Bid=1.08",
        )
        parser.add_argument("--edit-id", help="the same again commits nothing (default: a new one)")
        parser.add_argument("--project", help="instead of PUBSUB_PROJECT")
        parser.add_argument("--topic", help="instead of PUBSUB_TOPIC")

    def handle(self, *args: Any, **options: Any) -> None:
        body = {"sheet": options["sheet"], **_form(options)}
        edit_id = options["edit_id"] or new_edit_id()
        try:
            route = Route.from_settings(options["project"], options["topic"])
            client = publisher_client()
            message_id = send_edit(client, route, body, edit_id)
        except (SheetSyncError, PubsubSetupError) as error:
            raise CommandError(str(error)) from error
        client.transport.close()
        self.stdout.write(
            f"published message {message_id} to {route.topic_path} with edit_id {edit_id}"
        )


def _form(options: dict[str, Any]) -> dict[str, Any]:
    """Return the part of the message that says what to edit."""
    given = [form for form in ("edits", "append", "upsert") if options[form]]
    if len(given) != 1:
        raise CommandError(
            "Say one thing to do: cells like B2=42, or --append 'a,b,c', or "
            "--upsert Symbol=EURUSD Bid=1.08"
        )
    if options["append"]:
        return {"append": list(csv.reader(options["append"]))}
    if options["edits"]:
        pairs = _pairs(options["edits"], "B2=42")
        return {"edits": [{"cell": cell, "value": value} for cell, value in pairs]}
    key, *values = _pairs(options["upsert"], "Symbol=EURUSD")
    return {"upsert": {"key": dict([key]), "set": dict(values)}}


def _pairs(texts: Iterable[str], example: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        left, equals, right = text.partition("=")
        if not equals:
            raise CommandError(f"{text!r} has no =; write it like {example}")
        pairs.append((left.strip(), right))
    return pairs
