"""Who a sheet is shared with: by name, and by its address."""

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import QuerySet

from cells.models import LinkRole, Role, Sheet, SheetAccess


class SeveralPeopleError(Exception):
    """An e-mail address that more than one person has."""


def find_person(text: str) -> User | None:
    """Return the active person of this name, or else the one of this e-mail address.

    Raises SeveralPeopleError where the address does not say who is meant.
    """
    people = User.objects.filter(is_active=True)
    named = people.filter(username=text).first()
    addressed = list(people.filter(email__iexact=text)[:2]) if "@" in text else []
    if named is not None and all(person == named for person in addressed):
        return named
    if len(addressed) > 1 or named is not None:
        raise SeveralPeopleError(text)
    return addressed[0] if addressed else None


def set_link_role(sheet: Sheet, link_role: LinkRole) -> None:
    """Say what anybody who has the address may do."""
    Sheet.objects.filter(pk=sheet.pk).update(link_role=link_role)


def grant(sheet: Sheet, user: AbstractBaseUser, role: Role) -> None:
    """Give a person a role, in place of the one that they had."""
    SheetAccess.objects.update_or_create(sheet=sheet, user_id=user.pk, defaults={"role": role})


def change_role(sheet: Sheet, user_id: int, role: Role) -> bool:
    """Change the role of somebody who has one; False if they have none any more."""
    changed = SheetAccess.objects.filter(sheet=sheet, user_id=user_id).update(role=role)
    return changed > 0


def revoke(sheet: Sheet, user_id: int) -> None:
    """Take a person's role away; what the address allows to everybody stays."""
    SheetAccess.objects.filter(sheet=sheet, user_id=user_id).delete()


def access_list(sheet: Sheet) -> QuerySet[SheetAccess]:
    """Return the people with a role of their own on this sheet, by name."""
    return sheet.access.select_related("user").order_by("user__username")
