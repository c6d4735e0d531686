"""Pages of accounts: signing in, and signing up where the operators allow it."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from cells.forms import SignUpForm
from cells.services.quotas import wait_seconds

if TYPE_CHECKING:
    SignUpView = FormView[SignUpForm]
else:
    SignUpView = FormView

SIGN_UPS_AN_HOUR = 20  # from one address, which an office or a school may share


class SignIn(LoginView):
    """Sign in, and go on to where one was going."""

    redirect_authenticated_user = True

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
            return redirect(self.get_success_url())
        if not settings.SIGN_UP:
            return render(request, "registration/no_sign_up.html", status=404)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Refused forms count too: they say which names are taken.
        wait = wait_seconds("sign_up", _address(request), an_hour=SIGN_UPS_AN_HOUR)
        if wait:
            context = {"minutes": -(-wait // 60)}
            response = render(request, "registration/too_many.html", context, status=429)
            response.headers["Retry-After"] = str(wait)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save()
        login(self.request, user)
        return super().form_valid(form)

    def form_invalid(self, form: SignUpForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Only an address of this site's, so that no link sends a newcomer elsewhere.
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


def _address(request: HttpRequest) -> str:
    """Return where a request comes from; behind a proxy that is believed, what that says last."""
    told: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if told and settings.SECURE_PROXY_SSL_HEADER:
        return told.rpartition(",")[2].strip()
    address: str = request.META.get("REMOTE_ADDR", "")
    return address
