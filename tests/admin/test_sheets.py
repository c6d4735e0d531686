from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cells import protocol
from cells.admin.sheets import SheetAdmin
from cells.models import AuthorKind, Cell, LinkRole, Role, Sheet, SheetAccess
from cells.services import snapshots
from cells.services.access import create_sheet
from tests.admin.stored import NO_GROUPS, page_of, statements, write

pytestmark = pytest.mark.django_db


def test_the_list_shows_owner_revision_cells_and_last_edit(
    admin_client: Client, budget: Sheet
) -> None:
    write("B1", "")
    write("D4", "1", "D5", "2")
    create_sheet(None, "Untouched")
    content = admin_client.get("/admin/cells/sheet/").content.decode()
    assert '<td class="field-owner nowrap">alice</td>' in content
    assert '<td class="field-revision">3</td>' in content
    assert '<td class="field-cells">4</td>' in content
    assert '<td class="field-last_edit">never</td>' in content
    # The newest edit comes first, and what nobody edited last.
    assert content.index("Budget") < content.index("Untouched")


def test_saving_a_title_takes_back_nothing_that_was_committed_meanwhile(
    admin_client: Client, budget: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_form = SheetAdmin.save_form

    def commit_and_save_form(*arguments: Any, **options: Any) -> Any:
        write("A9", "committed while the form was read")
        return save_form(*arguments, **options)

    monkeypatch.setattr(SheetAdmin, "save_form", commit_and_save_form)
    form = {
        "title": "Plan",
        "owner": "",
        "link_role": "viewer",
        "access-TOTAL_FORMS": "0",
        "access-INITIAL_FORMS": "0",
        **NO_GROUPS,
    }
    assert admin_client.post(page_of(budget), form).status_code == 302
    write("A10", "the log goes on")
    budget.refresh_from_db()
    assert (budget.title, budget.link_role, budget.head, budget.filled) == ("Plan", "viewer", 3, 5)
    assert list(budget.revisions.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(("query", "found"), [("budg", 1), ("BUDGET", 1), ("nothing", 0)])
def test_sheets_are_found_by_slug_and_title(
    admin_client: Client, budget: Sheet, query: str, found: int
) -> None:
    response = admin_client.get("/admin/cells/sheet/", {"q": query})
    assert response.context["cl"].result_count == found


def test_a_sheets_page_shows_its_grid(admin_client: Client, budget: Sheet) -> None:
    response = admin_client.get(page_of(budget))
    rows = dict(response.context["rows"])
    assert rows[1][:3] == ["Rent", "1200", ""]
    assert len(rows) == 50
    assert response.context["columns"] == [chr(65 + column) for column in range(26)]
    content = response.content.decode()
    assert "<td>&lt;b&gt;bold&lt;/b&gt;</td>" in content
    assert "of 1,000 rows and 26 columns" in content


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("B1:C3", "B1:C3"),
        ("c3:b1", "B1:C3"),
        ("C3", "C3:AB52"),
        ("A1:Z1000", "A1:Z50"),
        ("", "A1:Z50"),
    ],
)
def test_another_part_of_the_grid_can_be_shown(
    admin_client: Client, budget: Sheet, asked: str, shown: str
) -> None:
    assert admin_client.get(page_of(budget), {"range": asked}).context["range"] == shown


def test_a_range_beyond_the_edge_or_of_no_meaning_is_said(
    admin_client: Client, budget: Sheet
) -> None:
    beyond = admin_client.get(page_of(budget), {"range": "A2000"})
    assert "The sheet ends before A2000:Z2049." in beyond.content.decode()
    nonsense = admin_client.get(page_of(budget), {"range": "<b>"})
    assert "&#x27;&lt;b&gt;&#x27; is not a cell address" in nonsense.content.decode()


