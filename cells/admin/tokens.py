"""The tokens of all people: to be looked at, and revoked."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cells.admin.bounded import ReadOnlyAdmin
from cells.models import ApiToken
from cells.services.audit import Place, actor_of
from cells.services.tokens import revoke


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    """A line a token, revoked ones too: the log names them."""

    list_display = ("user", "name", "scope", "created_at", "used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    list_filter = ("scope",)
    ordering = ("-pk",)
    exclude = ("digest",)
    actions = ("revoke_chosen",)

    @admin.action(description="Revoke the chosen tokens", permissions=["revoke"])
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End them at once."""
        by = actor_of(request, Place.ADMIN)
        self.message_user(request, f"{revoke(queryset, by)} revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Say who may revoke; a token is deleted with its person alone."""
        return request.user.has_perm("cells.delete_apitoken")
