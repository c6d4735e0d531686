"""The project's addresses: the admin, accounts, the language, and the app."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from cells.accounts import SignIn, SignUp
from cells.forms import AdminSignInForm

admin.site.site_header = "SheetSync"
admin.site.site_title = "SheetSync admin"
admin.site.index_title = "Administration"
admin.site.login_form = AdminSignInForm

_OTHERS = {"oidc_name": settings.OIDC_NAME} if settings.OIDC_SERVER_URL else {}

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", SignIn.as_view(extra_context=_OTHERS), name="login"),
    path("accounts/sign-up/", SignUp.as_view(), name="sign_up"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("", include("cells.urls")),
]

if settings.OIDC_SERVER_URL:
    urlpatterns.insert(0, path("", include("sheetsync.sign_in.urls")))
