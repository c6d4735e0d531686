"""The audit log: who did what beside editing, written in the transaction of the act itself.

An entry that cannot be written undoes the act, and an act that fails leaves no entry. Each is a
line of the logger `cells.audit`, too, once it is committed.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest

from cells.models import AuditEntry, AuthorKind, Sheet
from cells.services.authors import Author
from cells.services.given import insert_rows
from cells.services.people import name_of
from cells.services.quotas import address_of
from cells.services.sql import adapt_moment
from cells.services.transactions import Cursor

logger = logging.getLogger("cells.audit")

MAX_TEXT = 1_000  # of one value in the details
ENTRIES_PER_BATCH = 2_000  # pruned in one transaction: SQLite has one writer


class Action(StrEnum):
    """What is audited. The codes are stable: filters and programs elsewhere know them."""

    SHARED = "sheet.shared"
    ROLE_CHANGED = "sheet.role_changed"
    UNSHARED = "sheet.unshared"
    LINK_CHANGED = "sheet.link_changed"
    SHEET_CHANGED = "sheet.changed"
    PROTECTED = "range.protected"
    PROTECTION_CHANGED = "range.changed"
    UNPROTECTED = "range.unprotected"
    EXPORTED = "sheet.exported"
    IMPORTED = "sheet.imported"
    IMPORT_BROKEN_OFF = "sheet.import_broken_off"
    DUPLICATED = "sheet.duplicated"
    RESTORED = "sheet.restored"
    VERSION_NAMED = "version.named"
    VERSION_UNNAMED = "version.unnamed"
    DELETED = "sheet.deleted"
    BROUGHT_BACK = "sheet.brought_back"
    THROWN_AWAY = "sheet.thrown_away"
    REVISIONS_PRUNED = "revisions.pruned"
    LETTER_REPLAYED = "dead_letter.replayed"
    LETTER_DISCARDED = "dead_letter.discarded"
    FEED_MADE = "feed.made"
    FEED_CHANGED = "feed.changed"
    FEED_DELETED = "feed.deleted"
    PUBLICATION_MADE = "publication.made"
    PUBLICATION_CHANGED = "publication.changed"
    PUBLICATION_DELETED = "publication.deleted"
    TOKEN_MADE = "token.made"  # noqa: S105 - a code, no secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a code, no secret
    LET_IN_AGAIN = "sign_in.let_in_again"
    AUDIT_PRUNED = "audit.pruned"


class Place(StrEnum):
    """Where an act comes from."""

    PAGE = "page"
    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    STREAM = "stream"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the audit log keeps it: an account if there is one, a name, and where from."""

    place: Place
    name: str = ""
    user_id: int | None = None
    address: str = ""


PROJECT = Actor(Place.CODE)  # the project that the app lives in calls a service itself

_COLUMNS = (
    "at timestamptz, action text, actor_id bigint, actor_name text, place text, address text, "
    "sheet_id bigint, slug text, title text, details json"
)
_INTO = (
    "cells_auditentry (at, action, actor_id, actor_name, place, address, "
    "sheet_id, slug, title, details)"
)
_PLACES = {
    AuthorKind.USER: Place.PAGE,
    AuthorKind.GUEST: Place.PAGE,
    AuthorKind.API: Place.API,
    AuthorKind.ADMIN: Place.ADMIN,
    AuthorKind.STREAM: Place.STREAM,
}


def actor_of(
    request: HttpRequest,
    place: Place = Place.PAGE,
    user: AbstractBaseUser | None = None,
    *,
    name: str = "",
) -> Actor:
    """Return who makes a request: `user` where a token says who, called `name` if that says more.

    Guests are called `name` too.
    """
    if user is None and request.user.is_authenticated:
        user = request.user
    if user is None:
        return Actor(place, name or "guest", None, address_of(request))
    return Actor(place, name or name_of(user), user.pk, address_of(request))


def command(name: str) -> Actor:
    """Return somebody at the server's own command line."""
    return Actor(Place.COMMAND, f"manage.py {name}")


def _author_as_actor(author: Author) -> Actor:
    # A commit knows no address.
    return Actor(_PLACES.get(author.kind, Place.CODE), author.name, author.user_id)


def note(action: Action, by: Actor, sheet: Sheet | None = None, /, **details: object) -> None:
    """Add an entry, within the transaction of the act. No secret belongs into `details`.

    Raises django.db.Error: the act must fail then, too.
    """
    entry = _entry(action, by, details)
    if sheet is not None:
        entry.sheet_id, entry.slug, entry.title = sheet.pk, sheet.slug, sheet.title
    entry.save(force_insert=True)
    transaction.on_commit(lambda: tell(entry))


def note_restored(
    cursor: Cursor, author: Author, sheet_id: int, slug: str, to: int, revision: int
) -> AuditEntry:
    """Add the entry of a restore in the transaction of a commit, whose caller tells it later."""
    entry = _entry(Action.RESTORED, _author_as_actor(author), {"to": to, "revision": revision})
    cursor.execute("SELECT title FROM cells_sheet WHERE id = %s", [sheet_id])
    entry.sheet_id, entry.slug, entry.title = sheet_id, slug, cursor.fetchall()[0][0]
    row = (
        adapt_moment(entry.at),
        *(str(entry.action), entry.actor_id, entry.actor_name, str(entry.place), entry.address),
        *(sheet_id, slug, entry.title, msgspec.json.encode(entry.details).decode()),
    )
    insert_rows(cursor, _INTO, _COLUMNS, [row])
    return entry


def prune(before: datetime, by: Actor) -> int:
    """Delete entries from before a moment, a bounded batch at a time; return how many.

    Each batch is noted in its own transaction.
    """
    gone = 0
    while some := list(
        AuditEntry.objects.filter(at__lt=before)
        .order_by("at")
        .values_list("pk", flat=True)[:ENTRIES_PER_BATCH]
    ):
        with transaction.atomic():
            count = AuditEntry.objects.filter(pk__in=some).delete()[0]
            note(Action.AUDIT_PRUNED, by, None, before=before, entries=count)
        gone += count
    return gone


def _entry(action: Action, by: Actor, details: Mapping[str, object]) -> AuditEntry:
    return AuditEntry(
        action=action,
        actor_id=by.user_id,
        actor_name=by.name[:300],
        place=by.place,
        address=by.address[:64],
        details={name: _plain(value) for name, value in details.items()},
    )


def _plain(value: object) -> object:
    """Return a value as JSON has it, bounded, and without what no database holds."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, bool | int | float | None):
        return value
    return str(value).replace("\0", "").encode(errors="replace").decode()[:MAX_TEXT]


def tell(entry: AuditEntry) -> None:
    """Make a log line of an entry that is committed."""
    logger.info(
        "audit action=%s actor=%s user=%s place=%s address=%s sheet=%s details=%s",
        entry.action,
        entry.actor_name,
        entry.actor_id,
        entry.place,
        entry.address,
        entry.slug,
        msgspec.json.encode(entry.details).decode(),
    )
