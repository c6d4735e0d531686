from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from cells.models import LinkRole, Role, Sheet, SheetAccess
from cells.services.access import create_sheet

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="a long pass phrase")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def carol() -> User:
    return User.objects.create_user("carol")


@pytest.fixture
def as_(client: Client) -> Callable[[User], Client]:
    """A browser in which a person is signed in."""

    def signed_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return signed_in


@pytest.fixture
def budget(alice: User) -> Sheet:
    return create_sheet(alice, "Budget")


SignedIn = Callable[[User], Client]

# -- the list of sheets ---------------------------------------------------------------------------


def titles(browser: Client, page: str = "/") -> list[str]:
    response = browser.get(page)
    assert response.status_code == 200
    return [listed.sheet.title for listed in response.context["sheets"]]


def test_home_lists_own_and_shared_sheets_newest_edit_first(
    as_: SignedIn, alice: User, bob: User, carol: User
) -> None:
    old = create_sheet(alice, "Old")
    shared = create_sheet(bob, "Shared")
    create_sheet(bob, "Private to bob")
    SheetAccess.objects.create(sheet=shared, user=alice, role=Role.VIEWER)
    create_sheet(alice, "New")
    assert titles(as_(alice)) == ["New", "Shared", "Old"]
    Sheet.objects.filter(pk=old.pk).update(updated_at=timezone.now())
    assert titles(as_(alice)) == ["Old", "New", "Shared"]
    assert titles(as_(carol)) == []


def test_home_says_which_role_one_has(as_: SignedIn, alice: User, bob: User) -> None:
    own = create_sheet(bob, "Own")
    viewed = create_sheet(alice, "Viewed")
    edited = create_sheet(alice, "Edited", link_role=LinkRole.EDITOR)
    SheetAccess.objects.create(sheet=viewed, user=bob, role=Role.VIEWER)
    SheetAccess.objects.create(sheet=edited, user=bob, role=Role.VIEWER)
    response = as_(bob).get("/")
    roles = {listed.sheet: listed.role for listed in response.context["sheets"]}
    assert roles == {own: Role.OWNER, viewed: Role.VIEWER, edited: Role.EDITOR}
    assert f'href="/sheets/{own.slug}/share/"' in response.content.decode()
    assert f'href="/sheets/{viewed.slug}/share/"' not in response.content.decode()


def test_a_guest_sees_the_demo_and_no_other_open_sheet(client: Client) -> None:
    create_sheet(None, "Demo", slug="demo", link_role=LinkRole.EDITOR)
    create_sheet(None, "Known to others", link_role=LinkRole.EDITOR)
    assert titles(client) == ["Demo"]


def test_a_demo_that_was_closed_is_listed_no_more(client: Client) -> None:
    create_sheet(None, "Demo", slug="demo", link_role=LinkRole.NONE)
    assert titles(client) == []


def test_an_open_sheet_is_listed_once_its_address_was_visited(
    client: Client, alice: User, as_: SignedIn
) -> None:
    sheet = create_sheet(alice, "By link", link_role=LinkRole.VIEWER)
    client.get(f"/sheets/{sheet.slug}/")
    assert titles(client) == ["By link"]
    Sheet.objects.update(link_role=LinkRole.NONE)
    assert titles(client) == []


def test_home_is_paginated(as_: SignedIn, alice: User) -> None:
    for number in range(30):
        create_sheet(alice, f"Sheet {number}")
    browser = as_(alice)
    assert len(titles(browser)) == 25
    assert len(titles(browser, "/?page=2")) == 5
    assert titles(browser, "/?page=nonsense") == titles(browser)


