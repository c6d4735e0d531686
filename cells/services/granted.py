"""The roles that were given to people: by name, and by the groups of Django's that they are in."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ManyToManyField, Q, QuerySet

from cells.models import Role, SheetAccess, SheetGroupAccess


@cache
def membership() -> "ManyToManyField[Any, Any] | None":
    """Return the field by which the project's users are in groups; a user model may have none."""
    try:
        field: object = get_user_model()._meta.get_field("groups")
    except FieldDoesNotExist:
        return None
    if isinstance(field, ManyToManyField) and field.related_model is Group:
        return field
    return None


def granted_roles(sheet_ids: Iterable[int], user_ids: Iterable[int]) -> dict[tuple[int, int], Role]:
    """Return the strongest role given to each (sheet id, user id) that has one: one statement."""
    sheet_ids, user_ids = list(sheet_ids), list(user_ids)
    found = SheetAccess.objects.filter(sheet__in=sheet_ids, user__in=user_ids)
    rows = found.values_list("sheet_id", "user_id", "role")
    if membership() is not None:
        member = _member()
        theirs = SheetGroupAccess.objects.filter(
            **{"sheet__in": sheet_ids, f"{member}__in": user_ids}
        )
        rows = rows.union(theirs.values_list("sheet_id", member, "role"), all=True)
    granted: dict[tuple[int, int], Role] = {}
    for sheet_id, user_id, role in rows:
        known = granted.get((sheet_id, user_id))
        granted[sheet_id, user_id] = strongest(known, Role(role)) or Role(role)
    return granted


def shared_with(user_id: int) -> Q:
    """Return the condition that a sheet was shared with a person, or with a group of theirs."""
    found = Q(pk__in=SheetAccess.objects.filter(user_id=user_id).values("sheet_id"))
    if membership() is not None:
        theirs = SheetGroupAccess.objects.filter(**{_member(): user_id})
        found |= Q(pk__in=theirs.values("sheet_id"))
    return found


def memberships(group_ids: Iterable[int], user_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return the (group id, user id) of people in these groups: one statement."""
    field = membership()
    if field is None:
        return set()
    member = field.related_query_name()
    found = Group.objects.filter(**{"pk__in": list(group_ids), f"{member}__in": list(user_ids)})
    return set(found.values_list("pk", member))


def find_group(name: str) -> Group | None:
    """Return the group of this name, where the project's people are in groups at all."""
    return None if membership() is None else Group.objects.filter(name=name).first()


def groups_of(user_id: int) -> QuerySet[Group]:
    """Return the groups that a person is in, by name."""
    field = membership()
    if field is None:
        return Group.objects.none()
    return Group.objects.filter(**{field.related_query_name(): user_id}).order_by("name")


def strongest(*roles: Role | None) -> Role | None:
    """Return the role that allows most; None if there is none."""
    return max((role for role in roles if role is not None), key=list(Role).index, default=None)


def _member() -> str:
    """Return the path from a group's role to the people who have it."""
    field = membership()
    assert field is not None  # noqa: S101 - what callers have asked
    return f"group__{field.related_query_name()}"
