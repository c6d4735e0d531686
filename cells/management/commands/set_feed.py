"""`manage.py set_feed`: what the admin's form does, for scripts and deployments."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cells.models import Feed, FeedColumn, FeedPolicy, FeedWrite, Sheet
from cells.services.audit import command
from cells.services.audited_streams import facts_of, note_feed
from cells.streams.clients import create_topic_and_subscription
from cells.streams.feeds import spec_of
from cells.streams.mapping import InvalidMapping, Mapping
from cells.streams.names import PubsubSetupError, Route, check_subscription_name, subscription_path

OPTIONS = ("records", "filter", "event_time")


class Command(BaseCommand):
    help = (
        "Makes a feed, or changes the one of this name: a subscription whose messages know nothing "
        "of sheets writes into a sheet. Listeners hear of it within seconds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the log and the grid call it")
        parser.add_argument("sheet", help="the sheet's slug")
        parser.add_argument("subscription", help="its name, or projects/…/subscriptions/… in full")
        parser.add_argument(
            "columns", nargs="+", metavar="TARGET=SOURCE", help="such as 'Bid=$.price.bid'"
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="TARGET=SOURCE",
            help="a column that finds the row to set; may be given several times",
        )
        parser.add_argument("--write", choices=FeedWrite.values, default=FeedWrite.UPSERT)
        parser.add_argument("--policy", choices=FeedPolicy.values, default=FeedPolicy.STREAM)
        parser.add_argument("--records", default="", help="JSONPath of the records in a message")
        parser.add_argument("--filter", default="", help="which records count")
        parser.add_argument("--event-time", default="", help="where a record says when it was")
        parser.add_argument("--stale-after", type=int, metavar="SECONDS")
        parser.add_argument("--off", action="store_true", help="leave its messages to Pub/Sub")
        parser.add_argument(
            "--create-topic",
            metavar="TOPIC",
            help="make this topic, and the subscription of it, where they are missing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sheet = Sheet.objects.filter(slug=options["sheet"], deleted_at=None).first()
        if sheet is None:
            raise CommandError(
                f"there is no sheet {options['sheet']!r}; make it, or check the slug"
            )
        keys = [(*_pair(text), True) for text in options["key"]]
        columns = keys + [(*_pair(text), False) for text in options["columns"]]
        try:
            check_subscription_name(subscription_path(options["subscription"]))
            if options["create_topic"]:
                path = subscription_path(options["subscription"])
                _, project, _, name = path.split("/")
                create_topic_and_subscription(Route(project, options["create_topic"], name))
            feed, is_new = self._save(sheet, columns, options)
        except PubsubSetupError as error:
            raise CommandError(str(error)) from error
        except InvalidMapping as error:
            raise CommandError(f"{error.field}: {error}") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        verb = "made" if is_new else "changed"
        self.stdout.write(f"{verb} the feed {feed.name}: {feed.subscription} → {sheet.slug}")

    @transaction.atomic
    def _save(
        self, sheet: Sheet, columns: list[tuple[str, str, bool]], options: dict[str, Any]
    ) -> tuple[Feed, bool]:
        known = Feed.objects.filter(name=options["name"]).first()
        before = None if known is None else facts_of(known)
        feed, is_new = Feed.objects.update_or_create(
            name=options["name"],
            defaults={
                "sheet": sheet,
                "subscription": options["subscription"],
                "is_enabled": not options["off"],
                "write": options["write"],
                "policy": options["policy"],
                "stale_after_seconds": options["stale_after"],
                **{name: options[name] for name in OPTIONS},
            },
        )
        feed.full_clean()
        feed.columns.all().delete()
        for target, source, is_key in columns:
            column = FeedColumn(feed=feed, target=target, source=source, is_key=is_key)
            column.full_clean()
            column.save()
        Mapping(spec_of(feed))
        note_feed(feed, before, command("set_feed"))
        return feed, is_new


def _pair(text: str) -> tuple[str, str]:
    target, sign, source = text.partition("=")
    if not (target and sign and source):
        raise CommandError(f"{text!r} is no TARGET=SOURCE, such as 'Bid=$.price.bid'")
    return target, source
