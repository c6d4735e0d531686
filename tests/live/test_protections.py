"""What is protected is told to each socket as it opens, and within moments of any change."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from cells.live import admissions
from cells.models import LinkRole, Protection, Sheet
from tests.live.conftest import LiveServer, Tab, database
from tests.services.protected import protect


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admissions, "LOOK_SECONDS", 0.05)


def shared_by_alice() -> tuple[Sheet, User]:
    alice = User.objects.create_user("alice")
    Sheet.objects.filter(slug="prices").update(owner=alice, link_role=LinkRole.EDITOR)
    return Sheet.objects.get(slug="prices"), alice


async def told(tab: Tab, times: int = 1) -> dict[str, Any]:
    """Return the frame by which a tab is told for the so-manieth time."""

    def frames() -> list[dict[str, Any]]:
        return [frame for frame in tab.frames if frame["type"] == "protections.changed"]

    await tab.until(lambda: len(frames()) >= times)
    return frames()[times - 1]


async def test_each_is_told_what_is_protected_and_what_of_it_is_theirs(live: LiveServer) -> None:
    sheet, alice = await database(shared_by_alice)
    made = await database(lambda: protect(sheet, "B2:C5", description="Limits"))
    owner, guest = await live.tab(user=alice), await live.tab()
    for tab, may_edit in ((owner, True), (guest, False)):
        area = {"rows": [1, 4], "columns": [1, 2], "description": "Limits", "may_edit": may_edit}
        assert await told(tab) == {
            "type": "protections.changed",
            "protections": [{"id": made.pk, **area}],
            "ask": "alice",
        }


async def test_changes_are_told_whatever_road_they_take(live: LiveServer) -> None:
    sheet, _ = await database(shared_by_alice)
    bob = await database(lambda: User.objects.create_user("bob"))
    desk = await database(lambda: Group.objects.create(name="desk"))
    tab = await live.tab(user=bob)
    await tab.put(0, 0, "free")
    await database(lambda: protect(sheet, "A:A", desk))
    frame = await told(tab)
    assert [one["may_edit"] for one in frame["protections"]] == [False]
    await database(lambda: bob.groups.add(desk))
    frame = await told(tab, 2)
    assert [one["may_edit"] for one in frame["protections"]] == [True]
    await database(lambda: Protection.objects.all().delete())
    assert (await told(tab, 3))["protections"] == []
