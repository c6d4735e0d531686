"""Protected ranges of sheets, and who may edit them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from cells.models.sheets import Sheet
from cells.models.streams import Feed


class Protection(models.Model):
    """A part of a sheet that its owners and those named alone may edit.

    By ids, from corner to corner; without rows it is whole columns, without columns whole rows,
    without either the whole sheet.
    """

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="protections")
    first_row = models.IntegerField(null=True, editable=False, help_text="A row id.")
    last_row = models.IntegerField(null=True, editable=False)
    first_column = models.IntegerField(null=True, editable=False, help_text="A column id.")
    last_column = models.IntegerField(null=True, editable=False)
    description = models.CharField(
        max_length=200, blank=True, help_text="What is in it, or why it is protected."
    )
    takes_messages = models.BooleanField(
        "takes messages",
        default=False,
        help_text="Whether messages that name the sheet themselves, by no feed, may write here.",
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("sheet", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(first_row__isnull=True, last_row__isnull=True)
                | Q(first_row__isnull=False, last_row__isnull=False),
                name="protection_rows_have_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(first_column__isnull=True, last_column__isnull=True)
                | Q(first_column__isnull=False, last_column__isnull=False),
                name="protection_columns_have_two_ends",
            ),
        )

    def __str__(self) -> str:
        return self.description or f"protection {self.pk}"


class ProtectionEditor(models.Model):
    """Who may edit a protected range besides the sheet's owners: a person, a group or a feed."""

    protection = models.ForeignKey(Protection, on_delete=models.CASCADE, related_name="editors")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    feed = models.ForeignKey(
        Feed, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True, feed__isnull=True)
                | Q(user__isnull=True, group__isnull=False, feed__isnull=True)
                | Q(user__isnull=True, group__isnull=True, feed__isnull=False),
                name="protection_editor_is_one",
                violation_error_message="Name one in a line: a person, a group or a feed.",
            ),
            models.UniqueConstraint(fields=("protection", "user"), name="protection_user_once"),
            models.UniqueConstraint(fields=("protection", "group"), name="protection_group_once"),
            models.UniqueConstraint(fields=("protection", "feed"), name="protection_feed_once"),
        )

    def __str__(self) -> str:
        return str(self.user or self.group or self.feed)
