import pytest
from django.contrib.auth.models import User
from django.test import Client

from cells.models import ApiToken, Cell, DeadLetter, Revision, Scope, Sheet, SignInTries
from cells.services.tokens import create_token
from tests.admin.stored import dead_letter, write

pytestmark = pytest.mark.django_db


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


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "address",
    [
        "/admin/cells/auditentry/?action=%00",
        "/admin/cells/deadletter/?outcome=%00",
        "/admin/cells/apitoken/?scope__exact=%00",
        "/admin/cells/sheet/?q=a%00b",
        "/admin/autocomplete/?app_label=cells&model_name=sheet&field_name=owner&term=%00",
    ],
)
def test_a_nul_in_a_filter_or_a_search_is_refused_with_a_sentence(
    admin_client: Client, address: str
) -> None:
    response = admin_client.get(address)
    assert response.status_code == 400
    assert "take it out of the address" in response.text
    german = admin_client.get(address, headers={"accept-language": "de"})
    assert "NUL-Zeichen" in german.text


@pytest.mark.parametrize("page", ["delete/", ""])
def test_somebody_who_has_signed_in_is_deleted_with_what_is_theirs_alone(
    admin_client: Client, budget: Sheet, page: str
) -> None:
    bob = User.objects.create_user("bob", password="for-bob-alone")
    Client().post("/accounts/login/", {"username": "bob", "password": "for-bob-alone"})
    create_token(bob, "nightly", Scope.READ)
    Sheet.objects.filter(pk=budget.pk).update(owner=bob)
    assert SignInTries.objects.filter(user=bob).exists()
    chosen = {"action": "delete_selected", "_selected_action": bob.pk}
    address = f"/admin/auth/user/{bob.pk}/delete/" if page else "/admin/auth/user/"
    assert admin_client.post(address, {**chosen, "post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=bob.pk).exists()
    assert not ApiToken.objects.exists()
    budget.refresh_from_db()
    assert budget.owner is None


def test_tokens_and_tries_are_not_deleted_by_themselves(admin_client: Client) -> None:
    bob = User.objects.create_user("bob")
    token = create_token(bob, "nightly", Scope.READ)[0]
    address = f"/admin/cells/apitoken/{token.pk}/delete/"
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": token.pk, "post": "yes"}
    admin_client.post("/admin/cells/apitoken/", chosen)
    assert ApiToken.objects.exists()
