"""The time line: who was at work together, until they paused."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cells.domain.operations import SetCells
from cells.models import AuthorKind, NamedVersion, Revision, Sheet
from cells.services import timeline
from cells.services.authors import Author, import_origin
from cells.services.commit import Submission, commit
from cells.services.timeline import read_steps, read_timeline
from tests.services.histories import ALICE, BOB, CALCULATOR, new_sheet

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 27, 9, tzinfo=UTC)
FILE = Author(AuthorKind.GUEST, "Alice", origin=import_origin("prices.csv"))


def log(*lines: tuple[float, Author]) -> Sheet:
    """Make a log of edits at so many minutes."""
    sheet = new_sheet()
    for number, (minutes, author) in enumerate(lines, start=1):
        edit = SetCells(((0, 0, str(number)),))
        commit([Submission("prices", uuid.uuid4(), edit, author)])
        at = BEGAN + timedelta(minutes=minutes)
        Revision.objects.filter(number=number).update(committed_at=at)
    sheet.refresh_from_db()
    return sheet


def entries(sheet: Sheet, before: int | None = None) -> list[tuple[int, int, list[str]]]:
    return [
        (entry.first, entry.last, [f"{who.name} {who.kind}" for who in entry.authors])
        for entry in read_timeline(sheet, before).entries
    ]


def test_entries_end_where_people_pause_or_others_go_on() -> None:
    sheet = log(
        *((0, ALICE), (4, ALICE), (4.5, BOB), (5, ALICE)),  # together
        (9, ALICE),
        (14, ALICE),  # after a pause
        (16, BOB),  # somebody else, and not at once
        (16.5, FILE),
    )
    assert entries(sheet) == [
        (7, 8, ["Alice import", "Bob guest"]),
        (6, 6, ["Alice guest"]),
        (1, 5, ["Alice guest", "Bob guest"]),
    ]
    (newest, *_) = read_timeline(sheet).entries
    assert newest.started_at == BEGAN + timedelta(minutes=16)
    assert newest.ended_at == BEGAN + timedelta(minutes=16.5)
    assert newest.operations == 2


def test_what_never_pauses_is_cut_by_the_hour_and_by_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheet = log(*((minutes, ALICE) for minutes in range(0, 123, 3)))
    assert [entry[:2] for entry in entries(sheet)] == [(22, 41), (2, 21), (1, 1)]
    monkeypatch.setattr(timeline, "LINES_PER_PAGE", 15)
    page = read_timeline(sheet)
    assert (page.entries[-1].first, page.before, page.oldest) == (27, 27, 0)
    assert [entry[:2] for entry in entries(sheet, before=27)] == [(12, 26)]
    monkeypatch.setattr(timeline, "LINES_PER_PAGE", 100)
    monkeypatch.setattr(timeline, "ENTRIES_PER_PAGE", 2)
    assert read_timeline(sheet).before == 2
    assert entries(sheet, before=2) == [(1, 1, ["Alice guest"])]


def test_a_name_ends_its_entry_and_calculations_are_nobodys_work() -> None:
    sheet = log((0, ALICE), (1, ALICE), (2, CALCULATOR), (3, ALICE), (4, CALCULATOR))
    for number in (1, 3, 5):
        NamedVersion.objects.create(sheet=sheet, revision=number, name=f"v{number}")
    with CaptureQueriesContext(connection) as queries:
        found = [(one.first, one.last, one.name) for one in read_timeline(sheet).entries]
    assert not [one for one in queries if '"data"' in one["sql"]], "that is the whole sheet"
    assert found == [(4, 5, "v5"), (2, 3, "v3"), (1, 1, "v1")]


def test_an_entry_is_told_edit_by_edit_and_by_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = log((0, ALICE), (1, ALICE), (2, CALCULATOR), (3, BOB), (4, ALICE), (5, ALICE))
    NamedVersion.objects.create(sheet=sheet, revision=4, name="v4")
    monkeypatch.setattr(timeline, "STEPS_PER_PAGE", 2)
    told = [(5, "Alice", None), (4, "Bob", "v4")]
    for last, before, expected in ((5, 4, told), (3, None, [(2, "Alice", None)])):
        page = read_steps(sheet, 2, last)
        steps = [(one.last, one.authors[0].name, one.name) for one in page.entries]
        assert (steps, page.before) == (expected, before)
        assert all(one.first == one.last and one.operations == 1 for one in page.entries)
