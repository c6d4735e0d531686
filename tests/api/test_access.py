"""Who may do what: every address, for everybody, on a sheet of theirs and on somebody else's."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User

from cells.api import api
from cells.models import LinkRole, Role, Scope, Sheet
from cells.services.access import create_sheet
from cells.services.sharing import grant

from .conftest import Program

pytestmark = pytest.mark.django_db


class Call(NamedTuple):
    """A request that succeeds for whoever has at least the role `needs`."""

    method: str
    path: str
    body: Any
    needs: Role


EDIT = {"edits": [{"address": "A2", "input": "x"}]}
CALLS = [
    Call("GET", "/sheets/{slug}", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/cells?range=A1:B2", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/records", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/revisions", None, Role.EDITOR),
    Call("GET", "/sheets/{slug}/changes", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/export.csv", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/export.xlsx", None, Role.VIEWER),
    Call("GET", "/sheets/{slug}/timeline", None, Role.EDITOR),
    Call("GET", "/sheets/{slug}/cells/changes?address=A1", None, Role.EDITOR),
    Call("POST", "/sheets/{slug}/restore", {"revision": 0}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/duplicate", {}, Role.VIEWER),
    Call("PATCH", "/sheets/{slug}/cells", EDIT, Role.EDITOR),
    Call("POST", "/sheets/{slug}/records", {"records": [{"Name": "x"}]}, Role.EDITOR),
    Call("PUT", "/sheets/{slug}/records", {"key": {"Name": "x"}, "values": {}}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/import", b"Name,x", Role.EDITOR),
    Call("POST", "/sheets/{slug}/rows/insert", {}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/columns/insert", {}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/rows/delete", {"first": 9}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/columns/delete", {"first": 9}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/rows/move", {"first": 9}, Role.EDITOR),
    Call("POST", "/sheets/{slug}/columns/move", {"first": 9}, Role.EDITOR),
    Call("PATCH", "/sheets/{slug}", {"title": "New"}, Role.OWNER),
    Call("DELETE", "/sheets/{slug}", None, Role.OWNER),
]
PEOPLE: list[Role | None] = [Role.OWNER, Role.EDITOR, Role.VIEWER, None]
ids = [f"{call.method} {call.path}" for call in CALLS]


@pytest.fixture
def plan(alice: User) -> Sheet:
    return create_sheet(alice, "Plan", slug="plan")


@pytest.fixture(autouse=True)
def _with_headers(plan: Sheet, program: Program) -> None:
    headers = {"edits": [{"address": "A1", "input": "Name"}]}
    assert program.call("PATCH", "/sheets/plan/cells", headers).status_code == 200


def ask(program: Program, call: Call, slug: str = "plan") -> Any:
    path = call.path.format(slug=slug)
    if isinstance(call.body, bytes):
        return program.send(call.method, path, call.body, content_type="text/csv")
    answer = program.call(call.method, path, call.body)
    if answer.streaming:
        b"".join(answer.streaming_content)  # else its file stays open
    return answer


def state() -> list[Any]:
    return list(Sheet.objects.order_by("pk").values_list("slug", "title", "head", "deleted_at"))


def test_every_address_of_a_sheet_is_tried_here() -> None:
    tried = {(call.method, call.path.partition("?")[0]) for call in CALLS}
    assert {(method, path.replace("{axis}", axis)) for method, path, axis in addresses()} == tried


def addresses() -> Iterator[tuple[str, str, str]]:
    schema = api.get_openapi_schema(path_prefix="")
    for path, operations in schema["paths"].items():
        if "{slug}" in path:
            for method in operations:
                for axis in ("rows", "columns"):
                    yield method.upper(), path, axis


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_roles_decide(
    plan: Sheet, program_of: Callable[..., Program], call: Call, role: Role | None
) -> None:
    bobs = program_of("bob")
    if role is not None:
        grant(plan, User.objects.get(username="bob"), role)
    before = state()
    answer = ask(bobs, call)
    if role is None:
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_sheet")
        assert answer.json()["detail"].startswith("there is no sheet 'plan'")
    elif list(Role).index(role) < list(Role).index(call.needs):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    else:
        assert answer.status_code in (200, 201, 204)
        return
    assert state() == before


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_nobody_without_a_token_gets_anything(plan: Sheet, call: Call) -> None:
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    before = state()
    assert ask(Program(), call).status_code == 401
    assert state() == before


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_a_token_that_may_read_reads_what_its_owner_may(
    plan: Sheet, program_of: Callable[..., Program], call: Call
) -> None:
    before = state()
    answer = ask(program_of("alice", Scope.READ), call)
    if call.method == "GET":
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert state() == before
    foreign = ask(program_of("bob", Scope.READ), call)
    assert foreign.status_code == (404 if call.method == "GET" else 403)


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_the_link_gives_its_role_to_who_has_the_address(
    plan: Sheet, program_of: Callable[..., Program], call: Call
) -> None:
    Sheet.objects.update(link_role=LinkRole.VIEWER)
    answer = ask(program_of("bob"), call)
    assert answer.status_code in ((200, 201) if call.needs == Role.VIEWER else (403,))


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_a_deleted_sheet_is_gone_for_its_owner_too(
    plan: Sheet, program: Program, call: Call
) -> None:
    program.call("DELETE", "/sheets/plan")
    assert ask(program, call).status_code == 404


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_a_sheet_that_is_not_shared_is_answered_as_one_that_is_not(
    plan: Sheet, program_of: Callable[..., Program], call: Call
) -> None:
    bobs = program_of("bob")
    foreign, none = ask(bobs, call), ask(bobs, call, "nope")
    assert foreign.status_code == none.status_code == 404
    assert foreign.content.replace(b"plan", b"nope") == none.content


def test_lists_show_no_strangers_sheet(plan: Sheet, program_of: Callable[..., Program]) -> None:
    Sheet.objects.update(link_role=LinkRole.EDITOR)
    assert program_of("bob").get("/sheets").json()["sheets"] == []
