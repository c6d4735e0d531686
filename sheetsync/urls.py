"""The project's addresses: the admin, accounts, the language and its words, and the app."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog, set_language

from cells.accounts import SignIn, SignUp, revoke, tokens

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/sign-up/", SignUp.as_view(), name="sign_up"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/tokens/", tokens, name="tokens"),
    path("accounts/tokens/<int:token_id>/revoke/", revoke, name="revoke_token"),
    path("language/", set_language, name="set_language"),
    path("words.js", conditional_page(JavaScriptCatalog.as_view(packages=["cells"])), name="words"),
    path("", include("cells.urls")),
]
