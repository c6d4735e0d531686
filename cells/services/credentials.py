"""By what people came in, and whether it is still good: sessions, accounts and tokens end."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.cache import SessionStore as CacheSessions
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.core.cache import caches
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cells.services.people import active_people
from cells.services.tokens import living_tokens


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with the session or the token that says so; a guest has none, and none to lose.

    `auth_hash` is what the session has of the password: see AbstractBaseUser's.
    """

    user_id: int | None = None
    session_key: str | None = None
    auth_hash: str = ""
    token_id: int | None = None


def still_good(asked: Iterable[Credentials]) -> set[Credentials]:
    """Return those by which somebody who came anew would be let in as the same person.

    A statement for all people, one for all sessions and one for all tokens, where there are any.
    """
    asked = set(asked)
    people = active_people().in_bulk({c.user_id for c in asked if c.user_id is not None})
    sessions = _living_sessions({c.session_key for c in asked if c.session_key is not None})
    tokens = living_tokens({c.token_id for c in asked if c.token_id is not None})
    good = set()
    for credentials in asked:
        if credentials.user_id is not None:
            user = people.get(credentials.user_id)
            if user is None:
                continue
            key, token = credentials.session_key, credentials.token_id
            if key is not None and not (key in sessions and is_hash_of(user, credentials)):
                continue
            if token is not None and token not in tokens:
                continue
        good.add(credentials)
    return good


def is_hash_of(user: AbstractBaseUser, credentials: Credentials) -> bool:
    """Say whether a session was begun with the password that `user` has.

    A rotated SECRET_KEY does not end a session while it is a fallback.
    """
    valid = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(credentials.auth_hash, hash_) for hash_ in valid)


def _living_sessions(keys: set[str]) -> set[str]:
    """Return those keys whose sessions have neither been ended nor expired."""
    if not keys:
        return set()
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, DatabaseSessions):
        living = store.get_model_class().objects.filter(
            session_key__in=keys, expire_date__gt=timezone.now()
        )
        return set(living.values_list("session_key", flat=True))
    if issubclass(store, CacheSessions):
        prefix = store.cache_key_prefix
        found = caches[settings.SESSION_CACHE_ALIAS].get_many([prefix + key for key in keys])
        return {key.removeprefix(prefix) for key in found}
    return {key for key in keys if store(key).load()}  # files, cookies: one by one
