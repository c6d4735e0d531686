from datetime import UTC, datetime
from typing import Any

import pytest

from cells.models import DeadLetter
from cells.services.dead_letters import record_dead_letters

pytestmark = pytest.mark.django_db


def letter(message_id: str = "1", **fields: Any) -> DeadLetter:
    values = {
        "subscription": "projects/demo/subscriptions/edits",
        "message_id": message_id,
        "reason": "malformed",
        "detail": "not JSON",
        "data": b"\xff\0",
        "published_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return DeadLetter(**values | fields)


def test_message_is_kept_whole() -> None:
    record_dead_letters(
        [letter(attributes={"a": "b"}, ordering_key="demo", delivery_attempt=2, data=bytes(256))]
    )

    kept = DeadLetter.objects.get()
    assert (kept.reason, kept.detail, bytes(kept.data)) == ("malformed", "not JSON", bytes(256))
    assert (kept.attributes, kept.ordering_key, kept.delivery_attempt) == ({"a": "b"}, "demo", 2)
    assert kept.published_at == datetime(2026, 11, 23, tzinfo=UTC)


def test_redelivery_adds_no_second_letter() -> None:
    record_dead_letters([letter("1"), letter("2"), letter("1")])
    record_dead_letters([letter("2"), letter("3")])

    assert sorted(DeadLetter.objects.values_list("message_id", flat=True)) == ["1", "2", "3"]


def test_message_id_that_an_emulator_gives_again_is_another_letter() -> None:
    record_dead_letters([letter(data=b"old")])
    record_dead_letters([letter(data=b"new", published_at=datetime(2026, 11, 24, tzinfo=UTC))])

    assert [bytes(kept.data) for kept in DeadLetter.objects.order_by("id")] == [b"old", b"new"]


def test_same_message_id_of_two_subscriptions_is_two_letters() -> None:
    record_dead_letters([letter(), letter(subscription="projects/demo/subscriptions/other")])

    assert DeadLetter.objects.count() == 2


def test_text_that_no_database_holds_is_made_harmless() -> None:
    record_dead_letters(
        [
            letter(
                detail="holds \0 and \ud800",
                attributes={"nul\0": "\0", "half": "\udc00", "long": "x" * 1024},
                ordering_key="k\0",
            )
        ]
    )

    kept = DeadLetter.objects.get()
    assert kept.detail == r"holds \x00 and \ud800"
    assert kept.attributes == {r"nul\x00": r"\x00", "half": r"\udc00", "long": "x" * 1024}
    assert kept.ordering_key == r"k\x00"


def test_names_longer_than_their_column_keep_their_end() -> None:
    record_dead_letters(
        [letter("m" * 300 + "7", subscription="s" * 300 + "/edits", ordering_key="k" * 1025)]
    )

    kept = DeadLetter.objects.get()
    assert len(kept.message_id) == len(kept.subscription) == 255
    assert kept.message_id.endswith("7")
    assert kept.subscription.endswith("/edits")


def test_a_batch_of_letters_takes_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        record_dead_letters([letter(str(number)) for number in range(50)])

    assert DeadLetter.objects.count() == 50
