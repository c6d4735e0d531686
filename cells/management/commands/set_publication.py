"""`manage.py set_publication`: what the admin's form does, for scripts and deployments."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cells.models import Publication, Sheet
from cells.services.audit import command
from cells.services.audited_streams import facts_of, note_publication
from cells.streams.names import PubsubSetupError, Route


class Command(BaseCommand):
    help = "Has every revision of a sheet published to a topic; pubsub_publisher hears of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sheet", help="the sheet's slug")
        parser.add_argument("topic", nargs="?", default="", help="instead of PUBSUB_TOPIC")
        parser.add_argument(
            "--from-beginning",
            action="store_true",
            help="a new one publishes the whole log first; else what is committed from now on",
        )
        parser.add_argument("--off", action="store_true", help="stop; it goes on where it was")

    def handle(self, *args: Any, **options: Any) -> None:
        sheet = Sheet.objects.filter(slug=options["sheet"], deleted_at=None).first()
        if sheet is None:
            raise CommandError(
                f"there is no sheet {options['sheet']!r}; make it, or check the slug"
            )
        try:
            route = Route.from_settings(topic=options["topic"] or None)
        except PubsubSetupError as error:
            raise CommandError(str(error)) from error
        begins_at = 0 if options["from_beginning"] else sheet.head
        is_enabled = not options["off"]
        with transaction.atomic():
            publication, is_new = Publication.objects.get_or_create(
                sheet=sheet, topic=options["topic"], defaults={"published": begins_at}
            )
            before = None if is_new else facts_of(publication)
            publication.is_enabled = is_enabled
            publication.save(update_fields=["is_enabled"])
            note_publication(publication, before, command("set_publication"))
        publication.refresh_from_db()
        begun = "begins" if is_new else "goes on"
        what = "stands still" if options["off"] else begun
        self.stdout.write(
            f"{sheet.slug} → {route.topic_path} {what} behind revision {publication.published:,}"
        )
