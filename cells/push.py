"""The address that Pub/Sub pushes to: who calls, what comes, and the answer that it understands.

To Pub/Sub 204 is an acknowledgement, and anything else means that it should try again later.
"""

import logging
from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cells.domain.errors import Forbidden, LimitExceeded, Malformed, SheetSyncError, Unavailable
from cells.services.failures import is_outage
from cells.streams.batches import commit_batch
from cells.streams.counting import count_at_once
from cells.streams.feeds import feeds_of
from cells.streams.names import PubsubSetupError, Route

logger = logging.getLogger(__name__)

# A message has 10 MB at the most, which base64 makes a third longer; its attributes come on top.
# https://cloud.google.com/pubsub/quotas#resource_limits
MAX_BODY_BYTES = 16 * 1024 * 1024


class NotSetUp(SheetSyncError):
    """This deployment takes no pushed messages."""

    code = "push_not_set_up"


STATUSES = {
    Malformed.code: 400,
    "unauthenticated": 401,
    "invalid_token": 401,
    Forbidden.code: 403,
    NotSetUp.code: 404,
    LimitExceeded.code: 413,
    Unavailable.code: 503,
}


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Commit one pushed message, as an edit or as a dead letter, and say so with 204."""
    try:
        _authenticate(request)
        from cells.streams.push import decode_envelope

        message = decode_envelope(_read(request), _topic())
    except SheetSyncError as refusal:
        return _refuse(refusal)
    try:
        feeds = feeds_of(message.subscription)
        if feeds is None:
            # Left to Pub/Sub, as a listener leaves it: the feed, or its sheet, may come back.
            return _refuse(Unavailable("the feed of this subscription is off; push it again"))
        tally = commit_batch([replace(message, feeds=feeds)])
        count_at_once(tally.by_feed)
    except Exception as error:
        if not is_outage(error):
            raise
        logger.warning("message %s has to come again: %s", message.origin, error)
        return _refuse(Unavailable("the database takes nothing now; push the message again"))
    return HttpResponse(status=204)


def _authenticate(request: HttpRequest) -> None:
    """Return if the caller is the one that the settings name; raise a refusal otherwise."""
    if settings.PUBSUB_PUSH_UNAUTHENTICATED and settings.DEBUG:
        return
    if not settings.PUBSUB_PUSH_AUDIENCE:
        raise NotSetUp(
            "set PUBSUB_PUSH_AUDIENCE and PUBSUB_PUSH_SERVICE_ACCOUNT to have Pub/Sub push here"
        )
    # Google's part of it takes 15 MB: only a process that is pushed to pays.
    from cells.streams.certificates import certificates_at
    from cells.streams.push import Unauthenticated, verify_token

    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "there is no token: give the subscription --push-auth-service-account and "
            "--push-auth-token-audience"
        )
    verify_token(
        token.strip(),
        certificates_at(settings.PUBSUB_PUSH_CERTIFICATES_URL),
        audience=settings.PUBSUB_PUSH_AUDIENCE,
        service_account=settings.PUBSUB_PUSH_SERVICE_ACCOUNT,
    )


def _read(request: HttpRequest) -> bytes:
    # Not request.body: that refuses more than DATA_UPLOAD_MAX_MEMORY_SIZE, which is for forms.
    body: bytes = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise LimitExceeded(f"a pushed message has at most {MAX_BODY_BYTES:,} bytes")
    return body


def _topic() -> str:
    """Return the topic that a listener would have heard the message from.

    It is part of the message's identity: pushed and pulled, it is one edit.
    """
    try:
        return Route.from_settings().topic_path
    except PubsubSetupError as error:
        raise NotSetUp(str(error)) from error


def _refuse(refusal: SheetSyncError) -> JsonResponse:
    status = STATUSES[refusal.code]
    logger.warning("a pushed message is refused with %d %s: %s", status, refusal.code, refusal)
    response = JsonResponse({"code": refusal.code, "message": str(refusal)}, status=status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1
    return response
