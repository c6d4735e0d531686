"""What the audit log says of a sheet's form in the admin: its own fields, and its shares."""

from collections.abc import Iterable, Mapping
from typing import Any

from cells.models import Sheet
from cells.services.audit import Action, Actor, note
from cells.services.sharing import grantee_of


def note_changed(sheet: Sheet, was: Mapping[str, Any], names: Iterable[str], by: Actor) -> None:
    """Note which fields of a sheet the form has changed; what the link allows by itself."""
    names = set(names)
    if "link_role" in names:
        note(Action.LINK_CHANGED, by, sheet, old=was["link_role"], role=sheet.link_role)
    changed = {
        name: [was[name], sheet.serializable_value(name)] for name in sorted(names - {"link_role"})
    }
    if changed:
        note(Action.SHEET_CHANGED, by, sheet, changed=changed)


def note_shares(formset: Any, by: Actor) -> None:
    """Note what a form set of roles has saved."""
    sheet = formset.instance
    for access in formset.new_objects:
        note(Action.SHARED, by, sheet, **grantee_of(access), role=access.role)
    old = {form.instance.pk: form.initial.get("role") for form in formset.initial_forms}
    for access, _ in formset.changed_objects:
        told = grantee_of(access)
        note(Action.ROLE_CHANGED, by, sheet, **told, old=old.get(access.pk), role=access.role)
    for access in formset.deleted_objects:
        note(Action.UNSHARED, by, sheet, **grantee_of(access), role=access.role)
