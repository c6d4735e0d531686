"""Who is let in by the provider's word, and as whom."""

import secrets
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


class Adapter(DefaultSocialAccountAdapter):
    """Accounts are found by the provider's own id for a person, and never by an e-mail address."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        nonce = sociallogin.account.extra_data["id_token"].get("nonce", "")
        if not secrets.compare_digest(str(nonce), sociallogin.state.get("nonce", "")):
            raise ImmediateHttpResponse(not_proven(request))
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                sentence = _("This account has been deactivated. Ask an administrator.")
                raise ImmediateHttpResponse(refused(request, sentence))
            return
        if not settings.OIDC_SIGN_UP:
            sentence = _("You have no account here yet. An administrator makes one for you.")
            raise ImmediateHttpResponse(refused(request, sentence))
        # Sheets are shared by e-mail address: whoever only claims one gets none, as a name neither.
        if "@" in sociallogin.user.username:
            sociallogin.user.username = ""  # one is made for them
        addresses = [one.email for one in sociallogin.email_addresses if one.verified]
        sociallogin.email_addresses = []
        sociallogin.user.email = addresses[0] if addresses else ""
        if addresses and get_user_model().objects.filter(email__iexact=addresses[0]).exists():
            sentence = _(
                "There is an account with this e-mail address already. Sign in with its password, "
                "or ask an administrator to connect the two."
            )
            raise ImmediateHttpResponse(refused(request, sentence))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return bool(settings.OIDC_SIGN_UP)

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(not_proven(request))


def not_proven(request: HttpRequest) -> HttpResponse:
    """Return the page for a sign-in that was cancelled, is too old, or proves nothing."""
    return refused(request, _("Signing in did not work, or was cancelled. Try again."))


def refused(request: HttpRequest, sentence: str, status: int = 403) -> HttpResponse:
    """Return a page that says why somebody is not signed in."""
    return render(request, "registration/refused.html", {"sentence": sentence}, status=status)
