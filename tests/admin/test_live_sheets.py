"""The page of live sheets: who has what open, in which process, and what the streams do."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cells.models import Feed, ProcessBeat, Publication, Sheet
from cells.services.process_beats import (
    Backlog,
    Beating,
    Live,
    LiveSheet,
    living_processes,
    missed_processes,
)
from tests.servers.process import wait_until

PAGE = "/admin/cells/processbeat/"


@pytest.mark.django_db(transaction=True)
def test_page_shows_who_is_in_which_sheet_in_which_process_and_what_the_streams_do(
    admin_client: Client, client: Client, alice: User, budget: Sheet
) -> None:
    here = LiveSheet(budget.pk, 3, 2, ("alice", "<b>bob</b>"), 2_048)
    Feed.objects.create(
        name="fx", sheet=budget, subscription="fx-sub", trouble="no such subscription"
    )
    Publication.objects.create(sheet=budget, topic="budgets", error="no such topic")
    web = Beating("web", lambda: Live(1, (here,), Backlog(2, 2_048, 1, 2_048)))
    calculator = Beating("calculator")
    web.start()
    calculator.start()
    try:
        wait_until(lambda: len(living_processes()) == 2, "both processes")
        page = admin_client.get(PAGE).content.decode()
        assert f'<a href="/admin/cells/sheet/{budget.pk}/change/">Budget</a>' in page
        assert "alice, &lt;b&gt;bob&lt;/b&gt;" in page
        (name,) = {process.beat.name for process in living_processes()}
        assert f"<td>{name} (3)</td>" in page
        assert "2.0\xa0KB" in page
        assert "<strong>cannot be pulled</strong>: no such subscription" in page
        assert "<strong>stands still</strong>: no such topic" in page
        client.force_login(alice)
        assert client.get(PAGE).status_code == 302, "not for everybody"
    finally:
        web.stop()
        calculator.stop()
    wait_until(lambda: not ProcessBeat.objects.exists(), "both ends")
    assert "Nobody has a sheet open." in admin_client.get(PAGE).content.decode()


@pytest.mark.django_db
def test_a_process_that_was_killed_is_missed_for_an_hour_and_its_successor_counts(
    admin_client: Client,
) -> None:
    now = timezone.now()

    def beat(name: str, seconds_ago: float) -> None:
        at = now - timedelta(seconds=seconds_ago)
        ProcessBeat.objects.create(
            id=f"{int(seconds_ago):032x}",
            kind="web",
            name=name,
            version="1",
            started_at=at,
            beat_at=at,
            told="{}",
        )

    beat("web:7", 30)
    beat("web:7", 5)  # its container was started again: the same name
    beat("web:7", 1)  # and again, sooner than the one before is missed
    beat("web:9", 2 * 60 * 60)
    assert [str(process.beat.id)[-1] for process in living_processes()] == ["1"]
    assert [str(missed) for missed in missed_processes()] == ["web web:7"]
    assert "killed, or it hangs" in admin_client.get(PAGE).content.decode()
