"""Refusals as `application/problem+json` (RFC 9457), each with our stable code."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel, ConfigDict

from cells.domain.errors import (
    DangerousFile,
    Deleted,
    Forbidden,
    ImportOvertaken,
    InvalidAddress,
    InvalidText,
    LimitExceeded,
    Malformed,
    NoSuchSheet,
    Outdated,
    Protected,
    ProtectedEnd,
    Pruned,
    SheetSyncError,
    Unavailable,
    UnknownHeader,
    UnknownId,
    UnreadableFile,
)
from cells.services.failures import is_outage

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # after an outage; most are a restart


class Unauthenticated(SheetSyncError):
    """The request says not who makes it, or its token is good for nothing."""

    code = "unauthenticated"


class InsufficientScope(SheetSyncError):
    """The token may read, not write."""

    code = "insufficient_scope"


class CsrfFailed(SheetSyncError):
    """A browser's session writes without the token that proves the page is ours."""

    code = "csrf_failed"


class KeyReused(SheetSyncError):
    """The Idempotency-Key stands for another request already."""

    code = "idempotency_key_reused"


class BodyTooLarge(SheetSyncError):
    """The body is larger than a request's may be."""

    code = "body_too_large"


class UnsupportedMediaType(SheetSyncError):
    """The body is said to be something that is not read here."""

    code = "unsupported_media_type"


class TooManyRequests(SheetSyncError):
    """More requests than are allowed in this minute."""

    code = "too_many_requests"
    retryable = True

    def __init__(self, message: str, wait_seconds: int) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class NoSuchPath(SheetSyncError):
    """The interface has nothing at this address."""

    code = "no_such_path"


class MethodNotAllowed(SheetSyncError):
    """The address exists, and this cannot be done there."""

    code = "method_not_allowed"


STATUSES = {
    Malformed.code: 400,
    InvalidAddress.code: 400,
    InvalidText.code: 400,
    LimitExceeded.code: 400,
    UnreadableFile.code: 400,
    DangerousFile.code: 400,
    Unauthenticated.code: 401,
    Forbidden.code: 403,
    Protected.code: 403,
    ProtectedEnd.code: 409,
    InsufficientScope.code: 403,
    CsrfFailed.code: 403,
    NoSuchSheet.code: 404,
    NoSuchPath.code: 404,
    MethodNotAllowed.code: 405,
    # What a later state of the sheet may allow.
    UnknownId.code: 409,
    UnknownHeader.code: 409,
    Deleted.code: 409,
    ImportOvertaken.code: 409,
    Outdated.code: 412,
    Pruned.code: 410,
    BodyTooLarge.code: 413,
    UnsupportedMediaType.code: 415,
    KeyReused.code: 422,
    TooManyRequests.code: 429,
    Unavailable.code: 503,
}


class Problem(Schema):
    """Why a request was refused (RFC 9457). `code` is stable, the wording of `detail` is not."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class RequestBody(BaseModel):
    """What a request says: nothing that is unknown here, for that is a typing error.

    Not ninja's Schema, which reads attributes of whatever comes, of a list too.
    """

    model_config = ConfigDict(extra="forbid", strict=True)


READ_PROBLEMS = (400, 401, 403, 404, 429, 503)
WRITE_PROBLEMS = (400, 401, 403, 404, 409, 412, 413, 422, 429, 503)


def answers(status: int, schema: Any, problems: tuple[int, ...]) -> dict[Any, Any]:
    """Return what an operation says it answers: one way to succeed, and the refusals."""
    return {status: schema, **dict.fromkeys(problems, Problem)}


def problem_response(refusal: SheetSyncError) -> JsonResponse:
    """Return the answer to a request that was refused."""
    status = STATUSES[refusal.code]
    body = {
        "type": "about:blank",  # RFC 9457, section 4.2.1: the status says it all; `code` says more
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": refusal.code,
        "detail": str(refusal),
    }
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1
    if isinstance(refusal, TooManyRequests):
        response.headers["Retry-After"] = str(refusal.wait_seconds)
    if isinstance(refusal, Unavailable):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def answer_refusals(api: NinjaAPI) -> None:
    """Have an interface answer every refusal as a problem."""

    @api.exception_handler(SheetSyncError)
    def refused(request: HttpRequest, error: SheetSyncError) -> JsonResponse:
        return problem_response(error)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> JsonResponse:
        return problem_response(Malformed("; ".join(map(_sentence, error.errors[:10]))))

    @api.exception_handler(HttpError)
    def failed(request: HttpRequest, error: HttpError) -> JsonResponse:
        return problem_response(_refusal_of(error))

    @api.exception_handler(RequestDataTooBig)
    def too_large(request: HttpRequest, error: RequestDataTooBig) -> JsonResponse:
        return problem_response(BodyTooLarge("the body is too large; send several requests"))

    @api.exception_handler(DatabaseError)
    def unavailable(request: HttpRequest, error: DatabaseError) -> JsonResponse:
        if not is_outage(error):
            raise error
        logger.warning("%s %s meets an outage: %s", request.method, request.path, error)
        return problem_response(Unavailable("the database does not answer; try again soon"))


def _refusal_of(error: HttpError) -> SheetSyncError:
    if isinstance(error, AuthenticationError):
        return Unauthenticated("send a token: Authorization: Bearer sst_…")
    cause = error.__cause__
    if isinstance(cause, SheetSyncError):
        return cause
    return Malformed(str(error))


def _sentence(error: dict[str, Any]) -> str:
    """Return one of the errors that pydantic found, with the place that it is about."""
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}"
