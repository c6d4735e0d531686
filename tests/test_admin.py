import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cells import protocol
from cells.admin.dead_letters import readable
from cells.admin.sheets import SheetAdmin
from cells.domain.addresses import parse_address
from cells.domain.operations import SetAddresses
from cells.models import AuthorKind, Cell, DeadLetter, LinkRole, Revision, Role, Sheet, SheetAccess
from cells.services import snapshots
from cells.services.access import create_sheet
from cells.services.commit import Author, Committed, Submission, commit

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def budget(alice: User) -> Sheet:
    sheet = create_sheet(alice, "Budget", slug="budget")
    write("A1", "Rent", "B1", "1200", "C3", "<b>bold</b>")
    sheet.refresh_from_db()
    return sheet


def write(*cells: str) -> None:
    pairs = zip(cells[::2], cells[1::2], strict=True)
    edits = tuple((*parse_address(address), text) for address, text in pairs)
    author = Author(AuthorKind.STREAM, "prices", origin="projects/demo/subscriptions/edits 17")
    result = commit([Submission("budget", uuid4(), SetAddresses(edits), author)])
    assert isinstance(result.outcomes[0], Committed)


def page_of(sheet: Sheet, query: str = "") -> str:
    return f"/admin/cells/sheet/{sheet.pk}/change/{query}"


def set_cell(
    client: Client, sheet: Sheet, address: str, text: str, operation_id: UUID | None = None
) -> list[str]:
    """Fill in the form as a person would; return the messages on the page that follows."""
    form = {"address": address, "input": text, "operation_id": operation_id or uuid4()}
    response = client.post(f"/admin/cells/sheet/{sheet.pk}/set-cell/", form, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


# -- sheets ---------------------------------------------------------------------------------------


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
        "/admin/cells/sheet/add/", {**form, "access-TOTAL_FORMS": "0", "access-INITIAL_FORMS": "0"}
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


# -- cells and revisions --------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["cell", "revision", "deadletter"])
def test_these_tables_are_read_only(admin_client: Client, budget: Sheet, table: str) -> None:
    model = {"cell": Cell, "revision": Revision, "deadletter": DeadLetter}[table]
    if model is DeadLetter:
        dead_letter(b"x")
    pk = model._default_manager.values_list("pk", flat=True)[0]
    assert admin_client.get(f"/admin/cells/{table}/add/").status_code == 403
    assert admin_client.get(f"/admin/cells/{table}/{pk}/change/").status_code == 200
    assert admin_client.post(f"/admin/cells/{table}/{pk}/change/", {}).status_code == 403
    assert admin_client.post(f"/admin/cells/{table}/{pk}/delete/", {}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
    admin_client.post(f"/admin/cells/{table}/", action)
    assert model._default_manager.filter(pk=pk).exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("budget", 3),
        ("budget C3", 1),
        ("budget c3", 1),
        ("budget D4", 0),
        ("budget A5000", 0),
        ("budget nonsense", 0),
        ("other", 0),
    ],
)
def test_cells_are_found_by_sheet_and_address(
    admin_client: Client, budget: Sheet, query: str, found: int
) -> None:
    response = admin_client.get("/admin/cells/cell/", {"q": query})
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("budget", 2),
        ("budget 2", 1),
        ("budget 2,000", 0),
        ("budget 99999999999999999999999", 0),
        ("budget nonsense", 0),
        ("other", 0),
    ],
)
def test_revisions_are_found_by_sheet_and_number(
    admin_client: Client, budget: Sheet, query: str, found: int
) -> None:
    write("A1", "2")
    response = admin_client.get("/admin/cells/revision/", {"q": query})
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


def test_a_revision_is_found_by_its_operation_id(admin_client: Client, budget: Sheet) -> None:
    operation_id = budget.revisions.get().operation_id
    response = admin_client.get("/admin/cells/revision/", {"q": f"budget {operation_id}"})
    assert response.context["cl"].result_count == 1
    content = response.content.decode()
    assert "set A1 to “Rent”, set B1 to “1200”" in content


# -- dead letters ---------------------------------------------------------------------------------


