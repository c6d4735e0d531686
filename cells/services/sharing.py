"""Who a sheet is shared with: by name, by group, and by its address."""

from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import transaction
from django.db.models import QuerySet

from cells.models import LinkRole, Role, Sheet, SheetAccess, SheetGroupAccess
from cells.services.audit import PROJECT, Action, Actor, note

Access: TypeAlias = SheetAccess | SheetGroupAccess


def set_link_role(sheet: Sheet, link_role: LinkRole, by: Actor = PROJECT) -> None:
    """Say what anybody who has the address may do."""
    with transaction.atomic():
        old = Sheet.objects.filter(pk=sheet.pk).values_list("link_role", flat=True).first()
        Sheet.objects.filter(pk=sheet.pk).update(link_role=link_role)
        if old != link_role:
            note(Action.LINK_CHANGED, by, sheet, old=old, role=link_role)


def grant(sheet: Sheet, user: AbstractBaseUser, role: Role, by: Actor = PROJECT) -> None:
    """Give a person a role, in place of the one that they had."""
    with transaction.atomic():
        SheetAccess.objects.update_or_create(sheet=sheet, user_id=user.pk, defaults={"role": role})
        note(Action.SHARED, by, sheet, user=user.get_username(), user_id=user.pk, role=role)


def change_role(sheet: Sheet, user_id: int, role: Role, by: Actor = PROJECT) -> bool:
    """Change the role of somebody who has one; False if they have none any more."""
    return _change(sheet.access.filter(user_id=user_id), role, by)


def revoke(sheet: Sheet, user_id: int, by: Actor = PROJECT) -> None:
    """Take a person's role away; what the address allows to everybody stays."""
    _revoke(sheet.access.filter(user_id=user_id), by)


def access_list(sheet: Sheet) -> QuerySet[SheetAccess]:
    """Return the people with a role of their own on this sheet, by name."""
    return sheet.access.select_related("user").order_by(f"user__{get_user_model().USERNAME_FIELD}")


def grant_group(sheet: Sheet, group: Group, role: Role, by: Actor = PROJECT) -> None:
    """Give everybody in a group a role, in place of the one that they had by it."""
    with transaction.atomic():
        SheetGroupAccess.objects.update_or_create(sheet=sheet, group=group, defaults={"role": role})
        note(Action.SHARED, by, sheet, group=group.name, group_id=group.pk, role=role)


def change_group_role(sheet: Sheet, group_id: int, role: Role, by: Actor = PROJECT) -> bool:
    """Change the role of a group that has one; False if it has none any more."""
    return _change(sheet.group_access.filter(group_id=group_id), role, by)


def revoke_group(sheet: Sheet, group_id: int, by: Actor = PROJECT) -> None:
    """Take a group's role away; what its people have otherwise stays."""
    _revoke(sheet.group_access.filter(group_id=group_id), by)


def group_access_list(sheet: Sheet) -> QuerySet[SheetGroupAccess]:
    """Return the groups with a role on this sheet, by name."""
    return sheet.group_access.select_related("group").order_by("group__name")


def grantee_of(access: Access) -> dict[str, object]:
    """Return how the audit log names who has a role."""
    if isinstance(access, SheetAccess):
        return {"user": access.user.get_username(), "user_id": access.user_id}
    return {"group": access.group.name, "group_id": access.group_id}


def _change(chosen: QuerySet[Any], role: Role, by: Actor) -> bool:
    with transaction.atomic():
        access: Access | None = chosen.select_related("sheet").first()
        if access is None or not chosen.model.objects.filter(pk=access.pk).update(role=role):
            return False
        if access.role != role:
            told = grantee_of(access)
            note(Action.ROLE_CHANGED, by, access.sheet, **told, old=access.role, role=role)
    return True


def _revoke(chosen: QuerySet[Any], by: Actor) -> None:
    with transaction.atomic():
        access: Access | None = chosen.select_related("sheet").first()
        if access is not None and chosen.model.objects.filter(pk=access.pk).delete()[0]:
            note(Action.UNSHARED, by, access.sheet, **grantee_of(access), role=access.role)
