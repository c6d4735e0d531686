"""Two requests at once are counted one after the other: neither limit is passed by both."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django import Settings

from cells.domain.axes import AxisName
from cells.domain.errors import LimitExceeded, NotProtected, Protected, TooManySheets
from cells.domain.operations import Move
from cells.domain.protecting import Area
from cells.models import AuthorKind, Protection, Role, Sheet
from cells.services import protections
from cells.services.access import create_sheet, create_sheet_once
from cells.services.authors import Author
from cells.services.commit import Refused, Submission, commit
from cells.services.protections import MAX_PROTECTIONS, protect, unprotect
from tests.services.prices import do

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS_TO_COUNT = 0.5  # more than a thread needs to count, and too little for SQLite to give up
T = TypeVar("T")

AREA = Area((1, 8), (1, 1))


def beside(first: Callable[[], object], second: Callable[[], T]) -> "Future[T]":
    """Do `first` in a transaction that ends only once `second`, in another, has had its time."""

    def other() -> T:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first()
            future = threads.submit(other)
            time.sleep(SECONDS_TO_COUNT)
        future.exception(timeout=30)
    return future


def test_two_sheets_made_at_once_are_counted_both(settings: Settings) -> None:
    settings.SHEETS_PER_USER = 1
    alice = User.objects.create_user("alice")
    late = beside(lambda: create_sheet(alice, "One"), lambda: create_sheet(alice, "Two"))
    assert isinstance(late.exception(), TooManySheets)
    assert Sheet.objects.get().title == "One"


def test_one_request_sent_twice_at_once_makes_one_sheet(settings: Settings) -> None:
    settings.SHEETS_PER_USER = 1
    alice = User.objects.create_user("alice")
    make = partial(create_sheet_once, alice, "One", "one")
    late = beside(make, make)
    assert late.result() == Sheet.objects.get()


def test_two_ranges_protected_at_once_are_counted_both(sheet: Sheet) -> None:
    Protection.objects.bulk_create([Protection(sheet=sheet)] * (MAX_PROTECTIONS - 1))
    late = beside(lambda: protect(sheet, AREA), lambda: protect(sheet, AREA))
    assert isinstance(late.exception(), LimitExceeded)
    assert Protection.objects.count() == MAX_PROTECTIONS


def test_an_edit_that_meets_the_first_protection_is_held_against_it(sheet: Sheet) -> None:
    bob = User.objects.create_user("bob")
    sheet.access.create(user=bob, role=Role.EDITOR)
    move = Move(AxisName.ROWS, ((8, 1),), None)
    submission = Submission(sheet.slug, uuid4(), move, Author(AuthorKind.USER, "bob", bob.pk))
    late = beside(lambda: protect(sheet, AREA), lambda: commit([submission]))
    outcome = late.result().outcomes[0]
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, Protected)
    assert protections.area_of(Protection.objects.get()) == AREA


def test_a_change_that_meets_a_removal_brings_nothing_back(sheet: Sheet) -> None:
    made = protect(sheet, AREA)
    late = beside(
        lambda: unprotect(sheet, made.pk),
        lambda: protect(sheet, AREA, description="late", instead_of=made),
    )
    assert isinstance(late.exception(), NotProtected)
    assert not Protection.objects.exists()


def test_a_change_that_meets_a_move_keeps_the_ends_that_it_gave(sheet: Sheet) -> None:
    made = protect(sheet, AREA, takes_messages=True)
    late = beside(
        lambda: do(Move(AxisName.ROWS, ((8, 1),), 4)),
        lambda: protect(sheet, None, description="late", instead_of=made),
    )
    assert late.result().description == "late"
    assert protections.area_of(Protection.objects.get()) == Area((1, 7), (1, 1))
