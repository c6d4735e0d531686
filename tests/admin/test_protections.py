"""Protected ranges in the admin: written as people read them, kept by what they mean."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cells.domain.axes import AxisName
from cells.domain.operations import Insert
from cells.models import Protection, Sheet
from cells.services.commit import commit
from tests.services.prices import submit

pytestmark = pytest.mark.django_db
LIST = "/admin/cells/protection/"


def form(sheet: Sheet, range_: str, *users: User) -> dict[str, object]:
    data: dict[str, object] = {
        "sheet": sheet.pk,
        "range": range_,
        "description": "Limits",
        "editors-TOTAL_FORMS": len(users),
        "editors-INITIAL_FORMS": 0,
    }
    for place, user in enumerate(users):
        data[f"editors-{place}-user"] = user.pk
    return data


def test_a_range_is_protected_found_and_moved_with_its_rows(
    admin_client: Client, budget: Sheet
) -> None:
    bob = User.objects.create_user("bob")
    answer = admin_client.post(f"{LIST}add/", form(budget, "b2:c5", bob), follow=True)
    assert answer.status_code == 200
    made = Protection.objects.get()
    assert (made.first_row, made.last_row, made.first_column, made.last_column) == (1, 4, 1, 2)
    assert made.editors.get().user == bob
    commit([submit(Insert(AxisName.ROWS, 0, 1), budget.slug)])
    assert "B3:C6" in admin_client.get(LIST).content.decode()
    page = admin_client.get(f"{LIST}{made.pk}/change/").content.decode()
    assert 'value="B3:C6"' in page


def test_what_is_no_range_is_not_protected(admin_client: Client, budget: Sheet) -> None:
    answer = admin_client.post(f"{LIST}add/", form(budget, "hello"))
    assert "is not a cell address" in answer.content.decode()
    assert not Protection.objects.exists()
