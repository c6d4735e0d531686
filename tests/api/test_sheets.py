"""Sheets as wholes, through the interface."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from cells.models import LinkRole, Role, Sheet
from cells.services.access import create_sheet
from cells.services.sharing import grant
from tests.services.protected import protect

from .conftest import Program

pytestmark = pytest.mark.django_db


def test_a_sheet_is_made_read_renamed_copied_and_deleted(program: Program) -> None:
    made = program.call("POST", "/sheets", {"title": "Plan", "time_zone": "Europe/Berlin"})
    assert made.status_code == 201
    slug = made.json()["slug"]
    assert program.get(f"/sheets/{slug}").json() == made.json()
    assert made.json()["role"] == "owner"
    assert (made.json()["revision"], made.json()["filled_cells"]) == (0, 0)
    renamed = program.call("PATCH", f"/sheets/{slug}", {"title": "Budget"})
    assert renamed.json()["title"] == "Budget"
    copy = program.call("POST", f"/sheets/{slug}/duplicate", {})
    assert (copy.status_code, copy.json()["title"]) == (201, "Budget")
    assert copy.json()["time_zone"] == "Europe/Berlin"
    assert program.call("DELETE", f"/sheets/{slug}").status_code == 204
    assert program.get(f"/sheets/{slug}").status_code == 404
    assert [one["slug"] for one in program.get("/sheets").json()["sheets"]] == [copy.json()["slug"]]


def test_sheets_are_listed_in_pages(program: Program, alice: User) -> None:
    for number in range(5):
        create_sheet(alice, f"Plan {number}")
    create_sheet(User.objects.create_user("bob"), "Plan of bob's", link_role=LinkRole.EDITOR)
    first = program.get("/sheets?page_size=2").json()
    assert (first["count"], first["pages"]) == (5, 3)
    titles = [
        one["title"]
        for page in (1, 2, 3, 4)
        for one in program.get(f"/sheets?page_size=2&page={page}").json()["sheets"]
    ]
    assert titles == [f"Plan {number}" for number in (4, 3, 2, 1, 0)]
    found = program.get("/sheets?search=3").json()["sheets"]
    assert [one["title"] for one in found] == ["Plan 3"]


def test_editors_do_not_rename_or_delete(alice: User, program_of: Callable[..., Program]) -> None:
    sheet = create_sheet(alice, "Plan")
    bobs = program_of("bob")
    grant(sheet, User.objects.get(username="bob"), Role.EDITOR)
    for method, body in (("PATCH", {"title": "Mine"}), ("DELETE", None)):
        answer = bobs.call(method, f"/sheets/{sheet.slug}", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert Sheet.objects.get().title == "Plan"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sheets", {"title": ""}),
        ("POST", "/sheets", {"title": "x" * 201}),
        ("POST", "/sheets", {"title": "a\0b"}),
        ("POST", "/sheets", {"title": "\ud800"}),
        ("POST", "/sheets", {"title": "x", "time_zone": "Mars/Olympus"}),
        ("POST", "/sheets", ["title"]),
        ("POST", "/sheets", {"title": 1}),
        ("GET", "/sheets?page=0", None),
        ("GET", "/sheets?page=x", None),
        ("GET", "/sheets?page_size=101", None),
        ("GET", "/sheets?search=%00", None),
    ],
)
def test_nonsense_is_refused_with_a_reason(
    program: Program, method: str, path: str, body: object
) -> None:
    answer = program.call(method, path, body)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed", "invalid_text")
    assert answer.json()["detail"]
    assert not Sheet.objects.exists()


def test_a_body_that_is_no_json_is_refused(program: Program) -> None:
    for body in (b"{", b"\xff", b'{"title": NaN}', b"[" * 100_000):
        answer = program.send("POST", "/sheets", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    large = program.send("POST", "/sheets", b" " * 3_000_000)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


def test_an_address_of_nothing_is_answered_as_a_problem(program: Program) -> None:
    for path in ("/nothing", "/sheets/", "/sheets/a/b/c"):
        answer = program.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path")
    for slug in ("none", "%00", "x" * 300, "%F0%9F%98%80"):
        answer = program.get(f"/sheets/{slug}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_sheet")


def test_the_page_of_the_interface_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert '"validatorUrl": null' in page
    assert "https://" not in page
    assert "http://" not in page


def test_the_description_tells_of_problems(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert paths
    for operations in paths.values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["401"]["content"]


def test_a_sheet_too_many_is_refused_until_one_is_deleted(
    program: Program, settings: Settings
) -> None:
    settings.SHEETS_PER_USER = 1
    slug = program.call("POST", "/sheets", {"title": "Plan"}).json()["slug"]
    key = {"Idempotency-Key": "second"}
    for refused in (
        program.call("POST", "/sheets", {"title": "More"}),
        program.call("POST", "/sheets", {"title": "More"}, headers=key),
        program.call("POST", f"/sheets/{slug}/duplicate", {}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (400, "limit_exceeded")
    program.call("DELETE", f"/sheets/{slug}")
    assert program.call("POST", "/sheets", {"title": "More"}, headers=key).status_code == 201
    assert (
        program.call("POST", "/sheets", {"title": "More"}, headers=key).status_code == 201
    )  # a retry
    settings.SHEETS_PER_USER = 0
    assert program.call("POST", "/sheets", {"title": "Third"}).status_code == 201


def test_what_is_protected_is_refused_by_its_code(
    alice: User, program_of: Callable[..., Program]
) -> None:
    sheet = create_sheet(alice, "Plan")
    grant(sheet, User.objects.create_user("bob"), Role.EDITOR)
    protect(sheet, "B:B")
    edit = {"edits": [{"address": "B2", "input": "1"}]}
    refused = program_of("bob").call("PATCH", f"/sheets/{sheet.slug}/cells", edit)
    assert (refused.status_code, refused.json()["code"]) == (403, "protected")
    assert "B:B is protected; ask alice" in refused.json()["detail"]
