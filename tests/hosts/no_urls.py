"""Addresses of a project that forgot the app's."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