def dead_letter(data: bytes, **fields: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "subscription": "projects/demo/subscriptions/sheetsync-edits-sub",
        "message_id": str(uuid4()),
        "reason": "malformed",
        "detail": "The message is not JSON.",
        "data": data,
        "published_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return DeadLetter.objects.create(**{**values, **fields})


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


# -- a million rows -------------------------------------------------------------------------------

MANY = 200_000
MOST_ROWS_READ = 21_000  # MAX_LISTED counted, as many skipped to get to the last page, and a page


@pytest.fixture
def many_rows(alice: User) -> Sheet:
    """A sheet with many cells and a long log, made by the database itself."""
    sheet = create_sheet(alice, "Big", slug="big")
    Sheet.objects.filter(pk=sheet.pk).update(head=MANY, filled=MANY)
    operation = json.dumps({"kind": "set_cells", "cells": [[0, 0, "1"]]})
    if connection.vendor == "postgresql":
        numbers, from_numbers = "", f"FROM generate_series(1, {MANY}) AS n(i)"
        operation_id, cast = "lpad(to_hex(i), 32, '0')::uuid", "::jsonb"
    else:
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) "
        )
        from_numbers, operation_id, cast = "FROM n", "printf('%032x', i)", ""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO cells_cell (sheet_id, "row", "column", input, revision) '
            f"{numbers}SELECT {sheet.pk}, (i * 7919) % 1000, i / 26, 'x', i {from_numbers} "
            "WHERE true ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO cells_revision (sheet_id, number, operation_id, author_kind, "
            "author_name, origin, operation, before, committed_at) "
            f"{numbers}SELECT {sheet.pk}, i, {operation_id}, 'stream', 'prices', '', "
            f"'{operation}'{cast}, '{{}}'{cast}, CURRENT_TIMESTAMP {from_numbers}"
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE cells_cell, cells_revision")
    sheet.refresh_from_db()
    return sheet


def test_no_page_counts_sorts_or_reads_a_large_table(
    admin_client: Client, many_rows: Sheet
) -> None:
    assert Cell.objects.count() > 0.9 * MANY
    cell = Cell.objects.order_by("pk")[0]
    revision = Revision.objects.order_by("pk")[0]
    operation_id = UUID(int=150_000)
    sheet_page = page_of(many_rows)
    for address in (
        "/admin/",
        "/admin/cells/cell/",
        "/admin/cells/cell/?p=200",
        "/admin/cells/cell/?q=big",
        "/admin/cells/cell/?q=big&p=200",
        "/admin/cells/cell/?q=big+C5",
        "/admin/cells/cell/?q=other",
        f"/admin/cells/cell/{cell.pk}/change/",
        "/admin/cells/revision/",
        "/admin/cells/revision/?p=200",
        "/admin/cells/revision/?q=big",
        "/admin/cells/revision/?q=big&p=200",
        "/admin/cells/revision/?q=big+150000",
        f"/admin/cells/revision/?q=big+{operation_id}",
        f"/admin/cells/revision/{revision.pk}/change/",
        "/admin/cells/sheet/",
        sheet_page,
        f"{sheet_page}?range=C500:Z549",
        f"{sheet_page}?before=100000",
        f"{sheet_page}?after=100000",
        f"/admin/cells/sheet/{many_rows.pk}/delete/",
    ):
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(address).status_code == 200
        for sql in statements(captured):
            if "cells_cell" in sql or "cells_revision" in sql:
                assert_bounded(sql, address)
        assert len(captured) < 20, address


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured.captured_queries]


def assert_bounded(sql: str, address: str) -> None:
    """Ask the database itself what it does for a statement."""
    where = f"{address}: {sql}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {sql}")
            (plan,) = cursor.fetchone()[0]
            assert rows_read(plan["Plan"]) <= MOST_ROWS_READ, where
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            steps = [step[3] for step in cursor.fetchall()]
            assert not any("TEMP B-TREE" in step for step in steps), where
            reads = [step for step in steps if "cells_cell" in step or "cells_revision" in step]
            # A scan may only be one that a LIMIT ends, with no condition to skip rows for.
            assert all(
                step.startswith("SEARCH") or ("LIMIT" in sql and "WHERE" not in sql)
                for step in reads
            ), where
            assert "COUNT(" not in sql or "LIMIT" in sql, where


def rows_read(plan: dict[str, Any]) -> int:
    """Sum the rows that a plan's nodes gave or threw away, those of its leaves counted once."""
    children = plan.get("Plans", [])
    if children:
        return sum(map(rows_read, children))
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    rows: int = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return rows
