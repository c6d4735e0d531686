"""Pages of accounts: signing in, signing up where the operators allow it, and access tokens."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django.views.generic import FormView

from cells.domain.errors import SheetSyncError
from cells.forms import SignInForm, SignUpForm, TokenForm
from cells.models import Scope
from cells.services.audit import actor_of
from cells.services.quotas import address_of, wait_seconds
from cells.services.tokens import MAX_TOKENS, create_token, revoke_token, tokens_of

if TYPE_CHECKING:
    SignUpView = FormView[SignUpForm]
else:
    SignUpView = FormView

SIGN_UPS_AN_HOUR = 20  # from one address, which an office or a school may share


class SignIn(LoginView):
    """Sign in, and go on to where one was going."""

    redirect_authenticated_user = True
    authentication_form = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_invalid(form)
        if form.wait_seconds:
            response.status_code = 429
            response.headers["Retry-After"] = str(form.wait_seconds)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_sign_up=settings.SIGN_UP, **kwargs)


class SignUp(RedirectURLMixin, SignUpView):
    """Make an account and be signed in with it, where the operators allow that."""

    form_class = SignUpForm
    template_name = "registration/sign_up.html"
    next_page = settings.LOGIN_REDIRECT_URL

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        if not settings.SIGN_UP:
            return render(request, "registration/no_sign_up.html", status=404)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Refused forms count too: they say which names are taken.
        wait = wait_seconds("sign_up", address_of(request), an_hour=SIGN_UPS_AN_HOUR)
        if wait:
            context = {"minutes": -(-wait // 60)}
            response = render(request, "registration/too_many.html", context, status=429)
            response.headers["Retry-After"] = str(wait)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:  # at the same moment somebody, or another click, took the name
            taken = form.instance.unique_error_message(type(form.instance), ["username"])
            form.add_error("username", taken)
            return self.form_invalid(form)
        login(self.request, user)
        return super().form_valid(form)

    def form_invalid(self, form: SignUpForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Only an address of this site's, so that no link sends a newcomer elsewhere.
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """Show a person's tokens; POST makes one, and its text is in that answer alone."""
    assert request.user.is_authenticated  # noqa: S101 - what login_required has seen to
    form = TokenForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        days: int | None = form.cleaned_data["days"]
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        scope = Scope(form.cleaned_data["scope"])
        try:
            name, by = form.cleaned_data["name"], actor_of(request)
            _token, made = create_token(request.user, name, scope, expires_at, by)
            form = TokenForm()
        except SheetSyncError:
            most = {"count": MAX_TOKENS}
            form.add_error(
                None, _("You have %(count)s tokens, which is the most. Revoke one first.") % most
            )
    context = {
        "tokens": tokens_of(request.user),
        "form": form,
        "made": made,
        "address": request.build_absolute_uri(reverse("cells:api-v1:api-root").rstrip("/")),
    }
    return render(request, "cells/tokens.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token of one's own."""
    assert request.user.is_authenticated  # noqa: S101 - what login_required has seen to
    if revoke_token(request.user, token_id, actor_of(request)):
        messages.success(request, _("Revoked. Programs that use it are refused from now on."))
    else:
        messages.error(request, _("You have no such token any more."))
    return redirect("cells:tokens")
