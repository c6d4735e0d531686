"""Feeds in the admin: what is saved works, and a sample shows what it would change."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from cells.domain.operations import AppendRows
from cells.models import (
    AuthorKind,
    Cell,
    DeadLetter,
    Feed,
    FeedColumn,
    FeedPolicy,
    Proposal,
    Revision,
    Sheet,
)
from cells.services.beats import Beat, write_beat
from cells.services.commit import Author, Submission, commit
from cells.streams.feeds import feeds_of
from tests.admin.stored import dead_letter

pytestmark = pytest.mark.django_db

URL = "/admin/cells/feed/"
PATH = "projects/demo/subscriptions/ticks-sub"


@pytest.fixture
def sheet() -> Sheet:
    sheet = Sheet.objects.create(slug="prices", title="Prices", link_role="editor")
    bob = Author(AuthorKind.GUEST, "Bob", origin=str(uuid4()))
    rows = AppendRows((("Symbol", "Bid"), ("EUR", "Bob's")))
    commit([Submission("prices", uuid4(), rows, bob)])
    sheet.refresh_from_db()
    return sheet


def posted(sheet: Sheet, *columns: tuple[str, str, bool], **fields: str) -> dict[str, str]:
    data = {
        "name": "Ticks",
        "is_enabled": "on",
        "sheet": str(sheet.pk),
        "write": "upsert",
        "subscription": "ticks-sub",
        "policy": "stream",
        "records": "",
        "filter": "",
        "event_time": "",
        "stale_after_seconds": "",
        "columns-TOTAL_FORMS": str(len(columns)),
        "columns-INITIAL_FORMS": "0",
        **fields,
    }
    for place, (target, source, is_key) in enumerate(columns):
        data |= {f"columns-{place}-target": target, f"columns-{place}-source": source}
        data |= {f"columns-{place}-is_key": "on"} if is_key else {}
    return data


MAPPING = (("Symbol", "$.sym", True), ("Bid", "$.bid", False))


def test_a_feed_is_made_with_its_mapping_and_counts_at_once(
    admin_client: Client, sheet: Sheet
) -> None:
    assert feeds_of(PATH) == ()
    response = admin_client.post(f"{URL}add/", posted(sheet, *MAPPING), follow=True)
    assert "was added successfully" in response.content.decode()
    feed = Feed.objects.get()
    assert list(feed.columns.values_list("target", "source", "is_key")) == list(MAPPING)
    (mapping,) = feeds_of(PATH) or ()
    assert mapping.spec.columns[1].source == "$.bid"
    columns = admin_client.get(URL).content.decode()
    assert "Ticks" in columns
    assert "ticks-sub" in columns


@pytest.mark.parametrize(
    ("columns", "fields", "said"),
    [
        (MAPPING, {"filter": "@.a ="}, "This is no filter of JSONPath"),
        (MAPPING, {"records": "ticks"}, "This is no JSONPath"),
        (MAPPING, {"event_time": "when"}, "This is no JSONPath"),
        (MAPPING, {"subscription": "no such name!"}, "is no subscription"),
        (MAPPING, {"subscription": "sheetsync-edits-sub"}, "choose another one"),
        ((("Bid", "$.bid", False),), {}, "at least one column has to be a key"),
        ((), {}, "needs at least one column"),
        ((*MAPPING, ("Ask", "ask", False)), {}, "This is no JSONPath"),
        (MAPPING, {"write": "append"}, "has keys"),
        ((("Bid", "$.bid", False),), {"write": "cells"}, "Bid"),
    ],
)
def test_a_mapping_that_cannot_work_is_not_saved(
    admin_client: Client, sheet: Sheet, columns: Any, fields: dict[str, str], said: str
) -> None:
    response = admin_client.post(f"{URL}add/", posted(sheet, *columns, **fields))
    assert response.status_code == 200
    assert said in response.content.decode()
    assert not Feed.objects.exists()


def test_a_header_that_the_sheet_lacks_is_told(admin_client: Client, sheet: Sheet) -> None:
    data = posted(sheet, *MAPPING, ("Ask", "$.ask", False))
    content = admin_client.post(f"{URL}add/", data, follow=True).content.decode()
    assert "Row 1 of prices has no header “Ask” yet" in content
    assert Feed.objects.count() == 1


@pytest.fixture
def feed(sheet: Sheet) -> Feed:
    feed = Feed.objects.create(
        name="Ticks", sheet=sheet, subscription="ticks-sub", policy=FeedPolicy.PERSON
    )
    for target, source, is_key in MAPPING:
        FeedColumn.objects.create(feed=feed, target=target, source=source, is_key=is_key)
    return feed


def tried(client: Client, feed: Feed, sample: str, attributes: str = "{}") -> str:
    data = {"sample": sample, "attributes": attributes}
    return client.post(f"{URL}{feed.pk}/try/", data).content.decode()


def test_a_sample_shows_what_it_would_change_and_changes_nothing(
    admin_client: Client, feed: Feed
) -> None:
    before = (
        Revision.objects.count(),
        list(Cell.objects.order_by("pk").values_list("input", flat=True)),
    )
    content = tried(admin_client, feed, '{"sym": "USD", "bid": 1.5}')
    for part in (">A3<", ">USD<", ">B3<", ">1.5<"):
        assert part in content
    content = tried(admin_client, feed, '{"sym": "EUR", "bid": 1.5}')
    assert ">B2<" in content
    assert "Bob&#x27;s" in content
    assert "stays: the person wins" in content
    after = (
        Revision.objects.count(),
        list(Cell.objects.order_by("pk").values_list("input", flat=True)),
    )
    assert after == before
    assert not DeadLetter.objects.exists()


def test_a_sample_that_would_be_refused_or_skipped_says_so(
    admin_client: Client, feed: Feed
) -> None:
    assert "dead letter: malformed" in tried(admin_client, feed, "{")
    assert "is a key" in tried(admin_client, feed, '{"bid": 1}')
    assert "no JSON" in tried(admin_client, feed, "{}", attributes="[")
    Feed.objects.update(filter="$.attributes.type == 'trade'")
    assert "Nothing is wanted" in tried(admin_client, feed, '{"sym": "A"}')
    assert ">A3<" in tried(admin_client, feed, '{"sym": "A"}', attributes='{"type": "trade"}')


def test_saving_a_feed_leaves_what_listeners_count(admin_client: Client, feed: Feed) -> None:
    Feed.objects.update(messages=5, edits=7)
    dead_letter(b"x", feed=feed)
    page = admin_client.get(f"{URL}{feed.pk}/change/")
    form = page.context["adminform"].form
    Feed.objects.update(messages=6)
    columns = list(feed.columns.all())
    data = posted(feed.sheet, *MAPPING, name="Other name", policy=form.initial["policy"])
    data |= {"columns-INITIAL_FORMS": "2"}
    for place, column in enumerate(columns):
        data |= {f"columns-{place}-id": str(column.pk), f"columns-{place}-feed": str(feed.pk)}
    response = admin_client.post(f"{URL}{feed.pk}/change/", data)
    assert response.status_code == 302
    feed.refresh_from_db()
    assert (feed.name, feed.messages, feed.edits) == ("Other name", 6, 7)
    assert f"?feed={feed.pk}" in admin_client.get(URL).content.decode()


def test_only_who_may_change_feeds_may_try_them(client: Client, feed: Feed) -> None:
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.get(f"{URL}{feed.pk}/try/").status_code in (302, 403)
    assert client.get(f"{URL}999/try/").status_code in (302, 403, 404)


def test_listeners_and_proposals_are_listed(admin_client: Client, feed: Feed) -> None:
    beat = Beat("web-1:7", PATH, now(), 0.25, 3, 4, 1, 0, 2, "")
    write_beat(beat)
    content = admin_client.get("/admin/cells/listenerbeat/").content.decode()
    assert "web-1:7" in content
    assert 'alt="True"' in content
    write_beat(beat._replace(trouble="Pub/Sub does not answer"))
    assert 'alt="False"' in admin_client.get("/admin/cells/listenerbeat/").content.decode()
    Proposal.objects.create(sheet=feed.sheet, row=1, column=1, input="1.5", feed=feed, revision=2)
    content = admin_client.get("/admin/cells/proposal/").content.decode()
    for part in ("B2</a>", ">1.5<", ">Ticks<"):
        assert part in content
