"""Roles that change while sockets are open."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed

from cells.live import admissions
from cells.live.hubs import get_hubs
from cells.models import LinkRole, Role, Sheet
from cells.services import host_roles
from cells.services.access import create_sheet, role_of, roles_now
from cells.services.sharing import grant, grant_group, revoke
from cells.services.shelf import bring_back, delete_sheet
from tests.live.conftest import LiveServer, database


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admissions, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(host_roles, "RULE_SECONDS", 0.05)


def share(link_role: LinkRole, **roles: Role) -> list[User]:
    sheet = Sheet.objects.get(slug="prices")
    sheet.link_role = link_role
    sheet.save()
    users = [User.objects.create(username=name) for name in roles]
    for user in users:
        grant(sheet, user, roles[user.username])
    return users


def prices() -> Sheet:
    return Sheet.objects.get(slug="prices")


def join_team(role: Role) -> User:
    carol, team = User.objects.create(username="carol"), Group.objects.create(name="team")
    carol.groups.add(team)
    grant_group(prices(), team, role)
    return carol


def take_away(user: User) -> None:
    revoke(Sheet.objects.get(slug="prices"), user.pk)


async def test_a_revoked_person_is_shown_out_and_others_stay(live: LiveServer) -> None:
    alice, bob = await database(lambda: share(LinkRole.NONE, alice=Role.EDITOR, bob=Role.VIEWER))
    editor, viewer = await live.tab(user=alice), await live.tab(user=bob)
    await database(lambda: take_away(bob))
    assert await viewer.until_closed() == 4403
    await editor.put(0, 0, "still here")
    assert viewer.replica.filled() == {}


async def test_whom_the_project_s_own_rule_lets_in_is_shown_out_when_it_no_longer_does(
    live: LiveServer, settings: Settings
) -> None:
    settings.CELLS_ROLE = "tests.services.rules.staff_edit"
    await database(lambda: share(LinkRole.NONE))
    carol = await database(lambda: User.objects.create(username="carol", is_staff=True))
    tab = await live.tab(user=carol)
    await tab.put(0, 0, "from the rule")
    await database(lambda: User.objects.update(is_staff=False))
    assert await tab.until_closed() == 4403


async def test_who_leaves_a_group_that_edits_is_shown_out(live: LiveServer) -> None:
    await database(lambda: share(LinkRole.NONE))
    carol = await database(lambda: join_team(Role.EDITOR))
    tab = await live.tab(user=carol)
    await tab.put(0, 0, "from the team")
    await database(lambda: grant_group(prices(), Group.objects.get(), Role.VIEWER))
    assert (await tab.next("role.changed"))["role"] == "viewer"
    assert (await tab.put(0, 0, "more"))["code"] == "forbidden"
    await database(carol.groups.clear)
    assert await tab.until_closed() == 4403


async def test_a_guest_is_shown_out_when_the_address_no_longer_admits(live: LiveServer) -> None:
    guest = await live.tab()
    await database(lambda: share(LinkRole.NONE))
    assert await guest.until_closed() == 4401


def sign_out() -> None:
    Session.objects.all().delete()


def expire() -> None:
    Session.objects.update(expire_date=timezone.now())


def change_password() -> None:
    bob = User.objects.get(username="bob")
    bob.set_password("another")
    bob.save()


def close_account() -> None:
    User.objects.update(is_active=False)


def delete_account() -> None:
    User.objects.all().delete()


@pytest.mark.parametrize("end", [sign_out, expire, change_password, close_account, delete_account])
async def test_who_is_signed_out_is_shown_out_even_where_guests_may_edit(
    live: LiveServer, end: Callable[[], None]
) -> None:
    (bob,) = await database(lambda: share(LinkRole.EDITOR, bob=Role.EDITOR))
    tab, guest = await live.tab(user=bob), await live.tab()
    unopened = await live.connect(user=bob)
    while len(get_hubs().admissions._passes) < 3:  # noqa: ASYNC110 - only the server knows
        await asyncio.sleep(0.01)
    await database(end)
    assert await tab.until_closed() == await unopened.until_closed() == 4401
    await guest.put(0, 0, "a guest has nothing to lose")


async def test_a_page_is_not_opened_for_anybody_but_its_person(live: LiveServer) -> None:
    bob, carol = await database(lambda: share(LinkRole.EDITOR, bob=Role.EDITOR, carol=Role.EDITOR))
    frame = {"type": "sheet.open", "protocol": 1, "client_id": str(uuid4()), "user": str(bob.pk)}
    as_bob, as_carol, as_guest = [await live.connect(user=user) for user in (bob, carol, None)]
    for tab in (as_bob, as_carol, as_guest):
        await tab.send(frame)
    assert await as_carol.until_closed() == await as_guest.until_closed() == 4401
    await as_bob.next("sheet.opened")


async def test_a_viewer_who_became_an_editor_may_edit(live: LiveServer) -> None:
    (bob,) = await database(lambda: share(LinkRole.VIEWER, bob=Role.VIEWER))
    tab = await live.tab(user=bob)
    await database(lambda: grant(Sheet.objects.get(slug="prices"), bob, Role.EDITOR))
    assert (await tab.next("role.changed"))["role"] == "editor"
    await tab.put(0, 0, "now")
    assert tab.replica.filled() == {(0, 0): "now"}


@pytest.mark.django_db
def test_roles_of_many_are_those_of_each() -> None:
    alice, bob, carol, dave = [
        User.objects.create(username=name, is_active=name != "dave")
        for name in ("alice", "bob", "carol", "dave")
    ]
    sheets = [
        create_sheet(alice, str(link_role), link_role=LinkRole(link_role))
        for link_role in LinkRole.values
    ]
    for sheet in sheets:
        grant(sheet, bob, Role.EDITOR)
        grant(sheet, dave, Role.OWNER)
    team = Group.objects.create(name="team")
    team.user_set.add(bob, carol)
    grant_group(sheets[0], team, Role.OWNER)
    grant_group(sheets[1], team, Role.VIEWER)
    assert role_of(carol, sheets[0]) == role_of(bob, sheets[0]) == Role.OWNER
    assert role_of(bob, sheets[1]) == Role.EDITOR
    people = (alice, bob, carol, dave)
    roles = roles_now([(sheet.pk, user.pk) for sheet in sheets for user in people])
    for sheet in sheets:
        assert {user: roles[sheet.pk, user.pk] for user in people} == {
            user: role_of(user, sheet) for user in people
        }


async def test_a_deleted_sheet_closes_its_sockets_and_opens_no_more(live: LiveServer) -> None:
    alice, bob = await live.tab(), await live.tab()
    await alice.put(0, 0, "x")
    await database(lambda: delete_sheet(Sheet.objects.get(slug="prices")))
    assert await alice.until_closed() == await bob.until_closed() == 4404
    late = await live.connect()
    assert await late.until_closed() == 4404
    await database(lambda: bring_back(Sheet.objects.all()))
    again = await live.tab()
    assert again.replica.filled() == {(0, 0): "x"}


async def test_a_sheet_deleted_between_coming_in_and_opening_is_gone(live: LiveServer) -> None:
    tab = await live.connect()
    other = await live.tab()
    await database(lambda: delete_sheet(Sheet.objects.get(slug="prices")))
    assert await other.until_closed() == 4404
    with suppress(ConnectionClosed):  # of one that was let in late
        await tab.ask()
    assert await tab.until_closed() == 4404