def test_a_sheets_page_shows_whom_it_is_shared_with(
    admin_client: Client, budget: Sheet, alice: User
) -> None:
    bob = User.objects.create_user("bob")
    SheetAccess.objects.create(sheet=budget, user=bob, role=Role.EDITOR)
    assert ">bob</option>" in admin_client.get(page_of(budget)).content.decode()


def test_a_sheets_page_shows_its_log_a_page_at_a_time(admin_client: Client, budget: Sheet) -> None:
    for number in range(25):
        write("A1", str(number))
    first = admin_client.get(page_of(budget))
    content = first.content.decode()
    assert "prices <span" in content
    assert "projects/demo/subscriptions/edits 17" in content
    assert "set A1 to “24”" in content
    assert [line.number for line in first.context["log"].lines] == list(range(26, 6, -1))
    older = admin_client.get(page_of(budget), {"before": first.context["log"].older})
    assert [line.number for line in older.context["log"].lines] == list(range(6, 0, -1))
    assert "set A1 to “Rent”, set B1 to “1200”" in older.content.decode()
    newer = admin_client.get(page_of(budget), {"after": older.context["log"].newer})
    assert newer.context["log"] == first.context["log"]


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "²"])
def test_a_page_of_the_log_that_makes_no_sense_is_the_newest(
    admin_client: Client, budget: Sheet, number: str
) -> None:
    response = admin_client.get(page_of(budget), {"before": number})
    assert [line.number for line in response.context["log"].lines] == [1]


def test_the_access_form_still_saves(admin_client: Client, budget: Sheet) -> None:
    bob = User.objects.create_user("bob")
    response = admin_client.post(
        page_of(budget),
        {
            "title": "Plan",
            "owner": budget.owner_id,
            "link_role": "viewer",
            "access-TOTAL_FORMS": "1",
            "access-INITIAL_FORMS": "0",
            **NO_GROUPS,
            "access-0-sheet": budget.pk,
            "access-0-user": bob.pk,
            "access-0-role": "editor",
        },
    )
    assert response.status_code == 302
    budget.refresh_from_db()
    assert (budget.title, budget.link_role, budget.slug) == ("Plan", LinkRole.VIEWER, "budget")
    assert budget.access.get().user == bob
    assert budget.head == 1


def test_a_sheet_can_be_made_in_the_admin(admin_client: Client) -> None:
    assert admin_client.get("/admin/cells/sheet/add/").status_code == 200
    form = {"title": "Plan", "slug": "plan", "owner": "", "link_role": "none"}
    admin_client.post(
        "/admin/cells/sheet/add/",
        {**form, "access-TOTAL_FORMS": "0", "access-INITIAL_FORMS": "0", **NO_GROUPS},
    )
    assert Sheet.objects.get().slug == "plan"


def test_deleting_a_sheet_says_what_goes_and_loads_none_of_it(
    admin_client: Client, budget: Sheet
) -> None:
    write(*(part for row in range(1, 60) for part in (f"A{row}", "x")))
    address = f"/admin/cells/sheet/{budget.pk}/delete/"
    with CaptureQueriesContext(
        connection,
    ) as captured:
        content = admin_client.get(address).content.decode()
        admin_client.post(address, {"post": "yes"})
    assert "with 61 cells and 2 revisions" in content
    assert not Sheet.objects.exists()
    assert not Cell.objects.exists()
    large = ("cells_cell", "cells_snapshot")
    touching = [sql for sql in statements(captured) if any(table in sql for table in large)]
    assert len(touching) >= 2
    assert all(sql.startswith("DELETE") for sql in touching)


def test_a_sheet_says_what_is_packed_of_it(admin_client: Client, budget: Sheet) -> None:
    address = f"/admin/cells/sheet/{budget.pk}/change/"
    assert "1 cells in" not in admin_client.get(address).content.decode()
    packed = snapshots.pack(budget.pk, protocol.encode_delta, is_wanted=lambda: True)
    assert packed is not None
    with CaptureQueriesContext(connection) as captured:
        content = admin_client.get(address).content.decode()
    assert f"revision 1: {packed.cells} cells in {len(packed.data)} bytes" in content
    (asked,) = [sql for sql in statements(captured) if "cells_snapshot" in sql]
    assert "LENGTH" in asked, "its bytes stay where they are"


