import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cells.models import Publication, Sheet
from tests.admin.stored import statements, write

pytestmark = pytest.mark.django_db


def add(client: Client, sheet: Sheet, **fields: str) -> Publication | None:
    data = {"sheet": str(sheet.pk), "topic": "", "is_enabled": "on"} | fields
    client.post("/admin/cells/publication/add/", data)
    return Publication.objects.order_by("-pk").first()


def test_a_new_publication_begins_at_the_head(admin_client: Client, budget: Sheet) -> None:
    write("D4", "late")
    made = add(admin_client, budget, topic="news")

    assert made is not None
    assert (made.sheet, made.topic, made.is_enabled) == (budget, "news", True)
    assert made.published == 2


def test_it_begins_at_the_beginning_by_choice(admin_client: Client, budget: Sheet) -> None:
    made = add(admin_client, budget, from_beginning="on")
    assert made is not None
    assert (made.topic, made.published) == ("", 0)


def test_an_impossible_topic_is_refused(admin_client: Client, budget: Sheet) -> None:
    data = {"sheet": str(budget.pk), "topic": "no topic", "is_enabled": "on"}
    response = admin_client.post("/admin/cells/publication/add/", data)
    assert "A topic has 3 to 255 letters" in response.content.decode()
    assert not Publication.objects.exists()


def test_a_sheet_goes_to_a_topic_once(admin_client: Client, budget: Sheet) -> None:
    add(admin_client, budget)
    add(admin_client, budget)
    assert Publication.objects.count() == 1


def test_turning_it_off_leaves_the_cursor_to_the_publisher(
    admin_client: Client, budget: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add(admin_client, budget, from_beginning="on")
    assert made is not None
    clean = Publication.full_clean

    def clean_while_it_is_published(self: Publication, *arguments: object, **more: object) -> None:
        Publication.objects.update(published=1)
        clean(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Publication, "full_clean", clean_while_it_is_published)
    page = f"/admin/cells/publication/{made.pk}/change/"
    response = admin_client.post(page, {"sheet": "0", "topic": "other"})

    assert response.status_code == 302
    made.refresh_from_db()
    assert (made.is_enabled, made.published, made.topic, made.sheet) == (False, 1, "", budget)


def test_list_and_page_say_how_far_it_is_and_what_is_wrong(
    admin_client: Client, budget: Sheet
) -> None:
    made = add(admin_client, budget, from_beginning="on")
    assert made is not None
    Sheet.objects.filter(pk=budget.pk).update(head=1_234)
    Publication.objects.update(error="There is <no> topic.")

    with CaptureQueriesContext(connection) as captured:
        listed = admin_client.get("/admin/cells/publication/").content.decode()
    page = admin_client.get(f"/admin/cells/publication/{made.pk}/change/").content.decode()

    for content in (listed, page):
        assert "1,234" in content
        assert "There is &lt;no&gt; topic." in content
    assert "the usual one" in listed
    assert f"/admin/cells/sheet/{budget.pk}/change/" in listed
    assert not any('"row_sizes"' in sql for sql in statements(captured))
    assert 'name="from_beginning"' not in page
