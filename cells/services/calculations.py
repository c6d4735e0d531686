"""Calculations: which sheets have formulas to calculate, who does it, and how far that is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from cells.models import Calculation

# Volatile functions change by themselves: at least every minute while somebody looks.
VOLATILE_SECONDS = 50
WATCHED_SECONDS = 90  # how long a look counts; more than the time between two notes of it


LeftOut: TypeAlias = Sequence[tuple[int, int, str, str]]
"""Formulas that took too much: row id, column id, a digest of the formula, and why."""


@dataclass(frozen=True, slots=True)
class DueCalculation:
    """A sheet that a calculator holds: calculated up to `revision`, and its log up to `head`."""

    sheet_id: int
    slug: str
    time_zone: str
    revision: int
    head: int
    left_out: LeftOut
    is_stale: bool
    """Whether volatile functions are to be calculated again."""


def find_due(held: Collection[int], holder: UUID, limit: int) -> list[int]:
    """Return the sheets that somebody should calculate and nobody does, longest waiting first.

    `holder` asks, and those that it has at hand are `held`: of the others that are under its name
    one has died that had the name before.
    """
    free = Q(held_by=None) | Q(held_by=holder) | Q(held_until__lt=Now())
    due = Calculation.objects.filter(free, sheet__deleted_at=None).exclude(sheet_id__in=held)
    due = due.filter(~Q(revision=F("sheet__head")) | ~Q(problem="") | _stale())
    order = F("calculated_at").asc(nulls_first=True)  # what fails again and again comes last
    return list(due.order_by(order, "sheet_id").values_list("sheet_id", flat=True)[:limit])


def hold(sheet_ids: Collection[int], holder: UUID, seconds: float) -> list[DueCalculation]:
    """Take sheets for a while, or longer those that are taken; return what is held now.

    All by the database's clock: calculators on several machines have one each.
    """
    free = Q(held_by=None) | Q(held_by=holder) | Q(held_until__lt=Now())
    with transaction.atomic():
        # Not those that somebody takes in this moment: two who wait for each other get nowhere.
        wanted = Calculation.objects.filter(free, sheet_id__in=sheet_ids).select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        Calculation.objects.filter(
            sheet_id__in=list(wanted.values_list("sheet_id", flat=True))
        ).update(held_by=holder, held_until=Now() + timedelta(seconds=seconds))
    held = Calculation.objects.filter(sheet_id__in=sheet_ids, held_by=holder)
    held = held.filter(sheet__deleted_at=None).annotate(is_stale=Q(_stale()))
    fields = ("sheet_id", "sheet__slug", "sheet__time_zone", "revision", "sheet__head", "left_out")
    # SQL's comparison with a moment that there has not been yet is neither true nor false.
    return [
        DueCalculation(id_, slug, zone, revision, head, left_out or [], bool(is_stale))
        for id_, slug, zone, revision, head, left_out, is_stale in held.values_list(
            *fields, "is_stale"
        )
    ]


def note_calculated(
    sheet_id: int,
    holder: UUID,
    revision: int,
    formulas: int,
    problem: str,
    *,
    is_volatile: bool,
    left_out: LeftOut,
) -> None:
    """Write how far a sheet is, unless somebody else holds it meanwhile."""
    Calculation.objects.filter(sheet_id=sheet_id, held_by=holder).update(
        revision=revision,
        formulas=formulas,
        problem=problem[:300],
        is_volatile=is_volatile,
        left_out=list(left_out) or None,
        calculated_at=Now(),
    )


def note_watched(sheet_ids: Collection[int]) -> None:
    """Remember that somebody has these sheets open, of those where it matters."""
    volatile = Calculation.objects.filter(sheet_id__in=sheet_ids, is_volatile=True)
    if volatile.exists():  # asked first, for an update that finds nothing is a writer, too
        volatile.update(watched_at=Now())


def are_any() -> bool:
    """Whether any sheet has formulas."""
    return Calculation.objects.exists()


def let_go(holder: UUID, sheet_ids: Collection[int] | None = None) -> None:
    """Let go of sheets, or of all that a calculator holds, for others not to wait."""
    held = Calculation.objects.filter(held_by=holder)
    if sheet_ids is not None:
        held = held.filter(sheet_id__in=sheet_ids)
    held.update(held_by=None, held_until=None)


def _stale() -> Q:
    return Q(
        is_volatile=True,
        watched_at__gt=Now() - timedelta(seconds=WATCHED_SECONDS),
        calculated_at__lt=Now() - timedelta(seconds=VOLATILE_SECONDS),
    )
