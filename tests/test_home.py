"""The list of sheets: found, renamed, deleted, and brought back."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cells.domain.errors import NoSuchSheet
from cells.domain.operations import set_cells
from cells.models import AuthorKind, LinkRole, Role, Sheet, SheetAccess
from cells.services.access import admit, create_sheet, roles_now
from cells.services.commit import Author, Outcome, Refused, Submission, commit
from cells.services.heads import read_heads
from cells.services.shelf import bring_back, delete_sheet

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", first_name="Robert", last_name="Builder")


@pytest.fixture
def budget(alice: User) -> Sheet:
    return create_sheet(alice, "Budget")


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def titles(browser: Client, page: str = "/") -> list[str]:
    response = browser.get(page)
    assert response.status_code == 200
    return [listed.sheet.title for listed in response.context["sheets"]]


def write(sheet: Sheet, user: User | None = None) -> Outcome:
    author = Author(AuthorKind.STREAM, "prices")
    if user is not None:
        author = Author(AuthorKind.USER, user.username, user.pk)
    return commit([Submission(sheet.slug, uuid4(), set_cells([(0, 0, "x")]), author)]).outcomes[0]


# -- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("BUDG", {"Budget 2026"}),
        ("2026", {"Budget 2026", "Holidays 2026"}),
        ("2026 budget", {"Budget 2026"}),
        ("builder", {"Holidays 2026"}),
        ("bob", {"Holidays 2026"}),
        ("  ", {"Budget 2026", "Holidays 2026"}),
        ("100%", set()),
        ("a\0b", set()),
    ],
)
def test_titles_and_owners_are_searched(
    alice: User, bob: User, search: str, found: set[str]
) -> None:
    create_sheet(alice, "Budget 2026")
    holidays = create_sheet(bob, "Holidays 2026")
    SheetAccess.objects.create(sheet=holidays, user=alice, role=Role.VIEWER)
    create_sheet(bob, "Budget of bob alone, 2026")
    browser = signed_in(alice)
    response = browser.get("/", {"q": search})
    assert {listed.sheet.title for listed in response.context["sheets"]} == found


def test_a_search_that_finds_nothing_says_so_and_is_shown_again(budget: Sheet, alice: User) -> None:
    page = signed_in(alice).get("/", {"q": '"<b>'}).content.decode()
    assert "No sheet matches “&quot;&lt;b&gt;”" in page
    assert 'value="&quot;&lt;b&gt;"' in page


def test_further_pages_keep_the_search(alice: User) -> None:
    for number in range(26):
        create_sheet(alice, f"Sheet & {number}")
    page = signed_in(alice).get("/", {"q": "&"}).content.decode()
    assert "?page=2&amp;q=%26" in page


def test_the_list_says_who_edited_last(budget: Sheet, alice: User, bob: User) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    write(budget, alice)
    write(budget, bob)
    page = signed_in(alice).get("/").content.decode()
    assert "by bob" in page
    assert "by alice" not in page


# -- renaming -------------------------------------------------------------------------------------


def test_an_owner_renames(budget: Sheet, alice: User) -> None:
    response = signed_in(alice).post(f"/sheets/{budget.slug}/rename/", {"title": " Plan "})
    budget.refresh_from_db()
    assert (response.headers["Location"], budget.title) == ("/", "Plan")


def test_a_title_that_is_too_long_changes_nothing(budget: Sheet, alice: User) -> None:
    browser = signed_in(alice)
    browser.post(f"/sheets/{budget.slug}/rename/", {"title": "x" * 201})
    assert b"at most 200 characters" in browser.get("/").content
    assert titles(browser) == ["Budget"]


@pytest.mark.parametrize("act", ["rename", "delete", "restore"])
def test_none_but_an_owner_renames_or_deletes(
    budget: Sheet, bob: User, client: Client, act: str
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    address = f"/sheets/{budget.slug}/{act}/"
    assert signed_in(bob).post(address, {"title": "Mine"}).status_code == 403
    assert client.post(address, {"title": "Mine"}).headers["Location"].startswith("/accounts/login")
    assert signed_in(bob).get(address).status_code == 405
    budget.refresh_from_db()
    assert (budget.title, budget.deleted_at) == ("Budget", None)


# -- deleting, and back ---------------------------------------------------------------------------


def test_a_deleted_sheet_leaves_every_list_and_comes_back_whole(
    budget: Sheet, alice: User, bob: User
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    write(budget)
    browser = signed_in(alice)
    deleted = browser.post(f"/sheets/{budget.slug}/delete/", follow=True)
    assert "“Budget” was deleted." in deleted.content.decode()
    assert titles(browser) == titles(signed_in(bob)) == []
    undone = browser.post(f"/sheets/{budget.slug}/restore/", follow=True)
    assert "“Budget” is back." in undone.content.decode()
    assert titles(browser) == titles(signed_in(bob)) == ["Budget"]
    budget.refresh_from_db()
    assert (budget.head, budget.filled, budget.deleted_at) == (1, 1, None)


def test_the_page_of_a_deleted_sheet_lets_its_owner_bring_it_back(
    budget: Sheet, alice: User, bob: User
) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    delete_sheet(budget)
    for address in (f"/sheets/{budget.slug}/", f"/sheets/{budget.slug}/share/"):
        own = signed_in(alice).get(address)
        assert own.status_code == 404
        assert "“Budget” was deleted" in own.content.decode()
        assert "Bring it back" in own.content.decode()
        shared = signed_in(bob).get(address)
        assert shared.status_code == 404
        assert "Its owner, alice, can bring it back." in shared.content.decode()
        assert "/restore/" not in shared.content.decode()


def test_strangers_learn_nothing_of_a_deleted_sheet(
    budget: Sheet, bob: User, client: Client
) -> None:
    delete_sheet(budget)
    for browser in (client, signed_in(bob)):
        for method in (browser.get, browser.post):
            page = method(f"/sheets/{budget.slug}/share/")
            assert (page.status_code, b"Budget" in page.content) == (404, False)
        assert browser.post(f"/sheets/{budget.slug}/restore/").status_code == 404
        home = browser.get("/", {"deleted": budget.slug})
        assert home.context["just_deleted"] is None


def test_undo_is_offered_for_nothing_that_is_there(budget: Sheet, alice: User) -> None:
    browser = signed_in(alice)
    for slug in (budget.slug, "nothing", "a\0b"):
        assert browser.get("/", {"deleted": slug}).context["just_deleted"] is None


def test_nothing_is_written_into_a_deleted_sheet(budget: Sheet, alice: User) -> None:
    delete_sheet(budget)
    for outcome in (write(budget), write(budget, alice)):
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.error, NoSuchSheet)
    bring_back(Sheet.objects.all())
    assert not isinstance(write(budget, alice), Refused)


def test_nobody_is_let_into_a_deleted_sheet_nor_stays_there(budget: Sheet, alice: User) -> None:
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    asked = {(budget.pk, alice.pk), (budget.pk, None)}
    assert set(roles_now(asked)) == asked
    delete_sheet(budget)
    with pytest.raises(NoSuchSheet):
        admit(budget.slug, alice)
    assert roles_now(asked) == {}
    assert read_heads([budget.pk]) == {}  # by which open sockets are closed


def test_deleting_twice_keeps_the_first_moment(budget: Sheet) -> None:
    before = timezone.now()
    Sheet.objects.update(deleted_at=before)
    delete_sheet(budget)
    budget.refresh_from_db()
    assert budget.deleted_at == before


def test_an_administrator_sees_and_brings_back_what_was_deleted(budget: Sheet) -> None:
    delete_sheet(budget)
    browser = signed_in(User.objects.create_superuser("admin"))
    assert b"Budget" in browser.get("/admin/cells/sheet/").content
    browser.post(
        "/admin/cells/sheet/", {"action": "bring_back", "_selected_action": [str(budget.pk)]}
    )
    budget.refresh_from_db()
    assert budget.deleted_at is None


# -- copying --------------------------------------------------------------------------------------


def test_a_viewer_makes_a_copy_of_their_own(budget: Sheet, alice: User, bob: User) -> None:
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.VIEWER)
    write(budget)
    browser = signed_in(bob)
    response = browser.post(f"/sheets/{budget.slug}/duplicate/")
    copy = Sheet.objects.exclude(pk=budget.pk).get()
    assert response.headers["Location"] == f"/sheets/{copy.slug}/"
    assert (copy.title, copy.owner, copy.filled) == ("Copy of Budget", bob, 1)
    assert titles(browser) == ["Copy of Budget", "Budget"]
    assert titles(signed_in(alice)) == ["Budget"]


def test_none_copies_what_they_may_not_see(budget: Sheet, bob: User, client: Client) -> None:
    address = f"/sheets/{budget.slug}/duplicate/"
    assert signed_in(bob).post(address).status_code == 403
    assert client.post(address).status_code == 302
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    assert client.post(address).headers["Location"].startswith("/accounts/login/")
    delete_sheet(budget)
    assert signed_in(bob).post(address).status_code == 404
    assert Sheet.objects.count() == 1


def test_who_owns_as_many_sheets_as_one_may_is_told_so(
    budget: Sheet, alice: User, settings: Settings
) -> None:
    settings.SHEETS_PER_USER = 1
    browser = signed_in(alice)
    made = browser.post("/sheets/", {"title": "More"})
    assert made.status_code == 400
    copied = browser.post(f"/sheets/{budget.slug}/duplicate/", follow=True)
    deleted = Sheet.objects.create(slug="old", title="Old", owner=alice, deleted_at=timezone.now())
    back = browser.post(f"/sheets/{deleted.slug}/restore/", follow=True)
    for answer in (made, copied, back):
        assert "You own as many sheets as one person may." in answer.content.decode()
    assert Sheet.objects.filter(deleted_at=None).count() == 1
