"""Publications: which sheets have news for a topic, who publishes them now, and how far that is.

The cursor is a revision of the one sheet. A cursor over all sheets' ids would pass over what
commits late: PostgreSQL gives ids before it commits.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from cells.models import Publication
from cells.services.given import given_rows


@dataclass(frozen=True, slots=True)
class Due:
    """A publication with something to publish: the revisions after `published`, up to `head`."""

    id: int
    sheet_id: int
    slug: str
    topic: str
    published: int
    head: int


def find_due() -> dict[int, int]:
    """Return by how much each enabled publication is not at its sheet's head, by its id.

    Those that waited longest come first.
    """
    due = Publication.objects.filter(is_enabled=True).exclude(published=F("sheet__head"))
    order = F("published_at").asc(nulls_first=True)
    behind = F("sheet__head") - F("published")
    return dict(due.order_by(order, "id").values_list("id", behind))


def hold(ids: Collection[int], holder: UUID, seconds: float) -> list[Due]:
    """Take publications for a while, or longer those that are taken; return what is held now.

    All by the database's clock: publishers on several machines have one each.
    """
    free = Q(held_by=None) | Q(held_by=holder) | Q(held_until__lt=Now())
    with transaction.atomic():
        # Not those that somebody takes in this moment: two who wait for each other get nowhere.
        wanted = Publication.objects.filter(free, id__in=ids, is_enabled=True).select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        Publication.objects.filter(id__in=list(wanted.values_list("id", flat=True))).update(
            held_by=holder, held_until=Now() + timedelta(seconds=seconds)
        )
    held = Publication.objects.filter(id__in=ids, held_by=holder, is_enabled=True).order_by("id")
    fields = ("id", "sheet_id", "sheet__slug", "topic", "published", "sheet__head")
    return [Due(*row) for row in held.values_list(*fields)]


def advance(moves: Iterable[tuple[int, int, int]], holder: UUID) -> None:
    """Write cursors, (id, was at, is at), and let go of the publications.

    One that somebody else holds meanwhile stays as it is.
    """
    given, params = given_rows("id bigint, was bigint, published bigint", moves)
    now = "STATEMENT_TIMESTAMP()" if connection.vendor == "postgresql" else _SQLITE_NOW
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cells_publication SET published = given.published, error = '', "  # noqa: S608
            f"published_at = {now}, held_by = NULL, held_until = NULL FROM {given} "
            "WHERE cells_publication.id = given.id AND held_by = %s "
            "AND cells_publication.published = given.was",
            [*params, holder if connection.vendor == "postgresql" else holder.hex],
        )


def note_error(id_: int, holder: UUID, error: str) -> None:
    """Say why a publication stands still, or "" if it does not, and let go of it."""
    Publication.objects.filter(id=id_, held_by=holder).update(
        error=error, held_by=None, held_until=None
    )


def let_go(holder: UUID) -> None:
    """Let go of all that a publisher holds, for others not to wait."""
    Publication.objects.filter(held_by=holder).update(held_by=None, held_until=None)


def topics_in_use() -> set[str]:
    """Return the topics of the enabled publications, "" for the usual one."""
    return set(Publication.objects.filter(is_enabled=True).values_list("topic", flat=True))


# As Django writes the present moment.
_SQLITE_NOW = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"
