"""State of signing in: how often it failed lately."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class TriesOf(models.TextChoices):
    """Whose tries are counted together."""

    PAIR = "pair", "an account from a network"
    NETWORK = "network", "a network"
    ACCOUNT = "account", "an account"


class SignInTries(models.Model):
    """How often somebody failed to sign in since a moment, and when they last did not.

    What was typed for a name is in the key alone, hashed: it may be somebody's password.
    """

    key = models.CharField(max_length=80, unique=True, editable=False)
    tries_of = models.CharField(max_length=7, choices=TriesOf)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Empty for a network, and for a name that nobody has.",
    )
    network = models.CharField(max_length=64, blank=True, help_text="Empty for all together.")
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(default=timezone.now, db_index=True)
    signed_in_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "sign-in tries"
        constraints = (
            models.CheckConstraint(
                condition=Q(tries_of__in=TriesOf.values), name="sign_in_tries_of_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_tries_of_display()}: {self.failures} failures"
