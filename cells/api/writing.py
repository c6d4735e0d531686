"""Writes into a sheet: by the one write path, once for each Idempotency-Key."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, TypeAlias
from uuid import UUID, uuid4, uuid5

import msgspec
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from ninja import Schema
from ninja.params.functions import Header
from pydantic import Field

from cells.announcing import announce_committed
from cells.api.callers import Caller, caller_of
from cells.api.found import find_sheet
from cells.api.problems import KeyReused
from cells.domain.errors import Malformed
from cells.domain.operations import AddressedOperation, Intended
from cells.models import AuthorKind, Revision, Role, Sheet
from cells.services.authors import MAX_NAME_CHARACTERS, Author
from cells.services.commit import Refused, Submission, commit

MAX_KEY_CHARACTERS = 255
SLUG_DIGITS = 20  # 80 bits
FINGERPRINT_CHARACTERS = 16  # of a request's hash; tells a retry from a mistake, no more

# Any UUID of our own would do; it is part of every operation id that was ever derived.
_KEYS = UUID("6f1cf5a5-3c5e-4f0c-9d0b-6b0c1f2f7a11")
_ETAG = re.compile(r'"([0-9]{1,18})"', re.ASCII)

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=MAX_KEY_CHARACTERS,
        description="Your name for this edit: sent again, it commits nothing and answers the same.",
    ),
]
IfMatch: TypeAlias = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description='The ETag that was read, such as "42": refused with 412 once it has changed.',
    ),
]


class Written(Schema):
    """The edit is in the log, exactly once."""

    revision: int = Field(description="Its number in the sheet's log.")
    operation_id: UUID = Field(description="What names it in the log and in outgoing streams.")


def write(
    request: HttpRequest,
    slug: str,
    make: Callable[[Sheet], Intended | AddressedOperation],
    *,
    key: str | None,
    if_match: str | None,
) -> Written:
    """Commit what `make` returns for the sheet, and tell its windows.

    Raises what find_sheet, `make` and the commit refuse, and KeyReused.
    """
    caller = caller_of(request)
    expected_head = _revision_in(if_match)
    sheet = find_sheet(caller, slug, at_least=Role.EDITOR).sheet
    fingerprint = fingerprint_of(request, if_match, request.body.decode("latin-1"))
    operation_id = uuid4() if key is None else operation_id_of(caller, key)
    if key is not None:
        # Ahead of `make`: a retry may be impossible by now, and is answered all the same.
        written = _find_written(sheet, operation_id, fingerprint)
        if written is not None:
            return written
    submission = Submission(
        slug,
        operation_id,
        make(sheet),
        author_of(caller, fingerprint),
        expected_head=expected_head,
    )
    result = commit([submission])
    announce_committed(result)
    outcome = result.outcomes[0]
    if isinstance(outcome, Refused):
        raise outcome.error
    if not outcome.is_new:  # the same request, twice at once
        written = _find_written(sheet, operation_id, fingerprint)
        if written is not None:
            return written
    return Written(revision=outcome.revision, operation_id=operation_id)


def operation_id_of(caller: Caller, key: str) -> UUID:
    """Return the id of the operation that an Idempotency-Key of the caller's stands for."""
    return uuid5(_KEYS, f"{caller.identity}\n{key}")


def slug_of(caller: Caller, key: str) -> str:
    """Return the slug of the sheet that an Idempotency-Key of the caller's has made, or will.

    Not to be guessed by who knows both: the address of a shared sheet is its key.
    """
    value = f"{caller.identity}\n{key}"
    return salted_hmac("cells.api.slug", value, algorithm="sha256").hexdigest()[:SLUG_DIGITS]


def author_of(caller: Caller, fingerprint: str = "") -> Author:
    """Return whom the log names for what a program does."""
    origin = f"{caller.identity} {fingerprint}".strip()
    return Author(AuthorKind.API, caller.name[:MAX_NAME_CHARACTERS], caller.user.pk, origin)


def etag_of(revision: int) -> str:
    """Return the ETag of what was read at a revision."""
    return f'"{revision}"'


def has_etag(if_none_match: str | None, revision: int) -> bool:
    """Say whether an If-None-Match names what is at this revision (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag_of(revision) in tags


def _revision_in(if_match: str | None) -> int | None:
    """Return the revision that an If-Match asks for; None for none, and for any (`*`).

    Raises Malformed for what is no ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Malformed('If-Match is the ETag of an answer, in its quotes, such as "42"')
    return int(found[1])


def fingerprint_of(request: HttpRequest, *said: str | None) -> str:
    """Return what tells this request from another one that has the same Idempotency-Key."""
    parts: list[Any] = [request.method, request.path, *said]
    return sha256(msgspec.json.encode(parts)).hexdigest()[:FINGERPRINT_CHARACTERS]


def find_logged(sheet: Sheet, operation_id: UUID, fingerprint: str) -> tuple[int, str] | None:
    """Return revision and origin of a key's operation. Raises KeyReused for another request's."""
    logged = Revision.objects.filter(sheet=sheet, operation_id=operation_id)
    found = logged.values_list("number", "origin").first()
    if found is not None and not found[1].endswith(f" {fingerprint}"):
        raise KeyReused("this Idempotency-Key stands for another request; use a new one")
    return found


def _find_written(sheet: Sheet, operation_id: UUID, fingerprint: str) -> Written | None:
    found = find_logged(sheet, operation_id, fingerprint)
    return None if found is None else Written(revision=found[0], operation_id=operation_id)
