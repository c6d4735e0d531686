"""Who is behind a browser's session cookie; read only, for a socket cannot set a cookie."""

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http.cookie import parse_cookie

from cells.domain.errors import Forbidden, NoSuchSheet
from cells.services.access import Admission, admit
from cells.services.credentials import Credentials, is_hash_of
from cells.services.host_roles import Person
from cells.services.people import name_of


@dataclass(frozen=True, slots=True)
class Visitor:
    """A user, or a guest: by session where there is one, with the name that a page gave it.

    `name` is a guest's only after a page gave it.
    """

    user: Person
    name: str | None = None
    session_key: str | None = None
    auth_hash: str = ""

    @property
    def is_guest(self) -> bool:
        return self.user.pk is None

    @property
    def credentials(self) -> Credentials:
        """By what they came in."""
        if self.is_guest:
            return Credentials()
        return Credentials(self.user.pk, self.session_key, self.auth_hash)


def receive(slug: str, cookies: str) -> tuple[Visitor, Admission | Forbidden | NoSuchSheet]:
    """Return who comes to a sheet with a Cookie header, and how they come in, or why not."""
    visitor = visitor_of(cookies)
    try:
        return visitor, admit(slug, visitor.user)
    except (Forbidden, NoSuchSheet) as refusal:
        return visitor, refusal


def visitor_of(cookies: str) -> Visitor:
    """Return who sends a Cookie header; empty, a guest without a session."""
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return Visitor(AnonymousUser())
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = _user_of(session)
    if user is None:
        return Visitor(AnonymousUser(), session.get("guest_name"), session.session_key)
    return Visitor(user, name_of(user), session.session_key, session.get(HASH_SESSION_KEY, ""))


def _user_of(session: SessionBase) -> Person | None:
    """Return whom a session signs in, as django.contrib.auth.get_user does, changing nothing."""
    try:
        user_id = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
        backend = session[BACKEND_SESSION_KEY]
    except KeyError:
        return None
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend).get_user(user_id)
    if user is None:
        return None
    told = Credentials(user.pk, session.session_key, session.get(HASH_SESSION_KEY, ""))
    return user if is_hash_of(user, told) else None  # a changed password ends sessions
