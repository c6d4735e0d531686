"""State of the calculation: how far each sheet with formulas is, and who calculates it."""

from django.db import models
from django.utils import timezone

from cells.models.sheets import Sheet


class Calculation(models.Model):
    """A sheet that has, or had, formulas. Made by the commit that brings its first one."""

    sheet = models.OneToOneField(
        Sheet, on_delete=models.CASCADE, related_name="calculation", primary_key=True
    )
    revision = models.BigIntegerField(
        default=0, db_default=0, help_text="Its values are those of this revision, at least."
    )
    calculated_at = models.DateTimeField(null=True)
    formulas = models.PositiveIntegerField(default=0, db_default=0)
    is_volatile = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Has formulas such as NOW(), whose values change by themselves.",
    )
    watched_at = models.DateTimeField(
        null=True, help_text="When somebody last had it open; kept up for volatile ones alone."
    )
    left_out = models.JSONField(
        null=True, help_text="Formulas that took too much: row id, column id, digest, reason."
    )
    problem = models.CharField(max_length=300, blank=True, default="", db_default="")
    held_by = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"calculation of {self.sheet_id}"
