"""What a browser keeps for when there is no server: one page, and the worker that shows it."""

import re

import pytest
from django.test import Client


def test_the_offline_page_needs_nothing_more_from_the_server(client: Client) -> None:
    response = client.get("/offline/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "kept in this browser" in page
    assert re.findall(r"""(?:src|href|url\()=?["']?([^"'>]+)""", page) == []
    assert "sessionid" not in response.cookies
    assert "csrf" not in page


def test_the_worker_is_a_script_for_all_pages(client: Client) -> None:
    response = client.get("/service-worker.js")
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert 'const PAGE = "/offline/";' in response.content.decode()


@pytest.mark.parametrize("language", ["en", "de"])
def test_another_offline_page_makes_another_worker(
    client: Client, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worker() -> bytes:
        return client.get("/service-worker.js", HTTP_ACCEPT_LANGUAGE=language).content

    before = worker()
    assert before == worker()
    monkeypatch.setattr("cells.views.render_to_string", lambda *_, **__: "another page")
    assert worker() != before


def test_pages_register_the_worker(db: None, client: Client) -> None:
    assert b"cells/ui/offline.js" in client.get("/").content
