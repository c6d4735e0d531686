"""How people stand who were let in a while ago: with which role, or why not any more."""

from collections.abc import Iterable
from enum import StrEnum

from cells.models import Role
from cells.services.access import roles_now
from cells.services.credentials import Credentials, still_good
from cells.services.host_roles import RememberedWords


class Ended(StrEnum):
    """Why somebody may not stay."""

    SIGNED_OUT = "signed out"
    NOT_SHARED = "not shared"
    NO_SHEET = "no sheet"


Standing = Role | Ended
Asked = tuple[int, Credentials]


def standings_now(asked: Iterable[Asked], words: RememberedWords) -> dict[Asked, Standing]:
    """Return how each (sheet id, credentials) stands; a few statements for any number."""
    asked = set(asked)
    good = still_good(credentials for _, credentials in asked)
    people = {(sheet_id, who.user_id) for sheet_id, who in asked if who in good}
    roles = roles_now(people, words.on)
    standings: dict[Asked, Standing] = {}
    for sheet_id, who in asked:
        if who not in good:
            standings[sheet_id, who] = Ended.SIGNED_OUT
        elif (sheet_id, who.user_id) not in roles:
            standings[sheet_id, who] = Ended.NO_SHEET
        else:
            lost = Ended.SIGNED_OUT if who.user_id is None else Ended.NOT_SHARED
            standings[sheet_id, who] = roles[sheet_id, who.user_id] or lost
    return standings
