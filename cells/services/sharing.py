"""Who a sheet is shared with: by name, by group, and by its address."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db.models import QuerySet

from cells.models import LinkRole, Role, Sheet, SheetAccess, SheetGroupAccess


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
    return sheet.access.select_related("user").order_by(f"user__{get_user_model().USERNAME_FIELD}")


def grant_group(sheet: Sheet, group: Group, role: Role) -> None:
    """Give everybody in a group a role, in place of the one that they had by it."""
    SheetGroupAccess.objects.update_or_create(sheet=sheet, group=group, defaults={"role": role})


def change_group_role(sheet: Sheet, group_id: int, role: Role) -> bool:
    """Change the role of a group that has one; False if it has none any more."""
    changed = SheetGroupAccess.objects.filter(sheet=sheet, group_id=group_id).update(role=role)
    return changed > 0


def revoke_group(sheet: Sheet, group_id: int) -> None:
    """Take a group's role away; what its people have otherwise stays."""
    SheetGroupAccess.objects.filter(sheet=sheet, group_id=group_id).delete()


def group_access_list(sheet: Sheet) -> QuerySet[SheetGroupAccess]:
    """Return the groups with a role on this sheet, by name."""
    return sheet.group_access.select_related("group").order_by("group__name")
