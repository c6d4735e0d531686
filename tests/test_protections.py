"""The page of protected ranges: for owners alone, and by names as people write them."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from cells.models import Feed, Protection, Role, Sheet, SheetAccess
from cells.services.access import create_sheet

pytestmark = pytest.mark.django_db
PAGE = "/sheets/plan/protections/"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def plan(alice: User) -> Sheet:
    return create_sheet(alice, "Plan", slug="plan")


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def text_of(browser: Client, path: str = PAGE) -> str:
    return browser.get(path).content.decode()


def test_a_range_is_protected_changed_and_set_free(plan: Sheet, alice: User) -> None:
    bob, desk = User.objects.create_user("bob"), Group.objects.create(name="desk, Graz")
    ticks = Feed.objects.create(name="Ticks", sheet=plan, subscription="ticks-sub")
    browser = signed_in(alice)
    assert 'value="B2:C5"' in text_of(browser, f"{PAGE}?range=B2:C5")
    names = "bob\r\n desk, Graz\r\n"
    data = {"range": "B2:C5", "description": "Limits", "editors": names, "feeds": [ticks.pk]}
    assert browser.post(PAGE, data).status_code == 302
    made = Protection.objects.get()
    named = {(one.user, one.group, one.feed) for one in made.editors.all()}
    assert named == {(bob, None, None), (None, desk, None), (None, None, ticks)}
    page = text_of(browser)
    for word in ("B2:C5", "Limits", "bob", "desk", "Ticks"):
        assert word in page
    change = f"{PAGE}{made.pk}/"
    assert "bob\ndesk, Graz</textarea>" in text_of(browser, change)
    browser.post(change, {"range": "B:C", "description": "Limits", "editors": "desk, Graz"})
    made.refresh_from_db()
    assert (made.first_row, made.first_column, made.editors.get().group) == (None, 1, desk)
    browser.post(f"{change}remove/")
    assert not Protection.objects.exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"range": "hello"}, "This is no range of the sheet."),
        ({"range": "A9999"}, "This is no range of the sheet."),
        ({"range": "A1", "editors": "alice\nnobody"}, "Nobody here is called “nobody”"),
    ],
)
def test_what_cannot_be_is_said(plan: Sheet, alice: User, data: dict[str, str], says: str) -> None:
    answer = signed_in(alice).post(PAGE, data)
    assert (answer.status_code, Protection.objects.count()) == (400, 0)
    assert says in answer.content.decode()


def test_editors_protect_nothing(plan: Sheet) -> None:
    bob = User.objects.create_user("bob")
    SheetAccess.objects.create(sheet=plan, user=bob, role=Role.EDITOR)
    browser = signed_in(bob)
    made = Protection.objects.create(sheet=plan)
    for path in (PAGE, f"{PAGE}{made.pk}/", f"{PAGE}{made.pk}/remove/"):
        assert browser.post(path, {"range": "A1"}).status_code == 403
    assert Protection.objects.get() == made


def test_a_protection_of_another_sheet_is_none_here(plan: Sheet, alice: User) -> None:
    other = Protection.objects.create(sheet=create_sheet(None, "Other"))
    browser = signed_in(alice)
    browser.post(f"{PAGE}{other.pk}/", {"range": "A1"})
    browser.post(f"{PAGE}{other.pk}/remove/")
    other.refresh_from_db()
    assert other.first_row is None
