"""Protected ranges: made, taken away, and who may edit which."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import transaction
from django.db.models import Prefetch, QuerySet

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import LimitExceeded, NotProtected
from cells.domain.layout import Layout
from cells.domain.protecting import Area, format_area
from cells.models import Feed, Protection, ProtectionEditor, Role, Sheet
from cells.services.access import roles_now
from cells.services.audit import PROJECT, Action, Actor, note
from cells.services.granted import memberships
from cells.services.people import name_of

MAX_PROTECTIONS = 100  # of one sheet: each commit into it holds its operations against all


@dataclass(frozen=True, slots=True)
class Guard:
    """A protected area, and who may edit it: by the ids of people, groups and feeds."""

    id: int
    sheet_id: int
    area: Area
    description: str
    takes_messages: bool
    users: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    feeds: set[int] = field(default_factory=set)


def find_guards(sheet_ids: Iterable[int]) -> dict[int, list[Guard]]:
    """Return the protections of each sheet that has some, oldest first: one statement."""
    found = Protection.objects.filter(sheet_id__in=sheet_ids).order_by("pk")
    guards: dict[int, Guard] = {}
    for (
        id_,
        sheet_id,
        top,
        bottom,
        left,
        right,
        text,
        takes,
        user,
        group,
        feed,
    ) in found.values_list(
        "pk",
        "sheet_id",
        "first_row",
        "last_row",
        "first_column",
        "last_column",
        "description",
        "takes_messages",
        "editors__user_id",
        "editors__group_id",
        "editors__feed_id",
    ):
        guard = guards.get(id_)
        if guard is None:
            area = Area(_ends(top, bottom), _ends(left, right))
            guard = guards[id_] = Guard(id_, sheet_id, area, text, takes)
        for named, who in ((guard.users, user), (guard.groups, group), (guard.feeds, feed)):
            if who is not None:
                named.add(who)
    by_sheet: dict[int, list[Guard]] = {}
    for guard in guards.values():
        by_sheet.setdefault(guard.sheet_id, []).append(guard)
    return by_sheet


def find_permitted(
    guards: Collection[Guard], asked: Iterable[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Return those (guard's id, user id), of `asked` (sheet id, user id)s, that may edit.

    A sheet's owners may, by whatever road they are. Four statements, more with CELLS_ROLE.
    """
    asked = set(asked)
    roles = roles_now(asked)
    groups = {group for guard in guards for group in guard.groups}
    members = memberships(groups, {user_id for _, user_id in asked}) if groups else set()
    return {
        (guard.id, user_id)
        for guard in guards
        for sheet_id, user_id in asked
        if sheet_id == guard.sheet_id
        and (
            roles.get((sheet_id, user_id)) == Role.OWNER
            or user_id in guard.users
            or any((group, user_id) in members for group in guard.groups)
        )
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """The protections of a sheet as one person meets them: with whether they may edit each."""

    guards: tuple[tuple[int, Area, str, bool], ...] = ()
    owner: str = ""


NONE_SEEN = Seen()


def seen_now(asked: Iterable[tuple[int, int | None]]) -> dict[tuple[int, int | None], Seen]:
    """Return what each (sheet id, user id; None for a guest) meets, where anything is protected.

    One statement where nothing is, else some more.
    """
    asked = set(asked)
    by_sheet = find_guards({sheet_id for sheet_id, _ in asked})
    if not by_sheet:
        return {}
    concerned = {(sheet_id, user_id) for sheet_id, user_id in asked if sheet_id in by_sheet}
    guards = [guard for some in by_sheet.values() for guard in some]
    people = {(sheet_id, user_id) for sheet_id, user_id in concerned if user_id is not None}
    permitted = find_permitted(guards, people) if people else set()
    owned = Sheet.objects.filter(pk__in=by_sheet).select_related("owner").only("owner")
    owners = {sheet.pk: name_of(sheet.owner) for sheet in owned if sheet.owner is not None}
    return {
        (sheet_id, user_id): Seen(
            tuple(
                (guard.id, guard.area, guard.description, (guard.id, user_id) in permitted)
                for guard in by_sheet[sheet_id]
            ),
            owners.get(sheet_id, ""),
        )
        for sheet_id, user_id in concerned
    }


def whom_to_ask(owner_id: int | None) -> str:
    """Return how the owner of a sheet is called; "" where there is none any more."""
    if owner_id is None:
        return ""
    owner = get_user_model()._default_manager.filter(pk=owner_id).first()
    return "" if owner is None else name_of(owner)


def layout_of(sheet: Sheet) -> Layout:
    """Return where the rows and columns of a sheet stand now, without their sizes."""
    rows, columns = Sheet.objects.values_list("rows", "columns").get(pk=sheet.pk)
    axes = {AxisName.ROWS: Axis.from_runs(rows), AxisName.COLUMNS: Axis.from_runs(columns)}
    return Layout(axes, {AxisName.ROWS: [], AxisName.COLUMNS: []})


def protect(
    sheet: Sheet,
    area: Area | None,
    editors: Iterable[AbstractBaseUser | Group | Feed] = (),
    *,
    description: str = "",
    takes_messages: bool = False,
    instead_of: Protection | None = None,
    by: Actor = PROJECT,
) -> Protection:
    """Protect an area, for its sheet's owners and these editors; or change a protection.

    None leaves the area of the latter as it is. Raises LimitExceeded for more than
    MAX_PROTECTIONS, NotProtected where what was to be changed is gone.
    """
    with transaction.atomic():
        if instead_of is None:
            check_count(sheet)
            protection, before = Protection(sheet=sheet), None
        else:
            protection = held(sheet, instead_of.pk)
            before = facts_of(protection)
        protection.description, protection.takes_messages = description, takes_messages
        if area is not None:
            place(protection, area)
        protection.save(force_update=instead_of is not None)
        protection.editors.all().delete()
        ProtectionEditor.objects.bulk_create(
            _editor(protection, editor) for editor in dict.fromkeys(editors)
        )
        note_protected(protection, before, by)
    return protection


def unprotect(sheet: Sheet, protection_id: int, by: Actor = PROJECT) -> None:
    """Take a protection away; one that is gone already is none."""
    with transaction.atomic():
        try:
            protection = held(sheet, protection_id)
        except NotProtected:
            return
        note_unprotected(protection, by)
        protection.delete()


def held(sheet: Sheet, protection_id: int) -> Protection:
    """Return a protection as it is, and stays until the end of the transaction. Or NotProtected."""
    _hold(sheet)
    protection = sheet.protections.filter(pk=protection_id).first()
    if protection is None:
        raise NotProtected("this range is not protected any more; look at what is")
    return protection


def facts_of(protection: Protection) -> dict[str, object]:
    """Return what the audit log says of a protection, as it is in the database."""
    editors = protection.editors.select_related("user", "group", "feed").order_by("pk")
    return {
        "range": format_area(area_of(protection), layout_of(protection.sheet)),
        "description": protection.description,
        "takes_messages": protection.takes_messages,
        "editors": [_called(editor) for editor in editors],
    }


def note_protected(protection: Protection, before: dict[str, object] | None, by: Actor) -> None:
    """Note in the audit log that something is protected, or what of that is not as before."""
    now = facts_of(protection)
    if before is None:
        note(Action.PROTECTED, by, protection.sheet, id=protection.pk, **now)
        return
    differing = {key: [before[key], value] for key, value in now.items() if before[key] != value}
    if differing:
        told = {"id": protection.pk, "range": now["range"], "changed": differing}
        note(Action.PROTECTION_CHANGED, by, protection.sheet, **told)


def note_unprotected(protection: Protection, by: Actor) -> None:
    """Note in the audit log that a protection is taken away, before it is."""
    note(Action.UNPROTECTED, by, protection.sheet, id=protection.pk, was=facts_of(protection))


def protections_of(sheet: Sheet) -> QuerySet[Protection]:
    """Return a sheet's protections with their editors, oldest first."""
    named = Prefetch("editors", ProtectionEditor.objects.select_related("user", "group", "feed"))
    return sheet.protections.order_by("pk").prefetch_related(named)


def check_count(sheet: Sheet) -> None:
    """Raise LimitExceeded where a sheet has as many protections as it may.

    Within the transaction that adds one: until its end nobody else adds any.
    """
    _hold(sheet)
    if sheet.protections.count() >= MAX_PROTECTIONS:
        raise LimitExceeded(
            f"a sheet has at most {MAX_PROTECTIONS} protected ranges; remove one first"
        )


def place(protection: Protection, area: Area) -> None:
    """Give a protection, that is yet to be saved, another area."""
    protection.first_row, protection.last_row = area.rows or (None, None)
    protection.first_column, protection.last_column = area.columns or (None, None)


def area_of(protection: Protection) -> Area:
    """Return what a protection protects."""
    return Area(
        _ends(protection.first_row, protection.last_row),
        _ends(protection.first_column, protection.last_column),
    )


def _hold(sheet: Sheet) -> None:
    """Take the lock that a commit takes, which may give areas other ends, ahead of any other."""
    Sheet.objects.select_for_update(no_key=True).filter(pk=sheet.pk).values_list("pk").first()


def _editor(protection: Protection, editor: AbstractBaseUser | Group | Feed) -> ProtectionEditor:
    match editor:
        case Group():
            return ProtectionEditor(protection=protection, group=editor)
        case Feed():
            return ProtectionEditor(protection=protection, feed=editor)
        case _:
            return ProtectionEditor(protection=protection, user_id=editor.pk)


def _called(editor: ProtectionEditor) -> str:
    if editor.user is not None:
        return f"user {editor.user.get_username()}"
    return f"group {editor.group.name}" if editor.group is not None else f"feed {editor.feed}"


def _ends(first: int | None, last: int | None) -> tuple[int, int] | None:
    return None if first is None or last is None else (first, last)
