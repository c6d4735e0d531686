"""`manage.py create_token`: what the page of one's tokens does, for scripts and deployments."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cells.domain.errors import SheetSyncError
from cells.models import ApiToken, Scope
from cells.services.audit import command
from cells.services.people import find_by_username
from cells.services.tokens import create_token


class Command(BaseCommand):
    help = "Makes a token by which a program uses /api/v1 for a person, and prints it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the username of the person that it acts for")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ.value)
        parser.add_argument("--days", type=int, help="until it expires; without, it never does")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_by_username(options["user"])
        if user is None:
            raise CommandError(f"nobody here is called {options['user']!r}; check the spelling")
        name, days = options["name"].strip(), options["days"]
        longest = ApiToken._meta.get_field("name").max_length or 0
        if not 1 <= len(name) <= longest:
            raise CommandError(f"--name has 1 to {longest} characters")
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--days is from 1 to 36500")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        scope, by = Scope(options["scope"]), command("create_token")
        try:
            _, text = create_token(user, name, scope, expires_at, by)
        except SheetSyncError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(text)
