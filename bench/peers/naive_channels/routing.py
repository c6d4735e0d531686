"""The naive consumer's addresses: /sheets/<slug>, and /healthz for the readiness check."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from bench.peers.naive_channels.consumers import SheetConsumer


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("healthz", healthz)]
websocket_urlpatterns = [re_path(r"^sheets/(?P<slug>[\w-]+)/?$", SheetConsumer.as_asgi())]
