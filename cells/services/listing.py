"""Which sheets the home page shows to a person, and with which role."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from cells.models import LinkRole, Revision, Role, Sheet
from cells.services.access import by_link, role_of
from cells.services.granted import granted_roles, shared_with, strongest
from cells.services.host_roles import Person, has_rule
from cells.services.people import has_word

DEMO_SLUG = "demo"  # what prepare_demo makes; a newcomer's first sheet


@dataclass(frozen=True, slots=True)
class ListedSheet:
    """A line of the list: a sheet, and what the reader may do there."""

    sheet: Sheet
    role: Role


def listed_sheets(user: Person, opened: Iterable[str], search: str = "") -> QuerySet[Sheet]:
    """Return own and shared sheets, and open ones among the demo and `opened`, newest edit first.

    With `search` only those that have each of its words in the title or in their owner's name.
    `opened` are slugs that this browser has visited: as in Google Sheets, having been given the
    address is what brings a link-shared sheet into one's list, and no other one appears.
    """
    listed = Q(slug__in={DEMO_SLUG, *opened}) & ~Q(link_role=LinkRole.NONE)
    if user.pk is not None:
        listed |= Q(owner_id=user.pk) | shared_with(user.pk)
    if has_rule():  # which sheets it opens cannot be asked of the database
        visited = Sheet.objects.filter(slug__in=[DEMO_SLUG, *opened], deleted_at=None)
        listed |= Q(pk__in=[sheet.pk for sheet in visited if role_of(user, sheet) is not None])
    for word in search.split():
        listed &= Q(title__icontains=word) | has_word("owner", word)
    newest = Revision.objects.filter(sheet=OuterRef("pk"), number=OuterRef("head"))
    return (
        Sheet.objects.filter(listed, deleted_at=None)
        .annotate(edited_by=Subquery(newest.values("author_name")[:1]))
        .select_related("owner")
        .order_by(Coalesce("updated_at", "created_at").desc(), "-pk")
    )


def with_roles(user: Person, sheets: Iterable[Sheet]) -> list[ListedSheet]:
    """Return each of the listed sheets with the strongest role that `user` has there."""
    if has_rule():
        ruled = [(sheet, role_of(user, sheet)) for sheet in sheets]
        return [ListedSheet(sheet, role) for sheet, role in ruled if role is not None]
    sheets = list(sheets)
    given = {} if user.pk is None else granted_roles([sheet.pk for sheet in sheets], [user.pk])
    return [ListedSheet(sheet, _role(user, sheet, given)) for sheet in sheets]


def _role(user: Person, sheet: Sheet, given: dict[tuple[int, int], Role]) -> Role:
    if user.pk is None:
        return by_link(sheet.link_role) or Role.VIEWER  # nothing else is listed
    if sheet.owner_id == user.pk:
        return Role.OWNER
    return strongest(by_link(sheet.link_role), given.get((sheet.pk, user.pk))) or Role.VIEWER
