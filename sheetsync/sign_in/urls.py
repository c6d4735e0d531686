"""The addresses of sign-in by others: there, and back. None of allauth's own pages is mounted."""

import logging
from collections.abc import Callable

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from sheetsync.sign_in.adapter import refused
from sheetsync.sign_in.provider import PROVIDER, VerifyingAdapter

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponse]


def _answer(view: type[OAuth2LoginView | OAuth2CallbackView], request: HttpRequest) -> HttpResponse:
    adapter = VerifyingAdapter(request, PROVIDER)
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
    except (RequestException, KeyError, ValueError):
        logger.exception("the provider does not answer as OpenID Connect says")
        sentence = _("The other site does not answer at the moment. Try again in a minute.")
        return refused(request, sentence, status=502)
    return answer


@require_POST
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Send somebody to the provider."""
    return _answer(OAuth2LoginView, request)


@require_GET
@never_cache
def come_back(request: HttpRequest) -> HttpResponse:
    """Take what the provider says of somebody, and sign them in."""
    return _answer(OAuth2CallbackView, request)


urlpatterns = [
    path("accounts/oidc/login/", leave, name="oidc_login"),
    path("accounts/oidc/callback/", come_back, name="oidc_callback"),
]
