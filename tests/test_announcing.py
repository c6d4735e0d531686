"""What is committed elsewhere than in a hub reaches the hubs as the frame that clients get."""

import asyncio
import uuid
from typing import Any

import pytest
from django.db import transaction

from cells.announcing import announce_committed
from cells.domain.operations import SetCells
from cells.models import AuthorKind, LinkRole, Sheet
from cells.protocol import encode_delta
from cells.services import announce
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import CommitResult, Submission, commit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sheet() -> Sheet:
    return create_sheet(None, "Prices", slug="prices", link_role=LinkRole.EDITOR)


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
    """Return what is on its way to the hubs, as if there were a layer that reaches them."""
    sent: list[tuple[int, Any]] = []
    monkeypatch.setattr(announce, "get_channel_layer", object)
    monkeypatch.setattr(announce._background, "send", lambda *hint: sent.append(hint))
    return sent


def set_cells(rows: int, text: str) -> CommitResult:
    operation = SetCells(tuple((row, 0, text) for row in range(rows)))
    author = Author(AuthorKind.STREAM, "prices")
    return commit([Submission("prices", uuid.uuid4(), operation, author)])


def test_a_hint_has_the_frame_of_what_was_committed(
    sheet: Sheet, hints: list[tuple[int, Any]]
) -> None:
    result = set_cells(2, "7")
    announce_committed(result)
    ((sheet_id, hint),) = hints
    assert (sheet_id, hint["after"], hint["through"]) == (sheet.pk, 0, 1)
    assert hint["frame"].encode() == encode_delta(result.deltas[sheet.pk])


def test_nothing_is_announced_that_is_rolled_back(
    sheet: Sheet, hints: list[tuple[int, Any]]
) -> None:
    with transaction.atomic():
        announce_committed(set_cells(2, "7"))
        assert hints == []
        transaction.set_rollback(True)
    assert hints == []
    announce_committed(set_cells(2, "7"))
    assert len(hints) == 1


def test_what_is_too_large_for_a_hint_is_told_by_numbers_alone(
    sheet: Sheet, hints: list[tuple[int, Any]]
) -> None:
    announce_committed(set_cells(30, "x" * 3_000))
    announce_committed(set_cells(900, "x" * 3_000))
    assert [(hint["after"], hint["through"], hint["frame"]) for _, hint in hints] == [
        (0, 1, None),
        (1, 2, None),
    ]


def test_frames_that_wait_for_redis_have_a_bound(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    background = announce._BackgroundLoop()
    sent: list[Any] = []

    def keep(coroutine: Any, _: object) -> None:
        sent.append(coroutine.cr_frame.f_locals["hint"])
        coroutine.close()

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", keep)
    for _ in range(announce.MAX_WAITING_CHARACTERS // 60_000 + 5):
        background.send(1, {"type": "committed", "after": 0, "through": 1, "frame": "x" * 60_000})
    assert sum(len(hint["frame"] or "") for hint in sent) < announce.MAX_WAITING_CHARACTERS + 60_000
    assert sent[-1]["frame"] is None
    assert len(sent) == announce.MAX_WAITING_CHARACTERS // 60_000 + 5
