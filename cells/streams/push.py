"""What Pub/Sub pushes: whose token comes with it, and the message that its envelope holds."""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from msgspec import Meta

from cells.domain.errors import Forbidden, Malformed, SheetSyncError
from cells.streams.certificates import Certificates
from cells.streams.messages import Message

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
CLOCK_SKEW_SECONDS = 10  # between Google's clocks and this machine's

# What Cloud Run leaves of a token that it has verified itself.
# https://cloud.google.com/run/docs/troubleshooting#signature-removed
_REMOVED = ".SIGNATURE_REMOVED_BY_GOOGLE"

_SUBSCRIPTION = re.compile(r"projects/[^/\s\0]{1,100}/subscriptions/[^/\s\0]{3,255}")
_MAX_INTEGER = 2**31 - 1  # what the column of a dead letter holds


class Unauthenticated(SheetSyncError):
    """The request has no token."""

    code = "unauthenticated"


class InvalidToken(SheetSyncError):
    """The token is none of Google's, is meant for somebody else, or its time is over."""

    code = "invalid_token"


class _Message(msgspec.Struct, rename="camel"):
    """The message in an envelope. Google writes ids and times in both spellings."""

    data: bytes = b""
    attributes: dict[str, str] = {}
    ordering_key: str = ""
    message_id: str = ""
    publish_time: str = ""
    message_id_: str = msgspec.field(default="", name="message_id")
    publish_time_: str = msgspec.field(default="", name="publish_time")


class _Envelope(msgspec.Struct, rename="camel"):
    """https://cloud.google.com/pubsub/docs/push#receive_push"""

    message: _Message
    subscription: str
    delivery_attempt: Annotated[int, Meta(ge=0, le=_MAX_INTEGER)] = 0


_decoder = msgspec.json.Decoder(_Envelope)


def verify_token(
    token: str, certificates: Certificates, *, audience: str, service_account: str
) -> None:
    """Return if the token says that `service_account` calls `audience`, and Google signed it.

    Raises InvalidToken, Forbidden for somebody else's token, and Unavailable when Google's
    certificates cannot be had.
    https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    """
    if token.endswith(_REMOVED):
        raise InvalidToken(
            "Cloud Run has verified this token and removed its signature, as it does for a service "
            "that requires authentication: allow public access to the service, SheetSync "
            "verifies the token itself"
        )
    key_id = _key_id_of(token)
    certificate = certificates.find(key_id)
    if certificate is None:
        raise InvalidToken(f"Google has no key {key_id!r:.60}")
    try:
        claims = jwt.decode(
            token, certs={key_id: certificate}, clock_skew_in_seconds=CLOCK_SKEW_SECONDS
        )
    except (GoogleAuthError, ValueError, TypeError) as error:
        raise InvalidToken(f"the token is refused: {error}") from error
    issuer, meant_for, email = (claims.get(name) for name in ("iss", "aud", "email"))
    if issuer not in ISSUERS:
        raise InvalidToken(f"the token is from {issuer!r:.100}, not from {ISSUERS[0]}")
    if meant_for != audience:
        raise InvalidToken(
            f"the token is meant for {meant_for!r:.200}, PUBSUB_PUSH_AUDIENCE is {audience!r}"
        )
    if email != service_account:
        raise Forbidden(
            f"the token is {email!r:.200}'s, PUBSUB_PUSH_SERVICE_ACCOUNT is {service_account!r}"
        )
    if claims.get("email_verified") is not True:
        raise Forbidden(f"Google has not verified the address {email!r} of this token")


def decode_envelope(body: bytes, topic: str) -> Message:
    """Return the message that Pub/Sub pushed from `topic`, which the envelope does not name.

    Raises Malformed for what is no envelope; whether its message is an edit, it does not ask.
    """
    try:
        envelope = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            f"this is no message that Pub/Sub has wrapped ({error}); if the subscription has "
            "payload unwrapping, turn it off"
        ) from error
    pushed = envelope.message
    if not _SUBSCRIPTION.fullmatch(envelope.subscription):
        raise Malformed('"subscription" is not like "projects/p/subscriptions/s"')
    message_id = pushed.message_id or pushed.message_id_
    if not 0 < len(message_id) <= 255 or not message_id.isprintable():
        raise Malformed('"message" has no "messageId"')
    return Message(
        topic=topic,
        subscription=envelope.subscription,
        message_id=message_id,
        published_at=_parse_time(pushed.publish_time or pushed.publish_time_),
        data=pushed.data,
        attributes=pushed.attributes,
        ordering_key=pushed.ordering_key,
        delivery_attempt=envelope.delivery_attempt,
    )


def _key_id_of(token: str) -> str:
    try:
        key_id = jwt.decode_header(token).get("kid")
    except (GoogleAuthError, ValueError, RecursionError):
        # Google's own sentences would show the token, and tokens do not belong into a log.
        raise InvalidToken("the token is no JSON Web Token") from None
    if not isinstance(key_id, str) or not key_id:
        raise InvalidToken("the token does not name the key that it is signed with")
    return key_id


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("it has no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed('"message" has no "publishTime" as RFC 3339 writes it') from error
