"""What the project that the app lives in says of roles: its own rule, the setting CELLS_ROLE."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string

from cells.models import Role, Sheet

logger = logging.getLogger(__name__)

Person = AbstractBaseUser | AnonymousUser
Rule = Callable[[Any, Sheet], Role | str | None]


@dataclass(frozen=True, slots=True)
class Word:
    """What the rule says of somebody on a sheet: a role beside others, or that they have none."""

    role: Role | None = None
    is_refused: bool = False


RULE_SECONDS = 5.0  # how long what a rule said counts for who is here already: it may be dear
BASICS = ("slug", "title", "owner", "link_role")  # of a sheet; axes may be large
NOTHING = Word()
REFUSED = Word(is_refused=True)


def has_rule() -> bool:
    """Say whether the project has a rule at all; without one nothing below costs anything."""
    return settings.CELLS_ROLE is not None


def word_on(user: Person, sheet: Sheet) -> Word:
    """Return what the rule says of `user` on `sheet`; people who are not active are guests.

    A rule that fails refuses: what it would have said is not known. Only where the database does
    not answer the error is passed on, for it pauses everything else as well.
    """
    if settings.CELLS_ROLE is None:
        return NOTHING
    person = user if user.pk is not None and user.is_active else AnonymousUser()
    try:
        rule: Rule = import_string(settings.CELLS_ROLE)
        role = rule(person, sheet)
        return NOTHING if role is None else Word(Role(role))
    except PermissionDenied:
        return REFUSED
    except DatabaseError:
        raise
    except Exception:
        logger.exception("sheet=%s %s failed; nobody is let in", sheet.slug, settings.CELLS_ROLE)
        return REFUSED


def words_on(asked: Iterable[tuple[int, int | None]]) -> dict[tuple[int, int | None], Word]:
    """Return what the rule says of each (sheet id, user id; None for a guest).

    Empty without a rule, else two statements and the rule's own.
    """
    if not has_rule():
        return {}
    asked = set(asked)
    people = get_user_model()._default_manager.in_bulk(
        [user_id for _, user_id in asked if user_id is not None]
    )
    sheets = Sheet.objects.only(*BASICS).in_bulk([sheet_id for sheet_id, _ in asked])
    return {
        (sheet_id, user_id): word_on(
            AnonymousUser() if user_id is None else people.get(user_id, AnonymousUser()),
            sheets[sheet_id],
        )
        for sheet_id, user_id in asked
        if sheet_id in sheets
    }


class RememberedWords:
    """What the rule said lately: whoever asks every second asks the rule itself more seldom."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, int | None], tuple[float, Word]] = {}

    def on(self, asked: Iterable[tuple[int, int | None]]) -> dict[tuple[int, int | None], Word]:
        """Return as words_on does, of some what it was at most RULE_SECONDS ago."""
        if not has_rule():
            return {}
        asked, now = set(asked), time.monotonic()
        self._said = {
            key: (at, word) for key, (at, word) in self._said.items() if now - at < RULE_SECONDS
        }
        for key, word in words_on(asked - self._said.keys()).items():
            self._said[key] = (now, word)
        return {key: word for key, (_, word) in self._said.items() if key in asked}