# -- one cell -------------------------------------------------------------------------------------


def set_cell(
    client: Client, sheet: Sheet, address: str, text: str, operation_id: UUID | None = None
) -> list[str]:
    """Fill in the form as a person would; return the messages on the page that follows."""
    form = {"address": address, "input": text, "operation_id": operation_id or uuid4()}
    response = client.post(f"/admin/cells/sheet/{sheet.pk}/set-cell/", form, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def test_a_cell_is_set_through_the_write_path(admin_client: Client, budget: Sheet) -> None:
    assert set_cell(admin_client, budget, "b1", " 1300 ") == ["Set B1 in revision 2."]
    revision = budget.revisions.get(number=2)
    assert (revision.author_kind, revision.author_name, revision.origin) == (
        AuthorKind.ADMIN,
        "admin",
        "admin",
    )
    assert revision.user is not None
    assert revision.before == {"cells": [[0, 1, "1200"]]}
    assert Cell.objects.get(sheet=budget, row=0, column=1).input == " 1300 "


def test_a_double_click_sets_a_cell_once(admin_client: Client, budget: Sheet) -> None:
    operation_id = uuid4()
    first = set_cell(admin_client, budget, "B1", "1300", operation_id)
    assert set_cell(admin_client, budget, "B1", "1300", operation_id) == first
    assert budget.revisions.count() == 2


def test_an_empty_input_clears(admin_client: Client, budget: Sheet) -> None:
    set_cell(admin_client, budget, "B1", "")
    budget.refresh_from_db()
    assert budget.filled == 2


@pytest.mark.parametrize(
    ("address", "text", "problem"),
    [
        ("", "1", "This field is required"),
        ("B", "1", "'B' is not a cell address"),
        ("A1:B2", "1", "'A1:B2' is not a cell address"),
        ("A1000001", "1", "is not a cell address"),
        ("A1", "x" * 32_768, "at most 32,767 characters"),
        ("A1", "a\0b", "Null characters are not allowed"),
    ],
)
def test_what_cannot_be_set_is_explained(
    admin_client: Client, budget: Sheet, address: str, text: str, problem: str
) -> None:
    (message,) = set_cell(admin_client, budget, address, text)
    assert message.startswith("Nothing was changed")
    assert problem in message
    assert budget.revisions.count() == 1


def test_the_page_comes_back_to_the_range_that_was_shown(
    admin_client: Client, budget: Sheet
) -> None:
    form = {"address": "B1", "input": "1", "operation_id": uuid4(), "range": "B1:C3&x=1"}
    response = admin_client.post(f"/admin/cells/sheet/{budget.pk}/set-cell/", form)
    assert response.headers["Location"] == page_of(budget, "?range=B1%3AC3%26x%3D1")


def test_staff_who_may_only_look_see_the_grid_and_set_nothing(budget: Sheet) -> None:
    carol = User.objects.create_user("carol", is_staff=True)
    carol.user_permissions.set(Permission.objects.filter(codename="view_sheet"))
    browser = Client()
    browser.force_login(carol)
    content = browser.get(page_of(budget)).content.decode()
    assert "<td>1200</td>" in content
    assert "set-cell" not in content
    form = {"address": "B1", "input": "1", "operation_id": uuid4()}
    assert browser.post(f"/admin/cells/sheet/{budget.pk}/set-cell/", form).status_code == 403
    assert budget.revisions.count() == 1


def test_people_who_are_not_staff_are_sent_to_the_admins_door(
    client: Client, alice: User, budget: Sheet
) -> None:
    client.force_login(alice)
    for address in (page_of(budget), f"/admin/cells/sheet/{budget.pk}/set-cell/"):
        response = client.post(address)
        assert response.headers["Location"].startswith("/admin/login/")
