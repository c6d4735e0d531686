"""`{% live_sheet %}`, and what its frame shows to whom."""

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client
from django.urls import clear_script_prefix, set_script_prefix
from django.utils import timezone

from cells.models import Role, Sheet
from cells.services.access import create_sheet
from cells.services.sharing import grant

FRAME = "/sheets/prices/?embed"


def rendered(arguments: str, **context: object) -> str:
    page = Template(f"{{% load live_sheet %}}{{% live_sheet {arguments} %}}")
    return page.render(Context(context))


def test_the_tag_is_a_frame_without_a_look_into_the_database() -> None:
    assert rendered('"demo" height="480px"') == (
        '<iframe class="live-sheet" src="/sheets/demo/?embed" title="Live sheet demo" '
        'width="100%" height="480" frameborder="0" loading="lazy"></iframe>'
    )
    options = 'height="60vh" theme="dark" toolbar=False read_only=True title=name'
    html = rendered(f"sheet {options}", sheet=Sheet(slug="demo"), name="<b>")
    assert 'src="/sheets/demo/?embed&amp;without-toolbar&amp;read-only"' in html
    assert 'style="height:60vh;color-scheme:dark"' in html
    assert 'title="&lt;b&gt;"' in html
    assert 'src="/sheets/-/?embed"' in rendered("nothing"), "no sheet has this slug"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('height="tall"', 'height is a length such as "480px"'),
        ('height="1px;color:red"', "height is a length"),
        ('theme="pink"', 'theme is "light" or "dark"'),
    ],
)
def test_what_cannot_be_meant_says_so(option: str, said: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=said):
        rendered(f'"demo" {option}')


@pytest.fixture
def prices(db: None) -> Sheet:
    return create_sheet(User.objects.create_user("alice"), "Prices", slug="prices")


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get_or_create(username=name)[0])
    return client


def test_only_pages_of_this_site_have_it_in_a_frame(prices: Sheet) -> None:
    alice = signed_in("alice")
    assert alice.get(FRAME).headers["X-Frame-Options"] == "SAMEORIGIN"
    assert alice.get("/sheets/prices/").headers["X-Frame-Options"] == "DENY"
    assert Client().get(FRAME).headers["X-Frame-Options"] == "SAMEORIGIN"


def test_the_frame_has_no_bar_and_no_means_beyond_what_was_asked_for(prices: Sheet) -> None:
    alice = signed_in("alice")
    page = alice.get(FRAME).text
    assert 'data-role="owner"' in page
    assert 'class="bar"' not in page
    assert "service-worker" not in page
    assert "data-read-only" not in page
    assert "data-read-only" in alice.get(f"{FRAME}&read-only").text
    assert 'class="sheet embedded without-toolbar"' in alice.get(f"{FRAME}&without-toolbar").text
    grant(prices, User.objects.create_user("bob"), Role.VIEWER)
    assert 'data-role="viewer"' in signed_in("bob").get(FRAME).text


def test_who_may_not_see_it_reads_what_to_do(prices: Sheet) -> None:
    around = "http://testserver/report/?day=5"
    guest = Client().get(FRAME, headers={"referer": around})
    assert guest.status_code == 403
    assert 'target="_top" href="/accounts/login/?next=/report/%3Fday%3D5"' in guest.text
    elsewhere = Client().get(FRAME, headers={"referer": "http://evil.example/"})
    assert 'href="/accounts/login/?next=/"' in elsewhere.text
    carol = signed_in("carol").get(FRAME)
    assert carol.status_code == 403
    assert "Ask its owner, <strong>alice</strong>." in carol.text
    Sheet.objects.update(deleted_at=timezone.now())
    assert "“Prices” was deleted." in signed_in("alice").get(FRAME).text
    for client in (signed_in("carol"), Client()):
        assert "There is no such sheet." in client.get(FRAME).text
    assert Client().get("/sheets/none/?embed").status_code == 404


def test_a_page_finds_its_socket_below_what_the_project_is_mounted_at(prices: Sheet) -> None:
    alice = signed_in("alice")
    assert 'data-socket="/ws/sheets/prices/"' in alice.get(FRAME).text
    set_script_prefix("/office/")  # as Django does with each request
    try:
        assert 'data-socket="/office/ws/sheets/prices/"' in alice.get(FRAME).text
    finally:
        clear_script_prefix()


def test_the_script_in_the_page_has_the_project_s_nonce() -> None:
    page = Template('{% load modules %}{% inline_script "cells/sync/first_words.js" %}')
    assert page.render(Context({"csp_nonce": "abc"})).startswith('<script nonce="abc">')
    assert page.render(Context()).startswith("<script>")
