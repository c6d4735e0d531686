"""The provider as django-allauth knows it, with what OpenID Connect has its clients check.

Allauth leaves out the nonce, and the signature of what came over TLS.
https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import logging
import secrets
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sheetsync.sign_in.adapter import refused

logger = logging.getLogger(__name__)

PROVIDER = "oidc"


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):
    """Speaks with the provider. Raises OAuth2Error for an id token that proves nothing."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("the provider sent no id_token")
        login = super().complete_login(request, app, token, **kwargs)
        data = login.account.extra_data
        if data["userinfo"].get("sub") != data["id_token"].get("sub"):
            raise OAuth2Error("userinfo and id_token are of different people")
        _check_issuer(request, login.account)
        return login

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("oidc_callback"))

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            decoded: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except (KeyError, ValueError) as error:
            raise OAuth2Error("the id_token or the provider's keys cannot be read") from error
        return decoded


def _check_issuer(request: HttpRequest, account: Any) -> None:
    """Refuse who has the id of an account of another issuer's: a `sub` is one's own in one alone.

    Ahead of allauth's look-up, which writes what the new token says over what is known. An account
    that an administrator has connected without an issuer is bound by its first sign-in.
    """
    known = SocialAccount.objects.filter(provider=account.provider, uid=account.uid).first()
    bound = None if known is None else _issuer_of(known.extra_data)
    issuer = _issuer_of(account.extra_data)
    if bound is not None and bound != issuer:
        logger.warning(
            "sub=%s of issuer=%s is refused: the account is of issuer=%s",
            *(account.uid, issuer, bound),
        )
        sentence = _(
            "Your account is connected to another site than the one that you come from. Ask an "
            "administrator to connect it anew."
        )
        raise ImmediateHttpResponse(refused(request, sentence))


def _issuer_of(extra_data: dict[str, Any]) -> str | None:
    """Return who vouches for an account: by an id token, or as an administrator wrote it."""
    issuer: str | None = extra_data.get("id_token", extra_data).get("iss")
    return issuer


class Provider(OpenIDConnectProvider):
    """The one provider of the environment's."""

    id = PROVIDER
    oauth2_adapter_class = VerifyingAdapter
    pkce_enabled_default = True

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        # Nothing else of the request's: scopes and parameters are not its to say.
        next_url = get_next_redirect_url(request)
        return {"process": AuthProcess.LOGIN, **({"next_url": next_url} if next_url else {})}

    def redirect(self, request: HttpRequest, process: str, **kwargs: Any) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        told = {**self.get_auth_params(), "nonce": nonce}
        answer: HttpResponse = super().redirect(
            request, process, auth_params=told, nonce=nonce, **kwargs
        )
        return answer


provider_classes = [Provider]
