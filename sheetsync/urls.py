"""The project's addresses: the admin, signing in and out, the words of the modules, and the app."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("words.js", JavaScriptCatalog.as_view(packages=["cells"]), name="words"),
    path("", include("cells.urls")),
]
