"""The audit log: each act leaves one entry, and a failed one none."""

import itertools
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from cells.domain.operations import RestoreTo, SetAddresses
from cells.domain.protecting import parse_area
from cells.models import (
    ApiToken,
    AuditEntry,
    AuthorKind,
    DeadLetter,
    Feed,
    NamedVersion,
    Publication,
    Role,
    Scope,
    Sheet,
    SheetAccess,
    SignInTries,
    TriesOf,
)
from cells.services import sharing, versions
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import CommitResult, Committed, Submission, commit
from cells.services.protections import layout_of, protect
from cells.services.shelf import delete_sheet, throw_away
from cells.services.tokens import create_token

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", is_staff=True, is_superuser=True)


@pytest.fixture
def plan(alice: User) -> Sheet:
    return create_sheet(alice, "Plan", slug="plan")


@pytest.fixture
def page(alice: User) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(alice)
    return client


def only_entry(action: str, place: str = "page", slug: str = "plan") -> AuditEntry:
    """Return the newest entry and forget all, having seen that it is the only one."""
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.place, entry.slug) == (action, place, slug)
    AuditEntry.objects.all().delete()
    return entry


def test_sharing_on_the_page_is_noted_with_who_and_from_where(page: Client, plan: Sheet) -> None:
    bob, team = User.objects.create_user("bob"), Group.objects.create(name="team")
    page.post("/sheets/plan/share/", {"username": "bob", "role": "viewer"})
    entry = only_entry("sheet.shared")
    assert (entry.actor_name, entry.address, entry.title) == ("alice", "192.0.2.7", "Plan")
    assert entry.details == {"user": "bob", "user_id": bob.pk, "role": "viewer"}
    page.post(f"/sheets/plan/share/{bob.pk}/", {"role": "editor"})
    assert only_entry("sheet.role_changed").details["old"] == "viewer"
    page.post(f"/sheets/plan/share/{bob.pk}/remove/")
    assert only_entry("sheet.unshared").details["user"] == "bob"
    page.post("/sheets/plan/share/", {"username": "team", "role": "viewer"})
    assert only_entry("sheet.shared").details["group"] == "team"
    page.post(f"/sheets/plan/share/groups/{team.pk}/", {"role": "owner"})
    assert only_entry("sheet.role_changed").details["role"] == "owner"
    page.post(f"/sheets/plan/share/groups/{team.pk}/remove/")
    only_entry("sheet.unshared")
    page.post("/sheets/plan/share/link/", {"link_role": "editor"})
    assert only_entry("sheet.link_changed").details == {"old": "none", "role": "editor"}
    # What changes nothing, or is refused, is no act.
    page.post("/sheets/plan/share/link/", {"link_role": "editor"})
    page.post(f"/sheets/plan/share/{bob.pk}/", {"role": "editor"})
    page.post(f"/sheets/plan/share/{bob.pk}/remove/")
    Client().post("/sheets/plan/share/link/", {"link_role": "none"})
    assert not AuditEntry.objects.exists()


