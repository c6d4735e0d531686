"""The people of the project, whatever its user model is: their names, and who is meant by one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet

NAMES = ("first_name", "last_name")  # beside the name to sign in with, where a model has them


class SeveralPeopleError(Exception):
    """An e-mail address that more than one person has."""


def name_of(user: Any) -> str:
    """Return how a person is called: their full name, or else what they sign in with."""
    full_name = getattr(user, "get_full_name", None)
    return (full_name() if full_name else "") or user.get_username()


def find_by_username(text: str) -> AbstractBaseUser | None:
    """Return the active person who signs in with this text."""
    return active_people().filter(**{get_user_model().USERNAME_FIELD: text}).first()


def find_person(text: str) -> AbstractBaseUser | None:
    """Return the active person of this name, or else the one of this e-mail address.

    Raises SeveralPeopleError where the address does not say who is meant.
    """
    named = find_by_username(text)
    email = get_user_model().get_email_field_name()
    addressed: list[AbstractBaseUser] = []
    if "@" in text and _has(email):
        addressed = list(active_people().filter(**{f"{email}__iexact": text})[:2])
    if named is not None and all(person == named for person in addressed):
        return named
    if len(addressed) > 1 or named is not None:
        raise SeveralPeopleError(text)
    return addressed[0] if addressed else None


def has_word(path: str, word: str) -> Q:
    """Return the condition that the person at `path`, such as "owner", has a word in a name."""
    found = Q(**{f"{path}__{get_user_model().USERNAME_FIELD}__icontains": word})
    for name in filter(_has, NAMES):
        found |= Q(**{f"{path}__{name}__icontains": word})
    return found


def active_people() -> QuerySet[Any]:
    """Return the people who may sign in."""
    people = get_user_model()._default_manager.all()
    return people.filter(is_active=True) if _has("is_active") else people


def _has(field: str) -> bool:
    try:
        get_user_model()._meta.get_field(field)
    except FieldDoesNotExist:
        return False
    return True
