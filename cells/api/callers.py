"""Who calls: a token's person, or the person of a browser's session; and how often they may."""

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.utils import check_csrf

from cells.api.problems import (
    CsrfFailed,
    InsufficientScope,
    TooManyRequests,
    Unauthenticated,
)
from cells.models import ApiToken, Scope
from cells.services.audit import Actor, Place, actor_of
from cells.services.credentials import Credentials
from cells.services.people import name_of
from cells.services.quotas import address_of, count_seconds, wait_seconds
from cells.services.tokens import find_token, note_used

MINUTE_SECONDS = 60
WRONG_TOKENS_AN_HOUR = 300  # from one address: a program that was forgotten asks once a minute
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, and the token by which a program acts for them; a browser has none."""

    user: AbstractBaseUser
    credentials: Credentials
    token: ApiToken | None = None

    @property
    def name(self) -> str:
        """How the log names them."""
        name = name_of(self.user)
        return name if self.token is None else f"{name} ({self.token.name})"

    @property
    def identity(self) -> str:
        """Whose Idempotency-Keys these are, and whose requests are counted."""
        return f"user {self.user.pk}" if self.token is None else f"token {self.token.pk}"


def caller_of(request: HttpRequest) -> Caller:
    """Return who calls, as the authentication below has found."""
    return cast(Caller, request.auth)  # type: ignore[attr-defined]


def actor_of_call(request: HttpRequest) -> Actor:
    """Return whom the audit log names for a request."""
    return actor_of(request, Place.API, caller_of(request).user, name=caller_of(request).name)


class TokenAuth(HttpBearer):
    """`Authorization: Bearer sst_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        found = find_token(token.strip())
        if found is None:
            # A header that is wrong does not fall back to the session: it is a mistake.
            _count_wrong(request)
            raise Unauthenticated("this token is unknown, revoked or expired; make another one")
        if request.method not in SAFE_METHODS and found.scope != Scope.WRITE:
            raise InsufficientScope("this token may read, not write; make one that may")
        caller = Caller(found.user, Credentials(found.user.pk, token_id=found.pk), found)
        _count(caller)
        note_used(found)
        return caller


class SessionAuth(APIKeyCookie):
    """A browser's session; what it writes needs Django's CSRF token, as a form does."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        if not request.user.is_authenticated or request.headers.get("Authorization"):
            return None
        if request.method not in SAFE_METHODS and check_csrf(request) is not None:
            raise CsrfFailed("send the cookie csrftoken's value as X-CSRFToken as well")
        caller = Caller(request.user, _credentials(request))
        _count(caller)
        return caller

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        raise NotImplementedError  # __call__ asks Django's own session


def _credentials(request: HttpRequest) -> Credentials:
    """Return by what a browser's person came in; another middleware may have said who it is."""
    session = request.session
    if SESSION_KEY not in session:
        return Credentials(request.user.pk)
    hash_ = session.get(HASH_SESSION_KEY, "")
    return Credentials(request.user.pk, session.session_key, hash_)


def _count(caller: Caller) -> None:
    wait = count_seconds(
        "api",
        caller.identity.replace(" ", "."),
        limit=settings.API_REQUESTS_A_MINUTE,
        window_seconds=MINUTE_SECONDS,
    )
    if wait:
        raise TooManyRequests(
            f"at most {settings.API_REQUESTS_A_MINUTE:,} requests a minute; "
            f"come again in {wait} seconds",
            wait,
        )


def _count_wrong(request: HttpRequest) -> None:
    wait = wait_seconds("api_token", address_of(request), an_hour=WRONG_TOKENS_AN_HOUR)
    if wait:
        raise TooManyRequests("too many tokens from this address were wrong; come later", wait)
