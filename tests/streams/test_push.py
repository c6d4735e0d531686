import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.domain.errors import Forbidden, Malformed, SheetSyncError, Unavailable
from cells.streams.certificates import Certificates
from cells.streams.messages import Message, operation_id_of
from cells.streams.push import (
    CLOCK_SKEW_SECONDS,
    InvalidToken,
    decode_envelope,
    verify_token,
)
from tests.servers.certificates import (
    AUDIENCE,
    SERVICE_ACCOUNT,
    CertificateServer,
    certificate_server,
    key,
)

TOPIC = "projects/demo/topics/edits"
SUBSCRIPTION = "projects/demo/subscriptions/pushed"


@pytest.fixture(scope="module")
def google() -> Iterator[CertificateServer]:
    with certificate_server(key("one")) as server:
        yield server


@pytest.fixture
def certificates(google: CertificateServer) -> Certificates:
    return Certificates(google.url)


def verify(token: str, certificates: Certificates) -> None:
    verify_token(token, certificates, audience=AUDIENCE, service_account=SERVICE_ACCOUNT)


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_a_token_of_googles_is_taken(certificates: Certificates, issuer: str) -> None:
    verify(key("one").token(iss=issuer), certificates)


def test_clocks_may_differ_a_little(certificates: Certificates) -> None:
    now = int(time.time())
    verify(key("one").token(iat=now + CLOCK_SKEW_SECONDS, exp=now + 3600), certificates)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "https://elsewhere.example.com"}, "PUBSUB_PUSH_AUDIENCE is"),
        ({"aud": [AUDIENCE]}, "PUBSUB_PUSH_AUDIENCE is"),
        ({"iss": "https://accounts.example.com"}, "not from https://accounts.google.com"),
        ({"iss": ["accounts.google.com"]}, "not from https://accounts.google.com"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200}, "too early"),
        ({"exp": "tomorrow"}, "refused"),
    ],
)
def test_a_claim_that_is_wrong_makes_a_token_invalid(
    certificates: Certificates, claims: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidToken, match=said):
        verify(key("one").token(**claims), certificates)


@pytest.mark.parametrize("claim", ["aud", "iss", "exp", "iat"])
def test_a_claim_that_is_missing_makes_a_token_invalid(
    certificates: Certificates, claim: str
) -> None:
    with pytest.raises(InvalidToken):
        verify(key("one").token(claim), certificates)


@pytest.mark.parametrize(
    ("without", "claims"),
    [
        ([], {"email": "mallory@demo.iam.gserviceaccount.com"}),
        (["email"], {}),
        ([], {"email_verified": False}),
        ([], {"email_verified": "true"}),
        (["email_verified"], {}),
    ],
)
def test_somebody_elses_token_is_forbidden(
    certificates: Certificates, without: list[str], claims: dict[str, Any]
) -> None:
    with pytest.raises(Forbidden):
        verify(key("one").token(*without, **claims), certificates)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_changed_claim_breaks_the_signature(certificates: Certificates) -> None:
    head, _, signature = key("one").token(email="mallory@example.com").split(".")
    _, claims, _ = key("one").token().split(".")
    with pytest.raises(InvalidToken, match="signature"):
        verify(f"{head}.{claims}.{signature}", certificates)


def test_a_key_that_only_says_it_is_googles_is_refused(certificates: Certificates) -> None:
    _, claims, signature = key("forged").token().split(".")
    head, _, _ = key("one").token().split(".")
    with pytest.raises(InvalidToken, match="signature"):
        verify(f"{head}.{claims}.{signature}", certificates)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", "RS512", None, ["RS256"]])
def test_another_algorithm_is_refused(certificates: Certificates, algorithm: object) -> None:
    _, claims, signature = key("one").token().split(".")
    with pytest.raises(InvalidToken):
        verify(f"{part({'alg': algorithm, 'kid': 'one'})}.{claims}.{signature}", certificates)


@pytest.mark.parametrize("key_id", [None, "", 1, ["one"]])
def test_a_token_names_its_key(certificates: Certificates, key_id: object) -> None:
    _, claims, signature = key("one").token().split(".")
    with pytest.raises(InvalidToken, match="name the key"):
        verify(f"{part({'alg': 'RS256', 'kid': key_id})}.{claims}.{signature}", certificates)


def test_a_key_that_google_has_not_is_refused(certificates: Certificates) -> None:
    with pytest.raises(InvalidToken, match="Google has no key 'forged'"):
        verify(key("forged").token(), certificates)


def test_a_token_without_the_signature_says_what_to_do_on_cloud_run(
    certificates: Certificates,
) -> None:
    signed, _, _ = key("one").token().rpartition(".")
    with pytest.raises(InvalidToken, match="allow public access to the service"):
        verify(f"{signed}.SIGNATURE_REMOVED_BY_GOOGLE", certificates)


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "é.é.é", "....", f"{part([])}.{part({})}.e30", part("[" * 9000)]
)
def test_what_is_no_token_is_refused_and_not_repeated(
    certificates: Certificates, google: CertificateServer, token: str
) -> None:
    before = google.fetches
    with pytest.raises(InvalidToken) as refused:
        verify(token, certificates)
    assert str(refused.value) == "the token is no JSON Web Token"
    assert google.fetches == before


