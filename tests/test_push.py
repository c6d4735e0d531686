import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from cells.models import Cell, DeadLetter, Feed, FeedColumn, Revision, Sheet
from cells.push import MAX_BODY_BYTES
from cells.streams.feeds import forget_feeds
from tests.servers.certificates import (
    AUDIENCE,
    SERVICE_ACCOUNT,
    CertificateServer,
    certificate_server,
    key,
)
from tests.servers.process import ServerFailedError
from tests.servers.sheetsync import run_manage

SUBSCRIPTION = "projects/demo/subscriptions/pushed"


@pytest.fixture
def google() -> Iterator[CertificateServer]:
    with certificate_server(key("one")) as server:
        yield server


@pytest.fixture(autouse=True)
def production(settings: Settings, google: CertificateServer) -> None:
    settings.DEBUG = False
    settings.PUBSUB_PUSH_AUDIENCE = AUDIENCE
    settings.PUBSUB_PUSH_SERVICE_ACCOUNT = SERVICE_ACCOUNT
    settings.PUBSUB_PUSH_CERTIFICATES_URL = google.url
    settings.PUBSUB_PUSH_UNAUTHENTICATED = False


@pytest.fixture(autouse=True)
def no_feeds() -> Iterator[None]:
    """Keep nothing of another test's feeds, which are remembered for a moment."""
    forget_feeds()
    yield
    forget_feeds()


@pytest.fixture
def demo(db: None) -> Sheet:
    return Sheet.objects.create(slug="demo", title="Demo")


def edit(cell: str, value: object) -> dict[str, Any]:
    return {"sheet": "demo", "edits": [{"cell": cell, "value": value}]}


def envelope(body: object, message_id: str = "1", **attributes: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": attributes,
        "messageId": message_id,
        "publishTime": "2026-11-25T19:13:55.749Z",
        "orderingKey": "demo",
    }
    return json.dumps({"message": message, "subscription": SUBSCRIPTION}).encode()


def push(body: bytes, token: str | None = None) -> Any:
    """Push as Pub/Sub does, with a token that is in order unless another one is given."""
    token = f"Bearer {key('one').token()}" if token is None else token
    return Client(enforce_csrf_checks=True).post(
        "/pubsub/push",
        body,
        content_type="application/json",
        headers={"Authorization": token} if token else {},
    )


def refusal(response: Any) -> tuple[int, str]:
    body = json.loads(response.content)
    assert body["message"]
    return response.status_code, body["code"]


def test_a_pushed_message_becomes_an_edit(demo: Sheet) -> None:
    response = push(envelope(edit("B2", 42), origin="crm"))

    assert (response.status_code, response.content) == (204, b"")
    cell = Cell.objects.get(sheet=demo)
    assert (cell.row, cell.column, cell.input) == (1, 1, "42")
    revision = Revision.objects.get()
    assert (revision.author_kind, revision.author_name) == ("stream", "crm")
    assert revision.origin == f"{SUBSCRIPTION}/1"


def test_a_message_that_comes_twice_is_one_edit(demo: Sheet) -> None:
    for message_id in ("1", "1", "2"):
        assert push(envelope(edit("B2", 42), message_id)).status_code == 204
    assert Revision.objects.count() == 2


def test_a_message_that_is_no_edit_becomes_a_dead_letter(demo: Sheet) -> None:
    for _ in range(2):
        assert push(envelope(b"no JSON", "7")).status_code == 204
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.subscription, letter.message_id, bytes(letter.data)) == (
        "malformed",
        SUBSCRIPTION,
        "7",
        b"no JSON",
    )
    assert not Revision.objects.exists()


def test_an_edit_of_no_sheet_becomes_a_dead_letter(db: None) -> None:
    assert push(envelope(edit("B2", 42))).status_code == 204
    assert DeadLetter.objects.get().reason == "no_such_sheet"


