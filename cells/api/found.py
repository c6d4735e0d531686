"""The sheet that a request is about: visible to the caller, or it is as if there were none."""

from dataclasses import dataclass

from cells.api.callers import Caller
from cells.domain.errors import Forbidden, NoSuchSheet
from cells.models import Role, Sheet
from cells.services.access import role_of

MAX_SLUG_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet, and what the caller may do there."""

    sheet: Sheet
    role: Role


def find_sheet(
    caller: Caller, slug: str, *, at_least: Role = Role.VIEWER, to: str | None = None
) -> Found:
    """Return a sheet that the caller may see; `to` is what they want, for the refusal.

    Raises NoSuchSheet, for sheets that they may not see too, and Forbidden for a weaker role.
    """
    sheet = None
    if len(slug) <= MAX_SLUG_CHARACTERS and "\0" not in slug:
        sheet = Sheet.objects.filter(slug=slug, deleted_at=None).first()
    role = None if sheet is None else role_of(caller.user, sheet)
    if sheet is None or role is None:
        raise NoSuchSheet(f"there is no sheet {slug[:64]!r}, or it is not shared with you")
    order = list(Role)
    if order.index(role) < order.index(at_least):
        what = to or ("change" if at_least == Role.EDITOR else "rename or delete")
        raise Forbidden(f"you may not {what} this sheet; ask its owner")
    return Found(sheet, role)