def test_a_deeply_nested_token_is_refused(certificates: Certificates) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 50_000).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        verify(f"{nested}.{nested}.e30", certificates)


def test_without_certificates_nothing_is_said_of_the_token() -> None:
    with certificate_server() as google:
        google.status = 500
        with pytest.raises(Unavailable):
            verify(key("one").token(), Certificates(google.url))


# -- envelopes ------------------------------------------------------------------------------------


def envelope(**message: Any) -> dict[str, Any]:
    usual = {
        "attributes": {"origin": "crm"},
        "data": base64.b64encode(b'{"sheet":"demo"}').decode(),
        "messageId": "2070443601311540",
        "message_id": "2070443601311540",
        "orderingKey": "demo",
        "publishTime": "2026-11-25T19:13:55.749Z",
        "publish_time": "2026-11-25T19:13:55.749Z",
    }
    return {"message": usual | message, "subscription": SUBSCRIPTION, "deliveryAttempt": 5}


def decode(value: object) -> Message:
    return decode_envelope(json.dumps(value).encode(), TOPIC)


WHOLE = Message(
    topic=TOPIC,
    subscription=SUBSCRIPTION,
    message_id="2070443601311540",
    published_at=datetime(2026, 11, 25, 19, 13, 55, 749_000, tzinfo=UTC),
    data=b'{"sheet":"demo"}',
    attributes={"origin": "crm"},
    ordering_key="demo",
    delivery_attempt=5,
)


def test_an_envelope_holds_a_message() -> None:
    assert decode(envelope()) == WHOLE


@pytest.mark.parametrize("spelling", [("messageId", "publishTime"), ("message_id", "publish_time")])
def test_one_spelling_is_enough(spelling: tuple[str, str]) -> None:
    sent = envelope()
    for name in spelling:
        del sent["message"][name]
    assert decode(sent) == WHOLE


def test_what_pubsub_leaves_out_is_empty() -> None:
    sent = {
        "message": {"messageId": "1", "publishTime": "2026-11-25T19:13:55Z"},
        "subscription": SUBSCRIPTION,
    }
    message = decode(sent)
    assert (message.data, message.attributes, message.ordering_key) == (b"", {}, "")
    assert message.delivery_attempt == 0


def test_fields_that_pubsub_may_add_are_ignored() -> None:
    assert decode(envelope(new=[1]) | {"new": {"a": None}}) == WHOLE


@pytest.mark.parametrize("pulled_microseconds", [0, 1, 499, 500, 999])
def test_pushed_and_pulled_a_message_has_one_operation_id(pulled_microseconds: int) -> None:
    for millisecond in range(1000):
        moment = datetime(2026, 11, 25, 19, 13, 55, millisecond * 1000, tzinfo=UTC)
        pushed = decode(envelope(publishTime=f"{moment:%Y-%m-%dT%H:%M:%S}.{millisecond:03}Z"))
        pulled = Message(
            TOPIC,
            "projects/demo/subscriptions/pulled",
            pushed.message_id,
            moment.replace(microsecond=moment.microsecond + pulled_microseconds),
            pushed.data,
        )
        assert operation_id_of(pushed) == operation_id_of(pulled)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b'{"message":{"messageId":"\xff"}}',
        b"[]",
        b"null",
        b"{}",
        b'{"sheet":"demo","edits":[]}',
        b'{"message":null,"subscription":"projects/p/subscriptions/sub"}',
        b'{"message":{},"x":' + b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="payload unwrapping"):
        decode_envelope(body, TOPIC)


@pytest.mark.parametrize(
    "message",
    [
        {"data": "no base64"},
        {"attributes": {"a": 1}},
        {"messageId": "", "message_id": ""},
        {"messageId": "1\0"},
        {"messageId": "1" * 256},
        {"publishTime": "", "publish_time": ""},
        {"publishTime": "yesterday"},
        {"publishTime": "2026-11-25T19:13:55"},
        {"publishTime": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_field_that_pubsub_never_sends_so_is_malformed(message: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(envelope(**message))


@pytest.mark.parametrize(
    "outside",
    [
        {"subscription": ""},
        {"subscription": "edits-sub"},
        {"subscription": "projects/p/subscriptions/s\0ub"},
        {"deliveryAttempt": -1},
        {"deliveryAttempt": 2**31},
    ],
)
def test_a_field_beside_the_message_is_checked_too(outside: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(envelope() | outside)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_no_body_breaks_it(body: bytes) -> None:
    with pytest.raises(SheetSyncError):
        decode_envelope(body, TOPIC)
