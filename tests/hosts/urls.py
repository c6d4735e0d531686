"""Addresses of the project in by_email.py, with names that the app has, too."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

home = TemplateView.as_view(template_name="none.html")

urlpatterns = [
    path("tables/", include("cells.urls")),
    path("", home, name="home"),
    path("delete/<slug:slug>/", home, name="delete"),
    path("sheet/<slug:slug>/", home, name="sheet"),
    path("admin/", admin.site.urls),
]
