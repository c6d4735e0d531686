"""Sheets, their cells and their log."""

from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cells.domain.axes import NEW_COLUMNS, NEW_ROWS


class Role(models.TextChoices):
    """What a person may do on one sheet, weakest first."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


class LinkRole(models.TextChoices):
    """What anybody who knows a sheet's address may do."""

    NONE = "none"
    VIEWER = "viewer"
    EDITOR = "editor"


class AuthorKind(models.TextChoices):
    """Where a revision came from."""

    USER = "user"
    GUEST = "guest"
    STREAM = "stream"
    API = "api"
    ADMIN = "admin"
    CALCULATOR = "calculator"


def new_rows() -> list[list[int]]:
    return [[0, NEW_ROWS]]


def new_columns() -> list[list[int]]:
    return [[0, NEW_COLUMNS]]


def validate_time_zone(name: str) -> None:
    """Raise ValidationError for what is no name of the IANA time zone database."""
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not a time zone; write one such as Europe/Berlin.")


class Sheet(models.Model):
    """A sheet: its two axes, its sizes, and the number of its newest revision."""

    slug = models.SlugField(max_length=64, unique=True, help_text="The public id, in the address.")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="owned_sheets",
    )
    link_role = models.CharField(
        max_length=6,
        choices=LinkRole,
        default=LinkRole.NONE,
        help_text="What anybody who has the address may do.",
    )
    head = models.BigIntegerField(default=0, editable=False)
    rows = models.JSONField(default=new_rows, editable=False)
    columns = models.JSONField(default=new_columns, editable=False)
    row_sizes = models.JSONField(default=list, editable=False)
    column_sizes = models.JSONField(default=list, editable=False)
    frozen_rows = models.PositiveSmallIntegerField(default=0, editable=False)
    frozen_columns = models.PositiveSmallIntegerField(default=0, editable=False)
    # The newest revision that changed an axis or its sizes: what a delta needs to know. What is
    # frozen counts as the rows', for it changes seldom.
    rows_revision = models.BigIntegerField(default=0, editable=False)
    columns_revision = models.BigIntegerField(default=0, editable=False)
    filled = models.PositiveIntegerField(
        default=0, editable=False, help_text="How many cells are not empty."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False, help_text="The newest commit.")
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        validators=(validate_time_zone,),
        help_text="Of TODAY() and NOW(), such as Europe/Berlin; empty for the server's.",
    )
    deleted_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Since when it is out of sight; its owner can bring it back.",
    )

    class Meta:
        ordering = ("-updated_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(head__gte=0), name="sheet_head_not_negative"),
            models.CheckConstraint(
                condition=Q(rows_revision__lte=F("head"), columns_revision__lte=F("head")),
                name="sheet_axes_not_newer_than_head",
            ),
            models.CheckConstraint(
                condition=Q(link_role__in=LinkRole.values), name="sheet_link_role_known"
            ),
        )

    def __str__(self) -> str:
        return self.title


class SheetAccess(models.Model):
    """A person's role on a sheet that is not theirs."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="access")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sheet_access"
    )
    role = models.CharField(max_length=6, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name_plural = "sheet access"
        constraints = (
            models.UniqueConstraint(fields=("sheet", "user"), name="access_once_per_person"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="access_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class SheetGroupAccess(models.Model):
    """The role that everybody in a group of Django's has on a sheet."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="group_access")
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="sheet_access")
    role = models.CharField(max_length=6, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name_plural = "sheet group access"
        constraints = (
            models.UniqueConstraint(fields=("sheet", "group"), name="access_once_per_group"),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="group_access_role_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.group}: {self.role}"


class Cell(models.Model):
    """The present state of one cell that was ever written; a cleared one has empty input."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="cells", db_index=False)
    row = models.IntegerField(help_text="A row id, not a position.")
    column = models.IntegerField(help_text="A column id, not a position.")
    input = models.TextField(blank=True, help_text="The text as typed.")
    value = models.JSONField(
        null=True, blank=True, help_text="What a formula comes to; none until it is calculated."
    )
    style = models.JSONField(null=True, blank=True)
    revision = models.BigIntegerField(help_text="The newest revision that touched it.")
    # Apart from `revision`, which says whose the cell is: a calculation takes it from nobody.
    value_revision = models.BigIntegerField(
        null=True, blank=True, help_text="The revision that gave it its value."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "row", "column"), name="cell_once"),
        )
        # Catch-up: the cells touched since a revision, in that order; and those with new values.
        indexes = (
            models.Index(fields=("sheet", "revision"), name="cell_by_revision"),
            models.Index(
                fields=("sheet", "value_revision"),
                condition=Q(value_revision__isnull=False),
                name="cell_by_value_revision",
            ),
        )

    def __str__(self) -> str:
        return f"{self.sheet_id}:{self.row},{self.column}"


class Revision(models.Model):
    """A committed operation: one line of a sheet's log."""

    sheet = models.ForeignKey(
        Sheet, on_delete=models.CASCADE, related_name="revisions", db_index=False
    )
    number = models.BigIntegerField()
    operation_id = models.UUIDField()
    author_kind = models.CharField(max_length=10, choices=AuthorKind)
    author_name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # read only when a person is deleted; every commit would pay for it
    )
    origin = models.CharField(
        max_length=300,
        blank=True,
        help_text="A browser tab's client id, or a subscription and message id.",
    )
    # What only a stream's revisions have.
    feed = models.ForeignKey(
        "Feed",
        # No constraint, and the id stays when the feed goes: nobody searches a long log for it.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    published_at = models.DateTimeField(null=True, help_text="When the message was published.")
    event_at = models.DateTimeField(null=True, help_text="When it happened, by the message itself.")
    operation = models.JSONField()
    before = models.JSONField(help_text="What undo needs: the state that the operation replaced.")
    committed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "number"), name="revision_number_once"),
            # The one deduplication: a retry or a redelivery commits nothing.
            models.UniqueConstraint(
                fields=("sheet", "operation_id"), name="revision_operation_once"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="revision_numbers_from_one"),
        )

    def __str__(self) -> str:
        return f"revision {self.number}"


class TakeBack(models.Model):
    """An operation that was undone, and perhaps done again: where the log says so last."""

    sheet = models.ForeignKey(
        Sheet, on_delete=models.CASCADE, related_name="take_backs", db_index=False
    )
    operation_id = models.UUIDField(help_text="The operation that was undone.")
    number = models.BigIntegerField(help_text="The newest revision that undid or redid it.")
    is_undone = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "operation_id"), name="take_back_once"),
        )

    def __str__(self) -> str:
        return f"{self.operation_id} {'undone' if self.is_undone else 'redone'}"


class Snapshot(models.Model):
    """A sheet's filled cells at a revision, packed: a cache that may be thrown away.

    It speaks of this log only while `operation_id` is what the log has at `revision`.
    """

    sheet = models.OneToOneField(
        Sheet, on_delete=models.CASCADE, related_name="snapshot", primary_key=True
    )
    revision = models.BigIntegerField()
    operation_id = models.UUIDField(help_text="The operation of that revision.")
    format = models.PositiveSmallIntegerField(help_text="How `data` is to be read.")
    cells = models.PositiveIntegerField(help_text="How many cells are in it.")
    data = models.BinaryField()
    packed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"snapshot of revision {self.revision}"
