import uuid

import pytest
from django.test import Client

from cells.domain.values import SetValues
from cells.metrics import render_metrics
from cells.models import AuthorKind, Calculation, Sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.admin.stored import NO_GROUPS, write

pytestmark = pytest.mark.django_db


def calculate(sheet: Sheet, row: int, column: int, value: object) -> None:
    sheet.refresh_from_db()
    values = SetValues(sheet.head, ((row, column, value),))  # type: ignore[arg-type]
    author = Author(AuthorKind.CALCULATOR, "calculator")
    commit([Submission(sheet.slug, uuid.uuid4(), values, author)])
    sheet.refresh_from_db()


def test_a_sheets_page_shows_values_and_what_is_not_calculated_as_it_reads(
    admin_client: Client, budget: Sheet
) -> None:
    write("D1", "=B1*2", "E1", "=B1*3", "F1", "=1/0")
    calculate(budget, 0, 3, 2_400.0)
    calculate(budget, 0, 5, {"error": "#DIV/0!", "reason": "a division by zero"})

    response = admin_client.get(f"/admin/cells/sheet/{budget.pk}/change/")

    assert dict(response.context["rows"])[1][3:6] == ["2400", "=B1*3", "#DIV/0!"]
    assert [line.what for line in response.context["log"].lines][:2] == [
        "calculated F1",
        "calculated D1",
    ]


def test_calculations_are_found_by_their_sheet(admin_client: Client, budget: Sheet) -> None:
    write("D1", "=B1*2")
    for asked, found in ((budget.slug, 1), ("another", 0)):
        response = admin_client.get("/admin/cells/calculation/", {"q": asked})
        assert response.context["cl"].result_count == found


def test_calculations_are_listed_and_counted(admin_client: Client, budget: Sheet) -> None:
    write("D1", "=B1*2")
    Calculation.objects.update(revision=1, formulas=7, problem="no process can be started")

    content = admin_client.get("/admin/cells/calculation/").content.decode()
    assert "no process can be started" in content
    text = render_metrics().decode()
    for line in (
        "sheetsync_formulas 7.0",
        "sheetsync_calculations_behind 1.0",
        "sheetsync_calculations_without_worker 1.0",
        "sheetsync_calculations_failing 1.0",
    ):
        assert line in text.splitlines()


def test_a_time_zone_is_chosen_by_its_name(admin_client: Client, budget: Sheet) -> None:
    form = {
        "title": "Plan",
        "owner": "",
        "link_role": "viewer",
        "access-TOTAL_FORMS": "0",
        "access-INITIAL_FORMS": "0",
        **NO_GROUPS,
    }
    page = f"/admin/cells/sheet/{budget.pk}/change/"
    refused = admin_client.post(page, form | {"time_zone": "Berlin"})
    assert "write one such as Europe/Berlin" in refused.content.decode()
    assert admin_client.post(page, form | {"time_zone": "Europe/Berlin"}).status_code == 302
    budget.refresh_from_db()
    assert budget.time_zone == "Europe/Berlin"