def test_home_costs_the_same_for_one_sheet_and_for_many(
    as_: SignedIn, alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = as_(alice)
    for number in range(10):
        sheet = create_sheet(bob, f"Sheet {number}")
        SheetAccess.objects.create(sheet=sheet, user=alice, role=Role.EDITOR)
    with django_assert_num_queries(5):  # session, user, count, sheets, roles
        assert len(titles(browser)) == 10


def test_titles_are_escaped(as_: SignedIn, alice: User) -> None:
    create_sheet(alice, "<script>alert(1)</script>")
    assert b"<script>alert" not in as_(alice).get("/").content


def test_an_empty_home_says_what_to_do(client: Client, as_: SignedIn, alice: User) -> None:
    assert b"No sheets yet" in as_(alice).get("/").content
    assert b"Sign in to see your sheets" in client.get("/").content


# -- creating -------------------------------------------------------------------------------------


def test_a_created_sheet_is_its_creators_own_and_closed_to_others(
    as_: SignedIn, alice: User, bob: User
) -> None:
    response = as_(alice).post("/sheets/", {"title": " Budget "})
    sheet = Sheet.objects.get()
    assert response.headers["Location"] == f"/sheets/{sheet.slug}/"
    assert (sheet.title, sheet.owner, sheet.link_role) == ("Budget", alice, LinkRole.NONE)


def test_a_sheet_without_a_title_gets_one(as_: SignedIn, alice: User) -> None:
    as_(alice).post("/sheets/", {"title": "  "})
    assert Sheet.objects.get().title == "Untitled sheet"


@pytest.mark.parametrize("title", ["x" * 201, "a\0b"])
def test_a_title_that_cannot_be_kept_is_refused_and_shown_again(
    as_: SignedIn, alice: User, title: str
) -> None:
    response = as_(alice).post("/sheets/", {"title": title})
    assert response.status_code == 400
    assert b'aria-invalid="true"' in response.content
    assert not Sheet.objects.exists()


def test_a_guest_signs_in_before_creating(client: Client) -> None:
    response = client.post("/sheets/", {"title": "Budget"})
    assert response.headers["Location"] == "/accounts/login/?next=/"
    assert not Sheet.objects.exists()


def test_a_guest_may_try_it_out_with_debug(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    response = client.post("/sheets/", {"title": "Budget"})
    sheet = Sheet.objects.get()
    assert (sheet.owner, sheet.link_role) == (None, LinkRole.EDITOR)
    assert response.headers["Location"] == f"/sheets/{sheet.slug}/"
    client.get(f"/sheets/{sheet.slug}/")
    assert titles(client) == ["Budget"]


def test_creating_needs_a_form_of_our_own(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post("/sheets/", {"title": "Budget"}).status_code == 403
    assert browser.get("/sheets/").headers["Location"] == "/"


# -- a sheet's page -------------------------------------------------------------------------------


def test_the_page_of_a_sheet_knows_sheet_and_role(
    as_: SignedIn, alice: User, bob: User, budget: Sheet
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.VIEWER)
    for person, role in ((alice, Role.OWNER), (bob, Role.VIEWER)):
        response = as_(person).get(f"/sheets/{budget.slug}/")
        assert response.status_code == 200
        assert (response.context["sheet"], response.context["role"]) == (budget, role)


@pytest.mark.parametrize("debug", [False, True])
def test_a_missing_sheet_is_a_page_that_says_so(
    client: Client, settings: Settings, debug: bool
) -> None:
    settings.DEBUG = debug
    response = client.get("/sheets/nothing-here/")
    assert response.status_code == 404
    assert b"There is no sheet at this address" in response.content


def test_a_missing_page_is_ours(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert b"There is nothing at this address" in response.content


def test_a_form_from_before_signing_in_is_explained(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    response = browser.post("/accounts/logout/")
    assert response.status_code == 403
    assert b"This page was open for too long" in response.content


def test_an_error_of_ours_says_that_edits_are_safe(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr("cells.views.listed_sheets", fail)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert b"every edit that was shown as saved is safe" in response.content
    assert b"secret" not in response.content


def test_a_guest_signs_in_to_see_a_private_sheet(client: Client, budget: Sheet) -> None:
    response = client.get(f"/sheets/{budget.slug}/")
    assert response.headers["Location"] == f"/accounts/login/?next=/sheets/{budget.slug}/"
    login = response.headers["Location"]
    assert client.get(login).status_code == 200
    wrong = client.post(login, {"username": "alice", "password": "wrong"})
    assert b"correct username and password" in wrong.content
    signed_in = client.post(
        login,
        {
            "username": "alice",
            "password": "a long pass phrase",
            "next": f"/sheets/{budget.slug}/",
        },
    )
    assert signed_in.headers["Location"] == f"/sheets/{budget.slug}/"
    assert client.post("/accounts/logout/").headers["Location"] == "/"


def test_carol_is_told_whom_to_ask(as_: SignedIn, carol: User, budget: Sheet) -> None:
    response = as_(carol).get(f"/sheets/{budget.slug}/")
    assert response.status_code == 403
    assert b"<strong>alice</strong>" in response.content
    assert b"Budget" not in response.content


def test_a_guest_keeps_one_name(client: Client) -> None:
    first = create_sheet(None, "First", link_role=LinkRole.VIEWER)
    second = create_sheet(None, "Second", link_role=LinkRole.EDITOR)
    client.get(f"/sheets/{first.slug}/")
    name = client.session["guest_name"]
    assert name.startswith("Guest ")
    client.get(f"/sheets/{second.slug}/")
    client.get(f"/sheets/{first.slug}/")
    assert client.session["guest_name"] == name
    assert client.session["opened"] == [second.slug, first.slug]


def test_a_session_remembers_a_bounded_number_of_sheets(client: Client) -> None:
    for number in range(60):
        create_sheet(None, "Open", slug=f"open-{number}", link_role=LinkRole.VIEWER)
        client.get(f"/sheets/open-{number}/")
    assert len(client.session["opened"]) == 50
    assert client.session["opened"][0] == "open-59"


# -- sharing --------------------------------------------------------------------------------------


def test_alice_shares_with_bob_and_takes_it_back(
    as_: SignedIn, alice: User, bob: User, budget: Sheet
) -> None:
    browser = as_(alice)
    share = f"/sheets/{budget.slug}/share/"
    browser.post(share, {"username": "bob", "role": "viewer"})
    browser.post(f"{share}{bob.pk}/", {"role": "editor"})
    assert list(budget.access.values_list("user__username", "role")) == [("bob", "editor")]
    page = browser.get(share)
    assert b"Shared with bob." in page.content
    assert as_(bob).get(f"/sheets/{budget.slug}/").context["role"] == Role.EDITOR
    browser.post(f"/sheets/{budget.slug}/share/{bob.pk}/remove/")
    assert as_(bob).get(f"/sheets/{budget.slug}/").status_code == 403


def test_alice_opens_a_sheet_to_everybody_with_the_link(
    as_: SignedIn, client: Client, alice: User, budget: Sheet
) -> None:
    browser = as_(alice)
    assert f"http://testserver/sheets/{budget.slug}/" in (
        browser.get(f"/sheets/{budget.slug}/share/").content.decode()
    )
    browser.post(f"/sheets/{budget.slug}/share/link/", {"link_role": "viewer"})
    assert client.get(f"/sheets/{budget.slug}/").context["role"] == Role.VIEWER
    browser.post(f"/sheets/{budget.slug}/share/link/", {"link_role": "owner"})
    assert client.get(f"/sheets/{budget.slug}/").context["role"] == Role.VIEWER


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"username": "nobody", "role": "viewer"}, "Nobody here is called “nobody”"),
        ({"username": "alice", "role": "viewer"}, "alice owns this sheet already"),
        ({"username": "bob", "role": "king"}, "Select a valid choice"),
        ({"username": "", "role": "viewer"}, "This field is required"),
    ],
)
def test_sharing_that_makes_no_sense_is_explained(
    as_: SignedIn, alice: User, bob: User, budget: Sheet, form: dict[str, str], problem: str
) -> None:
    response = as_(alice).post(f"/sheets/{budget.slug}/share/", form)
    assert response.status_code == 400
    assert problem in response.content.decode()
    assert not budget.access.exists()


def test_only_an_owner_shares(
    as_: SignedIn, client: Client, alice: User, bob: User, carol: User, budget: Sheet
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    share = f"/sheets/{budget.slug}/share/"
    changes: tuple[tuple[str, dict[str, str]], ...] = (
        (share, {"username": "carol", "role": "owner"}),
        (f"{share}link/", {"link_role": "editor"}),
        (f"{share}{bob.pk}/remove/", {}),
    )
    assert as_(bob).get(share).status_code == 403
    for address, form in changes:
        assert as_(bob).post(address, form).status_code == 403
        assert as_(carol).post(address, form).status_code == 403
        login = client.post(address, form).headers["Location"]
        assert login == f"/accounts/login/?next={share}"
    budget.refresh_from_db()
    assert budget.link_role == LinkRole.NONE
    assert list(budget.access.values_list("user__username", "role")) == [("bob", "editor")]


def test_a_second_owner_shares_and_may_leave(
    as_: SignedIn, bob: User, carol: User, budget: Sheet
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.OWNER)
    browser = as_(bob)
    browser.post(f"/sheets/{budget.slug}/share/", {"username": "carol", "role": "viewer"})
    assert budget.access.filter(user=carol).exists()
    left = browser.post(f"/sheets/{budget.slug}/share/{bob.pk}/remove/")
    assert left.headers["Location"] == "/"
    assert browser.get(f"/sheets/{budget.slug}/share/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(("named", "kept"), [("Asia/Tokyo", "Asia/Tokyo"), ("Mars", ""), ("", "")])
def test_a_new_sheet_is_in_the_time_zone_of_who_made_it(
    admin_client: Client, named: str, kept: str
) -> None:
    admin_client.post("/sheets/", {"title": "Plan", "time_zone": named})

    assert Sheet.objects.get().time_zone == kept