def test_files_in_and_out_are_noted(page: Client, plan: Sheet, alice: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    b"".join(page.get("/sheets/plan/export.csv"))
    assert only_entry("sheet.exported").details == {"format": "csv", "revision": 0}
    file = SimpleUploadedFile("prices.csv", b"a,b\n1,2\n")
    b"".join(page.post("/sheets/plan/import/run/", {"file": file}))
    assert only_entry("sheet.imported").details["cells"] == 4
    token = create_token(alice, "nightly", Scope.WRITE)[1]
    AuditEntry.objects.all().delete()
    program = Client(headers={"authorization": f"Bearer {token}"})
    b"".join(program.get("/api/v1/sheets/plan/export.xlsx"))
    assert only_entry("sheet.exported", "api").actor_name == "alice (nightly)"
    program.head("/api/v1/sheets/plan/export.xlsx")
    assert program.get("/api/v1/sheets/none/export.csv").status_code == 404
    assert not AuditEntry.objects.exists()
    key = {"Idempotency-Key": "k1"}
    for _ in range(2):  # the second is a retry
        program.post("/api/v1/sheets/plan/import", "x,y", content_type="text/csv", headers=key)
    assert only_entry("sheet.imported", "api").details["cells"] == 2


FILE = b"a,b,c,d,e\n" * 2_500  # the sheet made larger, and three commits of 5,000 cells at the most


def test_an_import_that_its_person_ends_is_noted_as_far_as_it_came(
    page: Client, plan: Sheet
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    for address, slug in (("/sheets/plan/import/run/", "plan"), ("/import/run/", None)):
        answer: Any = page.post(address, {"file": SimpleUploadedFile("prices.csv", FILE)})
        steps = iter(answer)
        while b"writing" not in next(steps):
            pass
        answer._iterator.close()
        sheet = Sheet.objects.latest("pk")
        entries = AuditEntry.objects.order_by("pk")
        assert [(one.action, one.slug) for one in entries] == [
            ("sheet.import_broken_off", sheet.slug),
            *([] if slug else [("sheet.deleted", sheet.slug)]),
        ]
        assert entries[0].details == {
            "file": "prices.csv",
            "cells": sheet.filled,
            "revision": sheet.head,
            "is_new": slug is None,
            "reason": "cancelled",
        }
        assert 0 < sheet.filled < 12_500
        entries.delete()


@pytest.mark.parametrize("way", ["page", "api", "command"])
def test_an_import_that_fails_halfway_is_noted_as_far_as_it_came(
    page: Client,
    plan: Sheet,
    alice: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    commits = itertools.count()

    def commit_or_lose_the_sheet(submissions: Sequence[Submission]) -> CommitResult:
        if next(commits) == 2:
            Sheet.objects.update(deleted_at=timezone.now())
        return commit(submissions)

    token = create_token(alice, "nightly", Scope.WRITE)[1]
    AuditEntry.objects.all().delete()
    monkeypatch.setattr("cells.services.importing.commit", commit_or_lose_the_sheet)
    if way == "page":
        file = SimpleUploadedFile("prices.csv", FILE)
        told = b"".join(page.post("/sheets/plan/import/run/", {"file": file}))
        assert b"no_such_sheet" in told
    elif way == "api":
        program = Client(headers={"authorization": f"Bearer {token}"})
        address = "/api/v1/sheets/plan/import?name=prices.csv"
        assert program.post(address, FILE, content_type="text/csv").status_code == 404
    else:
        (tmp_path / "prices.csv").write_bytes(FILE)
        with pytest.raises(CommandError):
            call_command("import_sheet", str(tmp_path / "prices.csv"), "--sheet=plan")
    assert only_entry("sheet.import_broken_off", way).details == {
        "file": "prices.csv",
        "cells": 5_000,
        "revision": 2,
        "is_new": False,
        "reason": "no_such_sheet",
    }


def test_an_import_that_is_refused_before_it_has_written_leaves_no_entry(plan: Sheet) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    protect(plan, parse_area("B2:C5", layout_of(plan)))
    Sheet.objects.update(link_role="editor")
    AuditEntry.objects.all().delete()
    file = SimpleUploadedFile("prices.csv", b"a,b,c\n1,2,3\n")
    told = b"".join(Client().post("/sheets/plan/import/run/", {"file": file}))
    assert b"protected" in told
    assert not AuditEntry.objects.exists()


def test_a_restore_is_noted_in_its_own_transaction(
    plan: Sheet, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = Author(AuthorKind.USER, "alice", alice.pk)

    def put(operation: SetAddresses | RestoreTo) -> Committed:
        (outcome,) = commit([Submission("plan", uuid4(), operation, author)]).outcomes
        assert isinstance(outcome, Committed)
        return outcome

    put(SetAddresses(((0, 0, "one"),)))
    put(SetAddresses(((0, 0, "two"),)))
    put(RestoreTo(1, None))
    entry = only_entry("sheet.restored")
    assert (entry.details, entry.title) == ({"to": 1, "revision": 3}, "Plan")
    assert (entry.actor, entry.sheet) == (alice, plan)

    def fail(*args: object) -> None:
        raise DatabaseError

    monkeypatch.setattr("cells.services.audit.insert_rows", fail)
    with pytest.raises(DatabaseError):
        put(RestoreTo(2, None))
    plan.refresh_from_db()
    assert plan.head == 3


def test_deleting_and_what_undoes_it_or_makes_it_final(page: Client, plan: Sheet) -> None:
    page.post("/sheets/plan/delete/")
    only_entry("sheet.deleted")
    page.post("/sheets/plan/restore/")
    only_entry("sheet.brought_back")
    delete_sheet(plan)
    AuditEntry.objects.all().delete()
    plan.refresh_from_db()
    list(throw_away(plan, timezone.now() + timedelta(days=1)))
    assert only_entry("sheet.thrown_away", "code").sheet is None


def test_another_title_is_noted_wherever_it_is_given(
    page: Client, plan: Sheet, alice: User
) -> None:
    token = create_token(alice, "nightly", Scope.WRITE)[1]
    program = Client(headers={"authorization": f"Bearer {token}"})
    AuditEntry.objects.all().delete()
    for _ in range(2):  # the second changes nothing
        page.post("/sheets/plan/rename/", {"title": "Budget"})
    entry = only_entry("sheet.changed")
    assert (entry.details, entry.title) == ({"changed": {"title": ["Plan", "Budget"]}}, "Budget")
    address = "/api/v1/sheets/plan"
    answer = program.patch(address, {"title": "Costs"}, content_type="application/json")
    assert answer.json()["title"] == "Costs"
    entry = only_entry("sheet.changed", "api")
    assert entry.details == {"changed": {"title": ["Budget", "Costs"]}}
    form = {"title": "Plan", "owner": alice.pk, "link_role": "none", "time_zone": ""}
    rows = [
        f"{kind}-{count}_FORMS"
        for kind in ("access", "group_access")
        for count in ("TOTAL", "INITIAL")
    ]
    page.post(f"/admin/cells/sheet/{plan.pk}/change/", {**form, **dict.fromkeys(rows, 0)})
    entry = only_entry("sheet.changed", "admin")
    assert entry.details == {"changed": {"title": ["Costs", "Plan"]}}
    Client().post("/sheets/plan/rename/", {"title": "Mine"})
    assert not AuditEntry.objects.exists()


def test_a_copy_is_noted_with_what_was_copied(
    page: Client, plan: Sheet, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token(alice, "nightly", Scope.WRITE)[1]
    program = Client(headers={"authorization": f"Bearer {token}"})
    AuditEntry.objects.all().delete()
    page.post("/sheets/plan/duplicate/")
    copy = Sheet.objects.latest("pk")
    details = only_entry("sheet.duplicated").details
    assert details == {"to": copy.slug, "title": "Copy of Plan"}
    duplicate = "/api/v1/sheets/plan/duplicate"
    assert program.post(duplicate, "{}", content_type="application/json").status_code == 201
    assert only_entry("sheet.duplicated", "api").details["title"] == "Plan"

    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    count = Sheet.objects.count()
    monkeypatch.setattr(AuditEntry, "save", fail)
    with pytest.raises(DatabaseError):
        page.post("/sheets/plan/duplicate/")
    assert Sheet.objects.count() == count


def test_tokens_and_sign_ins(page: Client, alice: User) -> None:
    page.post("/accounts/tokens/", {"name": "nightly", "scope": "read", "days": ""})
    token = ApiToken.objects.get()
    entry = only_entry("token.made", slug="")
    assert entry.details["token"] == "nightly"
    assert "sst_" not in str(entry.details)
    assert token.digest not in str(entry.details)
    for _ in range(2):
        page.post(f"/accounts/tokens/{token.pk}/revoke/")
    only_entry("token.revoked", slug="")
    tries = SignInTries.objects.create(key="k", tries_of=TriesOf.ACCOUNT, user=alice, failures=9)
    chosen = {"action": "forget_failures", "_selected_action": [tries.pk]}
    page.post("/admin/cells/signintries/", chosen)
    assert only_entry("sign_in.let_in_again", "admin", "").details["failures"] == 9


def test_dead_letters_are_noted_one_by_one(page: Client, plan: Sheet) -> None:
    feed = Feed.objects.create(name="prices", sheet=plan, subscription="s")
    letters = [
        DeadLetter.objects.create(
            subscription="s",
            message_id=str(n),
            published_at=datetime.now(UTC),
            reason="malformed",
            feed=feed,
            data=data,
        )
        for n, data in enumerate((b"{", b'{"sheet":"plan","edits":[{"cell":"A1","value":"1"}]}'))
    ]
    page.post(f"/admin/cells/deadletter/{letters[0].pk}/settle/", {"discard": "1"})
    assert only_entry("dead_letter.discarded", "admin").details["letter"] == letters[0].pk
    text = bytes(letters[1].data).decode()
    for _ in range(2):  # the second finds it settled
        form = {"content": text, "attributes": "{}"}
        page.post(f"/admin/cells/deadletter/{letters[1].pk}/settle/", form)
    assert only_entry("dead_letter.replayed", "admin").details["letter"] == letters[1].pk


def test_a_feed_in_the_admin_is_noted_with_what_changed(page: Client, plan: Sheet) -> None:
    form = {
        "name": "prices",
        "is_enabled": "on",
        "sheet": plan.pk,
        "subscription": "prices-sub",
        "write": "append",
        "policy": "stream",
        "columns-TOTAL_FORMS": 1,
        "columns-INITIAL_FORMS": 0,
        "columns-0-target": "A",
        "columns-0-source": "$.a",
    }
    page.post("/admin/cells/feed/add/", form)
    feed = Feed.objects.get()
    assert only_entry("feed.made", "admin").details["set"]["columns"] == ["A=$.a"]
    column = feed.columns.get()
    same = {
        **form,
        "columns-INITIAL_FORMS": 1,
        "columns-0-id": column.pk,
        "columns-0-feed": feed.pk,
    }
    page.post(f"/admin/cells/feed/{feed.pk}/change/", same)
    assert not AuditEntry.objects.exists()
    other = {**same, "columns-0-source": "$.b", "policy": "person"}
    page.post(f"/admin/cells/feed/{feed.pk}/change/", other)
    assert only_entry("feed.changed", "admin").details["changed"] == {
        "columns": [["A=$.a"], ["A=$.b"]],
        "policy": ["stream", "person"],
    }
    page.post(f"/admin/cells/feed/{feed.pk}/delete/", {"post": "yes"})
    only_entry("feed.deleted", "admin")
    call_command("set_feed", "prices", "plan", "prices-sub", "A=$.a", "--write=append")
    only_entry("feed.made", "command")


def test_a_publication_is_noted(page: Client, plan: Sheet) -> None:
    page.post("/admin/cells/publication/add/", {"sheet": plan.pk, "is_enabled": "on"})
    only_entry("publication.made", "admin")
    call_command("set_publication", "plan", "--off")
    changed = only_entry("publication.changed", "command").details["changed"]
    assert changed == {"is_enabled": [True, False]}
    page.post(f"/admin/cells/publication/{Publication.objects.get().pk}/delete/", {"post": "yes"})
    only_entry("publication.deleted", "admin")


def test_a_sheet_in_the_admin_is_noted(page: Client, plan: Sheet, alice: User) -> None:
    bob = User.objects.create_user("bob")
    form = {
        "title": "Plan",
        "owner": alice.pk,
        "link_role": "viewer",
        "time_zone": "",
        "access-TOTAL_FORMS": 1,
        "access-INITIAL_FORMS": 0,
        "access-0-user": bob.pk,
        "access-0-role": "editor",
        "group_access-TOTAL_FORMS": 0,
        "group_access-INITIAL_FORMS": 0,
    }
    page.post(f"/admin/cells/sheet/{plan.pk}/change/", form)
    found = AuditEntry.objects.order_by("pk").values_list("action", "details__role")
    assert list(found) == [("sheet.link_changed", "viewer"), ("sheet.shared", "editor")]


def test_an_entry_that_cannot_be_written_undoes_the_act(
    plan: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    bob = User.objects.create_user("bob")
    monkeypatch.setattr(AuditEntry, "save", fail)
    with pytest.raises(DatabaseError):
        sharing.grant(plan, bob, Role.EDITOR)
    assert not SheetAccess.objects.exists()


def test_nobody_changes_an_entry_in_the_admin_and_all_take_them_along(
    page: Client, plan: Sheet, alice: User
) -> None:
    sharing.grant(plan, User.objects.create_user("=cmd"), Role.EDITOR)
    entry = AuditEntry.objects.get()
    address = f"/admin/cells/auditentry/{entry.pk}"
    assert page.get(f"{address}/change/").status_code == 200
    for act in ("change", "delete"):
        assert page.post(f"{address}/{act}/", {"action": "x", "post": "yes"}).status_code == 403
    assert page.get("/admin/cells/auditentry/add/").status_code == 403
    for query, count in (
        ("action=sheet.shared", 1),
        ("action=sheet.deleted", 0),
        ("place=code&period=7", 1),
        ("q=plan", 1),
        ("q=alice", 0),
    ):
        found = page.get(f"/admin/cells/auditentry/?{query}")
        assert found.context["cl"].result_count == count, query
    chosen = {"action": "export_chosen", "_selected_action": [entry.pk]}
    told = page.post("/admin/cells/auditentry/", chosen)
    assert "sheet.shared" in told.content.decode()


def test_an_entry_outlives_its_actor_and_its_sheet(page: Client, plan: Sheet, alice: User) -> None:
    page.post("/sheets/plan/share/link/", {"link_role": "editor"})
    page.post(f"/admin/cells/sheet/{plan.pk}/delete/", {"post": "yes"})
    alice.delete()
    entry = AuditEntry.objects.order_by("pk")[0]
    assert (entry.actor, entry.actor_name, entry.sheet, entry.slug) == (None, "alice", None, "plan")


def test_old_entries_go_by_a_command_that_is_noted_itself(plan: Sheet) -> None:
    sharing.grant(plan, User.objects.create_user("bob"), Role.EDITOR)
    AuditEntry.objects.update(at=timezone.now() - timedelta(days=731))
    call_command("prune_audit")
    assert only_entry("audit.pruned", "command", "").details["entries"] == 1


def test_each_entry_is_a_log_line_of_its_own(
    plan: Sheet,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    bob = User.objects.create_user("bob")
    with (
        caplog.at_level(logging.INFO, "cells.audit"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        sharing.grant(plan, bob, Role.EDITOR)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cells.audit"]
    assert "action=sheet.shared" in line
    assert "sheet=plan" in line


def test_protected_ranges(page: Client, plan: Sheet) -> None:
    address = "/sheets/plan/protections/"
    page.post(address, {"range": "B2:C5", "description": "Limits", "editors": "alice"})
    made = only_entry("range.protected")
    facts = {"range": "B2:C5", "description": "Limits", "takes_messages": False}
    assert made.details == {"id": made.details["id"], **facts, "editors": ["user alice"]}

    one = f"{address}{made.details['id']}/"
    page.post(one, {"range": "B2:C5", "description": "Bounds", "editors": ""})
    changed = only_entry("range.changed").details["changed"]
    assert changed == {"description": ["Limits", "Bounds"], "editors": [["user alice"], []]}

    page.post(f"{one}remove/")
    assert only_entry("range.unprotected").details["was"]["description"] == "Bounds"


def test_protected_ranges_in_the_admin(page: Client, plan: Sheet) -> None:
    protection = protect(plan, parse_area("B2:C5", layout_of(plan)))
    AuditEntry.objects.all().delete()
    address = f"/admin/cells/protection/{protection.pk}/"
    rows = {"editors-TOTAL_FORMS": 0, "editors-INITIAL_FORMS": 0}
    form = {"range": "B2:C6", "description": "", **rows}
    assert page.post(f"{address}change/", form).status_code == 302
    changed = only_entry("range.changed", "admin").details["changed"]
    assert changed == {"range": ["B2:C5", "B2:C6"]}
    page.post(f"{address}delete/", {"post": "yes"})
    only_entry("range.unprotected", "admin")


def test_names_of_versions(page: Client, plan: Sheet, alice: User) -> None:
    cell = SetAddresses(((0, 0, "1"),))
    commit([Submission("plan", uuid4(), cell, Author(AuthorKind.USER, "alice", alice.pk))])
    address = "/sheets/plan/history/1/name/"
    page.post(address, {"name": "Draft"})
    entry = only_entry("version.named")
    assert (entry.actor_name, entry.address) == ("alice", "192.0.2.7")
    assert entry.details == {"revision": 1, "name": "Draft"}
    page.post(address, {"name": "Final"})
    assert only_entry("version.named").details == {"revision": 1, "old": "Draft", "name": "Final"}
    page.post(address, {"name": ""})
    assert only_entry("version.unnamed").details == {"revision": 1, "old": "Final"}
    # What changes nothing, or is refused, is no act.
    page.post(address, {"name": ""})
    page.post("/sheets/plan/history/9/name/", {"name": "To come"})
    assert not AuditEntry.objects.exists()


def test_names_of_versions_in_the_admin(page: Client, plan: Sheet) -> None:
    version = NamedVersion.objects.create(sheet=plan, revision=0, name="Draft")
    admin = f"/admin/cells/namedversion/{version.pk}"
    page.post(f"{admin}/change/", {"name": "Final"})
    entry = only_entry("version.named", "admin")
    assert entry.details == {"revision": 0, "old": "Draft", "name": "Final"}
    page.post(f"{admin}/change/", {"name": "Final"})
    page.post(f"{admin}/delete/", {"post": "yes"})
    assert only_entry("version.unnamed", "admin").details == {"revision": 0, "old": "Final"}
    other = NamedVersion.objects.create(sheet=plan, revision=0, name="Other")
    chosen = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    page.post("/admin/cells/namedversion/", chosen)
    assert only_entry("version.unnamed", "admin").details["old"] == "Other"


def test_a_name_that_cannot_be_noted_is_not_given(
    page: Client, plan: Sheet, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("no space left")

    monkeypatch.setattr(versions, "note", fail)
    with pytest.raises(DatabaseError):
        versions.name_version(plan, 0, "Draft", Author(AuthorKind.USER, "alice", alice.pk))
    assert not NamedVersion.objects.exists()
