import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from cells.models import Installation, Publication, Sheet
from cells.services import installation, publications
from cells.services.installation import installation_name

pytestmark = pytest.mark.django_db

MINE, THEIRS = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def publication() -> Publication:
    sheet = Sheet.objects.create(slug="prices", title="Prices", head=7)
    return Publication.objects.create(sheet=sheet, topic="news", published=4)


def test_what_is_enabled_and_behind_is_due(publication: Publication) -> None:
    sheet = publication.sheet
    Publication.objects.create(sheet=sheet, published=7)
    Publication.objects.create(sheet=sheet, topic="off", is_enabled=False)

    assert publications.find_due() == {publication.pk: 3}


def test_one_publisher_at_a_time_has_a_publication(publication: Publication) -> None:
    (due,) = publications.hold([publication.pk], MINE, 10)

    assert (due.slug, due.topic, due.published, due.head) == ("prices", "news", 4, 7)
    assert publications.hold([publication.pk], THEIRS, 10) == []
    assert publications.hold([publication.pk], MINE, 10) == [due]


def test_a_publication_is_free_when_its_publisher_lets_go_or_is_late(
    publication: Publication,
) -> None:
    publications.hold([publication.pk], MINE, 10)
    publications.let_go(MINE)
    assert len(publications.hold([publication.pk], THEIRS, 10)) == 1

    Publication.objects.update(held_until=Now() - timedelta(seconds=1))
    assert len(publications.hold([publication.pk], MINE, 10)) == 1
    publications.advance([(publication.pk, 4, 6)], THEIRS)
    assert Publication.objects.get().published == 4, "theirs no longer"


def test_cursor_moves_from_where_it_was_and_the_publication_is_free(
    publication: Publication,
) -> None:
    publications.hold([publication.pk], MINE, 10)
    publications.note_error(publication.pk, MINE, "There is no topic.")
    publications.hold([publication.pk], MINE, 10)

    publications.advance([(publication.pk, 3, 5)], MINE)
    assert Publication.objects.get().published == 4
    publications.advance([(publication.pk, 4, 6)], MINE)

    publication.refresh_from_db()
    assert (publication.published, publication.error, publication.held_by) == (6, "", None)
    assert publication.published_at is not None
    assert len(publications.hold([publication.pk], THEIRS, 10)) == 1


def test_a_disabled_publication_is_not_held(publication: Publication) -> None:
    Publication.objects.update(is_enabled=False)
    assert publications.hold([publication.pk], MINE, 10) == []
    assert publications.topics_in_use() == set()


@pytest.fixture
def unnamed() -> Iterator[None]:
    installation._kept.clear()
    yield
    installation._kept.clear()


@pytest.mark.django_db(transaction=True)
def test_installation_has_a_random_name_that_stays(
    unnamed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = installation_name()

    assert name.startswith("sheetsync-")
    assert installation_name() == name == Installation.objects.get().name
    installation._kept.clear()
    assert installation_name() == name
    monkeypatch.setattr("django.conf.settings.PUBSUB_ORIGIN", "berlin")
    assert installation_name() == "berlin"


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_rolled_back_is_not_kept(unnamed: None) -> None:
    with transaction.atomic():
        lost = installation_name()
        transaction.set_rollback(True)

    assert installation_name() == Installation.objects.get().name != lost
