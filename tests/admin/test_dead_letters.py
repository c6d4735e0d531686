import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cells.admin.samples import readable
from tests.admin.stored import dead_letter, statements

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"sheet": "demo"}', '{"sheet": "demo"}'),
        ("für 5 €\n\t".encode(), "für 5 €\n\t"),
        (b"\xff\xfe{\x00", "\\xff\\xfe{\\x00"),
        (b"\x1b[31mred\x7f\r", "\\x1b[31mred\\x7f\\r"),
        ("\u202egnp.exe".encode(), "\\u202egnp.exe"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
    ],
)
def test_bytes_are_shown_as_what_they_are(data: bytes, text: str) -> None:
    assert readable(data) == text


def test_a_dead_letter_is_shown_with_its_bytes_and_attributes(admin_client: Client) -> None:
    letter = dead_letter(
        b"<script>\xff</script>", attributes={"edit_id": "<i>7</i>"}, ordering_key="demo"
    )
    content = admin_client.get(f"/admin/cells/deadletter/{letter.pk}/change/").content.decode()
    assert "&lt;script&gt;\\xff&lt;/script&gt;" in content
    assert "&quot;edit_id&quot;: &quot;&lt;i&gt;7&lt;/i&gt;&quot;" in content
    assert "The message is not JSON." in content


def test_a_huge_dead_letter_is_cut(admin_client: Client) -> None:
    letter = dead_letter(b"\xff" * 1_000_000)
    response = admin_client.get(f"/admin/cells/deadletter/{letter.pk}/change/")
    assert len(response.content) < 400_000
    assert "more bytes" in response.content.decode()


def test_dead_letters_are_found_by_message_id_and_listed_without_their_bytes(
    admin_client: Client,
) -> None:
    mine = dead_letter(b"x")
    other = dead_letter(b"x", subscription="projects/other/subscriptions/s", message_id="17")
    with CaptureQueriesContext(connection) as captured:
        response = admin_client.get("/admin/cells/deadletter/")
    assert response.context["cl"].result_count == 2
    assert not any('"data"' in sql for sql in statements(captured))
    for query, found in (
        (mine.message_id, [mine]),
        (f"{other.subscription} 17", [other]),
        ("17", []),
    ):
        response = admin_client.get("/admin/cells/deadletter/", {"q": query})
        assert list(response.context["cl"].result_list) == found
