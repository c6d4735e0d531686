from uuid import uuid4

import msgspec
import pytest

from cells.models import AuthorKind, DeadLetter, Publication, Revision, Sheet
from cells.services import publications
from cells.services.authors import MAX_NAME_CHARACTERS
from cells.streams.batches import commit_batch
from cells.streams.composing import Composer
from cells.streams.origins import origin_of
from tests.streams.test_batches import edit, message


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("django.conf.settings.PUBSUB_ORIGIN", "berlin")
    return "berlin"


def test_people_and_programs_here_are_of_this_sheetsync() -> None:
    kinds = set(AuthorKind) - {AuthorKind.STREAM}
    assert {origin_of(kind, "alice", "berlin") for kind in kinds} == {"berlin"}


def test_what_came_through_others_keeps_their_names() -> None:
    assert origin_of(AuthorKind.STREAM, "paris", "berlin") == "paris > berlin"
    assert origin_of(AuthorKind.STREAM, "crm > paris", "berlin") == "crm > paris > berlin"


def test_of_a_long_way_the_nearest_names_are_kept() -> None:
    name = " > ".join(f"station-{number}" for number in range(11))
    origin = origin_of(AuthorKind.STREAM, name, "b" * 40)
    assert len(origin) <= MAX_NAME_CHARACTERS
    assert origin.endswith(f"station-10 > {'b' * 40}")
    assert origin_of(AuthorKind.STREAM, "x" * 150, "berlin") == "berlin"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "is_dropped"),
    [
        ("berlin", True),
        ("berlin > paris", True),
        ("crm > berlin > paris", True),
        ("paris", False),
        ("paris > berlin-2", False),
        ("", False),
    ],
)
def test_own_edits_that_come_back_are_dropped(berlin: str, origin: str, is_dropped: bool) -> None:
    Sheet.objects.create(slug="demo", title="Demo")

    tally = commit_batch([edit("B2", 1, origin=origin), edit("B3", 2)])

    assert (tally.dropped, tally.edits) == ((1, 1) if is_dropped else (0, 2))
    assert Revision.objects.count() == 2 - is_dropped
    assert not DeadLetter.objects.exists()


@pytest.mark.django_db
def test_other_ones_notices_are_dropped_and_other_kinds_of_messages_are_not(berlin: str) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    operation = {"kind": "insert_rows", "before": 3, "count": 1}
    notice = {"sheet": "demo", "revision": 3, "author": "alice", "operation": operation}
    edits = {"sheet": "demo", "edits": [{"cell": "B2", "value": "x"}]}

    tally = commit_batch(
        [
            message(notice, kind="insert_rows", origin="paris"),
            message(edits, kind="a publisher's own"),
            message(edits | notice, kind="insert_rows"),
            message({"sheet": "demo"}, kind="insert_rows"),
            message(b"\xff", kind="insert_rows"),
        ]
    )

    assert (tally.dropped, tally.edits, tally.dead) == (1, 2, 2)


@pytest.mark.django_db
def test_an_edit_goes_once_around_a_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sheets stand for three SheetSyncs, each of which publishes to the next one."""
    ring = ["berlin", "paris", "rome"]
    for name in ring:
        Publication.objects.create(sheet=Sheet.objects.create(slug=name, title=name))
    commit_batch([edit("B2", 1, sheet="berlin", origin="crm")])

    tallies = []
    for name, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        (due,) = publications.hold(
            Publication.objects.filter(sheet__slug=name).values_list("pk", flat=True), uuid4(), 10
        )
        stretch = Composer(name).compose(due)
        (sent,) = stretch.requests[0]
        monkeypatch.setattr("django.conf.settings.PUBSUB_ORIGIN", other)
        body = msgspec.json.decode(sent.data) | {"sheet": other}
        tallies.append(commit_batch([message(body, **sent.attributes)]))

    assert [tally.edits for tally in tallies] == [1, 1, 0]
    assert tallies[-1].dropped == 1
    names = Revision.objects.order_by("id").values_list("sheet__slug", "author_name")
    assert list(names) == [
        ("berlin", "crm"),
        ("paris", "crm > berlin"),
        ("rome", "crm > berlin > paris"),
    ]
