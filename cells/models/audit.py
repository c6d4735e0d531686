"""State of the audit log: who did what that is no edit. It is added to, and pruned by its age."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One act. Names and titles are kept as text: they outlive the person and the sheet."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    action = models.CharField(max_length=40, help_text="A stable code, such as sheet.shared.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Empty for guests and programs, and once the account is deleted.",
    )
    actor_name = models.CharField(max_length=300, blank=True)
    place = models.CharField(max_length=7, help_text="Where it was done from.")
    address = models.CharField(max_length=64, blank=True, help_text="The client's, where known.")
    sheet = models.ForeignKey("cells.Sheet", on_delete=models.SET_NULL, null=True, related_name="+")
    slug = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("action", "-id"), name="audit_by_action"),
            models.Index(fields=("slug", "-id"), name="audit_by_slug"),
        )

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name}"