@pytest.mark.parametrize(
    "body", [b"", b"{}", json.dumps(edit("B2", 42)).encode(), envelope({}).replace(b"1", b"")]
)
def test_what_is_no_envelope_is_refused_and_nothing_kept(demo: Sheet, body: bytes) -> None:
    assert refusal(push(body)) == (400, "malformed")
    assert not DeadLetter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_nothing_is_told_and_nothing_is_lost(demo: Sheet) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cells_sheet RENAME TO cells_away")
    try:
        assert refusal(push(envelope(edit("B2", 42)))) == (503, "unavailable")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cells_away RENAME TO cells_sheet")
    assert push(envelope(edit("B2", 42))).status_code == 204
    assert Revision.objects.count() == 1


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Basic YTpi", "a.b.c"])
def test_without_a_token_nobody_is_let_in(
    db: None, token: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = push(envelope(edit("B2", 42)), token)
    assert refusal(response) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_for_somebody_else_is_refused(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = key("one").token(aud="https://elsewhere.example.com")
    with django_assert_num_queries(0):
        response = push(envelope(edit("B2", 42)), f"Bearer {token}")
    assert refusal(response) == (401, "invalid_token")


def test_another_service_account_is_forbidden(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = key("one").token(email="mallory@demo.iam.gserviceaccount.com")
    with django_assert_num_queries(0):
        response = push(envelope(edit("B2", 42)), f"Bearer {token}")
    assert refusal(response) == (403, "forbidden")


def test_the_scheme_is_read_in_any_case(demo: Sheet) -> None:
    response = push(envelope(edit("B2", 42)), f"bearer {key('one').token()}")
    assert response.status_code == 204


def test_without_googles_certificates_pubsub_has_to_come_again(
    demo: Sheet, google: CertificateServer
) -> None:
    google.status = 500
    assert refusal(push(envelope(edit("B2", 42)))) == (503, "unavailable")
    assert not Revision.objects.exists()


def test_requests_share_the_certificates(demo: Sheet, google: CertificateServer) -> None:
    for message_id in "123":
        assert push(envelope(edit("B2", 42), message_id)).status_code == 204
    assert google.fetches == 1


def test_the_largest_message_is_taken_here_and_a_larger_one_is_not(db: None) -> None:
    assert push(envelope(b"x" * 10_000_000)).status_code == 204
    assert DeadLetter.objects.get().reason == "malformed"
    assert refusal(push(b" " * (MAX_BODY_BYTES + 1))) == (413, "limit_exceeded")


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_is_answered(client: Client, method: str) -> None:
    assert getattr(client, method)("/pubsub/push").status_code == 405


def test_it_is_not_there_until_it_is_set_up(
    db: None, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.PUBSUB_PUSH_AUDIENCE = settings.PUBSUB_PUSH_SERVICE_ACCOUNT = ""
    with django_assert_num_queries(0):
        assert refusal(push(envelope(edit("B2", 42)))) == (404, "push_not_set_up")


def test_a_topic_that_cannot_be_is_told(db: None, settings: Settings) -> None:
    settings.PUBSUB_TOPIC = "?"
    assert refusal(push(envelope(edit("B2", 42)))) == (404, "push_not_set_up")


def test_a_developer_may_do_without_tokens(demo: Sheet, settings: Settings) -> None:
    settings.DEBUG = settings.PUBSUB_PUSH_UNAUTHENTICATED = True
    assert push(envelope(edit("B2", 42)), token="").status_code == 204
    assert Revision.objects.count() == 1


def test_nobody_else_may(demo: Sheet, settings: Settings) -> None:
    settings.PUBSUB_PUSH_UNAUTHENTICATED = True
    assert refusal(push(envelope(edit("B2", 42)), token="")) == (401, "unauthenticated")
    settings.PUBSUB_PUSH_AUDIENCE = settings.PUBSUB_PUSH_SERVICE_ACCOUNT = ""
    assert refusal(push(envelope(edit("B2", 42)), token="")) == (404, "push_not_set_up")
    assert not Revision.objects.exists()


def test_debug_alone_lets_nobody_in(demo: Sheet, settings: Settings) -> None:
    settings.DEBUG = True
    assert refusal(push(envelope(edit("B2", 42)), token="")) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PUBSUB_PUSH_AUDIENCE", AUDIENCE, "go together"),
        ("PUBSUB_PUSH_SERVICE_ACCOUNT", SERVICE_ACCOUNT, "go together"),
        ("PUBSUB_PUSH_CERTIFICATES_URL", "file:///certs", "set it to an https:// address"),
    ],
)
def test_half_of_the_settings_is_refused_at_the_start(name: str, value: str, said: str) -> None:
    with pytest.raises(ServerFailedError, match=said):
        run_manage({name: value}, "check")


def test_a_pushed_message_is_read_by_the_feed_of_its_subscription(demo: Sheet) -> None:
    feed = Feed.objects.create(name="Ticks", sheet=demo, subscription=SUBSCRIPTION, write="cells")
    FeedColumn.objects.create(feed=feed, target="B2", source="$.bid")
    forget_feeds()
    assert push(envelope({"bid": 7}, "1")).status_code == 204
    assert Cell.objects.get(sheet=demo).input == "7"
    feed.refresh_from_db()
    assert (feed.messages, feed.edits) == (1, 1)
    assert feed.last_message_at is not None

    Feed.objects.update(is_enabled=False)
    forget_feeds()
    assert refusal(push(envelope({"bid": 8}, "2"))) == (503, "unavailable")
    assert not DeadLetter.objects.exists(), "a feed that is off leaves its messages to Pub/Sub"
    Feed.objects.update(is_enabled=True)
    forget_feeds()
    assert push(envelope({"bid": 8}, "2")).status_code == 204
    assert Cell.objects.get(sheet=demo).input == "8"
