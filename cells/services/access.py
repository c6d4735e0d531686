"""Who may do what: roles on sheets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.crypto import get_random_string

from cells.domain.errors import Forbidden, NoSuchSheet, TooManySheets
from cells.models import LinkRole, Role, Sheet
from cells.services.granted import granted_roles, strongest
from cells.services.host_roles import BASICS, NOTHING, Person, Word, word_on, words_on
from cells.services.people import active_people

SLUG_CHARACTERS = 12  # 62 bits out of these letters: not to be guessed
_SLUG_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look alike

WordsOn = Callable[[Iterable[tuple[int, int | None]]], dict[tuple[int, int | None], Word]]


def role_of(user: Person, sheet: Sheet) -> Role | None:
    """Return the strongest role that `user` has on `sheet`; None means not even looking."""
    word = word_on(user, sheet)
    if word.is_refused:
        return None
    if user.pk is None or not user.is_active:
        return strongest(by_link(sheet.link_role), word.role)
    if sheet.owner_id == user.pk:
        return Role.OWNER
    given = granted_roles([sheet.pk], [user.pk]).get((sheet.pk, user.pk))
    return strongest(by_link(sheet.link_role), word.role, given)


@dataclass(frozen=True, slots=True)
class Admission:
    """A person's way in: the sheet, and what they may do on it."""

    sheet_id: int
    slug: str
    role: Role


def admit(slug: str, user: Person) -> Admission:
    """Return how `user` may come in. Raises NoSuchSheet, or Forbidden for a stranger."""
    try:
        sheet = Sheet.objects.only(*BASICS).get(slug=slug, deleted_at=None)
    except Sheet.DoesNotExist:
        raise NoSuchSheet(f"there is no sheet {slug[:64]!r}; check the address") from None
    role = role_of(user, sheet)
    if role is None:
        raise Forbidden("this sheet is not shared with you; ask its owner")
    return Admission(sheet.pk, sheet.slug, role)


def roles_now(
    asked: Iterable[tuple[int, int | None]], words_on: WordsOn = words_on
) -> dict[tuple[int, int | None], Role | None]:
    """Return the role that each (sheet id, user id; None for a guest) has, as role_of says.

    Three statements for any number, a few more with CELLS_ROLE; `words_on` is how that is asked.
    Leaves out sheets that there are no more, deleted ones too.
    """
    asked = set(asked)
    sheet_ids = {sheet_id for sheet_id, _ in asked}
    user_ids = {user_id for _, user_id in asked if user_id is not None}
    living = Sheet.objects.filter(pk__in=sheet_ids, deleted_at=None)
    sheets = living.values_list("pk", "owner_id", "link_role")
    active = set(active_people().filter(pk__in=user_ids).values_list("pk", flat=True))
    granted = granted_roles(sheet_ids, user_ids)
    words = words_on(asked)
    known = {sheet_id: (owner_id, link_role) for sheet_id, owner_id, link_role in sheets}
    roles: dict[tuple[int, int | None], Role | None] = {}
    for sheet_id, user_id in asked:
        if sheet_id not in known:
            continue
        owner_id, link_role = known[sheet_id]
        own = None
        if user_id is not None and user_id in active:
            own = Role.OWNER if user_id == owner_id else granted.get((sheet_id, user_id))
        word = words.get((sheet_id, user_id), NOTHING)
        may = strongest(by_link(link_role), own, word.role)
        roles[sheet_id, user_id] = None if word.is_refused else may
    return roles


def by_link(link_role: str) -> Role | None:
    """Return the role that a sheet's address alone gives."""
    return None if link_role == LinkRole.NONE else Role(link_role)


def require_room_for_a_sheet(owner_id: int | None) -> None:
    """Raise TooManySheets for who owns SHEETS_PER_USER sheets, deleted ones aside.

    Within the transaction that adds one: until its end the owner gets no other.
    """
    limit: int = settings.SHEETS_PER_USER
    if owner_id is None or not limit:
        return
    _hold(owner_id)
    if Sheet.objects.filter(owner_id=owner_id, deleted_at=None).count() >= limit:
        raise TooManySheets(
            f"you own {limit:,} sheets, and that is the limit; delete some that you do not need"
        )


def create_sheet(
    owner: AbstractBaseUser | None,
    title: str,
    *,
    slug: str | None = None,
    link_role: LinkRole = LinkRole.NONE,
    time_zone: str = "",
) -> Sheet:
    """Make an empty sheet; without a slug it gets one that cannot be guessed.

    Raises TooManySheets for an owner who has as many as one person may.
    """
    owner_id = None if owner is None else owner.pk
    with transaction.atomic():
        require_room_for_a_sheet(owner_id)
        return Sheet.objects.create(
            slug=slug or get_random_string(SLUG_CHARACTERS, _SLUG_LETTERS),
            title=title,
            owner_id=owner_id,
            link_role=link_role,
            time_zone=time_zone,
        )


def create_sheet_once(
    owner: AbstractBaseUser, title: str, slug: str, *, time_zone: str = ""
) -> Sheet:
    """Return the sheet with a slug that is this owner's to give, made if there is none yet.

    Raises TooManySheets as create_sheet does.
    """
    with transaction.atomic():
        _hold(owner.pk)  # the same request, sent twice at once, makes one
        found = Sheet.objects.filter(slug=slug).first()
        return found or create_sheet(owner, title, slug=slug, time_zone=time_zone)


def _hold(user_id: int) -> None:
    """Let others who would count what this person owns wait for the end of the transaction."""
    # Not their key: edits that name the person go on meanwhile.
    people = get_user_model()._base_manager.select_for_update(no_key=True)
    people.filter(pk=user_id).values_list("pk").first()
