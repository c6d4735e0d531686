"""Personal tokens: made, found, noted as used, and revoked."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cells.domain.errors import LimitExceeded
from cells.domain.operations import check_text
from cells.models import ApiToken, Scope
from cells.services.audit import PROJECT, Action, Actor, note

PREFIX = "sst_"  # by which searches for secrets in public code find a token
RANDOM_BYTES = 32  # not to be guessed, so that a plain hash of it is enough
MAX_TOKENS = 50  # of one person at a time; a page shows them all
USED_SECONDS = 60  # between two notes of a use: a busy program must not write with every request


def create_token(
    user: AbstractBaseUser,
    name: str,
    scope: Scope,
    expires_at: datetime | None = None,
    by: Actor = PROJECT,
) -> tuple[ApiToken, str]:
    """Make a token; return it, and the text that nothing can tell again.

    Raises LimitExceeded above MAX_TOKENS, InvalidText for a name that cannot be stored.
    """
    check_text(name)
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    with transaction.atomic():
        # Sixty requests at once would each count what was there before them all.
        get_user_model()._base_manager.select_for_update().get(pk=user.pk)
        if tokens_of(user).count() >= MAX_TOKENS:
            raise LimitExceeded(f"one person has {MAX_TOKENS} tokens at the most; revoke one first")
        token = ApiToken.objects.create(
            user_id=user.pk, name=name, scope=scope, digest=_digest(text), expires_at=expires_at
        )
        told = {"scope": scope, "expires_at": expires_at}
        note(Action.TOKEN_MADE, by, None, **_named(token, user), **told)
    return token, text


def find_token(text: str) -> ApiToken | None:
    """Return the token of this text, with its user, if it is good for anything now."""
    if not text.startswith(PREFIX):
        return None
    found = _living().select_related("user").filter(digest=_digest(text))
    token = found.first()
    return token if token is not None and token.user.is_active else None


def living_tokens(token_ids: Iterable[int]) -> set[int]:
    """Return which of these have neither been revoked nor expired."""
    return set(_living().filter(pk__in=token_ids).values_list("pk", flat=True))


def note_used(token: ApiToken) -> None:
    """Remember that a token is in use, at most once a minute."""
    now = timezone.now()
    if token.used_at is not None and now - token.used_at < timedelta(seconds=USED_SECONDS):
        return
    # Of two requests at once one writes.
    ApiToken.objects.filter(pk=token.pk, used_at=token.used_at).update(used_at=now)


def tokens_of(user: AbstractBaseUser) -> QuerySet[ApiToken]:
    """Return a person's tokens that are good for something, the newest first."""
    return _living().filter(user_id=user.pk)


def revoke_token(user: AbstractBaseUser, token_id: int, by: Actor = PROJECT) -> bool:
    """End a token of this person's; False if they have no such token any more."""
    return revoke(ApiToken.objects.filter(user_id=user.pk, pk=token_id), by) > 0


def revoke(tokens: QuerySet[ApiToken], by: Actor = PROJECT) -> int:
    """End tokens, and return how many were still good; the rows stay, for the log names them."""
    ended = 0
    for token in tokens.filter(revoked_at=None).select_related("user"):
        with transaction.atomic():
            good = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
            if good.update(revoked_at=timezone.now()):
                note(Action.TOKEN_REVOKED, by, None, **_named(token, token.user))
                ended += 1
    return ended


def _named(token: ApiToken, user: AbstractBaseUser) -> dict[str, object]:
    return {"token": token.name, "token_id": token.pk, "user": user.get_username()}


def _living() -> QuerySet[ApiToken]:
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiToken.objects.filter(in_time, revoked_at=None)


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()
