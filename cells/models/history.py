"""What is kept beside the log: which revisions changed a cell, and revisions with a name."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from cells.models.sheets import Sheet


class CellChange(models.Model):
    """A line of the log that changed a cell. Written when somebody asks, not when it happened."""

    sheet = models.ForeignKey(
        Sheet, on_delete=models.CASCADE, related_name="cell_changes", db_index=False
    )
    row = models.IntegerField(help_text="A row id, not a position.")
    column = models.IntegerField(help_text="A column id, not a position.")
    revision = models.BigIntegerField()

    class Meta:
        constraints = (
            # A cell's history is a range of this index, newest first.
            models.UniqueConstraint(
                fields=("sheet", "row", "column", "revision"), name="cell_change_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sheet_id}:{self.row},{self.column} at {self.revision}"


class LogReach(models.Model):
    """How far back a sheet's log reaches, and how far it has been read for its CellChanges.

    Of the lines up to `pruned` those may be left that say who wrote a cell last.
    """

    sheet = models.OneToOneField(
        Sheet, on_delete=models.CASCADE, related_name="log_reach", primary_key=True
    )
    pruned = models.BigIntegerField(default=0, db_default=0)
    indexed = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"back to revision {self.pruned}"


class NamedVersion(models.Model):
    """A revision that a person gave a name, so that it is found and kept.

    `data` is the sheet as it was then, packed; it is there from when the log beneath it goes.
    """

    sheet = models.ForeignKey(
        Sheet, on_delete=models.CASCADE, related_name="named_versions", db_index=False
    )
    revision = models.BigIntegerField()
    name = models.CharField(max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    author_name = models.CharField("named by", max_length=150)
    named_at = models.DateTimeField(default=timezone.now)
    committed_at = models.DateTimeField(null=True, help_text="When the revision was made.")
    format = models.PositiveSmallIntegerField(null=True, help_text="How `data` is to be read.")
    data = models.BinaryField(null=True)

    class Meta:
        ordering = ("sheet", "-revision")
        constraints = (
            models.UniqueConstraint(fields=("sheet", "revision"), name="named_version_once"),
            models.CheckConstraint(condition=~Q(name=""), name="named_version_has_name"),
        )

    def __str__(self) -> str:
        return self.name
