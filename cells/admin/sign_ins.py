"""Failures to sign in: to be looked at, and forgotten for somebody who waits to be let in."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from cells.admin.bounded import ReadOnlyAdmin
from cells.models import SignInTries
from cells.services.audit import Place, actor_of
from cells.services.sign_ins import let_in_again


@admin.register(SignInTries)
class SignInTriesAdmin(ReadOnlyAdmin[SignInTries]):
    """A line for each account, network, and account from a network."""

    list_display = ("tries_of", "user", "network", "failures", "since", "signed_in_at")
    list_select_related = ("user",)
    list_filter = ("tries_of",)
    ordering = ("-since",)
    actions = ("forget_failures",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}", "network")

    @admin.action(description="Let them try again at once", permissions=["unlock"])
    def forget_failures(self, request: HttpRequest, queryset: QuerySet[SignInTries]) -> None:
        """Forget the failures of the chosen lines."""
        by = actor_of(request, Place.ADMIN)
        self.message_user(request, f"{let_in_again(queryset, by)} may try again.")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Say who may let others in again."""
        return request.user.has_perm("cells.change_signintries")
