"""State of the HTTP interface: the tokens by which programs act for a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Scope(models.TextChoices):
    """What a token is good for; its person's roles bound it further."""

    READ = "read"
    WRITE = "write", "read and write"


class ApiToken(models.Model):
    """A personal token. The text itself is shown once and stored nowhere."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100, help_text="What it is for.")
    digest = models.CharField(
        max_length=64, unique=True, editable=False, help_text="The SHA-256 of the token."
    )
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(
        null=True, editable=False, help_text="The last use, to the minute."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="token_scope_known"),
        )

    def __str__(self) -> str:
        return self.name
