"""The dead-letter inbox: letters are replayed, mended, discarded; each is one edit at the most."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cells.models import Cell, DeadLetter, Feed, FeedColumn, Revision, Sheet
from tests.admin.stored import dead_letter

pytestmark = pytest.mark.django_db

LIST = "/admin/cells/deadletter/"
EDIT = b'{"sheet":"demo","edits":[{"cell":"A1","value":1}]}'


def act(client: Client, action: str, *letters: DeadLetter) -> str:
    data: dict[str, Any] = {"action": action, "_selected_action": [one.pk for one in letters]}
    return client.post(LIST, data, follow=True).content.decode()


def settle(client: Client, letter: DeadLetter, **data: str) -> str:
    return client.post(f"{LIST}{letter.pk}/settle/", data, follow=True).content.decode()


def mend(client: Client, letter: DeadLetter, content: str, attributes: str = "{}") -> str:
    return settle(client, letter, content=content, attributes=attributes, replay="Replay")


def inputs() -> list[str]:
    return list(Cell.objects.order_by("row", "column").values_list("input", flat=True))


def test_letters_are_replayed_once_the_reason_is_mended_and_never_twice(
    admin_client: Client,
) -> None:
    letters = [dead_letter(EDIT), dead_letter(EDIT.replace(b"A1", b"A2"))]
    assert "2 letters are dead still" in act(admin_client, "replay_chosen", *letters)
    assert {letter.reason for letter in DeadLetter.objects.all()} == {"no_such_sheet"}
    Sheet.objects.create(slug="demo", title="Demo")
    assert "Replayed 2 letters" in act(admin_client, "replay_chosen", *letters)
    assert inputs() == ["1", "1"]
    letter = DeadLetter.objects.get(pk=letters[0].pk)
    assert letter.outcome == "replayed"
    assert letter.settled_by is not None
    assert letter.settled_by.get_username() == "admin"
    DeadLetter.objects.update(outcome="")  # as if two people had replayed them at once
    act(admin_client, "replay_chosen", *letters)
    assert Revision.objects.count() == 2


def test_a_mended_letter_keeps_what_came_and_who_it_is(admin_client: Client) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    letter = dead_letter(b'{"sheet":"demo"}', attributes={"edit_id": "e-1", "origin": "crm"})
    page = admin_client.get(f"{LIST}{letter.pk}/change/").content.decode()
    assert "{&quot;sheet&quot;:&quot;demo&quot;}</textarea>" in page
    attributes = json.dumps({"edit_id": "another", "origin": "mended"})
    assert "dead still" in mend(admin_client, letter, '{"sheet":"demo","edits":[]}', attributes)
    page = admin_client.get(f"{LIST}{letter.pk}/change/").content.decode()
    assert "&quot;edits&quot;:[]}</textarea>" in page, "what was mended is there to be gone on with"
    assert "Replayed 1 letter." in mend(admin_client, letter, EDIT.decode(), attributes)
    letter.refresh_from_db()
    assert bytes(letter.data) == b'{"sheet":"demo"}'
    assert letter.edited_data is not None
    assert bytes(letter.edited_data) == EDIT
    assert Revision.objects.get().author_name == "mended"
    again = dead_letter(EDIT, attributes={"edit_id": "e-1"})
    act(admin_client, "replay_chosen", again)
    assert Revision.objects.count() == 1, "it has the identity that its message came with"


def test_attributes_that_are_none_are_told_and_nothing_is_replayed(admin_client: Client) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    letter = dead_letter(EDIT)
    for attributes in ('{"a": 1}', "[" * 50_000):
        assert "Nothing was replayed" in mend(admin_client, letter, EDIT.decode(), attributes)
    assert not Revision.objects.exists()


def test_a_letter_that_breaks_a_commit_does_not_keep_the_others(admin_client: Client) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    bad = dead_letter(EDIT, attributes={"edit_id": "x", "origin": "o" * 200})
    good = dead_letter(EDIT)
    content = act(admin_client, "replay_chosen", bad, good)
    assert "Replayed 1 letter." in content
    assert "1 letter is dead still" in content
    bad.refresh_from_db()
    assert bad.reason == "limit_exceeded"


def test_what_is_discarded_leaves_the_inbox_and_is_found_under_its_outcome(
    admin_client: Client,
) -> None:
    letters = [dead_letter(b"one"), dead_letter(b"two"), dead_letter(b"three")]
    assert "Discarded 1 letter." in settle(admin_client, letters[0], discard="Discard")
    assert "Discarded 1 letter." in act(admin_client, "discard_chosen", *letters[1:2])
    shown = admin_client.get(LIST).context["cl"].result_list
    assert list(shown) == letters[2:]
    shown = admin_client.get(LIST, {"outcome": "discarded"}).context["cl"].result_list
    assert list(shown) == [letters[1], letters[0]]
    assert (
        "Replay or discard"
        not in admin_client.get(f"{LIST}{letters[0].pk}/change/").content.decode()
    )
    act(admin_client, "replay_chosen", letters[0])
    letters[0].refresh_from_db()
    assert letters[0].outcome == "discarded"


def test_a_feeds_letters_are_read_by_the_feed_even_if_it_is_off(admin_client: Client) -> None:
    sheet = Sheet.objects.create(slug="demo", title="Demo")
    feed = Feed.objects.create(name="Ticks", sheet=sheet, subscription="t-sub", write="cells")
    column = FeedColumn.objects.create(feed=feed, target="B2", source="$.wrong")
    path = "projects/demo/subscriptions/t-sub"
    letter = dead_letter(
        b'{"bid": 7}', feed=feed, subscription=path, topic="projects/demo/topics/t"
    )
    other = dead_letter(b"x")
    shown = admin_client.get(LIST, {"feed": feed.pk}).context["cl"].result_list
    assert list(shown) == [letter]
    assert other not in shown
    Feed.objects.update(is_enabled=False)
    assert "dead still" in act(admin_client, "replay_chosen", letter)
    column.source = "$.bid"
    column.save()
    assert "Replayed 1 letter." in act(admin_client, "replay_chosen", letter)
    line = Revision.objects.get()
    assert (line.feed_id, inputs()) == (feed.pk, ["7"])


def test_who_may_only_look_settles_nothing(client: Client) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    letter = dead_letter(EDIT)
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.post(f"{LIST}{letter.pk}/settle/", {"replay": "1"}).status_code in (302, 403)
    assert not Revision.objects.exists()
    letter.refresh_from_db()
    assert letter.outcome == ""
